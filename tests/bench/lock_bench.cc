// What locks, fences and request ids cost, next to plain writes, over gRPC.
#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "tarn/v1/lock.grpc.pb.h"
#include "tarn/v1/state.grpc.pb.h"
#include "tests/bench/benches.h"
#include "tests/bench/measure.h"
#include "tests/bench/processes.h"
#include "tests/bench/samples.h"
#include <grpcpp/grpcpp.h>

namespace tarn::bench {
namespace {

constexpr int kTtlMs = 600'000;
constexpr int kWaiters = 10'000;
constexpr int kWaiterChannels = 8;                // A connection carries 2,048 calls.
constexpr double kMostBytesPerWaiter = 24 << 10;  // Of which gRPC's own call is all but one.
constexpr double kMostIdleCpu = 0.02;             // Of one processor, while all of them wait.

void Check(const grpc::Status& status, const char* what) {
  if (!status.ok()) Fail(std::string(what) + ": " + status.error_message());
}

std::shared_ptr<grpc::Channel> Connect(const std::string& endpoint) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  return grpc::CreateCustomChannel(endpoint, grpc::InsecureChannelCredentials(), arguments);
}

// One caller, one call after another.
class Caller {
 public:
  explicit Caller(const std::string& endpoint)
      : channel_(Connect(endpoint)),
        state_(v1::StateService::NewStub(channel_)),
        locks_(v1::LockService::NewStub(channel_)) {}

  void Put() { Send(PlainPut()); }

  void FencedPut(uint64_t token) {
    v1::PutRequest request = PlainPut();
    request.mutable_fence()->set_lock("fence");
    request.mutable_fence()->set_token(token);
    Send(request);
  }

  // Under an id that was never used.
  void PutOnce() {
    v1::PutRequest request = PlainPut();
    request.set_client_id(client_ != 0 ? client_ : Register());
    request.set_request_id(++last_request_);
    Send(request);
  }

  uint64_t Acquire(const std::string& name) {
    grpc::ClientContext context;
    v1::AcquireLockRequest request;
    v1::AcquireLockResponse response;
    request.set_name(name);
    request.set_holder("bench");
    request.set_ttl_ms(kTtlMs);
    Check(locks_->AcquireLock(&context, request, &response), "acquire");
    return response.token();
  }

  void Release(const std::string& name, uint64_t token) {
    grpc::ClientContext context;
    v1::ReleaseLockRequest request;
    v1::ReleaseLockResponse response;
    request.set_name(name);
    request.set_token(token);
    Check(locks_->ReleaseLock(&context, request, &response), "release");
  }

 private:
  static v1::PutRequest PlainPut() {
    v1::PutRequest request;
    request.set_key("key-of-16-bytes.");
    request.set_value(std::string(128, 'v'));
    return request;
  }

  void Send(const v1::PutRequest& request) {
    grpc::ClientContext context;
    v1::PutResponse response;
    Check(state_->Put(&context, request, &response), "put");
  }

  uint64_t Register() {
    grpc::ClientContext context;
    v1::RegisterClientResponse response;
    Check(state_->RegisterClient(&context, {}, &response), "register");
    return client_ = response.client_id();
  }

  const std::shared_ptr<grpc::Channel> channel_;
  const std::unique_ptr<v1::StateService::Stub> state_;
  const std::unique_ptr<v1::LockService::Stub> locks_;
  uint64_t client_ = 0;
  uint64_t last_request_ = 0;
};

// Microseconds of one turn, by the clock and of the server's processor time.
struct Cost {
  double time = 0;
  double cpu = 0;
};

template <typename Turn>
Cost CostOf(const ServerProcess& server, double seconds, Turn turn) {
  const double cpu = server.CpuSeconds();
  int turns = 0;
  double spent = 0;
  while (spent < seconds) {
    spent += SecondsOf([&] {
      for (int i = 0; i < 100; ++i) turn();
    });
    turns += 100;
  }
  return {spent / turns * 1e6, (server.CpuSeconds() - cpu) / turns * 1e6};
}

struct Costs {
  std::vector<double> time;
  std::vector<double> cpu;

