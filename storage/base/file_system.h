// The files Tarn owns. Tests put a file system in its place that fails, forgets what was not
// synced, or lives in memory.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace tarn::base {

// A file being written from its start. Not thread-safe. Destroying it closes it without a sync.
class WritableFile {
 public:
  virtual ~WritableFile() = default;
  virtual absl::Status Append(absl::string_view bytes) = 0;
  // Replaces bytes that were appended before.
  virtual absl::Status WriteAt(uint64_t offset, absl::string_view bytes) = 0;
  // Returns when what was appended is on the medium. After an error nothing is known of it: the
  // file must be given up.
  virtual absl::Status Sync() = 0;
  virtual absl::Status Close() = 0;
};

// Thread-safe.
class RandomAccessFile {
 public:
  virtual ~RandomAccessFile() = default;
  // The `size` bytes at `offset`; OUT_OF_RANGE when the file ends before.
  virtual absl::StatusOr<std::string> Read(uint64_t offset, size_t size) const = 0;
  virtual absl::StatusOr<uint64_t> Size() const = 0;
};

// Held until destroyed, or until the process ends however it ends.
class FileLock {
 public:
  virtual ~FileLock() = default;
};

struct DiskSpace {
  uint64_t free_bytes = 0;  // What this process may still use.
  uint64_t total_bytes = 0;
};

// Thread-safe. Errors name the path and what was attempted. NOT_FOUND when a path does not exist; a
// full disk is RESOURCE_EXHAUSTED (DISK_FULL); missing permission is PERMISSION_DENIED; everything
// else is INTERNAL with errno's text.
class FileSystem {
 public:
  virtual ~FileSystem() = default;

  // Creates the file, or empties it when it exists.
  virtual absl::StatusOr<std::unique_ptr<WritableFile>> Create(const std::string& path) = 0;
  virtual absl::StatusOr<std::unique_ptr<RandomAccessFile>> Open(const std::string& path) = 0;
  virtual absl::Status Rename(const std::string& from, const std::string& to) = 0;
  // Removes a file, or an empty directory.
  virtual absl::Status Remove(const std::string& path) = 0;
  virtual absl::Status RemoveRecursively(const std::string& path) = 0;
  // Creates the directory and its parents with mode 0700, durably; OK when it exists.
  virtual absl::Status CreateDirectories(const std::string& path) = 0;
  // Makes creations, renames and removals in the directory durable.
  virtual absl::Status SyncDirectory(const std::string& path) = 0;
  // Names (not paths) in the directory, sorted, without "." and "..".
  virtual absl::StatusOr<std::vector<std::string>> List(const std::string& path) = 0;
  virtual absl::StatusOr<bool> Exists(const std::string& path) = 0;
  virtual absl::StatusOr<DiskSpace> Space(const std::string& path) = 0;

  // Takes an exclusive lock on the file, creating it, and writes `holder` into it. When another
  // process holds it: FAILED_PRECONDITION at once, with what that process wrote; nothing is
  // changed.
  virtual absl::StatusOr<std::unique_ptr<FileLock>> Lock(const std::string& path,
                                                         absl::string_view holder) = 0;
};

// The operating system's. One instance, which lives for ever.
FileSystem& PosixFileSystem();

// The whole of a small file. OUT_OF_RANGE when it is larger than `max_bytes`.
absl::StatusOr<std::string> ReadFile(FileSystem& files, const std::string& path,
                                     size_t max_bytes = 1 << 20);

// Replaces a small file so that after a crash either the old or the new content is there whole:
// temporary name, sync, rename, directory sync.
absl::Status ReplaceFile(FileSystem& files, const std::string& path, absl::string_view content);

// What is before the last "/" of `path`: "." when there is none, "/" for what is in the root.
absl::string_view DirectoryOf(absl::string_view path);

// `directory` + "/" + `name`.
std::string JoinPath(absl::string_view directory, absl::string_view name);

}  // namespace tarn::base
