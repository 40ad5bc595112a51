#include "server/rpc/batch_work.h"

#include "absl/strings/str_cat.h"
#include "storage/base/error.h"

namespace tarn::server {
namespace {

using base::Reason;

// Whether an atomic batch failed because of one of its operations.
bool SpeaksOfOperation(Reason reason) {
  switch (reason) {
    case Reason::kInvalidKey:
    case Reason::kKeyTooLarge:
    case Reason::kValueTooLarge:
    case Reason::kInvalidTtl:
    case Reason::kInvalidPrecondition:
    case Reason::kDuplicateKey:
    case Reason::kRevisionMismatch:
    case Reason::kAlreadyExists:
    case Reason::kKeyNotFound:
    case Reason::kNotAnInteger:
    case Reason::kIntegerOverflow:
      return true;
    default:
      return false;
  }
}

google::rpc::Status BadOperationOf(const BadOperation& bad, ErrorSite site) {
  storage::Operation operation;
  if (bad.kind) operation.kind = *bad.kind;
  site.index = bad.index;
  site.operation = bad.kind ? &operation : nullptr;
  return ToWire(bad.status, site);
}

absl::Status CheckSize(size_t size, const storage::Limits& limits) {
  if (size == 0)
    return InvalidField(Reason::kInvalidRequest, "operations", "the batch has no operations");
  if (size <= limits.max_batch_operations) return absl::OkStatus();
  return base::MakeError(
      absl::StatusCode::kInvalidArgument, Reason::kBatchTooLarge,
      absl::StrCat("the batch has ", size, " operations, more than ", limits.max_batch_operations));
}

}  // namespace

std::optional<google::rpc::Status> BatchWork::Prepare(tarn::v1::BatchMode mode,
                                                      const WireOperations& operations,
                                                      const storage::Limits& limits) {
  operations_.clear();
  bad_.clear();
  const size_t size = static_cast<size_t>(operations.size());
  ErrorSite site = SiteOf(limits);
  site.batch_size = size;
  if (absl::Status status = CheckSize(size, limits); !status.ok()) return ToWire(status, site);
  absl::StatusOr<storage::BatchMode> known_mode = ToMode(mode);
  if (!known_mode.ok()) return ToWire(known_mode.status(), site);
  mode_ = *known_mode;
  bad_ = ToOperations(operations, operations_);
  if (mode_ == storage::BatchMode::kAtomic && !bad_.empty())
    return BadOperationOf(bad_.front(), site);
  return std::nullopt;
}

google::rpc::Status BatchWork::Failure(const storage::BatchResult& result,
                                       const storage::Limits& limits) const {
  ErrorSite site = SiteOf(limits);
  site.batch_size = operations_.size();
  const size_t failed = result.failed_operation;
  if (mode_ == storage::BatchMode::kAtomic && SpeaksOfOperation(base::ReasonOf(result.status)) &&
      failed < operations_.size()) {
    site.index = failed;
    site.operation = &operations_[failed];
  }
  return ToWire(result.status, site);
}

ErrorSite BatchWork::SiteOf(const storage::Limits& limits) const {
  return {.ns = ns_, .limits = &limits};
}

}  // namespace tarn::server
