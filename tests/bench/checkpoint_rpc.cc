// What checkpoints cost those who write over gRPC.
#include <algorithm>
#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "tarn/v1/checkpoint.grpc.pb.h"
#include "tarn/v1/job.grpc.pb.h"
#include "tests/bench/checkpoint_benches.h"
#include "tests/bench/load.h"
#include "tests/bench/measure.h"
#include "tests/bench/processes.h"
#include <grpcpp/grpcpp.h>

namespace tarn::bench {
namespace {

constexpr int kInFlight = 64;
constexpr double kSeconds = 10;
constexpr double kFreePauseMs = 20;
constexpr double kPauseRatio = 1.5;

void MustSucceed(const grpc::Status& status) {
  if (!status.ok()) Fail("a call failed: " + status.error_message());
}

// Has a server make checkpoints, each asked for as soon as the one before is published. That it
// takes two calls in between is what is counted beside them: a thousandth of the time.
class BackToBackCheckpoints {
 public:
  explicit BackToBackCheckpoints(const std::string& endpoint)
      : channel_(grpc::CreateChannel(endpoint, grpc::InsecureChannelCredentials())),
        checkpoints_(v1::CheckpointService::NewStub(channel_)),
        jobs_(v1::JobService::NewStub(channel_)),
        thread_([this] {
          while (!stop_) CreateOne();
        }) {}

  // Of each checkpoint, in seconds.
  std::vector<double> Stop() {
    stop_ = true;
    thread_.join();
    return seconds_;
  }

 private:
  void CreateOne() {
    seconds_.push_back(SecondsOf([this] {
      grpc::ClientContext context;
      v1::CreateCheckpointRequest request;
      request.set_force(true);
      v1::CreateCheckpointResponse response;
      MustSucceed(checkpoints_->CreateCheckpoint(&context, request, &response));
      WaitFor(response.job().id());
    }));
  }

  void WaitFor(uint64_t id) {
    grpc::ClientContext context;
    v1::WatchJobRequest request;
    request.set_id(id);
    const auto reader = jobs_->WatchJob(&context, request);
    v1::WatchJobResponse last;
    while (reader->Read(&last)) {
    }
    MustSucceed(reader->Finish());
    if (last.job().state() != v1::JOB_STATE_SUCCEEDED)
      Fail("a checkpoint failed: " + last.job().error().message());
  }

  const std::shared_ptr<grpc::Channel> channel_;
  const std::unique_ptr<v1::CheckpointService::Stub> checkpoints_;
  const std::unique_ptr<v1::JobService::Stub> jobs_;
  std::atomic<bool> stop_{false};
  std::vector<double> seconds_;
  std::thread thread_;
};

// Of several runs.
struct Runs {
  std::vector<double> calls, p999_us, pause_ms;

  void Add(const UnaryResult& result) {
    calls.push_back(result.calls_per_second);
    p999_us.push_back(result.p999_us);
    pause_ms.push_back(result.max_us / 1e3);
  }
};

}  // namespace

void MeasureRpcWriters(const WindowData& windows, const BenchOptions& options, Report& report) {
  const auto server = StartTarnd(options.tarnd, "memory");
  const DataSet data(windows);
  Load load(server->endpoint(), data);
  load.Fill();
  Runs alone, during;
  std::vector<double> seconds;
  for (int round = 0; round < options.rounds; ++round) {
    alone.Add(load.Unary(Call::kPut, kInFlight, kSeconds));
    BackToBackCheckpoints checkpoints(server->endpoint());
    during.Add(load.Unary(Call::kPut, kInFlight, kSeconds));
    for (const double one : checkpoints.Stop()) seconds.push_back(one);
  }
  const double longest_alone = SpreadOf(alone.pause_ms).median;
  report.Add("rpc_writers_alone_calls_per_second", SpreadOf(alone.calls));
  report.Add("rpc_writers_calls_per_second", SpreadOf(during.calls));
  report.Add("rpc_create_seconds", SpreadOf(seconds));
  report.Add("rpc_writers_alone_p999_us", SpreadOf(alone.p999_us));
  report.Add("rpc_writers_p999_us", SpreadOf(during.p999_us));
  report.Add("rpc_writers_p999_ratio", SpreadOf(Ratios(during.p999_us, alone.p999_us)), AtMost(3));
  report.Add("rpc_writers_alone_max_pause_ms", SpreadOf(alone.pause_ms));
  report.Add("rpc_writers_max_pause_ms", SpreadOf(during.pause_ms),
             AtMost(std::max(kFreePauseMs, kPauseRatio * longest_alone)));
}

}  // namespace tarn::bench