  void Add(const Cost& cost) {
    time.push_back(cost.time);
    cpu.push_back(cost.cpu);
  }
};

void MeasureCosts(const BenchOptions& options, const std::string& engine, Report& report) {
  const auto server = StartTarnd(options.tarnd, engine);
  Caller caller(server->endpoint());
  const uint64_t token = caller.Acquire("fence");
  Costs puts, locks, plain, fenced, once;
  for (int round = 0; round < options.rounds; ++round) {
    puts.Add(CostOf(*server, options.seconds, [&] {
      caller.Put();
      caller.Put();
    }));
    locks.Add(
        CostOf(*server, options.seconds, [&] { caller.Release("lock", caller.Acquire("lock")); }));
    plain.Add(CostOf(*server, options.seconds, [&] { caller.Put(); }));
    fenced.Add(CostOf(*server, options.seconds, [&] { caller.FencedPut(token); }));
    once.Add(CostOf(*server, options.seconds, [&] { caller.PutOnce(); }));
  }
  report.Add(engine + "_two_puts_us", SpreadOf(puts.time));
  report.Add(engine + "_acquire_release_us", SpreadOf(locks.time));
  report.Add(engine + "_acquire_release_ratio", SpreadOf(Ratios(locks.time, puts.time)),
             AtMost(1.5));
  report.Add(engine + "_acquire_release_cpu_ratio", SpreadOf(Ratios(locks.cpu, puts.cpu)));
  report.Add(engine + "_fenced_put_us", SpreadOf(fenced.time));
  report.Add(engine + "_fenced_put_ratio", SpreadOf(Ratios(fenced.time, plain.time)), AtMost(1.2));
  report.Add(engine + "_fenced_put_cpu_ratio", SpreadOf(Ratios(fenced.cpu, plain.cpu)));
  report.Add(engine + "_put_with_request_id_us", SpreadOf(once.time));
  report.Add(engine + "_put_with_request_id_ratio", SpreadOf(Ratios(once.time, plain.time)));
  report.Add(engine + "_put_with_request_id_cpu_ratio", SpreadOf(Ratios(once.cpu, plain.cpu)));
}

// One that waits until it is cancelled.
struct Waiter {
  grpc::ClientContext context;
  v1::AcquireLockRequest request;
  v1::AcquireLockResponse response;
};

void AwaitQueue(v1::LockService::Stub& stub, uint32_t length) {
  v1::GetLockRequest request;
  request.set_name("waited-for");
  v1::GetLockResponse response;
  do {
    grpc::ClientContext context;
    Check(stub.GetLock(&context, request, &response), "get lock");
  } while (response.lock().queue_length() != length);
}

// Many clients wait for one lock.
void MeasureWaiters(const BenchOptions& options, Report& report) {
  const auto server = StartTarnd(options.tarnd, "memory");
  Caller(server->endpoint()).Acquire("waited-for");
  std::vector<std::unique_ptr<v1::LockService::Stub>> stubs;
  for (int i = 0; i < kWaiterChannels; ++i)
    stubs.push_back(v1::LockService::NewStub(Connect(server->endpoint())));
  AwaitQueue(*stubs[0], 0);
  const size_t before = server->ResidentBytes();
  std::vector<std::unique_ptr<Waiter>> waiters;
  std::atomic<int> ended{0};
  for (int i = 0; i < kWaiters; ++i) {
    Waiter& waiter = *waiters.emplace_back(std::make_unique<Waiter>());
    waiter.request.set_name("waited-for");
    waiter.request.set_holder("waiter");
    waiter.request.set_request_id(std::to_string(i));
    waiter.request.set_ttl_ms(kTtlMs);
    waiter.request.set_wait_ms(kTtlMs);
    stubs[static_cast<size_t>(i) % stubs.size()]->async()->AcquireLock(
        &waiter.context, &waiter.request, &waiter.response,
        [&ended](const grpc::Status&) { ++ended; });
  }
  AwaitQueue(*stubs[0], kWaiters);
  const double bytes = static_cast<double>(server->ResidentBytes() - before);
  const double cpu = server->CpuSeconds();
  std::this_thread::sleep_for(std::chrono::duration<double>(2));
  const double idle = (server->CpuSeconds() - cpu) / 2;
  for (const auto& waiter : waiters) waiter->context.TryCancel();
  while (ended < kWaiters) std::this_thread::yield();
  AwaitQueue(*stubs[0], 0);
  report.Add("waiter_bytes", bytes / kWaiters, AtMost(kMostBytesPerWaiter));
  report.Add("waiters_idle_cpu", idle, AtMost(kMostIdleCpu));
}

}  // namespace

void RunLockBench(const BenchOptions& options, Report& report) {
  for (const char* engine : {"memory", "rocksdb"}) MeasureCosts(options, engine, report);
  MeasureWaiters(options, report);
}

}  // namespace tarn::bench
