// Whatever an engine shows comes back from the file, however it is written.
#include <algorithm>
#include <random>

#include "absl/strings/str_cat.h"
#include "checkpoint/content_digest.h"
#include "checkpoint/state_summary.h"
#include "tests/catch.h"
#include "tests/checkpoint/world.h"
#include "tests/support/status.h"

namespace tarn::checkpoint {
namespace {

using testing::Brief;
using testing::FaultFileSystem;
using testing::FileRow;
using testing::kStart;
using testing::OpenFile;
using testing::Put;
using testing::RowsOf;
using testing::TestEngine;
using testing::Value;
using testing::VerifyFile;
using testing::Write;

struct World {
  FaultFileSystem files;
  base::ManualClock clock{kStart};
  TestEngine engine{clock};

  World() {
    engine.AddNamespace("alpha", 1);
    engine.AddNamespace("beta", 2);
    engine.AddNamespace("none", 3);
  }

  // Entries of many sizes, some with deadlines.
  void Fill(int count) {
    std::mt19937 random(testing::Seed());
    for (int i = 0; i < count; ++i) {
      const std::string key = absl::StrCat("key", random() % 100'000);
      const std::string value(random() % 300, static_cast<char>('a' + i % 26));
      const UnixMs deadline = i % 3 == 0 ? kStart + 1 + random() % 100'000 : base::kNever;
      engine.Do(Put(key, value).In(1 + i % 2).Until(deadline));
    }
  }

  // What the file must hold.
  std::vector<FileRow> Expected() {
    const std::vector<std::string> names = {"", "alpha", "beta", "none"};
    std::vector<FileRow> rows;
    for (const testing::Row& row : testing::RowsOf(*engine, {0, 1, 2, 3}))
      rows.push_back({names[row.ns], row.key, row.value, row.revision, row.deadline});
    std::sort(rows.begin(), rows.end());
    return rows;
  }

  using UnixMs = base::UnixMs;
};

TEST_CASE("what an engine shows is in the file, whatever codec, block size and threads") {
  const Codec codec = GENERATE(Codec::kNone, Codec::kLz4, Codec::kZstd, Codec::kSnappy);
  const size_t block_bytes = GENERATE(1, 1000, 256 << 10);
  const int threads = GENERATE(1, 3);
  World world;
  world.Fill(3000);
  const Header header =
      Write(*world.engine, world.files, "f",
            {.compression = {codec, 0}, .block_bytes = block_bytes, .threads = threads});
  const auto reader = OpenFile(world.files, "f", {.threads = threads});
  const std::vector<FileRow> expected = world.Expected();
  CHECK(RowsOf(*reader) == expected);
  CHECK(reader->header().entries == expected.size() - 3);
  CHECK(reader->header().root == header.root);
  CHECK(reader->file_bytes() == Value(Value(world.files.Open("f"))->Size()));
}

TEST_CASE(
    "the content digest is the same for every codec, block size, number of threads, and order of "
    "writing") {
  World world;
  world.Fill(1000);
  const Header header = Write(*world.engine, world.files, "f");
  for (const Codec codec : {Codec::kNone, Codec::kZstd}) {
    for (const size_t block_bytes : {100, 10'000}) {
      for (const int threads : {1, 4}) {
        const Header other =
            Write(*world.engine, world.files, "g",
                  {.compression = {codec, 3}, .block_bytes = block_bytes, .threads = threads});
        CHECK(ToHex(other.content_digest) == ToHex(header.content_digest));
        CHECK(other.system_digest == header.system_digest);
        CHECK(other.root != header.root);
      }
    }
  }
  // The same entries, written in another order: other revisions.
  TestEngine second(world.clock, {testing::kStoreB, 3});
  second.AddNamespace("beta", 5);
  second.AddNamespace("alpha", 9);
  std::vector<testing::Row> rows = testing::RowsOf(*world.engine, {1, 2});
  std::reverse(rows.begin(), rows.end());
  for (const testing::Row& row : rows)
    second.Do(Put(row.key, row.value).In(row.ns == 1 ? 9 : 5).Until(row.deadline));
  CHECK(ToHex(Write(*second, world.files, "h").content_digest) == ToHex(header.content_digest));
}

TEST_CASE("what a snapshot shows sums up to what its checkpoint's header says") {
  World world;
  world.Fill(2000);
  const Header header = Write(*world.engine, world.files, "f");
  const auto snapshot = Value(world.engine->OpenSnapshot(storage::SnapshotPurpose::kCheckpoint));
  const int threads = GENERATE(1, 3);
  Progress progress;
  const StateSummary sum = Value(SummarizeState(*snapshot, threads, progress));
  CHECK(sum.entries == header.entries);
  CHECK(sum.data_bytes == header.data_bytes);
  CHECK(sum.content_digest == header.content_digest);
  CHECK(sum.system_entries == header.system_entries);
  CHECK(sum.system_digest == header.system_digest);
  CHECK(progress.entries == header.entries);
  progress.cancel = true;
  CHECK(Brief(SummarizeState(*snapshot, threads, progress)) == "CANCELLED");
}

TEST_CASE("an empty engine makes an empty checkpoint, which is valid") {
  FaultFileSystem files;
  base::ManualClock clock{kStart};
  TestEngine engine(clock);
  const Header header = Write(*engine, files, "f");
  CHECK(header.entries == 0);
  CHECK(header.blocks == 0);
  CHECK(ToHex(header.content_digest) == std::string(32, '0'));
  CHECK(Brief(VerifyFile(files, "f")) == "OK");
}

TEST_CASE("what has expired is not in the checkpoint; what will is, with its deadline") {
  World world;
  world.engine.Do(Put("gone", "v").Until(kStart + 10));
  world.engine.Do(Put("just gone", "v").Until(kStart + 20));
  world.engine.Do(Put("there", "v").Until(kStart + 21));
  world.clock.Advance(20);
  const Header header = Write(*world.engine, world.files, "f");
  CHECK(header.entries == 1);
  CHECK(header.as_of == kStart + 20);
  const auto reader = OpenFile(world.files, "f");
  const std::vector<FileRow> rows = RowsOf(*reader);
  CHECK(rows.back().key == "there");
  CHECK(rows.back().deadline == kStart + 21);
}

TEST_CASE("a block that does not shrink is stored as it is") {
  World world;
  std::mt19937 random(testing::Seed());
  std::string noise;
  for (int i = 0; i < 2000; ++i) noise.push_back(static_cast<char>(random()));
  world.engine.Do(Put("noise", noise));
  Write(*world.engine, world.files, "f", {.compression = {Codec::kZstd, 3}, .threads = 1});
  const auto reader = OpenFile(world.files, "f");
  CHECK(reader->header().compression.codec == Codec::kZstd);
  CHECK(reader->blocks().front().codec == Codec::kNone);
  CHECK(Brief(VerifyFile(world.files, "f")) == "OK");
}

TEST_CASE("one range is read without the blocks of others") {
  World world;
  for (int i = 100; i < 300; ++i) world.engine.Do(Put(absl::StrCat("k", i), std::string(20, 'v')));
  world.engine.Do(Put("k150", "of another namespace").In(2));
  Write(*world.engine, world.files, "f", {.block_bytes = 200, .threads = 1});
  const auto reader = OpenFile(world.files, "f");
  const auto read = [&](absl::string_view ns, absl::string_view start, absl::string_view end) {
    std::vector<std::string> keys;
    const absl::Status status = reader->ReadRange(
        ns, start, end, [&](const BlockInfo&, absl::Span<const storage::EntryView> entries) {
          for (const storage::EntryView& entry : entries) keys.emplace_back(entry.key);
          return absl::OkStatus();
        });
    REQUIRE(status.ok());
    return keys;
  };
  CHECK(read("alpha", "k150", "k153") == std::vector<std::string>{"k150", "k151", "k152"});
  CHECK(read("alpha", "k2985", "").size() == 1);
  CHECK(read("alpha", "", "k100").empty());
  CHECK(read("alpha", "", "").size() == 200);
  CHECK(read("alpha", "x", "").empty());
  CHECK(read("beta", "", "") == std::vector<std::string>{"k150"});
  CHECK(read("gamma", "", "").empty());

  const uint64_t before = world.files.operations();
  read("alpha", "k150", "k150~");
  CHECK(world.files.operations() - before <= 2);
}

TEST_CASE("a range ends with the first error of its taker, and so does everything") {
  World world;
  world.Fill(100);
  Write(*world.engine, world.files, "f", {.block_bytes = 100, .threads = 1});
  const auto reader = OpenFile(world.files, "f", {.threads = 2});
  const auto refuse = [](const BlockInfo&, absl::Span<const storage::EntryView>) {
    return absl::AbortedError("enough");
  };
  Progress progress;
  CHECK(reader->ReadRange("alpha", "", "", refuse).message() == "enough");
  CHECK(reader->ReadAll(refuse, progress).message() == "enough");
}

TEST_CASE("writing and reading count their entries, and end when they are cancelled") {
  World world;
  world.Fill(500);
  const auto snapshot = Value(world.engine->OpenSnapshot(storage::SnapshotPurpose::kCheckpoint));
  const Origin origin{.store_id = testing::kStoreA, .number = {7, 1}, .engine = "memory"};
  Progress progress;
  const Header header = Value(WriteCheckpoint(*snapshot, origin, {}, world.files, "f", progress));
  CHECK(progress.entries == header.entries + 3);
  Progress reading;
  REQUIRE(OpenFile(world.files, "f")->Verify(reading).ok());
  CHECK(reading.entries == header.entries);
  CHECK(reading.bytes == header.data_bytes);
  reading.cancel = true;
  CHECK(Brief(OpenFile(world.files, "f")->Verify(reading)) == "CANCELLED");
  progress.cancel = true;
  CHECK(Brief(WriteCheckpoint(*snapshot, origin, {}, world.files, "g", progress)) == "CANCELLED");
}

TEST_CASE("a checkpoint is what the snapshot shows, whatever is written meanwhile") {
  World world;
  world.Fill(300);
  const std::vector<FileRow> expected = world.Expected();
  const auto snapshot = Value(world.engine->OpenSnapshot(storage::SnapshotPurpose::kCheckpoint));
  world.Fill(1000);
  world.clock.Advance(50'000);
  Progress progress;
  const Origin origin{.store_id = testing::kStoreA, .number = {7, 1}, .engine = "memory"};
  Value(WriteCheckpoint(*snapshot, origin, {.block_bytes = 500}, world.files, "f", progress));
  CHECK(RowsOf(*OpenFile(world.files, "f")) == expected);
}

}  // namespace
}  // namespace tarn::checkpoint
