// The databases in the engine's directory: which one is in use, and how another takes its place.
//
//   CURRENT_DB   one line: "tarn-rocksdb 1 ready db-3", or "... creating db-1" during the first
//   start db-<n>       a RocksDB database; all but the one named are left-overs, and removed at
//   start
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "storage/base/file_system.h"

namespace tarn::storage::rocks {

// What CURRENT_DB says.
struct Pointer {
  enum class State { kCreating, kReady };
  State state = State::kReady;
  std::string name;
};

std::string EncodePointer(const Pointer& pointer);
// Nothing when the line is not one of this version; see FormatOfPointer.
std::optional<Pointer> DecodePointer(absl::string_view content);
// The version it was written in; nothing when it is no pointer at all.
std::optional<uint64_t> FormatOfPointer(absl::string_view content);

// Not thread-safe, but for NewPath; the engine calls it when it starts and from its writer.
class Generations {
 public:
  // Creates the directory when there is none, and removes left-overs. DATA_LOSS when there are
  // databases and no pointer, or a damaged one, or one to a database that is gone.
  static absl::StatusOr<std::unique_ptr<Generations>> Open(base::FileSystem& files,
                                                           const std::string& directory);

  // The database in use does not exist yet: make it, then call FinishCreation.
  bool creating() const { return pointer_.state == Pointer::State::kCreating; }
  absl::Status FinishCreation();

  std::string current_path() const;

  // A path for a new database; none of the same name was there before. Thread-safe.
  std::string NewPath();

  // Makes the complete and closed database at `path` the one in use, at once and durably. After an
  // error the old one still is, unless the error is DATA_LOSS: then it is not known which.
  absl::Status SwitchTo(const std::string& path);

 private:
  Generations(base::FileSystem& files, std::string directory)
      : files_(files), directory_(std::move(directory)) {}

  absl::Status Load();
  absl::Status Begin();
  absl::Status RemoveLeftOvers();
  absl::Status WritePointer(const Pointer& pointer);

  base::FileSystem& files_;
  const std::string directory_;
  Pointer pointer_;
  std::atomic<uint64_t> newest_number_{0};
};

}  // namespace tarn::storage::rocks
