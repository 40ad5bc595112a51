#include "client/src/grpc_checkpoint_connection.h"

#include <algorithm>
#include <utility>

#include "client/src/channel.h"
#include "client/src/convert_checkpoint.h"
#include "client/src/convert_job.h"
#include "client/src/server_stream.h"
#include "client/src/status_mapping.h"

namespace tarn {
namespace internal {
namespace {

// What the contract allows in a message of an import.
constexpr size_t kMaxImportMessageBytes = 1 << 20;

using Stub = v1::CheckpointService::Stub;

#define TARN_CHECKPOINT_METHOD(NAME) \
  using NAME##Method = StubMethod<Stub, v1::NAME##Request, v1::NAME##Response, &Stub::NAME>
TARN_CHECKPOINT_METHOD(CreateCheckpoint);
TARN_CHECKPOINT_METHOD(GetCheckpoint);
TARN_CHECKPOINT_METHOD(ListCheckpoints);
TARN_CHECKPOINT_METHOD(VerifyCheckpoint);
TARN_CHECKPOINT_METHOD(DeleteCheckpoint);
TARN_CHECKPOINT_METHOD(PinCheckpoint);
TARN_CHECKPOINT_METHOD(UnpinCheckpoint);
TARN_CHECKPOINT_METHOD(RestoreCheckpoint);
TARN_CHECKPOINT_METHOD(GetCheckpointEntry);
#undef TARN_CHECKPOINT_METHOD

template <typename Method>
typename Method::Request WithId(std::string id) {
  typename Method::Request request;
  request.set_id(std::move(id));
  return request;
}

// The messages of a stream, as the chunks that they mean.
template <typename Base, typename Chunk, typename Response>
class Chunks : public Base {
 public:
  Chunks(typename ServerStream<Response>::Open open, const CallSettings& settings, const char* name,
         std::shared_ptr<const Caller> caller)
      : stream_(
            std::move(open), settings,
            [caller = std::move(caller), name, deadline = settings.deadline] {
              return caller->MakeRetrier(ReadCall(name), deadline);
            },
            Reopening::kBeforeFirstMessage) {}

  absl::StatusOr<std::optional<Chunk>> Next() override {
    auto response = stream_.Next();
    if (!response.ok()) return response.status();
    if (!response->has_value()) return std::nullopt;
    return std::optional<Chunk>(FromProto(**std::move(response)));
  }

