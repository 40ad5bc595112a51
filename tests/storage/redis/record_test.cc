#include "storage/redis/record.h"

#include <cstdint>
#include <limits>
#include <string>

#include "tests/catch.h"

namespace tarn::storage::redis {
namespace {

TEST_CASE("a record's bytes are what they have always been") {
  const std::string golden(
      "\x01"
      "\x01\x02\x03\x04\x05\x06\x07\x08"
      "\x00\x00\x01\x8B\xCF\xE5\x68\x00"
      "value",
      22);
  const Record record = {0x0102030405060708, 1'700'000'000'000, "value"};
  CHECK(EncodeRecord(record) == golden);
  CHECK(DecodeRecord(golden) == record);
}

TEST_CASE("a record holds any value and every revision and deadline") {
  const std::string value("\0\r\n\xFF", 4);
  for (const Revision revision : {Revision{1}, std::numeric_limits<Revision>::max()}) {
    for (const base::UnixMs deadline :
         {base::kNever, base::UnixMs{1}, std::numeric_limits<base::UnixMs>::max()}) {
      const Record record = {revision, deadline, value};
      const std::string bytes = EncodeRecord(record);
      CHECK(bytes.size() == kRecordHeaderBytes + value.size());
      CHECK(DecodeRecord(bytes) == record);
    }
  }
  CHECK(DecodeRecord(EncodeRecord({1, 2, ""})) == Record{1, 2, ""});
}

TEST_CASE("bytes that are no record are refused") {
  const std::string good = EncodeRecord({5, 6, ""});
  for (size_t size = 0; size < good.size(); ++size) {
    CHECK(!DecodeRecord(absl::string_view(good).substr(0, size)));
  }
  for (int version = 0; version < 256; ++version) {
    std::string other = good;
    other[0] = static_cast<char>(version);
    CHECK(DecodeRecord(other).has_value() == (version == kRecordVersion));
  }
  CHECK(!DecodeRecord(EncodeRecord({0, 6, ""})));
  std::string negative = good;
  negative[kRecordDeadlineOffset] = '\x80';
  CHECK(!DecodeRecord(negative));
}

TEST_CASE("revision and deadline stand where scripts look for them") {
  const std::string bytes = EncodeRecord({0x4142434445464748, 0x494A4B4C4D4E4F50, "v"});
  CHECK(bytes.substr(kRecordRevisionOffset, 8) == "ABCDEFGH");
  CHECK(bytes.substr(kRecordDeadlineOffset, 8) == "IJKLMNOP");
  CHECK(bytes.substr(kRecordHeaderBytes) == "v");
}

TEST_CASE("Redis collects an entry an hour after its deadline") {
  CHECK(!GarbageTime(base::kNever));
  CHECK(GarbageTime(1000) == 3'601'000);
  CHECK(GarbageTime(std::numeric_limits<base::UnixMs>::max()) ==
        std::numeric_limits<base::UnixMs>::max());
}

}  // namespace
}  // namespace tarn::storage::redis
