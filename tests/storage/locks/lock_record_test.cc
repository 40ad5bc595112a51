#include "storage/locks/lock_record.h"

#include "absl/strings/escaping.h"
#include "tests/catch.h"
#include "tests/support/status.h"

namespace tarn::storage {
namespace {

using testing::Brief;

LockRecord Example() {
  return {.token = 300,
          .holder = "host-7",
          .request_id = "r1",
          .acquire_time = 1000,
          .deadline = 2000,
          .boot_id = "b",
          .deadline_since_boot_ms = 50,
          .grace_ms = 10};
}

TEST_CASE("the record of a lock has pinned bytes") {
  CHECK(absl::BytesToHexString(EncodeLockRecord(Example())) ==
        "01"
        "ac02"
        "e807"
        "d00f"
        "32"
        "0a"
        "0162"
        "06686f73742d37"
        "027231");
}

TEST_CASE("a record is read as it was written") {
  const auto record = DecodeLockRecord(EncodeLockRecord(Example()));
  REQUIRE(record.ok());
  CHECK(EncodeLockRecord(*record) == EncodeLockRecord(Example()));
  CHECK(record->token == 300);
  CHECK(record->holder == "host-7");
  CHECK(record->request_id == "r1");
  CHECK(record->boot_id == "b");
  CHECK(record->grace_ms == 10);
}

TEST_CASE("a record that is cut off, or too long, is damaged") {
  const std::string bytes = EncodeLockRecord(Example());
  for (size_t size = 0; size < bytes.size(); ++size) {
    CHECK(Brief(DecodeLockRecord(bytes.substr(0, size))) == "DATA_LOSS DATA_LOSS");
  }
  CHECK(Brief(DecodeLockRecord(bytes + "x")) == "DATA_LOSS DATA_LOSS");
}

TEST_CASE("a record of a later version is refused") {
  std::string bytes = EncodeLockRecord(Example());
  bytes[0] = 2;
  CHECK(Brief(DecodeLockRecord(bytes)) == "FAILED_PRECONDITION");
}

TEST_CASE("a lock's key says of which namespace it is") {
  CHECK(LockKey(LockKind::kLock, "ns", "a/b") == "~lock/ns/a/b");
  CHECK(LockKey(LockKind::kGroup, "ns", "g") == "~group/ns/g");
  const auto parsed = ParseLockKey("~lock/ns/a/b");
  REQUIRE(parsed);
  CHECK(parsed->kind == LockKind::kLock);
  CHECK(parsed->ns == "ns");
  CHECK(parsed->name == "a/b");
  CHECK(ParseLockKey("~group/ns/g")->kind == LockKind::kGroup);
  CHECK_FALSE(ParseLockKey("ns/default"));
  CHECK_FALSE(ParseLockKey("~lock/without"));
}

}  // namespace
}  // namespace tarn::storage
