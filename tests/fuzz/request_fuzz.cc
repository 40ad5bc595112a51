// Any bytes as a request: parsed, converted, run on a store, answered. The first byte chooses the
// call.
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/synchronization/notification.h"
#include "server/rpc/admin_service.h"
#include "server/rpc/errors.h"
#include "server/rpc/state_service.h"
#include "storage/base/clock.h"
#include "storage/base/executor.h"
#include "storage/base/random.h"
#include "storage/memory/memory_engine.h"
#include "storage/store.h"

namespace tarn::server {
namespace {

void Require(bool condition) {
  if (!condition) std::abort();
}

// A server without a transport, small enough that its limits are met. Lives as long as the program.
struct Server {
  Server() {
    storage::Limits limits;
    limits.max_key_bytes = 64;
    limits.max_value_bytes = 1024;
    limits.max_batch_operations = 16;
    limits.max_namespaces = 8;
    engine = *storage::MemoryEngine::Open({.limits = limits, .memory_limit_bytes = 1 << 20}, clock,
                                          ledger);
    const storage::StoreMeta meta{.store_id = std::string(32, '0'), .incarnation = 1};
    Require(engine->WriteMeta(meta).ok());
    store = *storage::Store::Open({*engine, ledger, clock, executor, base::SystemRandom()}, meta,
                                  {.limits = limits});
    gate.Open(*store);
  }

  base::ManualClock clock{1'700'000'000'000};
  storage::UsageLedger ledger;
  base::ThreadPool executor{{.threads = 1}};
  std::unique_ptr<storage::Engine> engine;
  std::unique_ptr<storage::Store> store;
  Gate gate;
  Counters counters;
  AdminPolicy policy{{}};
  StateService state{gate, counters, {}};
  AdminService admin{gate, counters, policy, {}, [] { return 0; }, [] { return std::nullopt; }};
};

// One call; must end exactly once, and an error must be whole.
template <typename Request, typename Response>
class Call final : public UnaryCall<Request, Response> {
 public:
  Call(const Request& request, Response& response)
      : UnaryCall<Request, Response>(request, response) {}

  Peer peer() const override { return {.locality = Peer::Locality::kLoopback}; }
  bool Cancelled() const override { return false; }
  void Finish() override { ended_.Notify(); }
  void Fail(const google::rpc::Status& error) override {
    Require(error.code() > 0 && error.code() <= 16 && !error.details().empty());
    failed_ = true;
    ended_.Notify();
  }

  bool Succeeded() {
    ended_.WaitForNotification();
    return !failed_;
  }

 private:
  absl::Notification ended_;
  bool failed_ = false;
};

template <typename Request, typename Response, typename Service>
bool Run(absl::string_view bytes, Service& service,
         void (Service::*method)(UnaryCall<Request, Response>&), Request* request,
         Response* response) {
  if (!request->ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return false;
  Call<Request, Response> call(*request, *response);
  (service.*method)(call);
  return call.Succeeded() && response->ByteSizeLong() <= storage::Limits().max_response_bytes;
}

template <typename Request, typename Response, typename Service>
void Run(absl::string_view bytes, Service& service,
         void (Service::*method)(UnaryCall<Request, Response>&)) {
  Request request;
  Response response;
  Run(bytes, service, method, &request, &response);
}

void RunBatch(absl::string_view bytes, StateService& service) {
  tarn::v1::BatchRequest request;
  tarn::v1::BatchResponse response;
  if (!Run(bytes, service, &StateService::Batch, &request, &response)) return;
  Require(response.results_size() == request.operations_size());
}

void RunOne(uint8_t chosen, absl::string_view bytes, Server& server) {
  switch (chosen % 14) {
    case 0:
      return RunBatch(bytes, server.state);
    case 1:
      return Run(bytes, server.state, &StateService::Get);
    case 2:
      return Run(bytes, server.state, &StateService::Put);
    case 3:
      return Run(bytes, server.state, &StateService::Delete);
    case 4:
      return Run(bytes, server.state, &StateService::Take);
    case 5:
      return Run(bytes, server.state, &StateService::Increment);
    case 6:
      return Run(bytes, server.state, &StateService::Append);
    case 7:
      return Run(bytes, server.state, &StateService::Touch);
    case 8:
      return Run(bytes, server.state, &StateService::Count);
    case 9:
      return Run(bytes, server.state, &StateService::DeleteRange);
    case 10:
      return Run(bytes, server.admin, &AdminService::CreateNamespace);
    case 11:
      return Run(bytes, server.admin, &AdminService::UpdateNamespace);
    case 12:
      return Run(bytes, server.admin, &AdminService::DeleteNamespace);
    default:
      return Run(bytes, server.admin, &AdminService::ListNamespaces);
  }
}

}  // namespace
}  // namespace tarn::server

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static tarn::server::Server server;
  if (size == 0) return 0;
  tarn::server::RunOne(data[0], {reinterpret_cast<const char*>(data) + 1, size - 1}, server);
  return 0;
}
