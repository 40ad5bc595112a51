#include "tests/client/fake_server.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <stdexcept>

#include "google/rpc/error_details.pb.h"
#include <google/protobuf/util/time_util.h>
#include <grpcpp/health_check_service_interface.h>

namespace tarn::testing {

google::rpc::Status TarnErrorProto(grpc::StatusCode code, const std::string& reason) {
  google::rpc::Status status;
  status.set_code(code);
  status.set_message("the server says " + reason);
  google::rpc::ErrorInfo info;
  info.set_domain("tarn");
  info.set_reason(reason);
  status.add_details()->PackFrom(info);
  return status;
}

grpc::Status TarnError(grpc::StatusCode code, const std::string& reason,
                       std::chrono::milliseconds retry_after) {
  google::rpc::Status status = TarnErrorProto(code, reason);
  if (retry_after.count() > 0) {
    google::rpc::RetryInfo retry;
    *retry.mutable_retry_delay() =
        google::protobuf::util::TimeUtil::MillisecondsToDuration(retry_after.count());
    status.add_details()->PackFrom(retry);
  }
  return {code, status.message(), status.SerializeAsString()};
}

#define TARN_SCRIPTED(RPC, SCRIPT)                                        \
  grpc::Status RPC(grpc::ServerContext*, const v1::RPC##Request* request, \
                   v1::RPC##Response* response) override {                \
    return server_.SCRIPT.Run(*request, response);                        \
  }

#define TARN_SCRIPTED_STREAM(RPC, SCRIPT)                                    \
  grpc::Status RPC(grpc::ServerContext*, const v1::RPC##Request* request,    \
                   grpc::ServerWriter<v1::RPC##Response>* writer) override { \
    Streamed<v1::RPC##Response> messages;                                    \
    grpc::Status status = server_.SCRIPT.Run(*request, &messages);           \
    for (const auto& message : messages) writer->Write(message);             \
    return status;                                                           \
  }

class FakeServer::State : public v1::StateService::Service {
 public:
  explicit State(FakeServer& server) : server_(server) {}
  TARN_SCRIPTED(Get, get)
  TARN_SCRIPTED(Put, put)
  TARN_SCRIPTED(Delete, del)
  TARN_SCRIPTED(Take, take)
  TARN_SCRIPTED(Increment, increment)
  TARN_SCRIPTED(Append, append)
  TARN_SCRIPTED(Touch, touch)
  TARN_SCRIPTED(Batch, batch)
  TARN_SCRIPTED(Count, count)
  TARN_SCRIPTED(DeleteRange, delete_range)

  grpc::Status Scan(grpc::ServerContext*, const v1::ScanRequest* request,
                    grpc::ServerWriter<v1::ScanResponse>* writer) override {
    const size_t call = server_.scan_calls++;
    if (server_.scans.empty()) return {grpc::StatusCode::UNIMPLEMENTED, "not in the script"};
    return server_.scans[std::min(call, server_.scans.size() - 1)](*request, *writer);
  }

  grpc::Status Pipeline(grpc::ServerContext* context, PipelineStream* stream) override {
    const size_t call = server_.pipeline_calls++;
    if (server_.pipelines.empty()) return {grpc::StatusCode::UNIMPLEMENTED, "not in the script"};
    return server_.pipelines[std::min(call, server_.pipelines.size() - 1)](*context, *stream);
  }

 private:
  FakeServer& server_;
};

class FakeServer::Admin : public v1::AdminService::Service {
 public:
  explicit Admin(FakeServer& server) : server_(server) {}
  TARN_SCRIPTED(GetServerInfo, get_server_info)
  TARN_SCRIPTED(GetStats, get_stats)
  TARN_SCRIPTED(CreateNamespace, create_namespace)
  TARN_SCRIPTED(GetNamespace, get_namespace)
  TARN_SCRIPTED(ListNamespaces, list_namespaces)
  TARN_SCRIPTED(UpdateNamespace, update_namespace)
  TARN_SCRIPTED(DeleteNamespace, delete_namespace)

