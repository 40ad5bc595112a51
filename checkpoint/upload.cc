#include "checkpoint/upload.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "checkpoint/format.h"
#include "storage/base/error.h"
#include "storage/base/status.h"

namespace tarn::checkpoint {
namespace {

constexpr uint64_t kMaxFileBytes = uint64_t{1} << 62;  // So that no sum of sizes overflows.

absl::Status NotACheckpoint(absl::string_view what) {
  return base::MakeError(absl::StatusCode::kDataLoss, base::Reason::kDataLoss,
                         absl::StrCat("what was sent is not a checkpoint: ", what));
}

}  // namespace

absl::StatusOr<std::unique_ptr<CheckpointUpload>> CheckpointUpload::Begin(Catalog& catalog,
                                                                          const Options& options) {
  Catalog::Draft draft = catalog.NewDraft(options.running);
  TARN_ASSIGN_OR_RETURN(auto file, catalog.directory().files().Create(draft.path()));
  return std::unique_ptr<CheckpointUpload>(
      new CheckpointUpload(catalog, options, std::move(draft), std::move(file)));
}

absl::Status CheckpointUpload::Append(absl::string_view bytes) {
  received_ += bytes.size();
  if (file_bytes_ == 0) TARN_RETURN_IF_ERROR(TakeHead(bytes));
  if (file_bytes_ != 0 && received_ > file_bytes_)
    return NotACheckpoint(absl::StrCat("there is more than the ", file_bytes_, " bytes it says"));
  return file_->Append(bytes);
}

absl::Status CheckpointUpload::TakeHead(absl::string_view bytes) {
  head_.append(bytes.data(), std::min(bytes.size(), kHeaderBytes - head_.size()));
  if (head_.size() < kHeaderBytes) return absl::OkStatus();
  const absl::StatusOr<Header> header = DecodeHeader(head_);
  if (absl::IsDataLoss(header.status())) return NotACheckpoint(header.status().message());
  TARN_RETURN_IF_ERROR(header.status());
  if (header->index_offset < kHeaderBytes || header->index_offset > kMaxFileBytes ||
      header->index_bytes > kMaxFileBytes) {
    return NotACheckpoint("its sizes are impossible");
  }
  file_bytes_ = header->index_offset + header->index_bytes;
  return CheckSpace();
}

absl::Status CheckpointUpload::CheckSpace() const {
  TARN_ASSIGN_OR_RETURN(const base::DiskSpace space, catalog_.Space());
  if (space.free_bytes / 2 >= file_bytes_ &&
      space.free_bytes - 2 * file_bytes_ >= options_.min_free_bytes) {
    return absl::OkStatus();
  }
  return base::MakeError(
      absl::StatusCode::kResourceExhausted, base::Reason::kDiskFull,
      absl::StrCat("importing ", file_bytes_, " bytes needs twice that and ",
                   options_.min_free_bytes, " more on the disk, which has ", space.free_bytes));
}

absl::StatusOr<CheckpointInfo> CheckpointUpload::Import(Progress& progress) && {
  if (file_bytes_ == 0 || received_ != file_bytes_)
    return NotACheckpoint(absl::StrCat("it ends after ", received_, " bytes"));
  TARN_RETURN_IF_ERROR(file_->Close());
  return ImportCheckpoint(catalog_, draft_.path(), options_.rule, options_.running, progress);
}

}  // namespace tarn::checkpoint
