#include "storage/identified_batch.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "storage/base/error.h"
#include "storage/request_digest.h"

namespace tarn::storage {
namespace {

using Kind = KeptAnswer::Kind;
using Standing = RequestWindow::Standing;

// Whether the request has its answer. Otherwise nothing was done for a reason that may pass, or it
// is not known what was done.
bool IsFinal(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kFailedPrecondition:
    case absl::StatusCode::kAborted:
    case absl::StatusCode::kOutOfRange:
      return true;
    default:
      return false;
  }
}

absl::string_view NameOf(const BatchRequest& request) {
  return request.ns.empty() ? kDefaultNamespace : request.ns;
}

}  // namespace

IdentifiedBatch::IdentifiedBatch(Context context, const BatchRequest& request, Completion done)
    : on_(std::move(context)),
      request_(request),
      done_(std::move(done)),
      digest_(RequestDigest(NameOf(request), request.mode, request.operations)) {}

void IdentifiedBatch::Start() {
  RequestRegistry::Waiter again = [self = shared_from_this()] { self->Start(); };
  const auto begun = on_.registry.Begin(request_.id, digest_, again);
  if (!begun.ok()) {
    BatchResult refused;
    refused.status = begun.status();
    return std::move(done_)(refused);
  }
  if (begun->standing == Standing::kUnderWay) return;
  header_ = ReceiptHeader({.digest = digest_, .time = begun->time});
  if (begun->standing == Standing::kKnown) return Recall(begun->known);
  RunRest();
}

// --- what was answered before ---

void IdentifiedBatch::Recall(const KeptAnswers& known) {
  recalled_.results.resize(request_.operations.size());
  answered_.assign(parts(), false);
  for (const KeptAnswer& answer : known.answers) {
    if (answer.kind == Kind::kWholeFailure) return Fail(answer.failure, answer.operation);
    if (answer.kind == Kind::kFailure) {
      recalled_.results[answer.operation].status = answer.failure;
      answered_[answer.operation] = true;
      continue;
    }
    const ReceiptName name{.client = request_.id.client,
                           .request = request_.id.request,
                           .operation = answer.operation,
                           .route = answer.route};
    sought_.push_back({.answer = answer, .key = ReceiptKey(name)});
  }
  if (sought_.empty()) return RunRest();
  Seek();
}

void IdentifiedBatch::Seek() {
  reads_.resize(sought_.size());
  for (size_t i = 0; i < sought_.size(); ++i) reads_[i].key = sought_[i].key;
  // Behind the request's earlier run, which may still be under way: its outcome is not known.
  on_.engine.Run({.mode = BatchMode::kIndependent,
                  .read_order = ReadOrder::kSubmitted,
                  .operations = reads_,
                  .caller = request_.caller},
                 [self = shared_from_this()](BatchResult& found) { self->OnFound(found); });
}

void IdentifiedBatch::OnFound(const BatchResult& found) {
  absl::Status status = found.status;
  for (size_t i = 0; status.ok() && i < found.results.size(); ++i) {
    const OperationResult& one = found.results[i];
    status = one.status;
    if (!status.ok()) break;
    status = one.found ? TakeReceipt(sought_[i].answer, one.value) : OnMissing(sought_[i].answer);
  }
  if (!status.ok()) return Fail(status, 0);
  RunRest();
}

absl::Status IdentifiedBatch::TakeReceipt(const KeptAnswer& answer, absl::string_view value) {
  absl::Span<const Operation> about = request_.operations;
  if (!atomic()) about = about.subspan(answer.operation, 1);
  BatchResult kept;
  const absl::Status status = DecodeReceipt(value, about, kept);
  if (!status.ok()) return status;
  for (size_t i = 0; i < kept.results.size(); ++i) {
    OperationResult& result = recalled_.results[answer.operation + i];
    result = kept.results[i];
    result.value = recalled_.arena.Copy(result.value);
  }
  recalled_.revision = kept.revision;
  answered_[answer.operation] = true;
  on_.registry.CountReplay();
  if (answer.kind == Kind::kReceipt) return absl::OkStatus();
  fresh_.answers.push_back({.route = answer.route, .operation = answer.operation});
  fresh_.bytes += value.size() + kReceiptKeyBytes;
  return absl::OkStatus();
}

// Whose receipt is known to have been there was done; it is not done again.
absl::Status IdentifiedBatch::OnMissing(const KeptAnswer& answer) const {
  if (answer.kind == Kind::kPerhaps) return absl::OkStatus();
  return base::MakeError(absl::StatusCode::kDataLoss, base::Reason::kDataLoss,
                         absl::StrCat("the receipt of request ", request_.id.request, " is gone"));
}

// --- what is still to be done ---

