#include "storage/memory/entry_pool.h"

#include <new>

#include "storage/memory/prefetch.h"

namespace tarn::storage::memory {
namespace {

// The address sanitizer sees only what operator new gives.
#if defined(__SANITIZE_ADDRESS__)
constexpr bool kPools = false;
#else
constexpr bool kPools = true;
#endif

constexpr size_t kCacheLineBytes = 64;
constexpr size_t kPrefetchBytes = 3 * kCacheLineBytes;  // A small entry.

}  // namespace

EntryPool::~EntryPool() {
  for (Span* span : open_) {
    while (span != nullptr) {
      Span* const next = span->next;
      source_.Give(reinterpret_cast<char*>(span));
      span = next;
    }
  }
}

void* EntryPool::Allocate(size_t size) {
  if (!kPools || size > kMaxSmall) return ::operator new(size);
  const size_t size_class = ClassOf(size);
  const size_t block_bytes = size_class * kStep;
  Span* span = open_[size_class];
  if (span == nullptr) span = NewSpan(size_class);
  ++span->used;
  void* block = span->free;
  if (block != nullptr) {
    span->free = span->free->next;
  } else {
    block = reinterpret_cast<char*>(span) + span->begun;
    span->begun += static_cast<uint32_t>(block_bytes);
  }
  if (IsFull(*span, block_bytes)) Unlink(span, size_class);
  PrefetchNext(size_class);
  return block;
}

// The next block is cold, and whoever fills it waits for it with the lock held, at the first atomic
// step that follows. Until then there is time to fetch it.
void EntryPool::PrefetchNext(size_t size_class) const {
  const Span* const span = open_[size_class];
  if (span == nullptr) return;
  const char* const next = span->free != nullptr
                               ? reinterpret_cast<const char*>(span->free)
                               : reinterpret_cast<const char*>(span) + span->begun;
  for (size_t offset = 0; offset < kPrefetchBytes; offset += kCacheLineBytes)
    PrefetchLine(next + offset);
}

void EntryPool::Free(void* block, size_t size) {
  if (!kPools || size > kMaxSmall) return ::operator delete(block, size);
  const size_t size_class = ClassOf(size);
  Span* const span = SpanOf(block);
  if (IsFull(*span, size_class * kStep)) Link(span, size_class);
  span->free = new (block) FreeBlock{span->free};
  --span->used;
  // The last one of a class stays, so that one block that comes and goes does not move it.
  if (span->used != 0 || (span->previous == nullptr && span->next == nullptr)) return;
  Unlink(span, size_class);
  source_.Give(reinterpret_cast<char*>(span));
}

EntryPool::Span* EntryPool::NewSpan(size_t size_class) {
  Span* const span = new (source_.Take()) Span;
  span->begun = sizeof(Span);
  Link(span, size_class);
  return span;
}

void EntryPool::Link(Span* span, size_t size_class) {
  Span*& first = open_[size_class];
  span->previous = nullptr;
  span->next = first;
  if (first != nullptr) first->previous = span;
  first = span;
}

void EntryPool::Unlink(Span* span, size_t size_class) {
  if (span->next != nullptr) span->next->previous = span->previous;
  (span->previous != nullptr ? span->previous->next : open_[size_class]) = span->next;
}

}  // namespace tarn::storage::memory
