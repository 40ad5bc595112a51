// All shards of a memory engine, and how several of them are locked at once.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <utility>

#include "storage/memory/page_source.h"
#include "storage/memory/shard.h"

namespace tarn::storage::memory {

inline constexpr size_t kShards = 64;  // As many as a word has bits: a set of shards is one number.

class Table {
 public:
  // A monitor, if there is one, outlives the table.
  explicit Table(LockMonitor* monitor) : Table(monitor, std::make_index_sequence<kShards>()) {}

  // Without a lock held: gets and gives back memory for what was done.
  void Tidy() { pages_.Tidy(); }

  Shard& shard(size_t index) { return shards_[index]; }
  const Shard& shard(size_t index) const { return shards_[index]; }

  static size_t IndexOf(size_t hash) { return hash >> 58; }
  Shard& ShardOf(const Probe& probe) { return shards_[IndexOf(probe.hash)]; }

 private:
  template <size_t... kIndexes>
  Table(LockMonitor* monitor, std::index_sequence<kIndexes...> /*indexes*/)
      : shards_{{(static_cast<void>(kIndexes), Shard(pages_, monitor))...}} {}

  PageSource pages_;
  std::array<Shard, kShards> shards_;
};

enum class LockMode : uint8_t { kShared, kExclusive };

// Holds the locks of a set of shards (bit i: shard i). Taken in ascending order, so that two sets
// never wait for each other.
class ShardLocks {
 public:
  ShardLocks(Table& table, uint64_t set, LockMode mode) ABSL_NO_THREAD_SAFETY_ANALYSIS
      : table_(table),
        set_(set),
        mode_(mode) {
    for (uint64_t left = set_; left != 0; left &= left - 1) {
      ShardMutex& mutex = table_.shard(std::countr_zero(left)).mutex;
      mode_ == LockMode::kShared ? mutex.ReaderLock() : mutex.Lock();
    }
  }

  ~ShardLocks() ABSL_NO_THREAD_SAFETY_ANALYSIS {
    for (uint64_t left = set_; left != 0; left &= left - 1) {
      ShardMutex& mutex = table_.shard(std::countr_zero(left)).mutex;
      mode_ == LockMode::kShared ? mutex.ReaderUnlock() : mutex.Unlock();
    }
  }

  ShardLocks(const ShardLocks&) = delete;
  ShardLocks& operator=(const ShardLocks&) = delete;

 private:
  Table& table_;
  const uint64_t set_;
  const LockMode mode_;
};

}  // namespace tarn::storage::memory
