#include "client/src/grpc_scan.h"

#include <algorithm>
#include <utility>

#include "client/src/convert.h"
#include "client/src/status_mapping.h"

namespace tarn::internal {

GrpcScan::GrpcScan(std::shared_ptr<v1::StateService::Stub> stub, v1::ScanRequest request,
                   CallSettings settings, std::function<Retrier()> make_retrier)
    : stub_(std::move(stub)),
      settings_(std::move(settings)),
      make_retrier_(std::move(make_retrier)),
      request_(std::move(request)),
      limited_(request_.limit() > 0) {}

GrpcScan::~GrpcScan() {
  if (stream_ == nullptr) return;
  context_->TryCancel();
  (void)Finish();  // gRPC wants the outcome to be taken; nobody is left to hear it.
}

absl::StatusOr<std::optional<ScanChunk>> GrpcScan::Next() {
  Retrier retrier = make_retrier_();
  while (true) {
    if (stream_ == nullptr) Open();
    if (stream_->Read(&response_)) return Accept();
    const absl::Status status = Finish();
    if (status.ok() || Complete()) return std::nullopt;
    const auto pause = retrier.OnFailure(status);
    if (!pause.has_value()) return retrier.failure();
    settings_.world.sleep(*pause);
  }
}

void GrpcScan::Open() {
  context_ = std::make_unique<grpc::ClientContext>();
  SetDeadline(settings_, context_.get());
  stream_ = stub_->Scan(context_.get(), request_);
}

absl::Status GrpcScan::Finish() {
  const absl::Status status = FromCall(stream_->Finish(), *context_);
  stream_.reset();
  return status;
}

ScanChunk GrpcScan::Accept() {
  ScanChunk chunk = TakeChunk(response_);
  request_.set_resume_token(chunk.resume_token);
  exhausted_ = chunk.resume_token.empty();
  if (limited_) {
    request_.set_limit(request_.limit() -
                       std::min<uint64_t>(request_.limit(), chunk.entries.size()));
  }
  return chunk;
}

bool GrpcScan::Complete() const { return exhausted_ || (limited_ && request_.limit() == 0); }

}  // namespace tarn::internal
