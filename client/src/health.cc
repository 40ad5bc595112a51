#include "client/src/health.h"

#include <string>
#include <vector>

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/wire_format_lite.h>
#include <grpcpp/impl/codegen/client_unary_call.h>
#include <grpcpp/impl/codegen/rpc_method.h>

namespace tarn::internal {
namespace {

using google::protobuf::internal::WireFormatLite;

constexpr char kMethod[] = "/grpc.health.v1.Health/Check";
constexpr int kStatusField = 1;
constexpr uint64_t kServing = 1;

absl::StatusOr<std::string> Flatten(const grpc::ByteBuffer& buffer) {
  std::vector<grpc::Slice> slices;
  if (buffer.Valid() && !buffer.Dump(&slices).ok()) {
    return absl::InternalError("the health check's answer cannot be read");
  }
  std::string bytes;
  for (const grpc::Slice& slice : slices) {
    bytes.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  }
  return bytes;
}

}  // namespace

grpc::Status CallHealthCheck(grpc::ChannelInterface& channel, grpc::ClientContext* context,
                             grpc::ByteBuffer* response) {
  const grpc::Slice empty{std::string()};  // No service is named: the server as a whole.
  const grpc::ByteBuffer request(&empty, 1);
  const grpc::internal::RpcMethod method(kMethod, grpc::internal::RpcMethod::NORMAL_RPC);
  return grpc::internal::BlockingUnaryCall(&channel, method, context, request, response);
}

absl::StatusOr<Health> ParseHealth(const grpc::ByteBuffer& response) {
  const absl::StatusOr<std::string> bytes = Flatten(response);
  if (!bytes.ok()) return bytes.status();
  google::protobuf::io::CodedInputStream in(reinterpret_cast<const uint8_t*>(bytes->data()),
                                            static_cast<int>(bytes->size()));
  uint64_t status = 0;
  while (const uint32_t tag = in.ReadTag()) {
    const bool is_status = WireFormatLite::GetTagFieldNumber(tag) == kStatusField &&
                           WireFormatLite::GetTagWireType(tag) == WireFormatLite::WIRETYPE_VARINT;
    const bool read = is_status ? in.ReadVarint64(&status) : WireFormatLite::SkipField(&in, tag);
    if (!read) return absl::InternalError("the health check's answer is malformed");
  }
  return status == kServing ? Health::kServing : Health::kNotServing;
}

}  // namespace tarn::internal
