#include "storage/base/file_system.h"

#include "absl/strings/str_cat.h"
#include "storage/base/status.h"

namespace tarn::base {
namespace {

absl::Status WriteAndSync(FileSystem& files, const std::string& path, absl::string_view content) {
  TARN_ASSIGN_OR_RETURN(const std::unique_ptr<WritableFile> file, files.Create(path));
  TARN_RETURN_IF_ERROR(file->Append(content));
  TARN_RETURN_IF_ERROR(file->Sync());
  return file->Close();
}

}  // namespace

absl::StatusOr<std::string> ReadFile(FileSystem& files, const std::string& path, size_t max_bytes) {
  TARN_ASSIGN_OR_RETURN(const std::unique_ptr<RandomAccessFile> file, files.Open(path));
  TARN_ASSIGN_OR_RETURN(const uint64_t size, file->Size());
  if (size > max_bytes) {
    return absl::OutOfRangeError(
        absl::StrCat(path, " has ", size, " bytes, at most ", max_bytes, " are expected"));
  }
  return file->Read(0, size);
}

absl::Status ReplaceFile(FileSystem& files, const std::string& path, absl::string_view content) {
  const std::string temporary = absl::StrCat(path, ".tmp");
  absl::Status status = WriteAndSync(files, temporary, content);
  if (status.ok()) status = files.Rename(temporary, path);
  if (!status.ok()) {
    // It may never have come to be; what counts is the first error. The next attempt empties what
    // stays.
    files.Remove(temporary).IgnoreError();
    return status;
  }
  return files.SyncDirectory(std::string(DirectoryOf(path)));
}

absl::string_view DirectoryOf(absl::string_view path) {
  const size_t slash = path.rfind('/');
  if (slash == absl::string_view::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

std::string JoinPath(absl::string_view directory, absl::string_view name) {
  return absl::StrCat(directory, "/", name);
}

}  // namespace tarn::base
