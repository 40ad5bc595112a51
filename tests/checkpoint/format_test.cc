#include "checkpoint/format.h"

#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "checkpoint/content_digest.h"
#include "storage/base/coding.h"
#include "tests/catch.h"
#include "tests/checkpoint/world.h"
#include "tests/support/status.h"

namespace tarn::checkpoint {
namespace {

using testing::Brief;
using testing::Says;
using testing::Value;

Header SomeHeader() {
  Header header;
  header.store_id = "000102030405060708090a0b0c0d0e0f";
  header.number = {7, 42};
  header.revision = storage::FirstRevision(7) + 9;
  header.create_time = 1'700'000'000'000;
  header.as_of = 1'700'000'000'001;
  header.entries = 3;
  header.data_bytes = 99;
  header.content_digest = {0x0123456789abcdef, 0xfedcba9876543210};
  header.blocks = 2;
  header.index_offset = 1000;
  header.index_bytes = 150;
  header.compression = {Codec::kZstd, -3};
  header.engine = "memory";
  header.system_entries = 1;
  header.system_digest.fill(0x5a);
  return header;
}

TEST_CASE("a header has golden bytes") {
  CHECK(absl::BytesToHexString(EncodeHeader(SomeHeader())) ==
        "5441524e434b5054"  // TARNCKPT
        "00000001"
        "00000100"                          // version, size
        "000102030405060708090a0b0c0d0e0f"  // store
        "0000000000000007"
        "000000000000002a"
        "0000000000000000"
        "0000000000000000"  // parent
        "0000070000000009"  // revision
        "0000018bcfe56800"
        "0000018bcfe56801"
        "0000000000000003"
        "0000000000000063"
        "0123456789abcdef"
        "fedcba9876543210"
        "0000000000000002"
        "00000000000003e8"
        "0000000000000096"
        "00000002"
        "fffffffd"
        "6d656d6f727900000000000000000000"
        "0000000000000001"
        "5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a"
        "00000000000000000000000000000000");
}

TEST_CASE("a header is read back as it was written") {
  Header header = SomeHeader();
  header.root.fill(0xee);
  const std::string bytes = absl::StrCat(EncodeHeader(header), base::BytesOf(header.root));
  REQUIRE(bytes.size() == kHeaderBytes);
  const Header read = Value(DecodeHeader(bytes));
  CHECK(EncodeHeader(read) == EncodeHeader(header));
  CHECK(read.root == header.root);
  CHECK(read.compression.level == -3);
  CHECK(read.engine == "memory");
  CHECK(read.store_id == header.store_id);
}

TEST_CASE("an engine's name that is too long for the header is cut") {
  Header header = SomeHeader();
  header.engine = "an engine with a long name";
  CHECK(Value(DecodeHeader(EncodeHeader(header) + std::string(32, '\0'))).engine ==
        "an engine with a");
}

TEST_CASE("a header of a newer format is refused, and both versions are named") {
  std::string bytes = EncodeHeader(SomeHeader()) + std::string(32, '\0');
  bytes[11] = 2;
  const auto read = DecodeHeader(bytes);
  CHECK(Brief(read) == "FAILED_PRECONDITION NEWER_FORMAT");
  CHECK(read.status().message() ==
        "the checkpoint has format version 2 at byte 8; this program reads up to 1");
}

TEST_CASE("a header that cannot be is damage") {
  const std::string good = EncodeHeader(SomeHeader()) + std::string(32, '\0');
  const auto [offset, value] = GENERATE(table<size_t, int>({
      {0, 'X'},    // magic
      {11, 0},     // version 0
      {15, 1},     // size of the header
      {48, 1},     // a parent
      {80, 0x80},  // a time before 1970
      {147, 4},    // a codec that there is not
      {144, 1},    // one that would be `none` if only its last byte counted
  }));
  std::string bytes = good;
  bytes[offset] = static_cast<char>(value);
  CAPTURE(offset);
  CHECK(Brief(DecodeHeader(bytes)) == "DATA_LOSS DATA_LOSS");
  CHECK(Brief(DecodeHeader(good.substr(0, 255))) == "DATA_LOSS DATA_LOSS");
  CHECK(Brief(DecodeHeader("")) == "DATA_LOSS DATA_LOSS");
}

BlockInfo SomeBlock() {
  BlockInfo info;
  info.codec = Codec::kLz4;
  info.ns = "orders";
  info.first_key = "k1";
  info.offset = 256;
  info.stored_bytes = 300;
  info.raw_bytes = 70000;
  info.entries = 5;
  info.hash.fill(0x11);
  return info;
}

TEST_CASE("a record of the index has golden bytes") {
  std::string index;
  AppendBlockInfo(SomeBlock(), &index);
  CHECK(absl::BytesToHexString(index) ==
        "0001"
        "1111111111111111111111111111111111111111111111111111111111111111"
        "8002"
        "ac02"
        "f0a204"
        "05"
        "066f7264657273"
        "026b31");
}

TEST_CASE("an index is read back as it was written") {
  BlockInfo system;
  system.section = Section::kSystem;
  system.first_key = "ns/a";
  std::string index;
  AppendBlockInfo(SomeBlock(), &index);
  AppendBlockInfo(system, &index);
  const std::vector<BlockInfo> read = Value(DecodeIndex(index, 2));
  std::string again;
  for (const BlockInfo& info : read) AppendBlockInfo(info, &again);
  CHECK(again == index);
  CHECK(read[1].section == Section::kSystem);
  CHECK(read[0].first_key == "k1");
}

TEST_CASE("an index that is cut, or has more or fewer records than said, is damage") {
  std::string index;
  AppendBlockInfo(SomeBlock(), &index);
  for (size_t size = 0; size < index.size(); ++size)
    CHECK(Brief(DecodeIndex(index.substr(0, size), 1)) == "DATA_LOSS DATA_LOSS");
  CHECK(Brief(DecodeIndex(index + "x", 1)) == "DATA_LOSS DATA_LOSS");
  CHECK(Brief(DecodeIndex(index, 2)) == "DATA_LOSS DATA_LOSS");
  CHECK(Brief(DecodeIndex(index, 0)) == "DATA_LOSS DATA_LOSS");
  CHECK(Says(DecodeIndex(index, UINT64_MAX).status(), "at its byte 52"));
}

TEST_CASE("a record of the index with an unknown section or codec is damage") {
  std::string index;
  AppendBlockInfo(SomeBlock(), &index);
  const size_t place = GENERATE(0, 1);
  index[place] = 9;
  CHECK(Brief(DecodeIndex(index, 1)) == "DATA_LOSS DATA_LOSS");
}

constexpr EntryOrigin kOrigin{.revision = 1000, .as_of = 5000};

TEST_CASE("an entry has golden bytes") {
  std::string raw;
  AppendEntry(kOrigin, {.revision = 998, .deadline = 5300, .key = "k", .value = "vv"}, &raw);
  AppendEntry(kOrigin, {.revision = 1000, .deadline = base::kNever, .key = "l", .value = ""}, &raw);
  CHECK(absl::BytesToHexString(raw) ==
        "02"
        "ac02"
        "016b"
        "027676"
        "00"
        "00"
        "016c"
        "00");
}

TEST_CASE("entries are read back as they were written") {
  std::string raw;
  AppendEntry(kOrigin,
              {.revision = 1, .deadline = 5001, .key = std::string("\0\xff", 2), .value = "v"},
              &raw);
  absl::string_view rest = raw;
  const auto entry = ConsumeEntry(kOrigin, &rest);
  REQUIRE(entry);
  CHECK(rest.empty());
  CHECK(entry->revision == 1);
  CHECK(entry->deadline == 5001);
  CHECK(entry->key == std::string("\0\xff", 2));
  CHECK(entry->value == "v");
}

TEST_CASE("an entry that is cut short, or has an impossible revision or deadline, is malformed") {
  std::string raw;
  AppendEntry(kOrigin, {.revision = 998, .deadline = 5300, .key = "k", .value = "vv"}, &raw);
  for (size_t size = 0; size < raw.size(); ++size) {
    absl::string_view cut = absl::string_view(raw).substr(0, size);
    CHECK_FALSE(ConsumeEntry(kOrigin, &cut));
  }
  const auto consume = [](uint64_t age, uint64_t lifetime) {
    std::string bytes;
    base::AppendVarint64(&bytes, age);
    base::AppendVarint64(&bytes, lifetime);
    bytes += std::string("\0\0", 2);
    absl::string_view view = bytes;
    return ConsumeEntry(kOrigin, &view).has_value();
  };
  CHECK(consume(999, INT64_MAX - 5000));
  CHECK_FALSE(consume(1000, 0));
  CHECK_FALSE(consume(UINT64_MAX, 0));
  CHECK_FALSE(consume(0, static_cast<uint64_t>(INT64_MAX) - 4999));
  CHECK_FALSE(consume(0, UINT64_MAX));
}

TEST_CASE("codecs are named as their flag names them") {
  CHECK(Value(ParseCompression("none")).codec == Codec::kNone);
  CHECK(Value(ParseCompression("lz4")).codec == Codec::kLz4);
  CHECK(Value(ParseCompression("snappy")).codec == Codec::kSnappy);
  CHECK(Value(ParseCompression("zstd:-7")).level == -7);
  CHECK(Value(ParseCompression("zstd:19")).level == 19);
  for (const char* text : {"", "gzip", "zstd:20", "zstd:", "lz4:1", "zstd:x", "LZ4"})
    CHECK(Brief(ParseCompression(text)) == "INVALID_ARGUMENT");
  CHECK(CodecName(Codec::kSnappy) == "snappy");
  CHECK(CodecName(static_cast<Codec>(77)) == "unknown");
}

TEST_CASE("what is compressed is decompressed to exactly its size, or refused") {
  const Codec codec = GENERATE(Codec::kNone, Codec::kLz4, Codec::kZstd, Codec::kSnappy);
  std::string raw;
  for (int i = 0; i < 500; ++i) absl::StrAppend(&raw, i % 17, ",");
  std::string stored;
  Compress({codec, 0}, raw, &stored);
  CAPTURE(CodecName(codec));
  CHECK(Value(Decompress(codec, stored, raw.size())) == raw);
  CHECK(Brief(Decompress(codec, stored, raw.size() + 1)) == "DATA_LOSS DATA_LOSS");
  CHECK(Brief(Decompress(codec, stored, raw.size() - 1)) == "DATA_LOSS DATA_LOSS");
  CHECK(Brief(Decompress(codec, stored.substr(0, stored.size() / 2), raw.size())) ==
        "DATA_LOSS DATA_LOSS");
  CHECK(Brief(Decompress(codec, "", raw.size())) == "DATA_LOSS DATA_LOSS");
  CHECK(Brief(Decompress(static_cast<Codec>(9), stored, raw.size())) == "DATA_LOSS DATA_LOSS");
}

TEST_CASE("a zstd block that claims to be huge takes no more memory than it may") {
  std::string stored;
  Compress({Codec::kZstd, 1}, std::string(100 << 20, 'x'), &stored);
  CHECK(Brief(Decompress(Codec::kZstd, stored, 1000)) == "DATA_LOSS DATA_LOSS");
}

TEST_CASE("the content digest does not depend on order, and depends on all that counts") {
  const storage::EntryView a{.revision = 1, .deadline = 7, .key = "a", .value = "1"};
  const storage::EntryView b{.revision = 2, .key = "b", .value = "2"};
  const auto digest = [](const std::vector<std::pair<std::string, storage::EntryView>>& entries) {
    ContentDigest sum;
    for (const auto& [ns, entry] : entries) sum.Add(ns, entry);
    return ToHex(sum.sum());
  };
  CHECK(digest({{"n", a}, {"n", b}}) == digest({{"n", b}, {"n", a}}));
  storage::EntryView other = a;
  other.revision = 99;
  CHECK(digest({{"n", other}}) == digest({{"n", a}}));
  for (int change = 0; change < 4; ++change) {
    other = a;
    if (change == 0) other.key = "aa";
    if (change == 1) other.value = "2";
    if (change == 2) other.deadline = 8;
    CHECK(digest({{change == 3 ? "m" : "n", other}}) != digest({{"n", a}}));
  }
  // A byte that moves from the namespace to the key, or from the key to the value.
  CHECK(digest({{"n", {.key = "ab", .value = "c"}}}) !=
        digest({{"na", {.key = "b", .value = "c"}}}));
  CHECK(digest({{"n", {.key = "ab", .value = "c"}}}) !=
        digest({{"n", {.key = "a", .value = "bc"}}}));
  CHECK(digest({{"n", a}, {"n", a}}) != digest({{"n", a}}));
}

TEST_CASE("the content digest has golden values") {
  ContentDigest sum;
  CHECK(ToHex(sum.sum()) == "00000000000000000000000000000000");
  sum.Add("orders", {.deadline = 1'700'000'000'000, .key = "k", .value = "v"});
  CHECK(ToHex(sum.sum()) == "d589d8845d67b67479d680d9bcd582ee");
  // Beyond 2^64, so that the carry shows.
  for (int i = 0; i < 5; ++i) sum.Add("orders", {.key = std::string(1, 'a' + i), .value = "v"});
  CHECK(ToHex(sum.sum()) == "3171ebe95486d7cb0aa373dee88d39db");
}

}  // namespace
}  // namespace tarn::checkpoint
