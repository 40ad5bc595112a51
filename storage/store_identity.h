// Who this store is: the rules that keep two stores from being taken for one another, and revisions
// from ever going back.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "storage/base/file_system.h"
#include "storage/base/random.h"
#include "storage/engine.h"

namespace tarn::storage {

// The data directory of one daemon: DATA_DIR/LOCK (held by one process), DATA_DIR/store (the
// store's id, engine and format), DATA_DIR/incarnation and DATA_DIR/clock (the last persisted
// time). All are small text files with a version word first, replaced atomically; a damaged one is
// DATA_LOSS and names itself.
class DataDirectory {
 public:
  // Creates the directory if need be, and locks it. FAILED_PRECONDITION naming the holder when
  // another daemon has it.
  static absl::StatusOr<std::unique_ptr<DataDirectory>> Open(base::FileSystem& files,
                                                             const std::string& path,
                                                             absl::string_view holder);

  // What the directory says of its store; nothing when it was never initialised. Incarnation 0: its
  // very first start did not get as far as the engine.
  absl::StatusOr<std::optional<StoreMeta>> ReadMeta() const;
  absl::Status WriteMeta(const StoreMeta& meta, absl::string_view engine);

  // FAILED_PRECONDITION when the directory was initialised by another engine, naming both.
  absl::Status CheckEngine(absl::string_view engine) const;

  absl::StatusOr<base::UnixMs> ReadClock() const;  // 0 when never written.
  absl::Status WriteClock(base::UnixMs now);

  const std::string& path() const { return path_; }

 private:
  DataDirectory(base::FileSystem& files, std::string path, std::unique_ptr<base::FileLock> lock);

  base::FileSystem& files_;
  const std::string path_;
  std::unique_ptr<base::FileLock> lock_;
};

// Compares what the engine and the directory say, and starts the next incarnation: 1 + the highest
// either knows, durable in both before this returns. When both are empty, a new store is made.
// FAILED_PRECONDITION naming both sides when one is initialised and the other is not or differs.
// (The memory engine is empty at every start: the directory speaks for it.)
absl::StatusOr<StoreMeta> OpenStoreIdentity(Engine& engine, DataDirectory& directory,
                                            base::RandomSource& random);

// Persists that the incarnation after `meta.incarnation` is used up too, in both places. Called
// long before the 40-bit counter of the running one carries over into it.
absl::Status ReserveNextIncarnation(Engine& engine, DataDirectory& directory,
                                    const StoreMeta& meta);

// Does that once `newest`, the newest revision, has used up half of its incarnation's counter,
// unless it is done already. To be called now and then (at a million commits a second, half of a
// counter lasts six days); costs nothing before that.
absl::Status KeepIncarnationReserved(Engine& engine, DataDirectory& directory, Revision newest);

}  // namespace tarn::storage