void IdentifiedBatch::RunRest() {
  BatchRequest run = request_;
  run.id = {};
  run.receipts = this;
  const bool some = std::find(answered_.begin(), answered_.end(), true) != answered_.end();
  if (some) {
    for (size_t i = 0; i < request_.operations.size(); ++i) {
      if (answered_[atomic() ? 0 : i]) continue;
      rest_.push_back(request_.operations[i]);
      rest_indexes_.push_back(static_cast<uint32_t>(i));
    }
    if (rest_.empty()) return End(recalled_);
    run.operations = absl::MakeSpan(rest_);
    run.receipts = IsReadOnly(rest_) ? nullptr : this;
  }
  on_.run(run, [self = shared_from_this()](BatchResult& result) { self->OnRun(result); });
}

void IdentifiedBatch::MakeReceipts(NamespaceId ns, Placement placement,
                                   absl::Span<Operation> operations) {
  receipts_.resize(atomic() ? 1 : operations.size());
  for (size_t i = 0; i < receipts_.size(); ++i) {
    if (!atomic() && !IsMutation(operations[i].kind)) continue;
    OwnedReceipt& receipt = receipts_[i];
    receipt.route = RouteOf(placement, ns, operations[i].key);
    receipt.key = ReceiptKey(
        {.client = request_.id.client,
         .request = request_.id.request,
         .operation = rest_indexes_.empty() ? static_cast<uint32_t>(i) : rest_indexes_[i],
         .route = receipt.route});
    receipt.view = {.key = receipt.key, .header = header_};
    if (!atomic()) operations[i].receipt = &receipt.view;
  }
}

const Receipt* IdentifiedBatch::OfBatch() const {
  return atomic() ? &receipts_.front().view : nullptr;
}

void IdentifiedBatch::OnRun(BatchResult& result) {
  Remember(result);
  if (rest_indexes_.empty()) return End(result);
  Merge(result);
  End(recalled_);
}

void IdentifiedBatch::Remember(const BatchResult& result) {
  if (!result.status.ok()) return RememberWhole(result);
  if (atomic()) {
    fresh_.bytes += ReceiptBytes(request_.operations, result.results);
    return Keep(Kind::kReceipt, 0, absl::OkStatus());
  }
  RememberEach(result);
}

void IdentifiedBatch::RememberEach(const BatchResult& result) {
  for (size_t i = 0; i < result.results.size(); ++i) {
    if (receipts_.size() <= i || receipts_[i].key.empty()) continue;
    const absl::Status& status = result.results[i].status;
    if (status.ok()) {
      const Operation& operation = rest_.empty() ? request_.operations[i] : rest_[i];
      fresh_.bytes += ReceiptBytes({&operation, 1}, {&result.results[i], 1});
      Keep(Kind::kReceipt, i, status);
    } else if (absl::IsUnknown(status)) {
      Keep(Kind::kPerhaps, i, absl::OkStatus());
    } else if (IsFinal(status)) {
      Keep(Kind::kFailure, i, status);
    }
  }
}

// A batch that failed as a whole. When only a part of it was run, the other part's answers stay.
void IdentifiedBatch::RememberWhole(const BatchResult& result) {
  if (absl::IsUnknown(result.status)) {
    for (size_t i = 0; i < receipts_.size(); ++i) {
      if (!receipts_[i].key.empty()) Keep(Kind::kPerhaps, i, absl::OkStatus());
    }
  } else if (IsFinal(result.status) && rest_.empty()) {
    fresh_.answers.push_back({.kind = Kind::kWholeFailure,
                              .operation = static_cast<uint32_t>(result.failed_operation),
                              .failure = result.status});
  }
}

// `index` is in what was run.
void IdentifiedBatch::Keep(Kind kind, size_t index, const absl::Status& failure) {
  const auto operation =
      rest_indexes_.empty() ? static_cast<uint32_t>(index) : rest_indexes_[index];
  fresh_.answers.push_back(
      {.kind = kind, .route = receipts_[index].route, .operation = operation, .failure = failure});
}

void IdentifiedBatch::Merge(BatchResult& result) {
  for (size_t i = 0; i < rest_indexes_.size(); ++i) {
    OperationResult& merged = recalled_.results[rest_indexes_[i]];
    if (!result.status.ok()) {
      merged.status = result.status;
      continue;
    }
    merged = std::move(result.results[i]);
    merged.value = recalled_.arena.Copy(merged.value);
  }
}

// --- the end ---

void IdentifiedBatch::Fail(const absl::Status& status, size_t failed_operation) {
  BatchResult failed;
  failed.status = status;
  failed.failed_operation = failed_operation;
  End(failed);
}

// Remembered before it is said: whoever is told may repeat at once.
void IdentifiedBatch::End(BatchResult& result) {
  std::vector<RequestRegistry::Waiter> waiters =
      on_.registry.End(request_.id, std::exchange(fresh_, {}));
  std::move(done_)(result);
  for (RequestRegistry::Waiter& waiter : waiters) std::move(waiter)();
}

}  // namespace tarn::storage
