// Whatever happens to the bytes of a checkpoint, it is refused, and the message says which file and
// where. No wrong value ever comes out.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "tests/catch.h"
#include "tests/checkpoint/world.h"
#include "tests/support/status.h"

namespace tarn::checkpoint {
namespace {

using testing::Brief;
using testing::FaultFileSystem;
using testing::kStart;
using testing::Load;
using testing::OpenFile;
using testing::Put;
using testing::Says;
using testing::Store;
using testing::TestEngine;
using testing::Value;
using testing::VerifyFile;
using testing::Write;

// A small file with blocks of two namespaces and the system section.
struct SmallFile {
  FaultFileSystem files;
  std::string bytes;

  explicit SmallFile(Codec codec = Codec::kLz4, size_t block_bytes = 100) {
    base::ManualClock clock{kStart};
    TestEngine engine(clock);
    engine.AddNamespace("a", 1);
    engine.AddNamespace("b", 2);
    for (int i = 0; i < 6; ++i) engine.Do(Put(absl::StrCat("k", i), std::string(40, 'v')));
    engine.Do(Put("x", "y").In(2).Until(kStart + 1000));
    Write(*engine, files, "f",
          {.compression = {codec, 0}, .block_bytes = block_bytes, .threads = 1});
    bytes = Load(files, "f");
  }

  absl::Status Check(absl::string_view damaged) {
    Store(files, "f", damaged);
    return VerifyFile(files, "f");
  }
};

// Every refusal is DATA_LOSS with file and offset.
void CheckRefused(const absl::Status& status) {
  REQUIRE(Brief(status) == "DATA_LOSS DATA_LOSS");
  REQUIRE(Says(status, "f is damaged at byte "));
}

TEST_CASE("every single bit of a checkpoint that is flipped is noticed") {
  SmallFile file(GENERATE(Codec::kNone, Codec::kLz4, Codec::kZstd, Codec::kSnappy));
  REQUIRE(Brief(file.Check(file.bytes)) == "OK");
  for (size_t bit = 0; bit < file.bytes.size() * 8; ++bit) {
    std::string damaged = file.bytes;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
    CAPTURE(bit);
    CheckRefused(file.Check(damaged));
  }
}

TEST_CASE("every length to which a checkpoint is cut is noticed") {
  SmallFile file;
  for (size_t size = 0; size < file.bytes.size(); ++size) {
    CAPTURE(size);
    CheckRefused(file.Check(file.bytes.substr(0, size)));
  }
}

TEST_CASE("bytes behind a checkpoint are noticed") {
  SmallFile file;
  for (const std::string& more : {std::string(1, '\0'), std::string("x"), file.bytes})
    CheckRefused(file.Check(file.bytes + more));
}

TEST_CASE("blocks that change places are noticed") {
  SmallFile file(Codec::kNone, 1);
  const std::vector<BlockInfo> blocks = OpenFile(file.files, "f")->blocks();
  int swapped = 0;
  for (const BlockInfo& left : blocks) {
    for (const BlockInfo& right : blocks) {
      if (left.offset >= right.offset || left.stored_bytes != right.stored_bytes) continue;
      std::string damaged = file.bytes;
      std::swap_ranges(&damaged[left.offset], &damaged[left.offset] + left.stored_bytes,
                       &damaged[right.offset]);
      CheckRefused(file.Check(damaged));
      ++swapped;
    }
  }
  CHECK(swapped > 10);
}

TEST_CASE("a part of the file that is zeroed, as a lost page is, is noticed") {
  SmallFile file;
  for (size_t start = 0; start < file.bytes.size(); start += 64) {
    std::string damaged = file.bytes;
    const size_t size = std::min<size_t>(64, damaged.size() - start);
    damaged.replace(start, size, size, '\0');
    if (damaged == file.bytes) continue;
    CheckRefused(file.Check(damaged));
  }
}

TEST_CASE("a file that is no checkpoint at all is refused") {
  SmallFile file;
  for (const std::string& content : {std::string(), std::string("hello"), std::string(4096, '\0'),
                                     std::string(4096, 'x'), std::string("TARNCKPT")}) {
    CheckRefused(file.Check(content));
  }
}

TEST_CASE("damage is told from a newer format") {
  SmallFile file;
  // Version 3, and nothing else is changed: the root tells that it was written as version 1.
  std::string damaged = file.bytes;
  damaged[11] = 3;
  const absl::Status status = file.Check(damaged);
  CheckRefused(status);
  CHECK(Says(status, "f is damaged at byte 8"));
  // A format that another program knows: nothing here proves itself.
  damaged[100] = static_cast<char>(damaged[100] ^ 1);
  const absl::Status newer = file.Check(damaged);
  CHECK(Brief(newer) == "FAILED_PRECONDITION NEWER_FORMAT");
  CHECK(newer.message() ==
        "f: the checkpoint has format version 3 at byte 8; this program reads up to 1");
}

TEST_CASE("a damaged block spoils only what is in it, when one range is read") {
  SmallFile file(Codec::kNone, 1);
  const std::vector<BlockInfo> blocks = OpenFile(file.files, "f")->blocks();
  std::string damaged = file.bytes;
  ++damaged[blocks[2].offset];
  Store(file.files, "f", damaged);
  const auto reader = OpenFile(file.files, "f");
  const auto take = [](const BlockInfo&, absl::Span<const storage::EntryView>) {
    return absl::OkStatus();
  };
  CHECK(reader->ReadRange("a", "", blocks[2].first_key, take).ok());
  const absl::Status status = reader->ReadRange("a", "", "", take);
  CheckRefused(status);
  CHECK(Says(status, absl::StrCat("at byte ", blocks[2].offset, ":")));
}

TEST_CASE("a file that shrinks while it is read is an error, not a crash") {
  SmallFile file;
  const auto reader = OpenFile(file.files, "f");
  // In place, as somebody might who does not know better.
  const auto truncated = Value(file.files.Create("f"));
  REQUIRE(truncated->Append(file.bytes.substr(0, 300)).ok());
  Progress progress;
  CHECK_FALSE(reader->Verify(progress).ok());
}

}  // namespace
}  // namespace tarn::checkpoint
