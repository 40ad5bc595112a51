// The file system of the operating system.
#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "storage/base/error.h"
#include "storage/base/file_system.h"
#include "storage/base/status.h"

namespace tarn::base {
namespace {

constexpr mode_t kFileMode = 0600;  // State may be confidential: nobody but the daemon's user.
constexpr mode_t kDirectoryMode = 0700;
constexpr size_t kMaxHolderBytes = 1024;

absl::Status FileError(int error, absl::string_view action, absl::string_view path) {
  const std::string message =
      absl::StrCat("cannot ", action, " ", path, ": ", std::generic_category().message(error));
  switch (error) {
    case ENOENT:
      return absl::NotFoundError(message);
    case ENOSPC:
    case EDQUOT:
      return MakeError(absl::StatusCode::kResourceExhausted, Reason::kDiskFull, message);
    case EACCES:
    case EPERM:
      return absl::PermissionDeniedError(message);
    default:
      return absl::InternalError(message);
  }
}

// Owns a descriptor; -1 is none.
class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&&) = delete;
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  int get() const { return number_; }
  int Release() { return std::exchange(number_, -1); }

 private:
  int number_;
};

absl::StatusOr<Descriptor> OpenDescriptor(const std::string& path, int flags,
                                          absl::string_view action) {
  int number = -1;
  do {
    number = ::open(path.c_str(), flags | O_CLOEXEC, kFileMode);
  } while (number < 0 && errno == EINTR);
  if (number < 0) return FileError(errno, action, path);
  return Descriptor(number);
}

absl::Status WriteAllAt(int descriptor, uint64_t offset, absl::string_view bytes,
                        absl::string_view path) {
  while (!bytes.empty()) {
    const ssize_t written =
        ::pwrite(descriptor, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return FileError(errno, "write to", path);
    bytes.remove_prefix(static_cast<size_t>(written));
    offset += static_cast<uint64_t>(written);
  }
  return absl::OkStatus();
}

absl::Status WriteAll(int descriptor, absl::string_view bytes, absl::string_view path) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return FileError(errno, "write to", path);
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  return absl::OkStatus();
}

class PosixWritableFile final : public WritableFile {
 public:
  PosixWritableFile(Descriptor descriptor, std::string path)
      : descriptor_(std::move(descriptor)), path_(std::move(path)) {}

  absl::Status Append(absl::string_view bytes) override {
    TARN_RETURN_IF_ERROR(failure_);
    return Remember(WriteAll(descriptor_.get(), bytes, path_));
  }

  absl::Status WriteAt(uint64_t offset, absl::string_view bytes) override {
    TARN_RETURN_IF_ERROR(failure_);
    return Remember(WriteAllAt(descriptor_.get(), offset, bytes, path_));
  }

  absl::Status Sync() override {
    TARN_RETURN_IF_ERROR(failure_);
    if (::fdatasync(descriptor_.get()) == 0) return absl::OkStatus();
    return Remember(FileError(errno, "sync", path_));
  }

  absl::Status Close() override {
    const int descriptor = descriptor_.Release();
    if (descriptor < 0) return failure_;
    // Some file systems report a failed write only here. After EINTR the descriptor is closed all
    // the same.
    if (::close(descriptor) != 0 && errno != EINTR)
      return Remember(FileError(errno, "close", path_));
    return failure_;
  }

 private:
  // The kernel reports a failed write-back once and then forgets it: a second sync would say OK for
  // bytes that are lost.
  absl::Status Remember(absl::Status status) {
    if (!status.ok()) failure_ = status;
    return status;
  }

  Descriptor descriptor_;
  const std::string path_;
  absl::Status failure_;
};

class PosixRandomAccessFile final : public RandomAccessFile {
 public:
  PosixRandomAccessFile(Descriptor descriptor, std::string path)
      : descriptor_(std::move(descriptor)), path_(std::move(path)) {}

  absl::StatusOr<std::string> Read(uint64_t offset, size_t size) const override {
    // A size that comes from a damaged file must not become an allocation.
    TARN_ASSIGN_OR_RETURN(const uint64_t file_size, Size());
    if (offset > file_size || size > file_size - offset) return EndsBefore(offset, size);
    std::string bytes(size, '\0');
    size_t done = 0;
    while (done < size) {
      const ssize_t got =
          ::pread(descriptor_.get(), &bytes[done], size - done, static_cast<off_t>(offset + done));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return FileError(errno, "read", path_);
      if (got == 0) return EndsBefore(offset, size);
      done += static_cast<size_t>(got);
    }
    return bytes;
  }

  absl::StatusOr<uint64_t> Size() const override {
    struct stat status {};
    if (::fstat(descriptor_.get(), &status) != 0) return FileError(errno, "inspect", path_);
    return static_cast<uint64_t>(status.st_size);
  }

 private:
  absl::Status EndsBefore(uint64_t offset, size_t size) const {
    return absl::OutOfRangeError(absl::StrCat("cannot read ", size, " bytes at ", offset, " of ",
                                              path_, ": it ends before"));
  }

  const Descriptor descriptor_;
  const std::string path_;
};

class PosixFileLock final : public FileLock {
 public:
  explicit PosixFileLock(Descriptor descriptor) : descriptor_(std::move(descriptor)) {}

  // What nobody holds names nobody. (After a crash the text stays; then the lock is free, and
  // nobody reads it.)
  ~PosixFileLock() override {
    if (::ftruncate(descriptor_.get(), 0) != 0) return;
  }

