#include "server/rpc/reflection_service.h"

#include <atomic>
#include <cstdint>
#include <set>
#include <utility>

#include "absl/status/status.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/descriptor.pb.h"
#include "server/rpc/errors.h"
#include "storage/base/error.h"

namespace tarn::server {
namespace {

using google::protobuf::DescriptorPool;
using google::protobuf::FileDescriptor;
using grpc::reflection::v1alpha::ServerReflectionRequest;
using grpc::reflection::v1alpha::ServerReflectionResponse;

void SetError(absl::StatusCode code, const char* message, ServerReflectionResponse* response) {
  response->mutable_error_response()->set_error_code(static_cast<int>(code));
  response->mutable_error_response()->set_error_message(message);
}

// The file after everything it imports.
void AddFile(const FileDescriptor& file, std::set<const FileDescriptor*>* seen,
             ServerReflectionResponse* response) {
  if (!seen->insert(&file).second) return;
  for (int i = 0; i < file.dependency_count(); ++i) AddFile(*file.dependency(i), seen, response);
  google::protobuf::FileDescriptorProto proto;
  file.CopyTo(&proto);
  response->mutable_file_descriptor_response()->add_file_descriptor_proto(
      proto.SerializeAsString());
}

void SetFile(const FileDescriptor* file, ServerReflectionResponse* response) {
  if (file == nullptr) return SetError(absl::StatusCode::kNotFound, "not found", response);
  std::set<const FileDescriptor*> seen;
  AddFile(*file, &seen, response);
}

// One call: a response for each request, one at a time. Either a read or a write is under way,
// until it has ended.
class InfoHandler final : public StreamHandler {
 public:
  InfoHandler(const ReflectionService& service,
              DuplexStream<ServerReflectionRequest, ServerReflectionResponse>& stream)
      : service_(service), stream_(stream) {}

  void Start() override { stream_.Read(request_); }

  void OnRead(Outcome outcome) override {
    if (!Enter(State::kWriting)) return;
    if (outcome == Outcome::kFailed) return End();
    response_ = service_.Answer(request_);
    stream_.Write(response_);
  }

  void OnWritten(Outcome outcome) override {
    if (outcome == Outcome::kFailed || draining_.load()) return End();
    Enter(State::kReading);
    stream_.Read(request_);
    if (draining_.load()) OnDrain();
  }

  void OnCancelled() override {}  // What is under way fails.

  void OnDrain() override {
    draining_.store(true);
    State expected = State::kReading;
    if (state_.compare_exchange_strong(expected, State::kEnded)) Refuse();
  }

 private:
  enum class State : uint8_t { kReading, kWriting, kEnded };

  // False when the call has been ended meanwhile.
  bool Enter(State next) {
    State expected = next == State::kWriting ? State::kReading : State::kWriting;
    return state_.compare_exchange_strong(expected, next);
  }

  void End() {
    state_.store(State::kEnded);
    draining_.load() ? Refuse() : stream_.Finish();
  }

  void Refuse() {
    stream_.Fail(ToWire(base::MakeError(absl::StatusCode::kUnavailable, base::Reason::kDraining,
                                        "the server is shutting down")));
  }

  const ReflectionService& service_;
  DuplexStream<ServerReflectionRequest, ServerReflectionResponse>& stream_;
  ServerReflectionRequest request_;
  ServerReflectionResponse response_;
  std::atomic<State> state_{State::kReading};
  std::atomic<bool> draining_{false};
};

}  // namespace

std::unique_ptr<StreamHandler> ReflectionService::Info(DuplexStream<Request, Response>& stream) {
  return std::make_unique<InfoHandler>(*this, stream);
}

ReflectionService::Response ReflectionService::Answer(const Request& request) const {
  const DescriptorPool& pool = *DescriptorPool::generated_pool();
  Response response;
  response.set_valid_host(request.host());
  *response.mutable_original_request() = request;
  switch (request.message_request_case()) {
    case Request::kListServices:
      for (const std::string& name : services_)
        response.mutable_list_services_response()->add_service()->set_name(name);
      break;
    case Request::kFileByFilename:
      SetFile(pool.FindFileByName(request.file_by_filename()), &response);
      break;
    case Request::kFileContainingSymbol:
      SetFile(pool.FindFileContainingSymbol(request.file_containing_symbol()), &response);
      break;
    case Request::kFileContainingExtension:
    case Request::kAllExtensionNumbersOfType:
      SetError(absl::StatusCode::kNotFound, "there are no extensions in proto3", &response);
      break;
    case Request::MESSAGE_REQUEST_NOT_SET:
      SetError(absl::StatusCode::kInvalidArgument, "the request asks nothing", &response);
      break;
  }
  return response;
}

}  // namespace tarn::server