 private:
  FakeServer& server_;
};

class FakeServer::Checkpoints : public v1::CheckpointService::Service {
 public:
  explicit Checkpoints(FakeServer& server) : server_(server) {}
  TARN_SCRIPTED(CreateCheckpoint, create_checkpoint)
  TARN_SCRIPTED(GetCheckpoint, get_checkpoint)
  TARN_SCRIPTED(ListCheckpoints, list_checkpoints)
  TARN_SCRIPTED(VerifyCheckpoint, verify_checkpoint)
  TARN_SCRIPTED(DeleteCheckpoint, delete_checkpoint)
  TARN_SCRIPTED(PinCheckpoint, pin_checkpoint)
  TARN_SCRIPTED(UnpinCheckpoint, unpin_checkpoint)
  TARN_SCRIPTED(RestoreCheckpoint, restore_checkpoint)
  TARN_SCRIPTED(GetCheckpointEntry, get_checkpoint_entry)
  TARN_SCRIPTED_STREAM(DiffCheckpoints, diff_checkpoints)
  TARN_SCRIPTED_STREAM(ExportCheckpoint, export_checkpoint)

  grpc::Status ImportCheckpoint(grpc::ServerContext*,
                                grpc::ServerReader<v1::ImportCheckpointRequest>* reader,
                                v1::ImportCheckpointResponse* response) override {
    Streamed<v1::ImportCheckpointRequest> messages;
    v1::ImportCheckpointRequest message;
    while (reader->Read(&message)) messages.push_back(message);
    return server_.import_checkpoint.Run(messages, response);
  }

 private:
  FakeServer& server_;
};

class FakeServer::Jobs : public v1::JobService::Service {
 public:
  explicit Jobs(FakeServer& server) : server_(server) {}
  TARN_SCRIPTED(GetJob, get_job)
  TARN_SCRIPTED(ListJobs, list_jobs)
  TARN_SCRIPTED(CancelJob, cancel_job)
  TARN_SCRIPTED_STREAM(WatchJob, watch_job)

 private:
  FakeServer& server_;
};

FakeServer::FakeServer()
    : state_(std::make_unique<State>(*this)),
      admin_(std::make_unique<Admin>(*this)),
      checkpoints_(std::make_unique<Checkpoints>(*this)),
      jobs_(std::make_unique<Jobs>(*this)) {
  Start();
}

FakeServer::~FakeServer() { Stop(); }

void FakeServer::Listen(const std::string& address,
                        std::shared_ptr<grpc::ServerCredentials> credentials) {
  grpc::EnableDefaultHealthCheckService(true);
  grpc::ServerBuilder builder;
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  int port = 0;
  builder.AddListeningPort(address, std::move(credentials), &port);
  builder.RegisterService(state_.get());
  builder.RegisterService(admin_.get());
  builder.RegisterService(checkpoints_.get());
  builder.RegisterService(jobs_.get());
  server_ = builder.BuildAndStart();
  if (server_ == nullptr || port == 0) throw std::runtime_error("the fake server cannot listen");
  port_ = port;
}

void FakeServer::Start(const std::string& address) {
  Listen(address.empty() ? endpoint() : address, grpc::InsecureServerCredentials());
}

void FakeServer::StartTls(const Certificates& certificates) {
  const auto text = [](const std::string& path) {
    std::ifstream file(path);
    return std::string(std::istreambuf_iterator<char>(file), {});
  };
  grpc::SslServerCredentialsOptions options(
      GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
  options.pem_root_certs = text(certificates.ca());
  options.pem_key_cert_pairs = {
      {text(certificates.server_key()), text(certificates.server_cert())}};
  Listen(endpoint(), grpc::SslServerCredentials(options));
}

void FakeServer::SetServing(Serving serving) {
  server_->GetHealthCheckService()->SetServingStatus(serving == Serving::kYes);
}

void FakeServer::Stop() {
  if (server_ == nullptr) return;
  server_->Shutdown(std::chrono::system_clock::now());
  server_->Wait();
  server_.reset();
}

}  // namespace tarn::testing
