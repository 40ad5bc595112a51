// Memory for the entries of one shard.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "storage/memory/page_source.h"

namespace tarn::storage::memory {

// Keeps blocks of a size together in spans, and gives a span back once all its blocks are free.
// What is large comes from operator new. Guarded by the lock of the shard: that is why it needs
// none.
class EntryPool {
 public:
  // The source outlives the pool.
  explicit EntryPool(PageSource& source) : source_(source) {}
  // Everything was given back.
  ~EntryPool();
  EntryPool(const EntryPool&) = delete;
  EntryPool& operator=(const EntryPool&) = delete;

  // Aligned to 16 bytes.
  void* Allocate(size_t size);
  void Free(void* block, size_t size);

 private:
  static constexpr size_t kStep = 16;
  static constexpr size_t kMaxSmall = 1024;

  struct FreeBlock {
    FreeBlock* next;
  };
  // At the beginning of each span.
  struct alignas(kStep) Span {
    FreeBlock* free = nullptr;
    uint32_t used = 0;
    uint32_t begun = 0;  // Bytes that were ever given out, this header included.
    Span* previous = nullptr;
    Span* next = nullptr;
  };

  static size_t ClassOf(size_t size) { return (size + kStep - 1) / kStep; }
  static Span* SpanOf(void* block) {
    return reinterpret_cast<Span*>(reinterpret_cast<uintptr_t>(block) &
                                   ~uintptr_t{PageSource::kSpanBytes - 1});
  }
  static bool IsFull(const Span& span, size_t block_bytes) {
    return span.free == nullptr && span.begun + block_bytes > PageSource::kSpanBytes;
  }

  void PrefetchNext(size_t size_class) const;
  Span* NewSpan(size_t size_class);
  void Link(Span* span, size_t size_class);
  void Unlink(Span* span, size_t size_class);

  PageSource& source_;
  std::array<Span*, kMaxSmall / kStep + 1> open_{};  // For each class, spans that are not full.
};

}  // namespace tarn::storage::memory
