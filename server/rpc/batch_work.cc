#include "server/rpc/batch_work.h"

#include <algorithm>
#include <utility>

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

std::optional<google::rpc::Status> BatchWork::Prepare(const tarn::v1::BatchRequest& request,
                                                      const storage::Limits& limits) {
  const auto size = static_cast<size_t>(request.operations_size());
  fence_ = FenceOf(request);
  id_ = IdOf(request);
  if (auto error = Begin(request.namespace_(), request.mode(), size, limits)) return error;
  for (const tarn::v1::Operation& operation : request.operations()) Add(operation);
  return CheckAtomic(limits);
}

std::optional<google::rpc::Status> BatchWork::Prepare(const PipelineRequestView& request,
                                                      const storage::Limits& limits) {
  fence_ = request.fence();
  id_ = request.id();
  if (auto error = Begin(request.ns(), request.mode(), request.operations().size(), limits))
    return error;
  for (const absl::string_view operation : request.operations()) Add(operation);
  return CheckAtomic(limits);
}

std::optional<google::rpc::Status> BatchWork::Begin(absl::string_view ns, tarn::v1::BatchMode mode,
                                                    size_t size, const storage::Limits& limits) {
  ns_ = ns;
  operations_.clear();
  bad_.clear();
  messages_.clear();
  ErrorSite site = SiteOf(limits);
  site.batch_size = size;
  if (absl::Status status = CheckSize(size, limits); !status.ok()) return ToWire(status, site);
  const absl::StatusOr<storage::BatchMode> known_mode = ToMode(mode);
  if (!known_mode.ok()) return ToWire(known_mode.status(), site);
  mode_ = *known_mode;
  operations_.reserve(size);
  return std::nullopt;
}

void BatchWork::Add(absl::string_view encoded) {
  if (DecodePlainOperation(encoded, operations_.emplace_back())) return;
  operations_.pop_back();
  tarn::v1::Operation& message = messages_.emplace_back();
  if (message.ParseFromArray(encoded.data(), static_cast<int>(encoded.size()))) return Add(message);
  AddBad(base::MakeError(absl::StatusCode::kInvalidArgument, Reason::kInvalidRequest,
                         "the operation is not a well-formed message"),
         std::nullopt);
}

void BatchWork::Add(const tarn::v1::Operation& message) {
  absl::Status status = SetOperation(message, operations_.emplace_back());
  if (status.ok()) return;
  operations_.pop_back();
  AddBad(std::move(status), KindOf(message));
}

void BatchWork::AddBad(absl::Status status, std::optional<storage::OperationKind> kind) {
  bad_.push_back({operations_.size() + bad_.size(), std::move(status), kind});
}

// Of an atomic batch, all operations must be well-formed.
std::optional<google::rpc::Status> BatchWork::CheckAtomic(const storage::Limits& limits) const {
  if (mode_ != storage::BatchMode::kAtomic || bad_.empty()) return std::nullopt;
  return BadOperationOf(bad_.front(), SiteOf(limits));
}

std::optional<google::rpc::Status> BatchWork::Answer(const storage::BatchResult& result,
                                                     const storage::Limits& limits,
                                                     tarn::v1::BatchResponse& response) const {
  if (!result.status.ok()) return Failure(result, limits);
  FillResults(result, operations_, bad_, SiteOf(limits), *response.mutable_results());
  response.set_revision(result.revision);
  return std::nullopt;
}

EncodedMessage BatchWork::Answer(const storage::BatchResult& result, const storage::Limits& limits,
                                 uint64_t batch_id) const {
  if (AllDone(result)) return EncodePipelineResponse(batch_id, result);
  tarn::v1::PipelineResponse response;
  response.set_batch_id(batch_id);
  if (result.status.ok()) {
    FillResults(result, operations_, bad_, SiteOf(limits), *response.mutable_results());
    response.set_revision(result.revision);
  } else {
    *response.mutable_status() = Failure(result, limits);
  }
  return Encode(response);
}

bool BatchWork::AllDone(const storage::BatchResult& result) const {
  return result.status.ok() && bad_.empty() &&
         std::all_of(result.results.begin(), result.results.end(),
                     [](const storage::OperationResult& one) { return one.status.ok(); });
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
