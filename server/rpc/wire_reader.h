// Reads the wire format of Protocol Buffers
// (https://protobuf.dev/programming-guides/encoding/) from memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "absl/strings/string_view.h"
#include "storage/base/coding.h"

namespace tarn::server {

// Takes a message apart from its front. What is malformed ends it: then it is at its end and not
// ok(), and what was taken last is 0 or empty.
//
// Does what the functions of storage/base/coding.h do, without their optionals: gcc 12 writes those
// to memory in parts and reads them back as a whole, for which a processor waits as for a cache
// miss, several times for each operation of a batch.
class WireReader {
 public:
  explicit WireReader(absl::string_view bytes)
      : next_(bytes.data()), end_(bytes.data() + bytes.size()) {}

  bool ok() const { return !failed_; }
  bool AtEnd() const { return next_ == end_; }

  // Not at the end: the first byte, which is a tag of a field below 16 if its highest bit is 0.
  char front() const { return *next_; }
  char TakeFront() { return *next_++; }

  uint64_t Varint() {
    if (next_ != end_ && (*next_ & 0x80) == 0) return static_cast<uint8_t>(*next_++);
    return LongVarint();
  }
  // A length, and as many bytes.
  absl::string_view Bytes() {
    const uint64_t size = Varint();
    if (size > static_cast<size_t>(end_ - next_)) {
      Fail();
      return {};
    }
    const char* const begin = next_;
    next_ += size;
    return {begin, size};
  }

 private:
  uint64_t LongVarint() {
    absl::string_view rest(next_, static_cast<size_t>(end_ - next_));
    const std::optional<uint64_t> value = base::ConsumeLongVarint64(&rest);
    if (!value) {
      Fail();
      return 0;
    }
    next_ = rest.data();
    return *value;
  }
  void Fail() {
    failed_ = true;
    next_ = end_;
  }

  const char* next_;
  const char* const end_;
  bool failed_ = false;
};

}  // namespace tarn::server
