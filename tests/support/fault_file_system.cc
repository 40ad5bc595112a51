#include "tests/support/fault_file_system.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "storage/base/error.h"
#include "storage/base/status.h"

namespace tarn::testing {
namespace {

std::string ParentOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

absl::Status NoSuch(const std::string& path) {
  return absl::NotFoundError(absl::StrCat(path, ": no such file"));
}

absl::Status Fault(FaultKind kind, absl::string_view line) {
  if (kind == FaultKind::kDiskFull) {
    return base::MakeError(absl::StatusCode::kResourceExhausted, base::Reason::kDiskFull,
                           absl::StrCat("cannot ", line, ": No space left on device"));
  }
  return absl::InternalError(absl::StrCat(
      "cannot ", line,
      kind == FaultKind::kReadOnly ? ": Read-only file system" : ": Input/output error"));
}

}  // namespace

class FaultWritableFile final : public base::WritableFile {
 public:
  FaultWritableFile(FaultFileSystem& files, std::shared_ptr<FaultFileSystem::File> file,
                    std::string path, uint64_t life)
      : files_(files), file_(std::move(file)), path_(std::move(path)), life_(life) {}

  absl::Status Append(absl::string_view bytes) override {
    absl::MutexLock lock(&files_.mutex_);
    const absl::Status status = Begin(absl::StrCat("append ", path_, " ", bytes.size()));
    if (absl::IsResourceExhausted(status)) bytes = bytes.substr(0, bytes.size() / 2);
    if (!status.ok() && !absl::IsResourceExhausted(status)) return status;
    file_->content.append(bytes.data(), bytes.size());
    return status;
  }

  absl::Status WriteAt(uint64_t offset, absl::string_view bytes) override {
    absl::MutexLock lock(&files_.mutex_);
    const absl::Status status =
        Begin(absl::StrCat("write ", path_, " ", bytes.size(), " at ", offset));
    if (absl::IsResourceExhausted(status)) bytes = bytes.substr(0, bytes.size() / 2);
    if (!status.ok() && !absl::IsResourceExhausted(status)) return status;
    file_->content.replace(offset, bytes.size(), bytes.data(), bytes.size());
    return status;
  }

  absl::Status Sync() override {
    absl::MutexLock lock(&files_.mutex_);
    TARN_RETURN_IF_ERROR(Begin(absl::StrCat("sync ", path_)));
    file_->durable = file_->content;
    return absl::OkStatus();
  }

  absl::Status Close() override {
    absl::MutexLock lock(&files_.mutex_);
    return Begin(absl::StrCat("close ", path_));
  }

 private:
  // As on the real one, a file that failed once is given up.
  absl::Status Begin(const std::string& line) ABSL_EXCLUSIVE_LOCKS_REQUIRED(files_.mutex_) {
    TARN_RETURN_IF_ERROR(failure_);
    failure_ = files_.Begin(line, FaultFileSystem::Access::kWrite);
    if (failure_.ok() && life_ != files_.life_)
      failure_ = absl::InternalError("the machine has crashed meanwhile");
    return failure_;
  }

  FaultFileSystem& files_;
  const std::shared_ptr<FaultFileSystem::File> file_;
  const std::string path_;
  const uint64_t life_;
  absl::Status failure_;
};

class FaultRandomAccessFile final : public base::RandomAccessFile {
 public:
  FaultRandomAccessFile(FaultFileSystem& files, std::shared_ptr<FaultFileSystem::File> file,
                        std::string path)
      : files_(files), file_(std::move(file)), path_(std::move(path)) {}

  absl::StatusOr<std::string> Read(uint64_t offset, size_t size) const override {
    absl::MutexLock lock(&files_.mutex_);
    TARN_RETURN_IF_ERROR(files_.Begin(absl::StrCat("read ", path_, " ", offset, " ", size),
                                      FaultFileSystem::Access::kRead));
    if (offset > file_->content.size() || size > file_->content.size() - offset) {
      return absl::OutOfRangeError(absl::StrCat(path_, " ends before"));
    }
    return file_->content.substr(offset, size);
  }

  absl::StatusOr<uint64_t> Size() const override {
    absl::MutexLock lock(&files_.mutex_);
    TARN_RETURN_IF_ERROR(
        files_.Begin(absl::StrCat("size ", path_), FaultFileSystem::Access::kRead));
    return file_->content.size();
  }

 private:
  FaultFileSystem& files_;
  const std::shared_ptr<FaultFileSystem::File> file_;
  const std::string path_;
};

class FaultFileLock final : public base::FileLock {
 public:
  FaultFileLock(FaultFileSystem& files, std::string path, uint64_t life)
      : files_(files), path_(std::move(path)), life_(life) {}
  ~FaultFileLock() override {
    absl::MutexLock lock(&files_.mutex_);
    if (life_ == files_.life_) files_.locks_.erase(path_);
  }

