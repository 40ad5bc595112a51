// Files that the first version of the format wrote, and that every later program must read. They
// are made by: checkpoint_file_test "[.golden]"
#include <cstdlib>
#include <string>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "checkpoint/content_digest.h"
#include "tests/catch.h"
#include "tests/checkpoint/world.h"
#include "tests/support/status.h"

namespace tarn::checkpoint {
namespace {

using testing::Brief;
using testing::FileRow;
using testing::kStart;
using testing::OpenFile;
using testing::Put;
using testing::TestEngine;
using testing::VerifyFile;

constexpr Codec kCodecs[] = {Codec::kNone, Codec::kLz4, Codec::kZstd, Codec::kSnappy};

std::string GoldenPath(absl::string_view name) {
  const char* const source = std::getenv("TARN_SOURCE_DIR");
  return absl::StrCat(source == nullptr ? "." : source, "/tests/checkpoint/golden/", name);
}

std::string GoldenFile(Codec codec) {
  return GoldenPath(absl::StrCat("v1-", CodecName(codec), ".ckpt"));
}

// Two namespaces, keys and values of any bytes, deadlines, and text that compresses.
void FillGolden(TestEngine& engine) {
  engine.AddNamespace("default", 1);
  engine.AddNamespace("orders", 2);
  engine.Do(Put(std::string("\0\xff\n", 3), "bytes"));
  engine.Do(Put("empty", ""));
  engine.Do(Put("soon", "gone").Until(kStart + 60'000));
  for (int i = 0; i < 40; ++i) {
    engine.Do(Put(absl::StrCat("order/", i), absl::StrCat("{\"count\":", i * 7, ",\"sum\":0}"))
                  .In(2)
                  .Until(i % 2 == 0 ? kStart + i * 1000 + 1 : base::kNever));
  }
}

Header WriteGolden(TestEngine& engine, base::FileSystem& files, const std::string& path,
                   Codec codec) {
  return testing::Write(*engine, files, path,
                        {.compression = {codec, 0}, .block_bytes = 700, .threads = 1}, {7, 42});
}

// The same listing as read_checkpoint.py prints.
std::string Listing(const CheckpointReader& reader) {
  std::string text;
  for (const FileRow& row : testing::RowsOf(reader)) {
    absl::StrAppend(&text, row.ns.empty() ? "-" : row.ns, " ", absl::BytesToHexString(row.key), " ",
                    absl::BytesToHexString(row.value), " ", row.revision, " ", row.deadline, "\n");
  }
  return text;
}

TEST_CASE("the golden files are made anew", "[.golden]") {
  base::ManualClock clock{kStart};
  TestEngine engine(clock);
  FillGolden(engine);
  for (const Codec codec : kCodecs)
    WriteGolden(engine, base::PosixFileSystem(), GoldenFile(codec), codec);
  const auto reader = OpenFile(base::PosixFileSystem(), GoldenFile(Codec::kNone));
  testing::Store(base::PosixFileSystem(), GoldenPath("v1.txt"), Listing(*reader));
}

TEST_CASE("files of format version 1 are read as they were written") {
  const Codec codec = GENERATE(Codec::kNone, Codec::kLz4, Codec::kZstd, Codec::kSnappy);
  const auto reader = OpenFile(base::PosixFileSystem(), GoldenFile(codec));
  CHECK(Brief(VerifyFile(base::PosixFileSystem(), GoldenFile(codec))) == "OK");
  CHECK(Listing(*reader) == testing::Load(base::PosixFileSystem(), GoldenPath("v1.txt")));
  const Header& header = reader->header();
  CHECK(header.store_id == testing::kStoreA);
  CHECK(header.number == CheckpointNumber{7, 42});
  CHECK(header.revision == storage::FirstRevision(7) + 45);
  CHECK(header.create_time == kStart);
  CHECK(header.as_of == kStart);
  CHECK(header.engine == "memory");
  CHECK(header.entries == 43);
  CHECK(header.compression.codec == codec);
  CHECK(ToHex(header.content_digest) == "8e0cbd0059db9353bbbc8a194d4bb3dc");
  // It is stored as it says, so that each codec is really read.
  bool compressed = codec == Codec::kNone;
  for (const BlockInfo& block : reader->blocks()) compressed |= block.codec == codec;
  CHECK(compressed);
}

TEST_CASE("what is written today without compression is what was written then") {
  base::ManualClock clock{kStart};
  TestEngine engine(clock);
  FillGolden(engine);
  testing::FaultFileSystem files;
  const Header header = WriteGolden(engine, files, "f", Codec::kNone);
  CHECK(testing::Load(files, "f") ==
        testing::Load(base::PosixFileSystem(), GoldenFile(Codec::kNone)));
  CHECK(base::ToHex(header.root) ==
        "0f10fedf28e2c0b1b21bdcf39e18df17f1f3546af751379a77f0837cf02390eb");
}

}  // namespace
}  // namespace tarn::checkpoint
