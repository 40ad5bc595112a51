// A checkpoint that comes into a catalog piece by piece.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "checkpoint/catalog.h"
#include "checkpoint/progress.h"
#include "checkpoint/transfer.h"
#include "storage/base/file_system.h"

namespace tarn::checkpoint {

// Gathers the pieces in a temporary file of the catalog: the file of a draft whose number nothing
// else will ever have, so that it is removed on every way out, and swept after a crash. Not
// thread-safe; blocks on the file system.
class CheckpointUpload {
 public:
  struct Options {
    ImportRule rule = ImportRule::kOwnStore;
    storage::Incarnation running = 0;    // See ImportCheckpoint.
    uint64_t min_free_bytes = 64 << 20;  // Left on the disk for everybody else.
  };

  static absl::StatusOr<std::unique_ptr<CheckpointUpload>> Begin(Catalog& catalog,
                                                                 const Options& options);

  // The next bytes. Once the header is there: DATA_LOSS when it is none, or when more comes than it
  // says; FAILED_PRECONDITION (NEWER_FORMAT); RESOURCE_EXHAUSTED (DISK_FULL) when there is not room
  // for all of it twice, which proving it in its place takes. After an error it must be given up.
  absl::Status Append(absl::string_view bytes);

  // As ImportCheckpoint, when all has come; DATA_LOSS when not.
  absl::StatusOr<CheckpointInfo> Import(Progress& progress) &&;

 private:
  CheckpointUpload(Catalog& catalog, const Options& options, Catalog::Draft draft,
                   std::unique_ptr<base::WritableFile> file)
      : catalog_(catalog), options_(options), draft_(std::move(draft)), file_(std::move(file)) {}

  absl::Status TakeHead(absl::string_view bytes);
  absl::Status CheckSpace() const;

  Catalog& catalog_;
  const Options options_;
  const Catalog::Draft draft_;  // Destroyed after the file is closed.
  std::unique_ptr<base::WritableFile> file_;
  std::string head_;
  uint64_t file_bytes_ = 0;  // As the header says; 0 until it is there.
  uint64_t received_ = 0;
};

}  // namespace tarn::checkpoint
