// A gRPC server in the test's own process, with a script for each method.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "tarn/client.h"
#include "tarn/v1/admin.grpc.pb.h"
#include "tarn/v1/checkpoint.grpc.pb.h"
#include "tarn/v1/job.grpc.pb.h"
#include "tarn/v1/state.grpc.pb.h"
#include "tests/client/certificates.h"
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

namespace tarn::testing {

// An error as Tarn sends it: with ErrorInfo of domain "tarn", and RetryInfo if `retry_after` is
// positive.
grpc::Status TarnError(grpc::StatusCode code, const std::string& reason,
                       std::chrono::milliseconds retry_after = std::chrono::milliseconds(0));

// The same inside a message.
google::rpc::Status TarnErrorProto(grpc::StatusCode code, const std::string& reason);

// What a broken connection looks like to the client.
inline grpc::Status Broken() { return {grpc::StatusCode::UNAVAILABLE, "connection reset"}; }

// Answers each call of one method with the next step of its script, and the last step for ever.
template <typename Request, typename Response>
class Script {
 public:
  using Step = std::function<grpc::Status(const Request&, Response*)>;

  Script& Then(Step step) {
    const std::lock_guard lock(mutex_);
    steps_.push_back(std::move(step));
    return *this;
  }
  Script& ThenFail(grpc::Status status) {
    return Then([status](const Request&, Response*) { return status; });
  }
  Script& ThenAnswer(Response response = {}) {
    return Then([response](const Request&, Response* out) {
      *out = response;
      return grpc::Status::OK;
    });
  }

  grpc::Status Run(const Request& request, Response* response) {
    Step step;
    {
      const std::lock_guard lock(mutex_);
      requests_.push_back(request);
      if (steps_.empty()) return {grpc::StatusCode::UNIMPLEMENTED, "not in the script"};
      step = steps_[std::min(requests_.size(), steps_.size()) - 1];
    }
    return step(request, response);
  }

  std::vector<Request> requests() const {
    const std::lock_guard lock(mutex_);
    return requests_;
  }
  size_t calls() const { return requests().size(); }

 private:
  mutable std::mutex mutex_;
  std::vector<Step> steps_;
  std::vector<Request> requests_;
};

class FakeServer {
 public:
  using PipelineStream = grpc::ServerReaderWriter<v1::PipelineResponse, v1::PipelineRequest>;
  using PipelineHandler = std::function<grpc::Status(grpc::ServerContext&, PipelineStream&)>;
  using ScanHandler =
      std::function<grpc::Status(const v1::ScanRequest&, grpc::ServerWriter<v1::ScanResponse>&)>;
  template <typename Response>
  using Streamed = std::vector<Response>;

  FakeServer();
  ~FakeServer();

  std::string endpoint() const { return "127.0.0.1:" + std::to_string(port_); }

  // Breaks every connection.
  void Stop();
  // Starts again, on the same port or elsewhere.
  void Start(const std::string& address = "");
  // Wants a certificate of its clients.
  void StartTls(const Certificates& certificates);

  enum class Serving { kNo, kYes };
  void SetServing(Serving serving);  // In the health service.

  Script<v1::GetRequest, v1::GetResponse> get;
  Script<v1::PutRequest, v1::PutResponse> put;
  Script<v1::DeleteRequest, v1::DeleteResponse> del;
  Script<v1::TakeRequest, v1::TakeResponse> take;
  Script<v1::IncrementRequest, v1::IncrementResponse> increment;
  Script<v1::AppendRequest, v1::AppendResponse> append;
  Script<v1::TouchRequest, v1::TouchResponse> touch;
  Script<v1::BatchRequest, v1::BatchResponse> batch;
  Script<v1::CountRequest, v1::CountResponse> count;
  Script<v1::DeleteRangeRequest, v1::DeleteRangeResponse> delete_range;

  Script<v1::GetServerInfoRequest, v1::GetServerInfoResponse> get_server_info;
  Script<v1::GetStatsRequest, v1::GetStatsResponse> get_stats;
  Script<v1::CreateNamespaceRequest, v1::CreateNamespaceResponse> create_namespace;
  Script<v1::GetNamespaceRequest, v1::GetNamespaceResponse> get_namespace;
  Script<v1::ListNamespacesRequest, v1::ListNamespacesResponse> list_namespaces;
  Script<v1::UpdateNamespaceRequest, v1::UpdateNamespaceResponse> update_namespace;
  Script<v1::DeleteNamespaceRequest, v1::DeleteNamespaceResponse> delete_namespace;

  Script<v1::CreateCheckpointRequest, v1::CreateCheckpointResponse> create_checkpoint;
  Script<v1::GetCheckpointRequest, v1::GetCheckpointResponse> get_checkpoint;
  Script<v1::ListCheckpointsRequest, v1::ListCheckpointsResponse> list_checkpoints;
  Script<v1::VerifyCheckpointRequest, v1::VerifyCheckpointResponse> verify_checkpoint;
  Script<v1::DeleteCheckpointRequest, v1::DeleteCheckpointResponse> delete_checkpoint;
  Script<v1::PinCheckpointRequest, v1::PinCheckpointResponse> pin_checkpoint;
  Script<v1::UnpinCheckpointRequest, v1::UnpinCheckpointResponse> unpin_checkpoint;
  Script<v1::RestoreCheckpointRequest, v1::RestoreCheckpointResponse> restore_checkpoint;
  Script<v1::GetCheckpointEntryRequest, v1::GetCheckpointEntryResponse> get_checkpoint_entry;
  // Streams: the step fills in all messages, and its status ends the stream behind them.
  Script<v1::DiffCheckpointsRequest, Streamed<v1::DiffCheckpointsResponse>> diff_checkpoints;
  Script<v1::ExportCheckpointRequest, Streamed<v1::ExportCheckpointResponse>> export_checkpoint;
  Script<Streamed<v1::ImportCheckpointRequest>, v1::ImportCheckpointResponse> import_checkpoint;

  Script<v1::GetJobRequest, v1::GetJobResponse> get_job;
  Script<v1::ListJobsRequest, v1::ListJobsResponse> list_jobs;
  Script<v1::CancelJobRequest, v1::CancelJobResponse> cancel_job;
  Script<v1::WatchJobRequest, Streamed<v1::WatchJobResponse>> watch_job;

  // One for each stream, the last for ever. Set before the first call.
  std::vector<PipelineHandler> pipelines;
  std::vector<ScanHandler> scans;
  std::atomic<size_t> pipeline_calls{0};
  std::atomic<size_t> scan_calls{0};

 private:
  class State;
  class Admin;
  class Checkpoints;
  class Jobs;

  void Listen(const std::string& address, std::shared_ptr<grpc::ServerCredentials> credentials);

  int port_ = 0;
  std::unique_ptr<State> state_;
  std::unique_ptr<Admin> admin_;
  std::unique_ptr<Checkpoints> checkpoints_;
  std::unique_ptr<Jobs> jobs_;
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace tarn::testing
