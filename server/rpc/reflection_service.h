// grpc.reflection.v1alpha: describes the services to tools such as grpcurl. gRPC's own is built on
// its synchronous API, whose polling threads would take connections away from ours.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "grpc/reflection/v1alpha/reflection.pb.h"
#include "server/rpc/call.h"

namespace tarn::server {

// Thread-safe. Answers from the descriptors that are linked into the program.
class ReflectionService {
 public:
  using Request = grpc::reflection::v1alpha::ServerReflectionRequest;
  using Response = grpc::reflection::v1alpha::ServerReflectionResponse;

  // `services`: their full names.
  explicit ReflectionService(std::vector<std::string> services) : services_(std::move(services)) {}

  std::unique_ptr<StreamHandler> Info(DuplexStream<Request, Response>& stream);

  Response Answer(const Request& request) const;

 private:
  const std::vector<std::string> services_;
};

}  // namespace tarn::server
