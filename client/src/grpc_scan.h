// A scan over the wire, which continues by its resume token when the stream breaks.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "client/src/call.h"
#include "client/src/retry.h"
#include "tarn/scan.h"
#include "tarn/v1/state.grpc.pb.h"
#include <grpcpp/client_context.h>
#include <grpcpp/support/sync_stream.h>

namespace tarn::internal {

// Used by one thread at a time.
class GrpcScan : public ScanSource {
 public:
  // `make_retrier` is asked anew whenever a chunk has arrived: retries are counted between chunks.
  GrpcScan(std::shared_ptr<v1::StateService::Stub> stub, v1::ScanRequest request,
           CallSettings settings, std::function<Retrier()> make_retrier);
  ~GrpcScan() override;

  absl::StatusOr<std::optional<ScanChunk>> Next() override;

 private:
  void Open();
  // Ends the stream and says how.
  absl::Status Finish();
  ScanChunk Accept();
  // Whether all was read that was asked for.
  bool Complete() const;

  const std::shared_ptr<v1::StateService::Stub> stub_;
  const CallSettings settings_;
  const std::function<Retrier()> make_retrier_;
  v1::ScanRequest request_;  // What is still to be read.
  const bool limited_;
  bool exhausted_ = false;  // A chunk said that there are no more.
  v1::ScanResponse response_;
  std::unique_ptr<grpc::ClientContext> context_;
  std::unique_ptr<grpc::ClientReader<v1::ScanResponse>> stream_;
};

}  // namespace tarn::internal
