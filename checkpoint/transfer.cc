#include "checkpoint/transfer.h"

#include <algorithm>
#include <memory>

#include "absl/strings/str_cat.h"
#include "storage/base/error.h"
#include "storage/base/status.h"

namespace tarn::checkpoint {
namespace {

constexpr uint64_t kChunkBytes = 1 << 20;

absl::Status CopyFile(base::FileSystem& files, const std::string& from, const std::string& to,
                      const Progress& progress) {
  TARN_ASSIGN_OR_RETURN(const auto source, files.Open(from));
  TARN_ASSIGN_OR_RETURN(const uint64_t size, source->Size());
  TARN_ASSIGN_OR_RETURN(const auto target, files.Create(to));
  for (uint64_t offset = 0; offset < size; offset += kChunkBytes) {
    if (progress.cancel) return absl::CancelledError("the copying was cancelled");
    TARN_ASSIGN_OR_RETURN(const std::string chunk,
                          source->Read(offset, std::min(kChunkBytes, size - offset)));
    TARN_RETURN_IF_ERROR(target->Append(chunk));
  }
  TARN_RETURN_IF_ERROR(target->Sync());
  return target->Close();
}

absl::StatusOr<Header> Verify(const CatalogDirectory& directory, const std::string& path,
                              Progress& progress) {
  TARN_ASSIGN_OR_RETURN(const auto reader, CheckpointReader::Open(directory.files(), path,
                                                                  directory.reader_options()));
  progress.total_entries = reader->header().entries;
  progress.entries = 0;
  progress.bytes = 0;
  TARN_RETURN_IF_ERROR(reader->Verify(progress));
  return reader->header();
}

absl::StatusOr<CheckpointId> IdInCatalog(const Catalog& catalog, const Header& header,
                                         ImportRule rule, storage::Incarnation running) {
  const std::string own_store = catalog.store_id().value_or("");
  if (header.store_id != own_store) {
    if (rule == ImportRule::kAnyStore) return CheckpointId{header.store_id, header.number};
    return base::MakeError(absl::StatusCode::kFailedPrecondition, base::Reason::kOtherStore,
                           absl::StrCat("it is a checkpoint of store ", header.store_id,
                                        ", not of store ", own_store));
  }
  if (header.number.incarnation > running) {
    return base::MakeError(
        absl::StatusCode::kFailedPrecondition, base::Reason::kLaterIncarnation,
        absl::StrCat("it was made in incarnation ", header.number.incarnation,
                     " of this store, which has only come to incarnation ", running));
  }
  return CheckpointId{.number = header.number};
}

}  // namespace

absl::StatusOr<CheckpointInfo> ImportCheckpoint(Catalog& catalog, const std::string& path,
                                                ImportRule rule, storage::Incarnation running,
                                                Progress& progress) {
  const CatalogDirectory& directory = catalog.directory();
  progress.phase = "verifying";
  TARN_ASSIGN_OR_RETURN(const Header header, Verify(directory, path, progress));
  TARN_ASSIGN_OR_RETURN(const CheckpointId id, IdInCatalog(catalog, header, rule, running));
  const absl::StatusOr<CheckpointInfo> present = catalog.Get(id);
  if (present.ok() && present->health == Health::kIntact && present->header.root == header.root)
    return present;
  TARN_ASSIGN_OR_RETURN(Catalog::Draft draft, catalog.NewDraft(id));
  progress.phase = "copying";
  TARN_RETURN_IF_ERROR(CopyFile(directory.files(), path, draft.path(), progress));
  progress.phase = "verifying the copy";
  TARN_ASSIGN_OR_RETURN(const Header copied, Verify(directory, draft.path(), progress));
  if (copied.root != header.root)
    return absl::AbortedError(absl::StrCat(path, " was changed while it was imported"));
  return std::move(draft).Publish();
}

absl::Status ExportCheckpoint(const Catalog& catalog, const CheckpointId& id,
                              const std::string& path, Progress& progress) {
  const CatalogDirectory& directory = catalog.directory();
  TARN_ASSIGN_OR_RETURN(const CheckpointInfo info, catalog.Get(id));
  const std::string temporary = absl::StrCat(path, ".tmp");
  progress.phase = "copying";
  absl::Status status = CopyFile(directory.files(), info.path, temporary, progress);
  progress.phase = "verifying the copy";
  if (status.ok()) status = Verify(directory, temporary, progress).status();
  if (status.ok()) status = directory.files().Rename(temporary, path);
  if (status.ok()) return directory.files().SyncDirectory(std::string(base::DirectoryOf(path)));
  directory.files().Remove(temporary).IgnoreError();
  return status;
}

}  // namespace tarn::checkpoint
