#include "client/src/request_ids.h"

#include <algorithm>
#include <utility>

#include "client/src/methods.h"
#include "client/src/status_mapping.h"
#include "tarn/error.h"

namespace tarn::internal {
namespace {

constexpr CallKind kRegistration = {
    .name = "RegisterClient", .access = Access::kRead, .idempotency = Idempotency::kIdempotent};

// Registering is no write of the caller's: whatever became of it, nothing of his was done.
absl::Status NothingDone(const absl::Status& status) {
  return IsOutcomeUnknown(status) ? NotConnected(status) : status;
}

}  // namespace

bool NeedsRequestId(OperationKind kind, Precondition::Kind precondition) {
  switch (kind) {
    case OperationKind::kGet:
      return false;
    case OperationKind::kPut:
    case OperationKind::kTouch:
      return precondition != Precondition::Kind::kNone;
    default:
      return true;
  }
}

bool NeedsRequestId(const Batch& batch) {
  return std::ranges::any_of(batch.operations(), [](const Operation& operation) {
    return NeedsRequestId(operation.kind, operation.precondition.kind());
  });
}

std::optional<RequestId> RequestIds::TryNextLocked() {
  if (!offered_) return RequestId();
  if (client_ == 0) return std::nullopt;
  return RequestId{client_, ++last_request_};
}

std::optional<RequestId> RequestIds::TryNext() {
  absl::MutexLock lock(&mutex_);
  return TryNextLocked();
}

void RequestIds::Next(CallSettings settings, const MakeRetrier& make_retrier, Done done) {
  Retrier retrier = make_retrier(kRegistration);
  std::optional<RequestId> id;
  {
    absl::MutexLock lock(&mutex_);
    id = TryNextLocked();
    if (!id) {
      waiting_.push_back({std::move(settings), std::move(retrier), std::move(done)});
      if (waiting_.size() > 1) return;
    }
  }
  id ? done(*id) : Register();
}

absl::StatusOr<RequestId> RequestIds::NextAndWait(CallSettings settings,
                                                  const MakeRetrier& make_retrier) {
  if (auto id = TryNext()) return *id;
  absl::MutexLock asking(&asking_);
  if (auto id = TryNext()) return *id;
  const Response response =
      Call<RegisterClientMethod>(*stub_, {}, settings, make_retrier(kRegistration));
  absl::MutexLock lock(&mutex_);
  if (Learn(response)) return *TryNextLocked();
  return NothingDone(response.status());
}

bool RequestIds::Learn(const Response& response) {
  if (client_ != 0) return true;  // Another one was faster.
  if (response.ok()) {
    client_ = response->client_id();
    last_request_ = 0;
    return true;
  }
  if (absl::IsUnimplemented(response.status())) offered_ = false;
  return !offered_;
}

void RequestIds::Forget(uint64_t client) {
  absl::MutexLock lock(&mutex_);
  if (client_ == client) client_ = 0;
}

void RequestIds::Register() {
  std::shared_ptr<AsyncCall<RegisterClientMethod, StateStub>> call;
  {
    absl::MutexLock lock(&mutex_);
    Waiting& first = waiting_.front();
    call = std::make_shared<AsyncCall<RegisterClientMethod, StateStub>>(
        stub_, v1::RegisterClientRequest(), first.settings, std::move(first.retrier),
        [self = shared_from_this()](const Response& response) { self->OnRegistered(response); });
  }
  call->Attempt();
}

// An error is that of the first alone: the others may have more time.
void RequestIds::OnRegistered(const Response& response) {
  std::vector<std::pair<Done, RequestId>> answered;
  Done failed;
  bool more = false;
  {
    absl::MutexLock lock(&mutex_);
    const bool known = Learn(response);
    if (!known) {
      failed = std::move(waiting_.front().done);
      waiting_.pop_front();
      more = !waiting_.empty();
    }
    while (known && !waiting_.empty()) {
      answered.emplace_back(std::move(waiting_.front().done), *TryNextLocked());
      waiting_.pop_front();
    }
  }
  if (failed) failed(NothingDone(response.status()));
  for (auto& [done, id] : answered) done(id);
  if (more) Register();
}

}  // namespace tarn::internal
