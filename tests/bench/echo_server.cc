#include "tests/bench/echo_server.h"

#include <algorithm>
#include <iostream>
#include <memory>

#include "tarn/v1/state.grpc.pb.h"
#include "tests/bench/data_set.h"
#include <grpcpp/grpcpp.h>

namespace tarn::bench {
namespace {

// Any will do: it has the size of a real one.
constexpr uint64_t kRevision = (uint64_t{1} << 40) + 1'000'000;

// Answers each message with one of as many results as it has operations. One read and one write at
// a time, the messages reused: what a bare stream costs.
class EchoStream final : public grpc::ServerBidiReactor<v1::PipelineRequest, v1::PipelineResponse> {
 public:
  explicit EchoStream(const std::string& value) : value_(value) { StartRead(&request_); }

  void OnReadDone(bool ok) override {
    if (!ok) return Finish(grpc::Status::OK);
    response_.Clear();
    response_.set_batch_id(request_.batch_id());
    for (const v1::Operation& operation : request_.operations()) {
      v1::OperationResult* const result = response_.add_results();
      result->set_found(true);
      result->set_revision(kRevision);
      if (operation.has_get()) result->set_value(value_);
    }
    StartWrite(&response_);
  }
  void OnWriteDone(bool ok) override {
    if (!ok) return Finish(grpc::Status::CANCELLED);
    StartRead(&request_);
  }
  void OnDone() override { delete this; }

 private:
  const std::string& value_;
  v1::PipelineRequest request_;
  v1::PipelineResponse response_;
};

// Sends `limit` entries in messages of about `chunk_bytes`.
class EchoScan final : public grpc::ServerWriteReactor<v1::ScanResponse> {
 public:
  EchoScan(const v1::ScanRequest& request, const std::string& value)
      : left_(request.limit()),
        chunk_(std::max<size_t>(1, request.chunk_bytes() / (kKeyBytes + kValueBytes))),
        value_(value) {
    Send();
  }

  void OnWriteDone(bool ok) override {
    if (!ok) return Finish(grpc::Status::CANCELLED);
    Send();
  }
  void OnDone() override { delete this; }

 private:
  void Send() {
    if (left_ == 0) return Finish(grpc::Status::OK);
    response_.Clear();
    response_.set_revision(kRevision);
    const size_t entries = std::min<size_t>(left_, chunk_);
    for (size_t i = 0; i < entries; ++i) {
      v1::Entry* const entry = response_.add_entries();
      entry->set_key(value_.data(), kKeyBytes);
      entry->set_value(value_);
      entry->set_revision(kRevision);
    }
    left_ -= entries;
    StartWrite(&response_);
  }

  size_t left_;
  const size_t chunk_;
  const std::string& value_;
  v1::ScanResponse response_;
};

class EchoService final : public v1::StateService::CallbackService {
 public:
  grpc::ServerUnaryReactor* Get(grpc::CallbackServerContext* context, const v1::GetRequest*,
                                v1::GetResponse* response) override {
    response->set_found(true);
    response->set_value(value_);
    response->set_revision(kRevision);
    return Finished(context);
  }
  grpc::ServerUnaryReactor* Put(grpc::CallbackServerContext* context, const v1::PutRequest*,
                                v1::PutResponse* response) override {
    response->set_found(true);
    response->set_revision(kRevision);
    return Finished(context);
  }
  grpc::ServerBidiReactor<v1::PipelineRequest, v1::PipelineResponse>* Pipeline(
      grpc::CallbackServerContext*) override {
    return new EchoStream(value_);
  }
  grpc::ServerWriteReactor<v1::ScanResponse>* Scan(grpc::CallbackServerContext*,
                                                   const v1::ScanRequest* request) override {
    return new EchoScan(*request, value_);
  }

 private:
  static grpc::ServerUnaryReactor* Finished(grpc::CallbackServerContext* context) {
    grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }

  const std::string value_ = std::string(DataSet(1).value());
};

}  // namespace

int RunEchoServer() {
  EchoService service;
  grpc::ServerBuilder builder;
  int port = 0;
  // As tarnd has them.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, 1024);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, 60'000);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 20'000);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
  builder.RegisterService(&service);
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  if (server == nullptr) return 1;
  std::cout << port << std::endl;
  while (std::cin.get() != std::istream::traits_type::eof()) {
  }
  server->Shutdown();
  return 0;
}

}  // namespace tarn::bench
