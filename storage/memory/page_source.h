// Where the memory of entries comes from: large pages, in which the processor finds an address with
// one step instead of several.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"

namespace tarn::storage::memory {

// Takes chunks of the size of a large page from the operating system and gives them out in spans. A
// chunk that is whole again goes back, except one. Thread-safe.
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

  size_t chunks() const;

 private:
  static constexpr size_t kSpans = kChunkBytes / kSpanBytes;

  struct Chunk {
    std::vector<char*> free;
    size_t place = 0;  // In open_, while it has free spans.
  };

  void AddChunk() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void RemoveChunk(char* base) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Open(char* base) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Close(char* base) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  mutable absl::Mutex mutex_;
  absl::flat_hash_map<char*, Chunk> chunks_ ABSL_GUARDED_BY(mutex_);
  std::vector<char*> open_ ABSL_GUARDED_BY(mutex_);  // Chunks with free spans.
};

}  // namespace tarn::storage::memory
