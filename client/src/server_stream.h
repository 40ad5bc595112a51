// Messages that the server streams, with the stream opened anew where that is safe.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "absl/status/statusor.h"
#include "client/src/call.h"
#include "client/src/retry.h"
#include "client/src/status_mapping.h"
#include <grpcpp/client_context.h>
#include <grpcpp/support/sync_stream.h>

namespace tarn::internal {

// When a stream that broke is opened again.
enum class Reopening {
  kBeforeFirstMessage,  // What came cannot be continued.
  kAlways,  // Each stream begins with how things are; retries are counted between messages.
};

// Used by one thread at a time.
template <typename Response>
class ServerStream {
 public:
  using Open = std::function<std::unique_ptr<grpc::ClientReader<Response>>(grpc::ClientContext*)>;

  ServerStream(Open open, CallSettings settings, std::function<Retrier()> make_retrier,
               Reopening reopening)
      : open_(std::move(open)),
        settings_(std::move(settings)),
        make_retrier_(std::move(make_retrier)),
        reopening_(reopening) {}

  ~ServerStream() {
    if (stream_ == nullptr) return;
    context_->TryCancel();
    (void)Finish();  // gRPC wants the outcome to be taken; nobody is left to hear it.
  }

  ServerStream(const ServerStream&) = delete;
  ServerStream& operator=(const ServerStream&) = delete;

  // The next message; nullopt when the stream has ended well.
  absl::StatusOr<std::optional<Response>> Next() {
    Retrier retrier = make_retrier_();
    while (true) {
      if (stream_ == nullptr) Begin();
      Response response;
      if (stream_->Read(&response)) {
        begun_ = true;
        return std::optional<Response>(std::move(response));
      }
      const absl::Status status = Finish();
      if (status.ok()) return std::nullopt;
      const auto pause = retrier.OnFailure(status);
      if (!pause.has_value()) return retrier.failure();
      if (begun_ && reopening_ == Reopening::kBeforeFirstMessage) return status;
      settings_.world.sleep(*pause);
    }
  }

 private:
  void Begin() {
    context_ = std::make_unique<grpc::ClientContext>();
    SetDeadline(settings_, context_.get());
    stream_ = open_(context_.get());
  }

  // Ends the stream and says how.
  absl::Status Finish() {
    const absl::Status status = FromCall(stream_->Finish(), *context_);
    stream_.reset();
    return status;
  }

  const Open open_;
  const CallSettings settings_;
  const std::function<Retrier()> make_retrier_;
  const Reopening reopening_;
  bool begun_ = false;
  std::unique_ptr<grpc::ClientContext> context_;
  std::unique_ptr<grpc::ClientReader<Response>> stream_;
};

}  // namespace tarn::internal
