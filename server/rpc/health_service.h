// grpc.health.v1: whether the server serves.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "grpc/health/v1/health.pb.h"
#include "server/rpc/call.h"

namespace tarn::server {

// Thread-safe. All services of the server share one status, which is NOT_SERVING until it is set.
// It outlives its calls.
class HealthService {
 public:
  // `services`: their full names; the server as a whole, "", is added.
  explicit HealthService(std::vector<std::string> services);

  enum class Status : uint8_t { kNotServing, kServing };
  // Also tells every watcher.
  void Set(Status status);

  void Check(
      UnaryCall<grpc::health::v1::HealthCheckRequest, grpc::health::v1::HealthCheckResponse>& call);
  std::unique_ptr<StreamHandler> Watch(
      const grpc::health::v1::HealthCheckRequest& request,
      ResponseStream<grpc::health::v1::HealthCheckResponse>& stream);

 private:
  class Watched;
  class WatchHandler;

  bool Knows(absl::string_view service) const;
  Status Join(std::shared_ptr<Watched> watched);
  void Leave(const std::shared_ptr<Watched>& watched);

  const std::vector<std::string> services_;
  absl::Mutex mutex_;
  Status status_ ABSL_GUARDED_BY(mutex_) = Status::kNotServing;
  absl::flat_hash_set<std::shared_ptr<Watched>> watched_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace tarn::server
