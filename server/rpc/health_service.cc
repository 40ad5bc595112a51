#include "server/rpc/health_service.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "server/rpc/errors.h"
#include "storage/base/error.h"

namespace tarn::server {
namespace {

using grpc::health::v1::HealthCheckResponse;
using Outcome = StreamHandler::Outcome;

HealthCheckResponse::ServingStatus ToWireStatus(HealthService::Status status) {
  return status == HealthService::Status::kServing ? HealthCheckResponse::SERVING
                                                   : HealthCheckResponse::NOT_SERVING;
}

}  // namespace

// What one call of Watch has sent and has still to send: the newest status, if it is another one.
// Shared by the call and by the service, which may speak to it after the call has ended.
class HealthService::Watched {
 public:
  explicit Watched(ResponseStream<HealthCheckResponse>& stream) : stream_(stream) {}

  void Change(HealthCheckResponse::ServingStatus status) {
    {
      absl::MutexLock lock(&mutex_);
      newest_ = status;
    }
    Advance();
  }

  void Written(Outcome outcome) {
    {
      absl::MutexLock lock(&mutex_);
      writing_ = false;
      if (outcome == Outcome::kFailed) broken_ = true;
    }
    Advance();
  }

  // After the newest status, which a slow watcher may still have to be told.
  void End() {
    {
      absl::MutexLock lock(&mutex_);
      ending_ = true;
    }
    Advance();
  }

  // Nobody listens any more.
  void Break() {
    {
      absl::MutexLock lock(&mutex_);
      broken_ = true;
    }
    Advance();
  }

 private:
  enum class Step : uint8_t { kNothing, kWrite, kFinish };

  void Advance() {
    switch (Decide()) {
      case Step::kNothing:
        return;
      case Step::kWrite:
        return stream_.Write(response_);
      case Step::kFinish:
        return stream_.Fail(
            ToWire(base::MakeError(absl::StatusCode::kUnavailable, base::Reason::kDraining,
                                   "the server is shutting down")));
    }
  }

  Step Decide() {
    absl::MutexLock lock(&mutex_);
    if (writing_ || finished_) return Step::kNothing;
    if (newest_ && newest_ != sent_ && !broken_) {
      sent_ = newest_;
      response_.set_status(*newest_);
      writing_ = true;
      return Step::kWrite;
    }
    finished_ = ending_ || broken_;
    return finished_ ? Step::kFinish : Step::kNothing;
  }

  ResponseStream<HealthCheckResponse>& stream_;  // There until `finished_`.
  HealthCheckResponse response_;                 // Untouched while `writing_`.

  absl::Mutex mutex_;
  std::optional<HealthCheckResponse::ServingStatus> newest_ ABSL_GUARDED_BY(mutex_);
  std::optional<HealthCheckResponse::ServingStatus> sent_ ABSL_GUARDED_BY(mutex_);
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
  bool ending_ ABSL_GUARDED_BY(mutex_) = false;
  bool broken_ ABSL_GUARDED_BY(mutex_) = false;
  bool finished_ ABSL_GUARDED_BY(mutex_) = false;
};

// The transport's side of one call of Watch.
class HealthService::WatchHandler final : public StreamHandler {
 public:
  WatchHandler(HealthService& service, bool known, ResponseStream<HealthCheckResponse>& stream)
      : service_(service), known_(known), watched_(std::make_shared<Watched>(stream)) {}
  ~WatchHandler() override { service_.Leave(watched_); }

  void Start() override {
    if (!known_) return watched_->Change(HealthCheckResponse::SERVICE_UNKNOWN);
    watched_->Change(ToWireStatus(service_.Join(watched_)));
  }
  void OnWritten(Outcome outcome) override { watched_->Written(outcome); }
  void OnCancelled() override { watched_->Break(); }
  void OnDrain() override { watched_->End(); }

 private:
  HealthService& service_;
  const bool known_;
  const std::shared_ptr<Watched> watched_;
};

HealthService::HealthService(std::vector<std::string> services) : services_(std::move(services)) {}

void HealthService::Set(Status status) {
  std::vector<std::shared_ptr<Watched>> watched;
  {
    absl::MutexLock lock(&mutex_);
    status_ = status;
    watched.assign(watched_.begin(), watched_.end());
  }
  for (const auto& one : watched) one->Change(ToWireStatus(status));
}

void HealthService::Check(
    UnaryCall<grpc::health::v1::HealthCheckRequest, HealthCheckResponse>& call) {
  if (!Knows(call.request().service())) {
    google::rpc::Status error;
    error.set_code(static_cast<int>(absl::StatusCode::kNotFound));
    error.set_message("no such service");
    return call.Fail(error);
  }
  {
    absl::MutexLock lock(&mutex_);
    call.response().set_status(ToWireStatus(status_));
  }
  call.Finish();
}

std::unique_ptr<StreamHandler> HealthService::Watch(
    const grpc::health::v1::HealthCheckRequest& request,
    ResponseStream<HealthCheckResponse>& stream) {
  return std::make_unique<WatchHandler>(*this, Knows(request.service()), stream);
}

bool HealthService::Knows(absl::string_view service) const {
  return service.empty() ||
         std::find(services_.begin(), services_.end(), service) != services_.end();
}

HealthService::Status HealthService::Join(std::shared_ptr<Watched> watched) {
  absl::MutexLock lock(&mutex_);
  watched_.insert(std::move(watched));
  return status_;
}

void HealthService::Leave(const std::shared_ptr<Watched>& watched) {
  absl::MutexLock lock(&mutex_);
  watched_.erase(watched);
}

}  // namespace tarn::server
