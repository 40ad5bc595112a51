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

// With memory behind all of it. Not by malloc, which would go on using the large pages of a chunk
// that was given back for small things.
char* NewChunk() {
  constexpr size_t kBytes = PageSource::kChunkBytes;
  constexpr size_t kPageBytes = 4096;
  void* const mapped = mmap(nullptr, 2 * kBytes, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (mapped == MAP_FAILED) std::abort();
  // What is in front of the aligned part and behind it goes back.
  auto* const begin = static_cast<char*>(mapped);
  char* const base = BaseOf(begin + kBytes - 1);
  if (base != begin) munmap(begin, static_cast<size_t>(base - begin));
  munmap(base + kBytes, static_cast<size_t>(begin + kBytes - base));
  // Where it is refused, memory is as slow as it was.
  madvise(base, kBytes, MADV_HUGEPAGE);
  for (size_t at = 0; at < kBytes; at += kPageBytes) *const_cast<volatile char*>(base + at) = 0;
  return base;
}

void DeleteChunk(char* base) { munmap(base, PageSource::kChunkBytes); }

}  // namespace

PageSource::~PageSource() {
  const absl::MutexLock lock(&mutex_);
  for (const auto& [base, chunk] : chunks_) DeleteChunk(base);
  for (char* const base : whole_) DeleteChunk(base);
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
  for (char* const base : whole) DeleteChunk(base);
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
