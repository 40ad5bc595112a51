// A message as bytes: what a transport carries where parsing or building the message would be most
// of the work.
#pragma once

#include <cstddef>
#include <memory>
#include <utility>

#include "absl/strings/string_view.h"
#include <google/protobuf/message_lite.h>

namespace tarn::server {

// Immutable bytes that copies share.
class EncodedMessage {
 public:
  EncodedMessage() = default;
  EncodedMessage(std::shared_ptr<const char> bytes, size_t size)
      : bytes_(std::move(bytes)), size_(size) {}

  absl::string_view view() const { return {bytes_.get(), size_}; }
  size_t size() const { return size_; }

  // Keeps the bytes, for as long as it lives.
  const std::shared_ptr<const char>& owner() const { return bytes_; }

 private:
  std::shared_ptr<const char> bytes_;
  size_t size_ = 0;
};

EncodedMessage Encode(const google::protobuf::MessageLite& message);

}  // namespace tarn::server
