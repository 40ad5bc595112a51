// Reads a range of a snapshot from Redis, one stretch behind the other.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "storage/redis/core.h"
#include "storage/redis/ghosts.h"
#include "storage/redis/index_scan.h"
#include "storage/redis/record_reader.h"
#include "storage/redis/snapshots.h"
#include "storage/snapshot.h"

namespace tarn::storage::redis {

// Entries of a snapshot in order, all that there are in a stretch of keys; what has expired is
// among them. Immutable.
struct Chunk {
  std::vector<EntryView> entries;
  size_t bytes = 0;
  bool at_end = false;  // Of the range.

  // What the entries view.
  std::shared_ptr<std::vector<Place>> places;
  Records records;
  Overlay::Images images;
};

using ChunkPtr = std::shared_ptr<const Chunk>;

// The loop's thread's. Keeps the snapshot's view, not the registry.
class ChunkReader : public std::enable_shared_from_this<ChunkReader> {
 public:
  ChunkReader(Core& core, SnapshotRegistry& registry, Ghosts& ghosts, SnapshotViewPtr view,
              const KeyRange& range, const ScanOptions& options);

  // The next stretch, of about so many keys, or fewer where values are large; it may hold no entry.
  // The error is the snapshot's when that was ended. After an error it may be asked again. One call
  // at a time.
  using Done = absl::AnyInvocable<void(absl::StatusOr<ChunkPtr>) &&>;
  void Next(size_t wanted, Done done);

 private:
  void ReadPlaces(size_t wanted, Done done);
  void ReadRecords(size_t wanted, Done done);
  void Await(std::shared_ptr<Chunk> chunk, Done done);
  absl::StatusOr<ChunkPtr> Assemble(const std::shared_ptr<Chunk>& chunk);
  absl::Status Fill(Chunk& chunk);
  absl::Status AddStored(const Chunk& chunk, size_t index, std::vector<EntryView>& entries);
  static absl::Status AddEntry(absl::string_view member, absl::string_view record,
                               std::vector<EntryView>& entries);
  // What was not read of the chunk's places is read next.
  void GiveBack(Chunk& chunk, size_t from);
  // What the stretch up to the last of its places covers.
  MemberRange Covered(const Chunk& chunk) const;
  void Advance(const MemberRange& covered);

  Core& core_;
  SnapshotRegistry& registry_;
  Ghosts& ghosts_;
  const SnapshotViewPtr view_;
  const ScanOptions options_;
  MemberRange left_;  // Of the range.
  const std::shared_ptr<IndexScan> scan_;
  const std::shared_ptr<RecordReader> reader_;

  std::vector<Place> places_;  // From the scan, in the order of the range; taken up to
  size_t taken_ = 0;           // here.
};

}  // namespace tarn::storage::redis
