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

// How an incarnation began.
struct StoreBeginning {
  Incarnation incarnation = 0;
  Revision newest = 0;  // The newest commit of the state it began with.
};

// The data directory of one daemon: DATA_DIR/LOCK (held by one process), DATA_DIR/store (the
// store's id, engine and format), DATA_DIR/incarnation, DATA_DIR/clock (the last persisted time),
// DATA_DIR/catalog (where its checkpoints are) and DATA_DIR/beginning (of the running incarnation).
// All are small text files with a version word first, replaced atomically; a damaged one is
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

  // The directory of the checkpoints that were last bound to this store; nothing before that.
  absl::StatusOr<std::optional<std::string>> ReadCatalogPath() const;
  absl::Status WriteCatalogPath(const std::string& path);

  // Nothing when it was never written.
  absl::StatusOr<std::optional<StoreBeginning>> ReadBeginning() const;
  absl::Status WriteBeginning(const StoreBeginning& beginning);

  const std::string& path() const { return path_; }

 private:
  DataDirectory(base::FileSystem& files, std::string path, std::unique_ptr<base::FileLock> lock);

  base::FileSystem& files_;
  const std::string path_;
  std::unique_ptr<base::FileLock> lock_;
};

// What a third place says of its store: a catalog of checkpoints.
struct StoreElsewhere {
  std::string place;                    // For people, such as "the checkpoint directory /x".
  std::optional<std::string> store_id;  // Nothing when it was never initialised.
  Incarnation highest = 0;              // That anything there was made in.
};

// Compares what engine, directory and the third place say, and returns the store's id with the
// highest incarnation any of them knows. When none is initialised, a new store is made; when only
// the third place is, its store goes on here. Then the directory names the store, with incarnation
// 0, before anything else does. FAILED_PRECONDITION naming both sides when two differ, or when one
// of engine and directory is initialised and the other is not. (The memory engine is empty at every
// start: the directory speaks for it. What a shared engine holds, a new directory joins.)
absl::StatusOr<StoreMeta> AgreeOnStore(Engine& engine, DataDirectory& directory,
                                       base::RandomSource& random, const StoreElsewhere& elsewhere);

// Starts `meta.incarnation`, durable in engine and directory before this returns.
absl::Status StartIncarnation(Engine& engine, DataDirectory& directory, const StoreMeta& meta);

// Both for a store that has no third place, in the next incarnation: 1 + the highest known.
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
