// Has memory fetched into the cache before it is needed.
#pragma once

namespace tarn::storage::memory {

inline void PrefetchLine(const void* address) {
  __builtin_prefetch(address);
  // gcc takes a function that only prefetches for one without effects, and leaves its calls out.
  asm volatile("");
}

}  // namespace tarn::storage::memory
