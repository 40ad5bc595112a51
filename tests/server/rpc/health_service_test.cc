#include "server/rpc/health_service.h"

#include "tests/catch.h"
#include "tests/server/rpc/fakes.h"

namespace tarn::server {
namespace {

using grpc::health::v1::HealthCheckRequest;
using grpc::health::v1::HealthCheckResponse;
using Outcome = StreamHandler::Outcome;

// One call of Watch.
class Watching {
 public:
  Watching(HealthService& service, const std::string& name) {
    request_.set_service(name);
    handler_ = service.Watch(request_, stream_);
    handler_->Start();
  }

  // What is being sent; "" when nothing is.
  std::string Sent() const {
    return stream_.writing ? HealthCheckResponse::ServingStatus_Name(stream_.writing->status())
                           : "";
  }
  void Written(Outcome outcome = Outcome::kDone) {
    stream_.writing.reset();
    handler_->OnWritten(outcome);
  }
  void Drain() { handler_->OnDrain(); }
  void Cancel() { handler_->OnCancelled(); }
  bool Ended() const { return stream_.finished.has_value(); }

 private:
  HealthCheckRequest request_;
  testing::FakeStream<HealthCheckRequest, HealthCheckResponse> stream_;
  std::unique_ptr<StreamHandler> handler_;
};

TEST_CASE("a watcher is told the status and every change") {
  HealthService health({"tarn.v1.StateService"});
  Watching watch(health, "tarn.v1.StateService");
  CHECK(watch.Sent() == "NOT_SERVING");
  watch.Written();
  CHECK(watch.Sent().empty());
  health.Set(HealthService::Status::kServing);
  CHECK(watch.Sent() == "SERVING");
}

TEST_CASE("a slow watcher is told the newest status only") {
  HealthService health({});
  Watching watch(health, "");
  health.Set(HealthService::Status::kServing);
  health.Set(HealthService::Status::kNotServing);
  watch.Written();
  CHECK(watch.Sent().empty());
}

TEST_CASE("a watcher of an unknown service is told so, and kept") {
  HealthService health({"tarn.v1.StateService"});
  Watching watch(health, "tarn.v1.Other");
  CHECK(watch.Sent() == "SERVICE_UNKNOWN");
  watch.Written();
  health.Set(HealthService::Status::kServing);
  CHECK(watch.Sent().empty());
  CHECK_FALSE(watch.Ended());
}

TEST_CASE("watching ends when the server drains, after what is being sent") {
  HealthService health({});
  Watching watch(health, "");
  watch.Drain();
  CHECK_FALSE(watch.Ended());
  watch.Written();
  CHECK(watch.Ended());
}

TEST_CASE("a slow watcher is told that the server no longer serves before watching ends") {
  HealthService health({});
  health.Set(HealthService::Status::kServing);
  Watching watch(health, "");
  health.Set(HealthService::Status::kNotServing);
  watch.Drain();
  watch.Written();
  CHECK(watch.Sent() == "NOT_SERVING");
  CHECK_FALSE(watch.Ended());
  watch.Written();
  CHECK(watch.Ended());
}

TEST_CASE("watching ends when the caller has gone") {
  HealthService health({});
  Watching watch(health, "");
  health.Set(HealthService::Status::kServing);
  SECTION("as a write that fails shows") {
    watch.Written(Outcome::kFailed);
    CHECK(watch.Ended());
  }
  SECTION("as the transport says") {
    watch.Cancel();
    watch.Written();
    CHECK(watch.Sent().empty());
    CHECK(watch.Ended());
  }
}

}  // namespace
}  // namespace tarn::server
