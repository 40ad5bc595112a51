// Writes a snapshot to a checkpoint file.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "checkpoint/compression.h"
#include "checkpoint/format.h"
#include "checkpoint/progress.h"
#include "storage/base/file_system.h"
#include "storage/snapshot.h"

namespace tarn::checkpoint {

struct WriterOptions {
  Compression compression;
  size_t block_bytes = 256 << 10;  // Before compression. Larger ones shrink hardly better and cost
                                   // more to read one key of.
  int threads = 2;                 // Each takes key ranges and does every stage for them.
};

// A namespace to be written: its number in the engine and its name.
struct NamedNamespace {
  storage::NamespaceId id = 0;
  std::string name;
};

// What a checkpoint says of where it comes from.
struct Origin {
  std::string store_id;
  CheckpointNumber number;
  std::string engine;
  base::UnixMs create_time = 0;
};

// The namespaces that a snapshot shows, in order of name, from the system section.
absl::StatusOr<std::vector<NamedNamespace>> ReadNamespaces(storage::Snapshot& snapshot);

// Writes everything that `snapshot` shows, as of its time, to the file `path`, and syncs it. Blocks
// for as long as that takes. Returns the header as written, root included. On an error (the
// snapshot's, the file system's, or CANCELLED) the file may be left half-written: the caller
// removes it.
absl::StatusOr<Header> WriteCheckpoint(storage::Snapshot& snapshot, const Origin& origin,
                                       const WriterOptions& options, base::FileSystem& files,
                                       const std::string& path, Progress& progress);

}  // namespace tarn::checkpoint
