#include "storage/rocksdb/disk_watch.h"

#include <limits>
#include <utility>

#include "storage/base/logging.h"

namespace tarn::storage::rocks {

DiskWatch::DiskWatch(base::FileSystem& files, const base::Clock& clock, std::string directory,
                     uint64_t reserve_bytes)
    : files_(files),
      clock_(clock),
      directory_(std::move(directory)),
      reserve_bytes_(reserve_bytes),
      ask_again_ns_(std::numeric_limits<int64_t>::min()),
      free_bytes_(std::numeric_limits<uint64_t>::max()) {}

Room DiskWatch::room() {
  const int64_t now = clock_.MonotonicNanos();
  int64_t due = ask_again_ns_.load(std::memory_order_relaxed);
  // One of the callers asks, the others take the last answer.
  if (now >= due && ask_again_ns_.compare_exchange_strong(due, now + kAskEveryNanos)) {
    FreeBytesNow();
  }
  return last_room();
}

uint64_t DiskWatch::FreeBytesNow() {
  const absl::StatusOr<base::DiskSpace> space = files_.Space(directory_);
  if (space.ok()) {
    free_bytes_.store(space->free_bytes, std::memory_order_relaxed);
  } else {
    base::LogWarning("the free disk space is not known: ", space.status().message());
  }
  return free_bytes();
}

Room DiskWatch::last_room() const {
  const uint64_t free = free_bytes();
  if (free >= reserve_bytes_) return Room::kEnough;
  return free >= reserve_bytes_ / kUntouchedPart ? Room::kNoGrowth : Room::kNoWrites;
}

}  // namespace tarn::storage::rocks
