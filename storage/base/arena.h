// Memory that is given back all at once.
#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <vector>

#include "absl/strings/string_view.h"

namespace tarn::base {

// Keeps copies of byte strings for as long as itself; the views stay valid until Reset or
// destruction. The first bytes need no allocation, so that a result of one small value costs none.
// Not thread-safe, and not movable: views point into it.
class Arena {
 public:
  Arena() = default;
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  absl::string_view Copy(absl::string_view bytes) {
    char* target = Allocate(bytes.size());
    if (!bytes.empty()) std::memcpy(target, bytes.data(), bytes.size());
    return {target, bytes.size()};
  }

  // Uninitialised bytes, without alignment.
  char* Allocate(size_t size) {
    if (size > left_) Grow(size);
    char* result = next_;
    next_ += size;
    left_ -= size;
    bytes_used_ += size;
    return result;
  }

  size_t bytes_used() const { return bytes_used_; }

  // Drops every copy, keeping the largest block for what comes next.
  void Reset();

 private:
  static constexpr size_t kInlineBytes = 512;
  static constexpr size_t kMinBlockBytes = 16 << 10;

  void Grow(size_t size);

  char inline_[kInlineBytes];
  char* next_ = inline_;
  size_t left_ = kInlineBytes;
  size_t bytes_used_ = 0;
  size_t last_block_bytes_ = 0;
  std::vector<std::unique_ptr<char[]>> blocks_;
};

}  // namespace tarn::base
