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

}  // namespace

PageSource::~PageSource() {
  const absl::MutexLock lock(&mutex_);
  for (const auto& [base, chunk] : chunks_) std::free(base);
}

char* PageSource::Take() {
  const absl::MutexLock lock(&mutex_);
  if (open_.empty()) AddChunk();
  char* const base = open_.back();
  Chunk& chunk = chunks_.at(base);
  char* const span = chunk.free.back();
  chunk.free.pop_back();
  if (chunk.free.empty()) Close(base);
  return span;
}

void PageSource::Give(char* span) {
  const absl::MutexLock lock(&mutex_);
  char* const base = BaseOf(span);
  Chunk& chunk = chunks_.at(base);
  if (chunk.free.empty()) Open(base);
  chunk.free.push_back(span);
  // One stays, so that a store at the edge of a chunk does not ask for it again and again.
  if (chunk.free.size() == kSpans && open_.size() > 1) RemoveChunk(base);
}

void PageSource::AddChunk() {
  auto* const base = static_cast<char*>(std::aligned_alloc(kChunkBytes, kChunkBytes));
  if (base == nullptr) std::abort();
  // Where it is refused, memory is as slow as it was.
  madvise(base, kChunkBytes, MADV_HUGEPAGE);
  Chunk& chunk = chunks_[base];
  // The lowest is taken first.
  for (size_t i = kSpans; i > 0; --i) chunk.free.push_back(base + (i - 1) * kSpanBytes);
  Open(base);
}

void PageSource::RemoveChunk(char* base) {
  Close(base);
  chunks_.erase(base);
  std::free(base);
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
