// How messages pass between services and gRPC.
#pragma once

#include <memory>
#include <utility>

#include "server/rpc/encoded_message.h"
#include <grpcpp/grpcpp.h>

namespace tarn::server {

// Usually gRPC takes and gives the messages themselves: these only hand over their places.
template <typename Message>
class Outbox {
 public:
  using Wire = Message;
  const Wire* Put(const Message& message) { return &message; }
};

template <typename Message>
class Inbox {
 public:
  using Wire = Message;
  static const Message& Open(const Wire& message) { return message; }

  Wire* Wanted(Message& place) { return &place; }
  void Arrived() {}
};

// Messages that the service has encoded: gRPC holds on to their bytes without a copy.
template <>
class Outbox<EncodedMessage> {
 public:
  using Wire = grpc::ByteBuffer;

  const Wire* Put(const EncodedMessage& message) {
    using Owner = std::shared_ptr<const char>;
    auto* const owner = new Owner(message.owner());
    const auto release = [](void* held) { delete static_cast<Owner*>(held); };
    const grpc::Slice slice(const_cast<char*>(message.view().data()), message.size(), release,
                            owner);
    buffer_ = grpc::ByteBuffer(&slice, 1);
    return &buffer_;
  }

 private:
  grpc::ByteBuffer buffer_;
};

template <>
class Inbox<EncodedMessage> {
 public:
  using Wire = grpc::ByteBuffer;

  // Copied only if it came in several pieces.
  static EncodedMessage Open(const Wire& message) {
    auto slice = std::make_shared<grpc::Slice>();
    if (!message.TrySingleSlice(slice.get()).ok() && !message.DumpToSingleSlice(slice.get()).ok())
      return {};
    const auto* const bytes = reinterpret_cast<const char*>(slice->begin());
    const size_t size = slice->size();
    return {std::shared_ptr<const char>(std::move(slice), bytes), size};
  }

  Wire* Wanted(EncodedMessage& place) {
    place_ = &place;
    return &buffer_;
  }
  void Arrived() {
    *place_ = Open(buffer_);
    buffer_.Clear();
  }

 private:
  grpc::ByteBuffer buffer_;
  EncodedMessage* place_ = nullptr;
};

}  // namespace tarn::server