 private:
  FaultFileSystem& files_;
  const std::string path_;
  const uint64_t life_;
};

FaultFileSystem::FaultFileSystem()
    : space_{.free_bytes = uint64_t{1} << 40, .total_bytes = uint64_t{1} << 40} {}
FaultFileSystem::~FaultFileSystem() = default;

void FaultFileSystem::FailAt(uint64_t operation, FaultKind kind, FaultDuration duration) {
  absl::MutexLock lock(&mutex_);
  armed_ = true;
  fail_at_ = operation;
  kind_ = kind;
  duration_ = duration;
}

void FaultFileSystem::Heal() {
  absl::MutexLock lock(&mutex_);
  armed_ = false;
}

void FaultFileSystem::Crash(Unsynced bytes, Unsynced names) {
  absl::MutexLock lock(&mutex_);
  ++life_;
  locks_.clear();
  if (names == Unsynced::kLost) names_ = durable_names_;
  durable_names_ = names_;
  for (auto& [path, file] : names_) {
    const size_t synced = file->durable.size();
    const bool grown = absl::StartsWith(file->content, file->durable);
    if (bytes == Unsynced::kLost) file->content = file->durable;
    // Emptied and written anew: its old bytes are gone from the medium as well.
    if (bytes == Unsynced::kTorn)
      file->content.resize(grown ? (synced + file->content.size()) / 2 : file->content.size() / 2);
    file->durable = file->content;
  }
}

void FaultFileSystem::SetSpace(const base::DiskSpace& space) {
  absl::MutexLock lock(&mutex_);
  space_ = space;
}

uint64_t FaultFileSystem::operations() const {
  absl::MutexLock lock(&mutex_);
  return trace_.size();
}

std::vector<std::string> FaultFileSystem::trace() const {
  absl::MutexLock lock(&mutex_);
  return trace_;
}

absl::Status FaultFileSystem::Begin(const std::string& line, Access access) {
  const uint64_t number = trace_.size();
  trace_.push_back(line);
  const bool due =
      armed_ && (duration_ == FaultDuration::kSticky ? number >= fail_at_ : number == fail_at_);
  if (!due || (kind_ != FaultKind::kIoError && access == Access::kRead)) return absl::OkStatus();
  trace_.back() += " !";
  return Fault(kind_, line);
}

absl::StatusOr<std::shared_ptr<FaultFileSystem::File>> FaultFileSystem::Find(
    const std::string& path) {
  const auto found = names_.find(path);
  if (found == names_.end()) return NoSuch(path);
  return found->second;
}

bool FaultFileSystem::IsDirectory(const std::string& path) const {
  return path == "." || path == "/" || directories_.contains(path);
}

std::vector<std::string> FaultFileSystem::PathsIn(const std::string& path) const {
  std::vector<std::string> paths;
  for (const auto& [name, file] : names_) {
    if (ParentOf(name) == path) paths.push_back(name);
  }
  for (const auto& [name, unused] : directories_) {
    if (ParentOf(name) == path) paths.push_back(name);
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

absl::StatusOr<std::unique_ptr<base::WritableFile>> FaultFileSystem::Create(
    const std::string& path) {
  absl::MutexLock lock(&mutex_);
  TARN_RETURN_IF_ERROR(Begin(absl::StrCat("create ", path), Access::kWrite));
  if (!IsDirectory(ParentOf(path))) return NoSuch(path);
  std::shared_ptr<File>& file = names_[path];
  if (file == nullptr) file = std::make_shared<File>();
  file->content.clear();
  return std::make_unique<FaultWritableFile>(*this, file, path, life_);
}

absl::StatusOr<std::unique_ptr<base::RandomAccessFile>> FaultFileSystem::Open(
    const std::string& path) {
  absl::MutexLock lock(&mutex_);
  TARN_RETURN_IF_ERROR(Begin(absl::StrCat("open ", path), Access::kRead));
  TARN_ASSIGN_OR_RETURN(std::shared_ptr<File> file, Find(path));
  return std::make_unique<FaultRandomAccessFile>(*this, std::move(file), path);
}

absl::Status FaultFileSystem::Rename(const std::string& from, const std::string& to) {
  absl::MutexLock lock(&mutex_);
  TARN_RETURN_IF_ERROR(Begin(absl::StrCat("rename ", from, " ", to), Access::kWrite));
  if (!IsDirectory(ParentOf(to))) return NoSuch(to);
  if (directories_.contains(from)) {
    if (!PathsIn(to).empty()) return absl::InternalError(absl::StrCat(to, ": Directory not empty"));
    // Directories and what is below them move at once, and durably.
    const auto move_all = [&](auto& map) {
      const std::string below = from + "/";
      std::remove_reference_t<decltype(map)> moved;
      for (auto& [name, what] : map) {
        const bool inside = name == from || absl::StartsWith(name, below);
        moved[inside ? to + name.substr(from.size()) : name] = what;
      }
      map = std::move(moved);
    };
    move_all(directories_);
    move_all(names_);
    move_all(durable_names_);
    return absl::OkStatus();
  }
  TARN_ASSIGN_OR_RETURN(std::shared_ptr<File> file, Find(from));
  names_.erase(from);
  names_[to] = std::move(file);
  return absl::OkStatus();
}

absl::Status FaultFileSystem::Remove(const std::string& path) {
  absl::MutexLock lock(&mutex_);
  TARN_RETURN_IF_ERROR(Begin(absl::StrCat("remove ", path), Access::kWrite));
  if (directories_.contains(path)) {
    if (!PathsIn(path).empty())
      return absl::InternalError(absl::StrCat(path, ": Directory not empty"));
    directories_.erase(path);
    return absl::OkStatus();
  }
  return names_.erase(path) == 0 ? NoSuch(path) : absl::OkStatus();
}

absl::Status FaultFileSystem::RemoveRecursively(const std::string& path) {
  absl::MutexLock lock(&mutex_);
  TARN_RETURN_IF_ERROR(Begin(absl::StrCat("remove ", path), Access::kWrite));
  const std::string below = path + "/";
  const auto inside = [&](const auto& item) {
    return item.first == path || absl::StartsWith(item.first, below);
  };
  const size_t removed = std::erase_if(names_, inside) + std::erase_if(directories_, inside);
  return removed == 0 ? NoSuch(path) : absl::OkStatus();
}

absl::Status FaultFileSystem::CreateDirectories(const std::string& path) {
  absl::MutexLock lock(&mutex_);
  TARN_RETURN_IF_ERROR(Begin(absl::StrCat("mkdir ", path), Access::kWrite));
  for (std::string part = path; !IsDirectory(part); part = ParentOf(part)) {
    if (names_.contains(part)) return absl::InternalError(absl::StrCat(part, ": File exists"));
    directories_[part] = 0;
  }
  return absl::OkStatus();
}

absl::Status FaultFileSystem::SyncDirectory(const std::string& path) {
  absl::MutexLock lock(&mutex_);
  TARN_RETURN_IF_ERROR(Begin(absl::StrCat("syncdir ", path), Access::kWrite));
  if (!IsDirectory(path)) return NoSuch(path);
  std::erase_if(durable_names_, [&](const auto& item) { return ParentOf(item.first) == path; });
  for (const auto& [name, file] : names_) {
    if (ParentOf(name) == path) durable_names_[name] = file;
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<std::string>> FaultFileSystem::List(const std::string& path) {
  absl::MutexLock lock(&mutex_);
  TARN_RETURN_IF_ERROR(Begin(absl::StrCat("list ", path), Access::kRead));
  if (!IsDirectory(path)) return NoSuch(path);
  std::vector<std::string> names = PathsIn(path);
  for (std::string& name : names) name = name.substr(name.rfind('/') + 1);
  return names;
}

absl::StatusOr<bool> FaultFileSystem::Exists(const std::string& path) {
  absl::MutexLock lock(&mutex_);
  TARN_RETURN_IF_ERROR(Begin(absl::StrCat("exists ", path), Access::kRead));
  return names_.contains(path) || IsDirectory(path);
}

absl::StatusOr<base::DiskSpace> FaultFileSystem::Space(const std::string& path) {
  absl::MutexLock lock(&mutex_);
  TARN_RETURN_IF_ERROR(Begin(absl::StrCat("space ", path), Access::kRead));
  return space_;
}

absl::StatusOr<std::unique_ptr<base::FileLock>> FaultFileSystem::Lock(const std::string& path,
                                                                      absl::string_view holder) {
  absl::MutexLock lock(&mutex_);
  TARN_RETURN_IF_ERROR(Begin(absl::StrCat("lock ", path), Access::kWrite));
  const auto [held, taken] = locks_.emplace(path, std::string(holder));
  if (!taken)
    return absl::FailedPreconditionError(absl::StrCat(path, " is locked by ", held->second));
  return std::make_unique<FaultFileLock>(*this, path, life_);
}

}  // namespace tarn::testing
