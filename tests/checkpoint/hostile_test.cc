// Files whose hashes are right and whose contents lie.
#include "absl/strings/str_cat.h"
#include "checkpoint/namespace_ids.h"
#include "storage/base/coding.h"
#include "storage/namespace_record.h"
#include "tests/catch.h"
#include "tests/checkpoint/forge.h"
#include "tests/checkpoint/world.h"
#include "tests/support/status.h"

namespace tarn::checkpoint {
namespace {

using testing::Brief;
using testing::FaultFileSystem;
using testing::Forgery;
using testing::kStart;
using testing::OpenFile;
using testing::Says;
using testing::Store;
using testing::VerifyFile;

const storage::EntryView kA{.revision = 5, .key = "a", .value = "1"};
const storage::EntryView kB{.revision = 6, .key = "b", .value = "2"};
const storage::EntryView kC{.revision = 7, .key = "c", .value = "3"};

absl::Status Check(const Forgery& forgery) {
  FaultFileSystem files;
  Store(files, "f", forgery.Bytes());
  return VerifyFile(files, "f");
}

void CheckDamaged(const Forgery& forgery, const std::string& says) {
  const absl::Status status = Check(forgery);
  CHECK(Brief(status) == "DATA_LOSS DATA_LOSS");
  CHECK(Says(status, "f is damaged at byte "));
  CAPTURE(status.ToString());
  CHECK(Says(status, says));
}

TEST_CASE("an honest forgery is read: the lies below are all that is wrong with the others") {
  Forgery forgery;
  forgery.AddBlock("n", {kA, kB});
  forgery.AddBlock("n", {kC});
  CHECK(Brief(Check(forgery)) == "OK");
}

TEST_CASE("a huge number of blocks is refused without taking memory for them") {
  Forgery forgery;
  forgery.AddBlock("n", {kA});
  forgery.header.blocks = UINT64_MAX / 2;
  CheckDamaged(forgery, "the index is malformed");
}

TEST_CASE("an index that is not where the header says is refused") {
  const uint64_t shift = GENERATE(uint64_t{1}, uint64_t{1000}, UINT64_MAX, uint64_t{1} << 63);
  SECTION("by its place") {
    Forgery forgery;
    forgery.header.index_offset = shift;
    CheckDamaged(forgery, "does not end where its header says");
  }
  SECTION("by its size") {
    Forgery forgery;
    forgery.header.index_bytes = shift;
    CheckDamaged(forgery, "does not end where its header says");
  }
}

TEST_CASE("an index beyond the limit is refused before it is read") {
  Forgery forgery;
  forgery.AddBlock("n", {kA});
  FaultFileSystem files;
  Store(files, "f", forgery.Bytes());
  const uint64_t before = files.operations();
  const absl::Status status = VerifyFile(files, "f", {.max_index_bytes = 10, .threads = 1});
  CAPTURE(status.ToString());
  CHECK(Says(status, "f is damaged at byte 267: an index of 43 bytes is too large"));
  CHECK(files.operations() - before == 3);  // Open, size, header.
}

TEST_CASE("a block that claims to be huge is refused before it is decompressed") {
  Forgery forgery;
  forgery.AddBlock("n", {kA}).info.raw_bytes = uint64_t{1} << 40;
  CheckDamaged(forgery, "a block of 1099511627776 bytes is too large");
}

TEST_CASE("a block that lies about its size is refused") {
  Forgery forgery;
  forgery.AddBlock("n", {kA}).info.raw_bytes += 1;
  CheckDamaged(forgery, "does not have the size it should");
}

TEST_CASE("a block that lies about its number of entries is refused") {
  const uint64_t claimed =
      GENERATE(uint64_t{0}, uint64_t{1}, uint64_t{3}, uint64_t{1000}, UINT64_MAX);
  Forgery forgery;
  forgery.AddBlock("n", {kA, kB}).info.entries = claimed;
  CheckDamaged(forgery, "a block");
}

TEST_CASE("a block whose lengths point beyond it is refused") {
  std::string raw = std::string("\0\0", 2);
  base::AppendVarint64(&raw, UINT64_MAX);
  raw += "key and value";
  Forgery forgery;
  forgery.AddRaw("n", "a", 1, raw);
  CheckDamaged(forgery, "entry 0 of a block is malformed");
}

TEST_CASE("entries out of order, or twice, are refused") {
  Forgery forgery;
  const bool twice = GENERATE(false, true);
  forgery.AddBlock("n", twice ? std::vector<storage::EntryView>{kB, kB}
                              : std::vector<storage::EntryView>{kB, kA});
  CheckDamaged(forgery, "entry 1 of a block is not in order");
}

TEST_CASE("a block that does not begin as the index says is refused") {
  Forgery forgery;
  forgery.AddBlock("n", {kB}).info.first_key = "a";
  CheckDamaged(forgery, "does not begin with the key in the index");
}

TEST_CASE("blocks that overlap in keys are refused") {
  Forgery forgery;
  forgery.AddBlock("n", {kA, kC});
  forgery.AddBlock("n", {kB});
  CheckDamaged(forgery, "blocks overlap in keys");
}

TEST_CASE("an index that is not sorted is refused") {
  Forgery forgery;
  forgery.AddBlock("n", {kB});
  forgery.AddBlock("n", {kA});
  CheckDamaged(forgery, "the index is not in order");
  Forgery twice;
  twice.AddBlock("n", {kA});
  twice.AddBlock("n", {kA});
  CheckDamaged(twice, "the index is not in order");
}

TEST_CASE("blocks that share bytes, or leave some out, are refused") {
  Forgery overlap;
  overlap.AddBlock("n", {kA});
  overlap.AddBlock("n", {kB}).info.offset = static_cast<uint64_t>(-7);
  CheckDamaged(overlap, "blocks overlap or leave a gap");
  Forgery gap;
  gap.AddBlock("n", {kA}).info.offset = 1;
  CheckDamaged(gap, "blocks overlap or leave a gap");
  Forgery beyond;
  beyond.AddBlock("n", {kA}).info.stored_bytes = UINT64_MAX / 2;
  CheckDamaged(beyond, "blocks overlap or leave a gap");
  Forgery rest;
  rest.AddBlock("n", {kA});
  rest.AddBlock("n", {kB}).info.stored_bytes = static_cast<uint64_t>(-1);
  CheckDamaged(rest, "blocks leave a gap before the index");
}

TEST_CASE("a block of the wrong section is refused") {
  Forgery forgery;
  forgery.AddBlock("n", {kA}).info.section = Section::kSystem;
  CheckDamaged(forgery, "a block has the wrong section");
}

TEST_CASE("a header that lies about what the blocks hold is refused") {
  Forgery forgery;
  forgery.AddBlock("n", {kA});
  SECTION("entries") {
    ++forgery.header.entries;
    CheckDamaged(forgery, "the blocks hold 1 entries of 2 bytes; the header says 2 of 2");
  }
  SECTION("bytes") {
    ++forgery.header.data_bytes;
    CheckDamaged(forgery, "the header says 1 of 3");
  }
  SECTION("digest") {
    ++forgery.header.content_digest.high;
    CheckDamaged(forgery, "the content digest does not match");
  }
  SECTION("system entries") {
    ++forgery.header.system_entries;
    CheckDamaged(forgery, "the system section does not match its digest");
  }
  SECTION("system digest") {
    ++forgery.header.system_digest[0];
    CheckDamaged(forgery, "the system section does not match its digest");
  }
}

TEST_CASE("an entry of the future, or one that had expired, is refused") {
  Forgery forgery;
  // The differences are unsigned: a later revision or an earlier deadline becomes huge.
  const bool future = GENERATE(true, false);
  storage::EntryView entry = kA;
  if (future) entry.revision = forgery.header.revision + 1;
  if (!future) entry.deadline = kStart - 1;
  forgery.AddBlock("n", {entry});
  CheckDamaged(forgery, "entry 0 of a block is malformed");
}

TEST_CASE("a deep nest of compression is bounded by what a block may hold") {
  Forgery forgery;
  std::string stored;
  Compress({Codec::kZstd, 1}, std::string(1 << 20, '\0'), &stored);
  auto& block = forgery.AddRaw("n", "", (1 << 20) / 4, stored);
  block.info.codec = Codec::kZstd;
  block.info.raw_bytes = 1 << 20;
  CheckDamaged(forgery, "entry 1 of a block is not in order");
}

// --- namespaces, which a restore relies on ---

std::string Record(storage::NamespaceId id) {
  return storage::EncodeNamespaceRecord({.id = id, .settings = {}, .create_time = kStart});
}

absl::StatusOr<NamespaceIds> IdsOf(
    const std::vector<std::pair<std::string, std::string>>& records) {
  Forgery forgery;
  forgery.AddBlock("n", {kA});
  if (!records.empty()) {
    std::vector<storage::EntryView> entries;
    for (const auto& [key, value] : records)
      entries.push_back({.revision = 1, .key = key, .value = value});
    forgery.AddRaw("", records.front().first, records.size(),
                   testing::RawBlock({forgery.header.revision, kStart}, entries));
  }
  FaultFileSystem files;
  Store(files, "f", forgery.Bytes());
  return ReadNamespaceIds(*OpenFile(files, "f"));
}

TEST_CASE("namespaces have the numbers of their records; other records are passed over") {
  const auto ids = IdsOf({{"lock/x", "whatever"}, {"ns/m", Record(9)}, {"ns/n", Record(3)}});
  REQUIRE(ids.ok());
  CHECK(ids->at("n").id == 3);
  CHECK(ids->at("m").id == 9);
  CHECK(ids->size() == 2);
}

TEST_CASE("entries of a namespace without a record are damage") {
  const auto ids = IdsOf({{"ns/m", Record(9)}});
  CHECK(Brief(ids) == "DATA_LOSS DATA_LOSS");
  CHECK(Says(ids.status(), "f is damaged at byte 256: its namespace has no record"));
}

TEST_CASE("namespaces that share a number are damage") {
  const auto ids = IdsOf({{"ns/m", Record(3)}, {"ns/n", Record(3)}});
  CHECK(Brief(ids) == "DATA_LOSS DATA_LOSS");
  CHECK(Says(ids.status(), "two namespaces have the number 3"));
}

TEST_CASE("a namespace with a malformed record or name is damage") {
  CHECK(Brief(IdsOf({{"ns/n", "x"}})) == "DATA_LOSS DATA_LOSS");
  CHECK(Brief(IdsOf({{"ns/N N", Record(3)}})) == "DATA_LOSS DATA_LOSS");
  CHECK(Brief(IdsOf({{"ns/n", Record(0)}})) == "DATA_LOSS DATA_LOSS");
}

}  // namespace
}  // namespace tarn::checkpoint
