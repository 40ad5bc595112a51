#include "storage/memory/page_source.h"

#include <sys/mman.h>

#include <cstdlib>
#include <new>

namespace tarn::storage::memory {
namespace {

char* BaseOf(char* span) {
  return reinterpret_cast<char*>(reinterpret_cast<uintptr_t>(span) &
                                 ~uintptr_t{PageSource::kChunkBytes - 1});
}

// With memory behind all of it.
char* NewChunk() {
  constexpr size_t kPageBytes = 4096;
  auto* const base =
      static_cast<char*>(std::aligned_alloc(PageSource::kChunkBytes, PageSource::kChunkBytes));
  if (base == nullptr) std::abort();
  // Where it is refused, memory is as slow as it was.
  madvise(base, PageSource::kChunkBytes, MADV_HUGEPAGE);
  for (size_t at = 0; at < PageSource::kChunkBytes; at += kPageBytes)
    *const_cast<volatile char*>(base + at) = 0;
  return base;
}

}  // namespace

PageSource::~PageSource() {
  const absl::MutexLock lock(&mutex_);
  for (const auto& [base, chunk] : chunks_) std::free(base);
  for (char* const base : whole_) std::free(base);
}

char* PageSource::Take() {
  const absl::MutexLock lock(&mutex_);
  if (open_.empty()) AddChunk(NewChunk());
  char* const base = open_.back();
  Chunk& chunk = chunks_.at(base);
  char* const span = chunk.free.back();
  chunk.free.pop_back();
  if (chunk.free.empty()) Close(base);
  --free_spans_;
  NoteChange();
  return span;
}

void PageSource::Give(char* span) {
  const absl::MutexLock lock(&mutex_);
  char* const base = BaseOf(span);
  Chunk& chunk = chunks_.at(base);
  if (chunk.free.empty()) Open(base);
  chunk.free.push_back(span);
  ++free_spans_;
  if (chunk.free.size() == kSpans && free_spans_ >= kSpans + kFewSpans) {
    Close(base);
    chunks_.erase(base);
    whole_.push_back(base);
    free_spans_ -= kSpans;
  }
  NoteChange();
}

void PageSource::NoteChange() {
  untidy_.store(free_spans_ < kFewSpans || !whole_.empty(), std::memory_order_relaxed);
}

void PageSource::TidyNow() {
  std::vector<char*> whole;
  bool few = false;
  {
    const absl::MutexLock lock(&mutex_);
    whole.swap(whole_);
    few = free_spans_ < kFewSpans;
    untidy_.store(false, std::memory_order_relaxed);  // One thread is enough.
  }
  if (few) {
    char* const base = NewChunk();
    const absl::MutexLock lock(&mutex_);
    AddChunk(base);
    NoteChange();
  }
  for (char* const base : whole) std::free(base);
}

void PageSource::AddChunk(char* base) {
  Chunk& chunk = chunks_[base];
  // The lowest is taken first.
  for (size_t i = kSpans; i > 0; --i) chunk.free.push_back(base + (i - 1) * kSpanBytes);
  free_spans_ += kSpans;
  Open(base);
}

void PageSource::Open(char* base) {
  chunks_.at(base).place = open_.size();
  open_.push_back(base);
}

void PageSource::Close(char* base) {
  const size_t place = chunks_.at(base).place;
  open_[place] = open_.back();
  chunks_.at(open_[place]).place = place;
  open_.pop_back();
}

size_t PageSource::chunks() const {
  const absl::MutexLock lock(&mutex_);
  return chunks_.size();
}

}  // namespace tarn::storage::memory
