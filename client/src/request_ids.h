// What makes the writes of a connection safe to repeat: its client id, and the numbers of its
// requests.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "client/src/call.h"
#include "client/src/retry.h"
#include "tarn/operation.h"
#include "tarn/v1/state.grpc.pb.h"

namespace tarn::internal {

// Empty: the server offers none.
struct RequestId {
  uint64_t client = 0;
  uint64_t request = 0;

  bool empty() const { return client == 0; }
};

// Whether repeating the write could do something twice, or be answered differently.
bool NeedsRequestId(OperationKind kind, Precondition::Kind precondition);
bool NeedsRequestId(const Batch& batch);

// Gives each request its id, and asks the server for the client's when the first one is wanted.
// Thread-safe. A server that knows no client ids is taken as it is.
class RequestIds : public std::enable_shared_from_this<RequestIds> {
 public:
  using Done = std::function<void(absl::StatusOr<RequestId>)>;
  using MakeRetrier = std::function<Retrier(CallKind)>;

  explicit RequestIds(std::shared_ptr<v1::StateService::Stub> stub) : stub_(std::move(stub)) {}

  // Nothing when the server has to be asked first.
  std::optional<RequestId> TryNext();

  // Calls `done` at once when it can, else when the server has answered; within the settings'
  // deadline, unless others were waiting before. An error means that nothing was done.
  void Next(CallSettings settings, const MakeRetrier& make_retrier, Done done);

  // The same, waited for; not on a thread of gRPC's.
  absl::StatusOr<RequestId> NextAndWait(CallSettings settings, const MakeRetrier& make_retrier);

  // The server does not know this client any more.
  void Forget(uint64_t client);

 private:
  struct Waiting {
    CallSettings settings;
    Retrier retrier;
    Done done;
  };
  using Response = absl::StatusOr<v1::RegisterClientResponse>;

  std::optional<RequestId> TryNextLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Whether the answer says what ids there are.
  bool Learn(const Response& response) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Register() ABSL_LOCKS_EXCLUDED(mutex_);
  void OnRegistered(const Response& response) ABSL_LOCKS_EXCLUDED(mutex_);

  const std::shared_ptr<v1::StateService::Stub> stub_;
  absl::Mutex asking_ ABSL_ACQUIRED_BEFORE(mutex_);  // By one that waits; the others wait for it.
  absl::Mutex mutex_;
  bool offered_ ABSL_GUARDED_BY(mutex_) = true;
  uint64_t client_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t last_request_ ABSL_GUARDED_BY(mutex_) = 0;
  // The first of them is asking.
  std::deque<Waiting> waiting_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace tarn::internal
