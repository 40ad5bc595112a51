// Where the memory of entries comes from: large pages, in which the processor finds an address with
// one step instead of several.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"

namespace tarn::storage::memory {

// Takes chunks of the size of a large page from the operating system and gives them out in spans.
// Thread-safe.
//
// The operating system takes its time with large pages: spans are taken and given with the lock of
// a shard held, so chunks come and go in Tidy, which is called without one.
class PageSource {
 public:
  static constexpr size_t kChunkBytes = size_t{2} << 20;
  static constexpr size_t kSpanBytes = size_t{16} << 10;

  PageSource() = default;
  ~PageSource();
  PageSource(const PageSource&) = delete;
  PageSource& operator=(const PageSource&) = delete;

  // kSpanBytes, aligned to as many. Ends the process when there is no memory, as operator new does
  // here.
  char* Take();
  void Give(char* span);

  // Gets a chunk when spans are running out, and gives chunks back that are whole again, except
  // one. Costs next to nothing when there is nothing to do.
  void Tidy() {
    if (untidy_.load(std::memory_order_relaxed)) TidyNow();
  }

  size_t chunks() const;

 private:
  static constexpr size_t kSpans = kChunkBytes / kSpanBytes;
  static constexpr size_t kFewSpans = kSpans / 2;

  struct Chunk {
    std::vector<char*> free;
    size_t place = 0;  // In open_, while it has free spans.
  };

  void TidyNow() ABSL_LOCKS_EXCLUDED(mutex_);
  void AddChunk(char* base) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void NoteChange() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Open(char* base) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Close(char* base) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  std::atomic<bool> untidy_{true};
  mutable absl::Mutex mutex_;
  absl::flat_hash_map<char*, Chunk> chunks_ ABSL_GUARDED_BY(mutex_);
  std::vector<char*> open_ ABSL_GUARDED_BY(mutex_);   // Chunks with free spans.
  std::vector<char*> whole_ ABSL_GUARDED_BY(mutex_);  // Chunks on their way back, not in chunks_.
  size_t free_spans_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace tarn::storage::memory
