// The files of a catalog, one at a time. What they are together is the catalog's business.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "checkpoint/checkpoint_id.h"
#include "checkpoint/format.h"
#include "checkpoint/reader.h"
#include "storage/base/clock.h"
#include "storage/base/file_system.h"

namespace tarn::checkpoint {

// What is known of a checkpoint without reading its blocks.
enum class Health {
  kIntact,       // Size, header, index and root are right, and it is what its name says.
  kDamaged,      // It proves to be something else than what was written under that name.
  kOtherStore,   // An intact checkpoint, but of another store than its name says.
  kNewerFormat,  // For a newer program to read.
  kUnreadable,   // The file system failed; the next time it may not.
};

// Why retention may not touch a checkpoint.
struct Pin {
  std::string reason;
  base::UnixMs time = 0;
};

struct CheckpointInfo {
  CheckpointId id;
  std::string path;
  uint64_t file_bytes = 0;  // 0 when even that is not known.
  Health health = Health::kIntact;
  absl::Status problem;  // Says why when it is not intact.
  Header header;         // Means something only when it is intact.
  std::optional<Pin> pin;
};

// A line of at most 256 bytes that people will read; INVALID_ARGUMENT for anything else.
absl::Status CheckPinReason(absl::string_view reason);

// Thread-safe as far as different files are concerned.
class CatalogDirectory {
 public:
  CatalogDirectory(base::FileSystem& files, std::string path, const ReaderOptions& options)
      : files_(files), path_(std::move(path)), options_(options) {}

  const std::string& path() const { return path_; }
  std::string PathOf(const CheckpointId& id, CatalogFileKind kind) const;

  // The files in it that are a catalog's; anybody else's are passed over.
  absl::StatusOr<std::vector<CatalogFileName>> List() const;

  // Looks at size, header, index and root of the file `path`, which should hold `id`. The store
  // that `id` leaves open is `own_store`; any when that is empty.
  CheckpointInfo Inspect(const CheckpointId& id, const std::string& path,
                         absl::string_view own_store) const;

  // The id of the store whose catalog this is; nothing when it has none yet. DATA_LOSS when the
  // file that says so is damaged.
  absl::StatusOr<std::optional<std::string>> ReadStore() const;
  absl::Status WriteStore(absl::string_view store_id) const;

  // Nothing when it is not pinned. A pin that cannot be read is one with a reason that says so:
  // what may be pinned is not deleted.
  std::optional<Pin> ReadPin(const CheckpointId& id) const;
  absl::Status WritePin(const CheckpointId& id, const Pin& pin) const;

  // OK also when there is no such file.
  absl::Status Remove(const CheckpointId& id, CatalogFileKind kind) const;
  // Removes what was never published, except the files of these.
  absl::Status Sweep(const std::set<CheckpointId>& in_use) const;
  absl::Status Rename(const CheckpointId& id, CatalogFileKind from, CatalogFileKind to) const;
  absl::Status Sync() const { return files_.SyncDirectory(path_); }

  base::FileSystem& files() const { return files_; }
  const ReaderOptions& reader_options() const { return options_; }

 private:
  base::FileSystem& files_;
  const std::string path_;
  const ReaderOptions options_;
};

}  // namespace tarn::checkpoint
