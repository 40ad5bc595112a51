#include "tests/storage/rocksdb/fault_env.h"

#include <utility>

#include "absl/strings/match.h"
#include "rocksdb/file_system.h"

namespace tarn::testing {

using rocksdb::IOStatus;

// A file that fails as the environment says.
class FaultEnv::File final : public rocksdb::FSWritableFileOwnerWrapper {
 public:
  File(const FaultEnv& faults, std::string path, std::unique_ptr<rocksdb::FSWritableFile> file)
      : rocksdb::FSWritableFileOwnerWrapper(std::move(file)), faults_(faults), path_(path) {}

  IOStatus Append(const rocksdb::Slice& data, const rocksdb::IOOptions& options,
                  rocksdb::IODebugContext* context) override {
    if (faults_.Applies(Fault::kAppendFails, path_)) return IOStatus::IOError("injected");
    if (faults_.Applies(Fault::kDiskFull, path_)) {
      const rocksdb::Slice half(data.data(), data.size() / 2);
      FSWritableFileOwnerWrapper::Append(half, options, context).PermitUncheckedError();
      return IOStatus::NoSpace("injected");
    }
    return FSWritableFileOwnerWrapper::Append(data, options, context);
  }
  IOStatus Append(const rocksdb::Slice& data, const rocksdb::IOOptions& options,
                  const rocksdb::DataVerificationInfo&, rocksdb::IODebugContext* context) override {
    return Append(data, options, context);
  }
  IOStatus Sync(const rocksdb::IOOptions& options, rocksdb::IODebugContext* context) override {
    const IOStatus status = SyncFault();
    return status.ok() ? FSWritableFileOwnerWrapper::Sync(options, context) : status;
  }
  IOStatus Fsync(const rocksdb::IOOptions& options, rocksdb::IODebugContext* context) override {
    const IOStatus status = SyncFault();
    return status.ok() ? FSWritableFileOwnerWrapper::Fsync(options, context) : status;
  }

 private:
  IOStatus SyncFault() const {
    if (faults_.Applies(Fault::kSyncFails, path_)) return IOStatus::IOError("injected");
    if (faults_.Applies(Fault::kSyncDiskFull, path_)) return IOStatus::NoSpace("injected");
    return IOStatus::OK();
  }

  const FaultEnv& faults_;
  const std::string path_;
};

class FaultEnv::Files final : public rocksdb::FileSystemWrapper {
 public:
  explicit Files(const FaultEnv& faults)
      : rocksdb::FileSystemWrapper(rocksdb::FileSystem::Default()), faults_(faults) {}

  const char* Name() const override { return "faults"; }

  IOStatus NewWritableFile(const std::string& path, const rocksdb::FileOptions& options,
                           std::unique_ptr<rocksdb::FSWritableFile>* result,
                           rocksdb::IODebugContext* context) override {
    std::unique_ptr<rocksdb::FSWritableFile> file;
    IOStatus status = FileSystemWrapper::NewWritableFile(path, options, &file, context);
    if (status.ok()) *result = std::make_unique<File>(faults_, path, std::move(file));
    return status;
  }

 private:
  const FaultEnv& faults_;
};

FaultEnv::FaultEnv() : env_(rocksdb::NewCompositeEnv(std::make_shared<Files>(*this))) {}

FaultEnv::~FaultEnv() = default;

void FaultEnv::Fail(Fault fault, const std::string& part) {
  part_ = part;
  fault_ = fault;
}

bool FaultEnv::Applies(Fault fault, const std::string& path) const {
  return fault_ == fault && absl::StrContains(path.substr(path.rfind('/') + 1), part_);
}

}  // namespace tarn::testing