 private:
  const Descriptor descriptor_;
};

absl::Status HeldByAnother(int descriptor, const std::string& path) {
  std::string holder(kMaxHolderBytes, '\0');
  const ssize_t got = ::pread(descriptor, holder.data(), holder.size(), 0);
  holder.resize(static_cast<size_t>(std::max<ssize_t>(got, 0)));
  return absl::FailedPreconditionError(
      absl::StrCat(path, " is locked by ",
                   holder.empty() ? "another process, which has not said who it is" : holder));
}

std::string ParentOf(absl::string_view path) {
  while (path.size() > 1 && path.back() == '/') path.remove_suffix(1);
  const size_t slash = path.rfind('/');
  if (slash == absl::string_view::npos) return ".";
  return std::string(path.substr(0, std::max<size_t>(slash, 1)));
}

class Posix final : public FileSystem {
 public:
  absl::StatusOr<std::unique_ptr<WritableFile>> Create(const std::string& path) override {
    TARN_ASSIGN_OR_RETURN(Descriptor descriptor,
                          OpenDescriptor(path, O_WRONLY | O_CREAT | O_TRUNC, "create"));
    return std::make_unique<PosixWritableFile>(std::move(descriptor), path);
  }

  absl::StatusOr<std::unique_ptr<RandomAccessFile>> Open(const std::string& path) override {
    TARN_ASSIGN_OR_RETURN(Descriptor descriptor, OpenDescriptor(path, O_RDONLY, "open"));
    return std::make_unique<PosixRandomAccessFile>(std::move(descriptor), path);
  }

  absl::Status Rename(const std::string& from, const std::string& to) override {
    if (::rename(from.c_str(), to.c_str()) == 0) return absl::OkStatus();
    return FileError(errno, absl::StrCat("rename ", from, " to"), to);
  }

  absl::Status Remove(const std::string& path) override {
    if (std::remove(path.c_str()) == 0) return absl::OkStatus();
    return FileError(errno, "remove", path);
  }

  absl::Status RemoveRecursively(const std::string& path) override {
    std::error_code error;
    const auto removed = std::filesystem::remove_all(path, error);
    if (error) return FileError(error.value(), "remove", path);
    return removed == 0 ? FileError(ENOENT, "remove", path) : absl::OkStatus();
  }

  absl::Status CreateDirectories(const std::string& path) override {
    for (size_t slash = path.find('/', 1); slash != std::string::npos;
         slash = path.find('/', slash + 1)) {
      TARN_RETURN_IF_ERROR(CreateDirectory(path.substr(0, slash)));
    }
    return CreateDirectory(path);
  }

  absl::Status SyncDirectory(const std::string& path) override {
    TARN_ASSIGN_OR_RETURN(const Descriptor descriptor,
                          OpenDescriptor(path, O_RDONLY | O_DIRECTORY, "open"));
    if (::fsync(descriptor.get()) == 0) return absl::OkStatus();
    return FileError(errno, "sync", path);
  }

  absl::StatusOr<std::vector<std::string>> List(const std::string& path) override {
    std::error_code error;
    std::vector<std::string> names;
    for (std::filesystem::directory_iterator it(path, error), end; !error && it != end;
         it.increment(error)) {
      names.push_back(it->path().filename().string());
    }
    if (error) return FileError(error.value(), "list", path);
    std::sort(names.begin(), names.end());
    return names;
  }

  absl::StatusOr<bool> Exists(const std::string& path) override {
    struct stat status {};
    if (::stat(path.c_str(), &status) == 0) return true;
    if (errno == ENOENT || errno == ENOTDIR) return false;
    return FileError(errno, "inspect", path);
  }

  absl::StatusOr<DiskSpace> Space(const std::string& path) override {
    struct statvfs status {};
    if (::statvfs(path.c_str(), &status) != 0)
      return FileError(errno, "ask for the space of", path);
    return DiskSpace{.free_bytes = uint64_t{status.f_bavail} * status.f_frsize,
                     .total_bytes = uint64_t{status.f_blocks} * status.f_frsize};
  }

  // flock belongs to the open file, not to the process: a second lock in the same process is
  // refused too, and closing some other descriptor of the file does not release it (as it would a
  // POSIX record lock).
  absl::StatusOr<std::unique_ptr<FileLock>> Lock(const std::string& path,
                                                 absl::string_view holder) override {
    TARN_ASSIGN_OR_RETURN(Descriptor descriptor, OpenDescriptor(path, O_RDWR | O_CREAT, "open"));
    if (::flock(descriptor.get(), LOCK_EX | LOCK_NB) != 0) {
      if (errno == EWOULDBLOCK) return HeldByAnother(descriptor.get(), path);
      return FileError(errno, "lock", path);
    }
    if (::ftruncate(descriptor.get(), 0) != 0) return FileError(errno, "empty", path);
    TARN_RETURN_IF_ERROR(WriteAll(descriptor.get(), holder.substr(0, kMaxHolderBytes), path));
    return std::make_unique<PosixFileLock>(std::move(descriptor));
  }

 private:
  absl::Status CreateDirectory(const std::string& path) {
    if (::mkdir(path.c_str(), kDirectoryMode) == 0) return SyncDirectory(ParentOf(path));
    const int error = errno;
    struct stat status {};
    if (::stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode)) return absl::OkStatus();
    return FileError(error, "create the directory", path);
  }
};

}  // namespace

FileSystem& PosixFileSystem() {
  static Posix* const files = new Posix;
  return *files;
}

}  // namespace tarn::base
