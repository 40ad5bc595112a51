// Writes the wire format of Protocol Buffers
// (https://protobuf.dev/programming-guides/encoding/) into memory of a size known beforehand.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <utility>

#include "absl/strings/string_view.h"
#include "server/rpc/encoded_message.h"
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/message_lite.h>

namespace tarn::server {

// Fields have numbers below 16, so that a tag is one byte. What is at its default is left out, as
// proto3 does. Each function has one of the same name in WireSize: what was not counted must not be
// written.
class WireSize {
 public:
  static size_t Varint(uint64_t value) {
    return google::protobuf::io::CodedOutputStream::VarintSize64(value);
  }
  static size_t Number(uint64_t value) { return value == 0 ? 0 : 1 + Varint(value); }
  static size_t Bytes(size_t size) { return size == 0 ? 0 : Nested(size); }
  static size_t Nested(size_t size) { return 1 + Varint(size) + size; }
};

class WireWriter {
 public:
  explicit WireWriter(size_t size)
      : bytes_(std::make_shared_for_overwrite<char[]>(size)),
        size_(size),
        next_(reinterpret_cast<uint8_t*>(bytes_.get())) {}

  void Number(uint32_t field, uint64_t value) {
    if (value == 0) return;
    Tag(field, kVarint);
    Varint(value);
  }
  void Bytes(uint32_t field, absl::string_view value) {
    if (value.empty()) return;
    Nested(field, value.size());
    std::memcpy(next_, value.data(), value.size());
    next_ += value.size();
  }
  // The head of a message of `size` bytes, which are written next.
  void Nested(uint32_t field, size_t size) {
    Tag(field, kLengthDelimited);
    Varint(size);
  }
  // Without a head. `message.ByteSizeLong()` has been called.
  void Message(const google::protobuf::MessageLite& message) {
    next_ = message.SerializeWithCachedSizesToArray(next_);
  }

  EncodedMessage Take() && {
    char* const begin = bytes_.get();
    return {std::shared_ptr<const char>(std::move(bytes_), begin), size_};
  }

 private:
  static constexpr uint32_t kVarint = 0;
  static constexpr uint32_t kLengthDelimited = 2;

  void Tag(uint32_t field, uint32_t type) { *next_++ = static_cast<uint8_t>(field << 3 | type); }
  void Varint(uint64_t value) {
    next_ = google::protobuf::io::CodedOutputStream::WriteVarint64ToArray(value, next_);
  }

  std::shared_ptr<char[]> bytes_;
  size_t size_;
  uint8_t* next_;
};

}  // namespace tarn::server
