#include "storage/base/kernel_file.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <system_error>

#include "absl/strings/str_cat.h"

namespace tarn::base {
namespace {

constexpr size_t kMaxBytes = 1 << 20;  // What is longer is not a small file.

absl::Status ErrorOf(int error, const std::string& path) {
  const std::string text =
      absl::StrCat("cannot read ", path, ": ", std::generic_category().message(error));
  return error == ENOENT ? absl::NotFoundError(text) : absl::InternalError(text);
}

// Closes a file descriptor.
class File {
 public:
  explicit File(const std::string& path) : fd_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {}
  ~File() {
    if (fd_ >= 0) ::close(fd_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  int fd() const { return fd_; }

 private:
  const int fd_;
};

}  // namespace

absl::StatusOr<std::string> ReadKernelFile(const std::string& path) {
  const File file(path);
  if (file.fd() < 0) return ErrorOf(errno, path);
  std::string content;
  char buffer[4096];
  while (content.size() <= kMaxBytes) {
    const ssize_t got = ::read(file.fd(), buffer, sizeof(buffer));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return ErrorOf(errno, path);
    if (got == 0) return content;
    content.append(buffer, static_cast<size_t>(got));
  }
  return ErrorOf(EFBIG, path);
}

absl::StatusOr<int64_t> CountOpenFiles() {
  const std::string path = "/proc/self/fd";
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(::opendir(path.c_str()), &::closedir);
  if (directory == nullptr) return ErrorOf(errno, path);
  int64_t count = 0;
  while (const dirent* entry = ::readdir(directory.get())) {
    if (entry->d_name[0] != '.') ++count;
  }
  return count - 1;  // Without the one that this function has open.
}

}  // namespace tarn::base
