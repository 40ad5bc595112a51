#include "storage/base/arena.h"

#include <algorithm>
#include <utility>

namespace tarn::base {

void Arena::Grow(size_t size) {
  last_block_bytes_ = std::max({size, kMinBlockBytes, 2 * last_block_bytes_});
  blocks_.push_back(std::make_unique_for_overwrite<char[]>(last_block_bytes_));
  next_ = blocks_.back().get();
  left_ = last_block_bytes_;
}

void Arena::Reset() {
  bytes_used_ = 0;
  if (blocks_.empty()) {
    next_ = inline_;
    left_ = kInlineBytes;
    return;
  }
  // Blocks only grow, so the last one is the largest.
  std::swap(blocks_.front(), blocks_.back());
  blocks_.resize(1);
  next_ = blocks_.front().get();
  left_ = last_block_bytes_;
}

}  // namespace tarn::base
