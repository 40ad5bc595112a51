// What a restore of a range was about to do, for the start after a crash.
#pragma once

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "checkpoint/checkpoint_id.h"
#include "storage/base/file_system.h"
#include "storage/base/sha256.h"
#include "storage/revision.h"

namespace tarn::checkpoint {

// A checkpoint, and proof that it is still the same one.
struct ProvenCheckpoint {
  CheckpointId id;
  base::Sha256Digest root{};
};

struct RestoreIntent {
  ProvenCheckpoint target;  // The range becomes what it is in this one...
  ProvenCheckpoint safety;  // ...or, if that cannot be, what it was: this has the state before.
  std::string ns;
  std::string start;
  std::string end;  // Empty: up to the last key.
  // Of the last commit that belongs to it; 0 while it is under way. A store that has come at least
  // so far has all of it.
  storage::Revision done_at = 0;
};

// One small text file, replaced atomically and durably. Not thread-safe.
class RestoreJournal {
 public:
  RestoreJournal(base::FileSystem& files, std::string path)
      : files_(files), path_(std::move(path)) {}

  const std::string& path() const { return path_; }

  // Nothing when there is none. DATA_LOSS naming the file when it is damaged.
  absl::StatusOr<std::optional<RestoreIntent>> Read() const;
  absl::Status Write(const RestoreIntent& intent);
  // OK also when there is none.
  absl::Status Clear();

 private:
  base::FileSystem& files_;
  const std::string path_;
};

}  // namespace tarn::checkpoint
