// A file system in memory that remembers what was asked of it, fails when told to, and forgets in a
// crash what was not synced.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "storage/base/file_system.h"

namespace tarn::testing {

enum class FaultKind : uint8_t {
  kDiskFull,  // ENOSPC: an Append keeps half of its bytes.
  kIoError,   // EIO.
  kReadOnly,  // EROFS: as EIO, but reading goes on.
};

enum class FaultDuration : uint8_t { kOnce, kSticky };

// What of the things that nobody synced a crash leaves behind. Whatever was synced stays in every
// case.
enum class Unsynced : uint8_t {
  kLost,
  kKept,
  kTorn,  // Of bytes: the first half. Of names: kept; so a new name may show a file that is cut
          // short.
};

// Every operation, reading ones included, has a number, from 0; a fault and the trace go by it.
// Thread-safe.
class FaultFileSystem final : public base::FileSystem {
 public:
  FaultFileSystem();
  ~FaultFileSystem() override;

  // --- faults ---

  // The operation with this number (counted on from the start) fails, or that and all later ones.
  void FailAt(uint64_t operation, FaultKind kind, FaultDuration duration);
  void Heal();

  // The machine loses power and comes back: locks are free, open files are dead (every call on them
  // fails).
  void Crash(Unsynced bytes, Unsynced names);

  void SetSpace(const base::DiskSpace& space);

  // --- what happened ---

  uint64_t operations() const;
  // One line each: "create a.tmp", "append a.tmp 12", "sync a.tmp", "close a.tmp", "rename a.tmp
  // a", "syncdir .", "open a", "read a 0 12", "size a", "remove a", "mkdir d", "list d", "exists
  // a", "space d", "lock LOCK". A failed one ends in " !".
  std::vector<std::string> trace() const;

  // --- base::FileSystem ---

  absl::StatusOr<std::unique_ptr<base::WritableFile>> Create(const std::string& path) override;
  absl::StatusOr<std::unique_ptr<base::RandomAccessFile>> Open(const std::string& path) override;
  absl::Status Rename(const std::string& from, const std::string& to) override;
  absl::Status Remove(const std::string& path) override;
  absl::Status RemoveRecursively(const std::string& path) override;
  absl::Status CreateDirectories(const std::string& path) override;
  absl::Status SyncDirectory(const std::string& path) override;
  absl::StatusOr<std::vector<std::string>> List(const std::string& path) override;
  absl::StatusOr<bool> Exists(const std::string& path) override;
  absl::StatusOr<base::DiskSpace> Space(const std::string& path) override;
  absl::StatusOr<std::unique_ptr<base::FileLock>> Lock(const std::string& path,
                                                       absl::string_view holder) override;

 private:
  friend class FaultWritableFile;
  friend class FaultRandomAccessFile;
  friend class FaultFileLock;

  // What the medium holds, and what a process sees.
  struct File {
    std::string content;
    std::string durable;
  };
  using Names = std::map<std::string, std::shared_ptr<File>>;  // By path.

  enum class Access : uint8_t { kRead, kWrite };

  // Counts and traces an operation, and gives the fault that is due.
  absl::Status Begin(const std::string& line, Access access) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::StatusOr<std::shared_ptr<File>> Find(const std::string& path)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool IsDirectory(const std::string& path) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  std::vector<std::string> PathsIn(const std::string& path) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  mutable absl::Mutex mutex_;
  Names names_ ABSL_GUARDED_BY(mutex_);
  Names durable_names_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, int> directories_
      ABSL_GUARDED_BY(mutex_);  // Durable as soon as they are made.
  std::map<std::string, std::string> locks_ ABSL_GUARDED_BY(mutex_);  // Path to holder.
  base::DiskSpace space_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::string> trace_ ABSL_GUARDED_BY(mutex_);
  uint64_t life_ ABSL_GUARDED_BY(mutex_) = 0;  // Raised by each crash.

  bool armed_ ABSL_GUARDED_BY(mutex_) = false;
  uint64_t fail_at_ ABSL_GUARDED_BY(mutex_) = 0;
  FaultKind kind_ ABSL_GUARDED_BY(mutex_) = FaultKind::kIoError;
  FaultDuration duration_ ABSL_GUARDED_BY(mutex_) = FaultDuration::kOnce;
};

}  // namespace tarn::testing
