#include "storage/rocksdb/rocksdb_status.h"

#include "absl/strings/str_cat.h"
#include "storage/base/error.h"

namespace tarn::storage::rocks {
namespace {

using absl::StatusCode;
using base::MakeError;
using base::Reason;

struct Meaning {
  StatusCode code;
  Reason reason;
};

Meaning MeaningOf(const rocksdb::Status& status) {
  if (status.IsNoSpace() || status.subcode() == rocksdb::Status::kSpaceLimit) {
    return {StatusCode::kResourceExhausted, Reason::kDiskFull};
  }
  if (status.IsMemoryLimit()) return {StatusCode::kResourceExhausted, Reason::kMemoryLimit};
  // A path is not found only when RocksDB's own records say that it must be there.
  if (status.IsCorruption() || status.IsPathNotFound()) {
    return {StatusCode::kDataLoss, Reason::kDataLoss};
  }
  if (status.IsBusy() || status.IsTimedOut() || status.IsTryAgain() || status.IsAborted() ||
      status.IsIncomplete() || status.IsShutdownInProgress()) {
    return {StatusCode::kUnavailable, Reason::kEngineUnavailable};
  }
  return {StatusCode::kInternal, Reason::kEngineError};
}

}  // namespace

absl::Status ToStatus(const rocksdb::Status& status, absl::string_view attempted) {
  if (status.ok()) return absl::OkStatus();
  const Meaning meaning = MeaningOf(status);
  return MakeError(meaning.code, meaning.reason, absl::StrCat(attempted, ": ", status.ToString()));
}

absl::Status OutcomeUnknown(const rocksdb::Status& status) {
  return MakeError(StatusCode::kUnknown, Reason::kOutcomeUnknown,
                   absl::StrCat("the commit may or may not have been done: ", status.ToString()));
}

absl::Status NotWritable(absl::string_view cause) {
  return MakeError(StatusCode::kUnavailable, Reason::kEngineUnavailable,
                   absl::StrCat("the engine takes no writes: ", cause));
}

absl::Status NotOpen() {
  return MakeError(StatusCode::kUnavailable, Reason::kEngineUnavailable,
                   "the database is being opened anew");
}

absl::Status DiskFull() {
  return MakeError(StatusCode::kResourceExhausted, Reason::kDiskFull,
                   "the disk of the data directory has too little space left");
}

absl::Status Undecodable(absl::string_view what) {
  return MakeError(StatusCode::kDataLoss, Reason::kDataLoss,
                   absl::StrCat("the database holds a damaged ", what));
}

}  // namespace tarn::storage::rocks
