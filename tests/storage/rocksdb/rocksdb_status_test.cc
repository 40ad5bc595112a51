#include "storage/rocksdb/rocksdb_status.h"

#include <string>

#include "absl/strings/match.h"
#include "tests/catch.h"
#include "tests/support/status.h"

namespace tarn::storage::rocks {
namespace {

using rocksdb::Status;
using testing::Brief;

TEST_CASE("Each of RocksDB's errors has one meaning") {
  CHECK(Brief(ToStatus(Status::OK(), "x")) == "OK");
  CHECK(Brief(ToStatus(Status::Corruption("c"), "x")) == "DATA_LOSS DATA_LOSS");
  CHECK(Brief(ToStatus(Status::PathNotFound("p"), "x")) == "DATA_LOSS DATA_LOSS");
  CHECK(Brief(ToStatus(Status::NoSpace("n"), "x")) == "RESOURCE_EXHAUSTED DISK_FULL");
  CHECK(Brief(ToStatus(Status::SpaceLimit(), "x")) == "RESOURCE_EXHAUSTED DISK_FULL");
  CHECK(Brief(ToStatus(Status::MemoryLimit(), "x")) == "RESOURCE_EXHAUSTED MEMORY_LIMIT");
  for (const Status& passes :
       {Status::Busy(), Status::TimedOut(), Status::TryAgain(), Status::Aborted(),
        Status::Incomplete(), Status::ShutdownInProgress()}) {
    CHECK(Brief(ToStatus(passes, "x")) == "UNAVAILABLE ENGINE_UNAVAILABLE");
  }
  for (const Status& broken : {Status::IOError("i"), Status::InvalidArgument("a"),
                               Status::NotSupported("s"), Status::NotFound()}) {
    CHECK(Brief(ToStatus(broken, "x")) == "INTERNAL ENGINE_ERROR");
  }
}

TEST_CASE("A message says what was attempted, and what RocksDB said") {
  const absl::Status status = ToStatus(Status::Corruption("in 000007.sst"), "reading an entry");
  CHECK(absl::StartsWith(status.message(), "reading an entry: "));
  CHECK(absl::StrContains(status.message(), "in 000007.sst"));
}

TEST_CASE("Failed commits and refused ones are told apart") {
  CHECK(Brief(OutcomeUnknown(Status::IOError("i"))) == "UNKNOWN OUTCOME_UNKNOWN");
  CHECK(Brief(NotWritable("because")) == "UNAVAILABLE ENGINE_UNAVAILABLE");
  CHECK(Brief(Undecodable("entry")) == "DATA_LOSS DATA_LOSS");
}

}  // namespace
}  // namespace tarn::storage::rocks
