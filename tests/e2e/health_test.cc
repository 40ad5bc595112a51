// Health and reflection, as load balancers and grpcurl use them.
#include <signal.h>

#include <set>

#include "google/protobuf/descriptor.pb.h"
#include "grpc/reflection/v1alpha/reflection.grpc.pb.h"
#include "tests/catch.h"
#include "tests/e2e/raw_client.h"
#include "tests/support/daemon.h"
#include "tests/support/temp_dir.h"

namespace tarn::testing {
namespace {

using grpc::health::v1::HealthCheckRequest;
using grpc::health::v1::HealthCheckResponse;
using grpc::reflection::v1alpha::ServerReflection;
using grpc::reflection::v1alpha::ServerReflectionRequest;
using grpc::reflection::v1alpha::ServerReflectionResponse;

std::string Check(RawClient& client, const std::string& service) {
  HealthCheckRequest request;
  request.set_service(service);
  HealthCheckResponse response;
  const std::string brief =
      client.Call(client.health(), &grpc::health::v1::Health::Stub::Check, request, &response);
  return brief == "OK" ? HealthCheckResponse::ServingStatus_Name(response.status()) : brief;
}

TEST_CASE("a server that serves is healthy, as a whole and by service") {
  const TempDir dir;
  DaemonProcess daemon({.directory = dir.path(), .arguments = {"--engine", "memory"}});
  RawClient client(daemon.grpc());
  CHECK(Check(client, "") == "SERVING");
  CHECK(Check(client, "tarn.v1.StateService") == "SERVING");
  CHECK(Check(client, "tarn.v1.AdminService") == "SERVING");
  CHECK(Check(client, "tarn.v1.Other") == "NOT_FOUND");
}

TEST_CASE("a watcher sees the server go") {
  const TempDir dir;
  DaemonProcess daemon({.directory = dir.path(), .arguments = {"--engine", "memory"}});
  RawClient client(daemon.grpc());
  const auto context = client.NewContext();
  const auto reader = client.health().Watch(context.get(), {});
  HealthCheckResponse response;
  REQUIRE(reader->Read(&response));
  CHECK(response.status() == HealthCheckResponse::SERVING);
  daemon.Signal(SIGTERM);
  REQUIRE(reader->Read(&response));
  CHECK(response.status() == HealthCheckResponse::NOT_SERVING);
  CHECK_FALSE(reader->Read(&response));
  CHECK(Brief(reader->Finish()) == "UNAVAILABLE DRAINING");
  CHECK(daemon.Wait() == 0);
}

class Reflection {
 public:
  explicit Reflection(RawClient& client)
      : stub_(ServerReflection::NewStub(client.channel())),
        context_(client.NewContext()),
        stream_(stub_->ServerReflectionInfo(context_.get())) {}

  ServerReflectionResponse Ask(const std::function<void(ServerReflectionRequest&)>& set) {
    ServerReflectionRequest request;
    set(request);
    REQUIRE(stream_->Write(request));
    ServerReflectionResponse response;
    REQUIRE(stream_->Read(&response));
    return response;
  }

  std::string End() {
    stream_->WritesDone();
    return Brief(stream_->Finish());
  }
  // The server ends it.
  std::string AwaitEnd() {
    ServerReflectionResponse response;
    while (stream_->Read(&response)) continue;
    return Brief(stream_->Finish());
  }

 private:
  std::unique_ptr<ServerReflection::Stub> stub_;
  std::unique_ptr<grpc::ClientContext> context_;
  std::unique_ptr<grpc::ClientReaderWriter<ServerReflectionRequest, ServerReflectionResponse>>
      stream_;
};

TEST_CASE("reflection lists the services and gives the files behind them") {
  const TempDir dir;
  DaemonProcess daemon({.directory = dir.path(), .arguments = {"--engine", "memory"}});
  RawClient client(daemon.grpc());
  Reflection reflection(client);
  const auto list = reflection.Ask([](auto& request) { request.set_list_services("*"); });
  std::set<std::string> services;
  for (const auto& service : list.list_services_response().service())
    services.insert(service.name());
  CHECK(services ==
        std::set<std::string>{"grpc.health.v1.Health", "grpc.reflection.v1alpha.ServerReflection",
                              "tarn.v1.AdminService", "tarn.v1.CheckpointService",
                              "tarn.v1.JobService", "tarn.v1.LockService", "tarn.v1.StateService"});

  const auto found = reflection.Ask(
      [](auto& request) { request.set_file_containing_symbol("tarn.v1.StateService.Get"); });
  std::set<std::string> files;
  for (const auto& bytes : found.file_descriptor_response().file_descriptor_proto()) {
    google::protobuf::FileDescriptorProto file;
    REQUIRE(file.ParseFromString(bytes));
    for (const auto& dependency : file.dependency())
      CHECK(files.count(dependency) == 1);  // Imports come first.
    files.insert(file.name());
  }
  CHECK(files.count("tarn/v1/state.proto") == 1);
  CHECK(files.count("google/rpc/status.proto") == 1);

  const auto by_name =
      reflection.Ask([](auto& request) { request.set_file_by_filename("tarn/v1/entry.proto"); });
  CHECK(by_name.file_descriptor_response().file_descriptor_proto_size() == 1);
  CHECK(reflection.End() == "OK");
}

TEST_CASE("reflection says what it cannot find, and goes on") {
  const TempDir dir;
  DaemonProcess daemon({.directory = dir.path(), .arguments = {"--engine", "memory"}});
  RawClient client(daemon.grpc());
  Reflection reflection(client);
  CHECK(reflection.Ask([](auto& r) { r.set_file_by_filename("none.proto"); })
            .error_response()
            .error_code() == grpc::StatusCode::NOT_FOUND);
  CHECK(reflection.Ask([](auto& r) { r.set_file_containing_symbol("none"); })
            .error_response()
            .error_code() == grpc::StatusCode::NOT_FOUND);
  CHECK(reflection.Ask([](auto& r) { r.set_all_extension_numbers_of_type("x"); })
            .error_response()
            .error_code() == grpc::StatusCode::NOT_FOUND);
  CHECK(reflection.Ask([](auto&) {}).error_response().error_code() ==
        grpc::StatusCode::INVALID_ARGUMENT);
  CHECK(reflection.End() == "OK");
}

TEST_CASE("an open reflection stream does not hold up a server that stops") {
  const TempDir dir;
  DaemonProcess daemon({.directory = dir.path(), .arguments = {"--engine", "memory"}});
  RawClient client(daemon.grpc());
  Reflection reflection(client);
  reflection.Ask([](auto& request) { request.set_list_services(""); });
  daemon.Signal(SIGTERM);
  CHECK(reflection.AwaitEnd() == "UNAVAILABLE DRAINING");
  CHECK(daemon.Wait() == 0);
}

}  // namespace
}  // namespace tarn::testing
