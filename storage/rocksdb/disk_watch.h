// How much space the disk has left, asked about once a second.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "storage/base/clock.h"
#include "storage/base/file_system.h"

namespace tarn::storage::rocks {

// What the store may do.
enum class Room : uint8_t {
  kEnough,
  kNoGrowth,  // Below the reserve: only what does not grow it.
  kNoWrites,  // Nearly nothing is left: RocksDB must not find out what happens then.
};

// Thread-safe.
class DiskWatch {
 public:
  static constexpr int64_t kAskEveryNanos = 1'000'000'000;
  // Of the reserve, this part is kept even from deletions: RocksDB can come back from a failed
  // flush of its memory, but not from a log that it cannot begin.
  static constexpr uint64_t kUntouchedPart = 4;

  DiskWatch(base::FileSystem& files, const base::Clock& clock, std::string directory,
            uint64_t reserve_bytes);

  // Asks the file system when the last answer is old. When it does not answer, the last one holds.
  Room room();

  // Asks the file system.
  uint64_t FreeBytesNow();

  // As last asked.
  Room last_room() const;
  uint64_t free_bytes() const { return free_bytes_.load(std::memory_order_relaxed); }

 private:
  base::FileSystem& files_;
  const base::Clock& clock_;
  const std::string directory_;
  const uint64_t reserve_bytes_;
  std::atomic<int64_t> ask_again_ns_;
  std::atomic<uint64_t> free_bytes_;
};

}  // namespace tarn::storage::rocks