 private:
  ServerStream<Response> stream_;
};

using GrpcDiff = Chunks<CheckpointDiffSource, CheckpointDiffChunk, v1::DiffCheckpointsResponse>;
using GrpcExport = Chunks<CheckpointExport, CheckpointFileChunk, v1::ExportCheckpointResponse>;

using ImportStream = grpc::ClientWriter<v1::ImportCheckpointRequest>;

// False when the server does not take any more; its answer says why.
bool SendBytes(ImportStream& stream, const std::string& bytes) {
  v1::ImportCheckpointRequest message;
  for (size_t sent = 0; sent < bytes.size();) {
    const size_t size = std::min(bytes.size() - sent, kMaxImportMessageBytes);
    message.set_data(bytes.data() + sent, size);
    if (!stream.Write(message)) return false;
    sent += size;
  }
  return true;
}

// Sends everything. An error is that of the file's reader.
absl::Status SendFile(const ImportCheckpointParams& params, ImportStream& stream) {
  v1::ImportCheckpointRequest first;
  *first.mutable_options() = ToOptions(params);
  if (!stream.Write(first)) return absl::OkStatus();
  while (true) {
    const absl::StatusOr<std::string> bytes = params.read();
    if (!bytes.ok()) return bytes.status();
    if (bytes->empty() || !SendBytes(stream, *bytes)) return absl::OkStatus();
  }
}

}  // namespace

GrpcCheckpointConnection::GrpcCheckpointConnection(
    const std::shared_ptr<grpc::ChannelInterface>& channel, const ClientOptions& options,
    World world)
    : stub_(v1::CheckpointService::NewStub(channel)),
      caller_(std::make_shared<Caller>(options, std::move(world))) {}

absl::StatusOr<Job> GrpcCheckpointConnection::CreateCheckpoint(CreateCheckpointParams params) {
  const Idempotency idempotency =
      params.pin_reason.empty() ? Idempotency::kIdempotent : Idempotency::kNonIdempotent;
  const auto response = caller_->Run<CreateCheckpointMethod>(
      *stub_, ToRequest(params), WriteCall("CreateCheckpoint", idempotency),
      caller_->DeadlineOf(params.timeout));
  if (!response.ok()) return response.status();
  return FromProto(response->job());
}

absl::StatusOr<Checkpoint> GrpcCheckpointConnection::GetCheckpoint(std::string id,
                                                                   Timeout timeout) {
  const auto response =
      caller_->Run<GetCheckpointMethod>(*stub_, WithId<GetCheckpointMethod>(std::move(id)),
                                        ReadCall("GetCheckpoint"), caller_->DeadlineOf(timeout));
  if (!response.ok()) return response.status();
  return FromProto(response->checkpoint());
}

absl::StatusOr<CheckpointList> GrpcCheckpointConnection::ListCheckpoints(Timeout timeout) {
  const auto response = caller_->Run<ListCheckpointsMethod>(*stub_, {}, ReadCall("ListCheckpoints"),
                                                            caller_->DeadlineOf(timeout));
  if (!response.ok()) return response.status();
  return FromProto(*response);
}

absl::StatusOr<Job> GrpcCheckpointConnection::VerifyCheckpoint(std::string id, Timeout timeout) {
  const auto response = caller_->Run<VerifyCheckpointMethod>(
      *stub_, WithId<VerifyCheckpointMethod>(std::move(id)),
      WriteCall("VerifyCheckpoint", Idempotency::kIdempotent), caller_->DeadlineOf(timeout));
  if (!response.ok()) return response.status();
  return FromProto(response->job());
}

absl::Status GrpcCheckpointConnection::DeleteCheckpoint(std::string id, Timeout timeout) {
  return caller_
      ->Run<DeleteCheckpointMethod>(*stub_, WithId<DeleteCheckpointMethod>(std::move(id)),
                                    WriteCall("DeleteCheckpoint", Idempotency::kNonIdempotent),
                                    caller_->DeadlineOf(timeout))
      .status();
}

absl::StatusOr<Checkpoint> GrpcCheckpointConnection::PinCheckpoint(std::string id,
                                                                   std::string reason,
                                                                   Timeout timeout) {
  auto request = WithId<PinCheckpointMethod>(std::move(id));
  request.set_reason(std::move(reason));
  const auto response = caller_->Run<PinCheckpointMethod>(
      *stub_, request, WriteCall("PinCheckpoint", Idempotency::kIdempotent),
      caller_->DeadlineOf(timeout));
  if (!response.ok()) return response.status();
  return FromProto(response->checkpoint());
}

absl::StatusOr<Checkpoint> GrpcCheckpointConnection::UnpinCheckpoint(std::string id,
                                                                     Timeout timeout) {
  const auto response = caller_->Run<UnpinCheckpointMethod>(
      *stub_, WithId<UnpinCheckpointMethod>(std::move(id)),
      WriteCall("UnpinCheckpoint", Idempotency::kIdempotent), caller_->DeadlineOf(timeout));
  if (!response.ok()) return response.status();
  return FromProto(response->checkpoint());
}

absl::StatusOr<Job> GrpcCheckpointConnection::RestoreCheckpoint(RestoreCheckpointParams params) {
  const Idempotency idempotency = params.mode == RestoreMode::kValidateOnly
                                      ? Idempotency::kIdempotent
                                      : Idempotency::kNonIdempotent;
  const auto response = caller_->Run<RestoreCheckpointMethod>(
      *stub_, ToRequest(params), WriteCall("RestoreCheckpoint", idempotency),
      caller_->DeadlineOf(params.timeout));
  if (!response.ok()) return response.status();
  return FromProto(response->job());
}

absl::StatusOr<CheckpointEntryResult> GrpcCheckpointConnection::GetCheckpointEntry(
    GetCheckpointEntryParams params) {
  auto response = caller_->Run<GetCheckpointEntryMethod>(*stub_, ToRequest(params),
                                                         ReadCall("GetCheckpointEntry"),
                                                         caller_->DeadlineOf(params.timeout));
  if (!response.ok()) return response.status();
  return FromProto(*std::move(response));
}

std::unique_ptr<CheckpointDiffSource> GrpcCheckpointConnection::DiffCheckpoints(
    DiffCheckpointsParams params) {
  return std::make_unique<GrpcDiff>(
      [stub = stub_, request = ToRequest(params)](grpc::ClientContext* context) {
        return stub->DiffCheckpoints(context, request);
      },
      caller_->StreamSettings(params.timeout), "DiffCheckpoints", caller_);
}

std::unique_ptr<CheckpointExport> GrpcCheckpointConnection::ExportCheckpoint(
    ExportCheckpointParams params) {
  v1::ExportCheckpointRequest request;
  request.set_id(std::move(params.id));
  return std::make_unique<GrpcExport>(
      [stub = stub_, request = std::move(request)](grpc::ClientContext* context) {
        return stub->ExportCheckpoint(context, request);
      },
      caller_->StreamSettings(params.timeout), "ExportCheckpoint", caller_);
}

absl::StatusOr<Checkpoint> GrpcCheckpointConnection::ImportCheckpoint(
    ImportCheckpointParams params) {
  grpc::ClientContext context;
  SetDeadline(caller_->StreamSettings(params.timeout), &context);
  v1::ImportCheckpointResponse response;
  const auto stream = stub_->ImportCheckpoint(&context, &response);
  const absl::Status sent = SendFile(params, *stream);
  if (!sent.ok()) context.TryCancel();
  stream->WritesDone();
  const absl::Status status = FromCall(stream->Finish(), context);
  if (!sent.ok()) return sent;
  if (!status.ok()) return WithContext(status, "ImportCheckpoint");
  return FromProto(response.checkpoint());
}

}  // namespace internal

absl::StatusOr<std::shared_ptr<CheckpointConnection>> MakeCheckpointConnection(
    const ClientOptions& options) {
  auto channel = internal::MakeChannel(options);
  if (!channel.ok()) return channel.status();
  return std::make_shared<internal::GrpcCheckpointConnection>(*std::move(channel), options,
                                                              internal::RealWorld());
}

}  // namespace tarn
