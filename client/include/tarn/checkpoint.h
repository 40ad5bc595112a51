// The store's checkpoints: making them, proving them, looking into them, and going back to them.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "tarn/connection.h"
#include "tarn/job.h"
#include "tarn/options.h"
#include "tarn/types.h"

namespace tarn {

// Stands for the newest checkpoint of the store that is intact, where a call may say so.
inline constexpr char kLatestCheckpoint[] = "latest";

// What is known of a checkpoint without reading all of it.
enum class CheckpointHealth {
  kUnknown,
  kIntact,      // Size, header, index and root are right, and it is what its name says.
  kDamaged,     // It is not what was written under that name.
  kOtherStore,  // An intact checkpoint of another store than its name says.
  kNewerFormat,
  kUnreadable,  // The file system failed; the next time it may not.
};

// What retention does with a checkpoint.
enum class RetentionFate { kUnknown, kKeep, kDelete };

// A complete copy of the state at one revision.
struct Checkpoint {
  std::string id;  // "00000007-0000000042": incarnation and sequence; of another store with that
                   // store's id and a dash before it.
  std::string store_id;
  uint64_t incarnation = 0;
  uint64_t sequence = 0;
  Revision revision = 0;  // The state is that of this revision.
  Timestamp create_time;
  Timestamp as_of_time;  // When expiry was judged.
  std::string engine;
  uint64_t entry_count = 0;
  uint64_t size_bytes = 0;  // Of keys and values.
  uint64_t file_bytes = 0;
  std::string codec;  // "lz4", "zstd:3".
  std::string root;   // Hexadecimal. These bytes are what was written.
  std::string
      content_digest;  // Hexadecimal. The same for the same state, whatever engine and codec.
  CheckpointHealth health = CheckpointHealth::kUnknown;
  std::string
      problem;  // Why it is not intact. Then only id, file_bytes and the pin mean something.
  std::string pin_reason;             // Empty = it is not pinned.
  std::optional<Timestamp> pin_time;  // None = it is not pinned.
  RetentionFate fate = RetentionFate::kUnknown;
  std::string why_kept;  // "newest, hourly", "pinned: before the migration", "over the byte limit".
};

struct CheckpointList {
  std::vector<Checkpoint> checkpoints;       // From oldest to newest, those of other stores last.
  std::vector<std::string> quarantined_ids;  // Set aside as damaged, and still on the disk.
};

// Whether nothing was committed since the newest checkpoint makes another one superfluous.
enum class WhenUnchanged { kConfirmNewest, kCreateAnother };

struct CreateCheckpointParams {
  WhenUnchanged when_unchanged = WhenUnchanged::kConfirmNewest;
  std::string pin_reason;  // One line of at most 256 bytes; empty = not pinned.
  Timeout timeout;
};

enum class RestoreMode { kRestore, kValidateOnly };

// Whether the state that a restore gives up is checkpointed and pinned before.
enum class SafetyCheckpoint { kMake, kSkip };

// A part of one namespace.
struct RestoreRange {
  std::string ns;  // Empty means "default".
  KeyRange keys;
};

struct RestoreCheckpointParams {
  std::string id;  // "latest" too: then, when it turns out to be damaged, the next older one that
                   // is not.
  RestoreMode mode = RestoreMode::kRestore;
  SafetyCheckpoint safety = SafetyCheckpoint::kMake;
  std::optional<RestoreRange> range;  // Only these keys; nullopt = everything.
  Timeout timeout;                    // Of asking for it, not of the work.
};

struct GetCheckpointEntryParams {
  std::string id;  // "latest" too.
  std::string ns;  // Empty means "default".
  std::string key;
  Timeout timeout;
};

struct CheckpointEntryResult {
  bool found = false;
  std::string value;
  Revision revision = 0;
  std::optional<Timestamp> expire_time;  // Whether or not it has passed by now.
  std::string checkpoint_id;             // The checkpoint that was read.
};

enum class DiffContent { kKeys, kCountsOnly };

struct DiffCheckpointsParams {
  std::string from_id;  // "latest" too.
  std::string to_id;    // "latest" too.
  std::string ns;       // Only this namespace; empty = all.
  DiffContent content = DiffContent::kKeys;
  Timeout timeout;  // Of the whole diff; unset = none.
};

enum class CheckpointChangeKind {
  kUnknown,
  kAdded,    // Only in the second.
  kRemoved,  // Only in the first.
  kChanged,  // In both, with another value or deadline; revisions do not count.
};

struct CheckpointChange {
  CheckpointChangeKind kind = CheckpointChangeKind::kUnknown;
  std::string ns;
  std::string key;
};

struct CheckpointDiffTotals {
  uint64_t added_count = 0;
  uint64_t removed_count = 0;
  uint64_t changed_count = 0;
  uint64_t same_count = 0;
};

// Some changes that follow each other, or at last the totals.
struct CheckpointDiffChunk {
  std::vector<CheckpointChange> changes;
  std::optional<CheckpointDiffTotals> totals;
};

// Where a diff's changes come from. For those who derive a CheckpointConnection; used by one thread
// at a time.
class CheckpointDiffSource {
 public:
  virtual ~CheckpointDiffSource() = default;
  // The next chunk; nullopt at the end. After an error or the end it is not called again.
  virtual absl::StatusOr<std::optional<CheckpointDiffChunk>> Next() = 0;
};

// The keys that differ between two checkpoints, by namespace and in key order, fetched as they are
// read. Used by one thread at a time.
class CheckpointDiff {
 public:
  explicit CheckpointDiff(std::unique_ptr<CheckpointDiffSource> source)
      : source_(std::move(source)) {}

  // The next one, nullopt at the end, or why there is none; after that nullopt.
  absl::StatusOr<std::optional<CheckpointChange>> Next();

  // How many there are of each kind; known at the end, nullopt before.
  const std::optional<CheckpointDiffTotals>& totals() const { return totals_; }

 private:
  std::unique_ptr<CheckpointDiffSource> source_;  // Null after the end.
  std::vector<CheckpointChange> changes_;
  size_t next_ = 0;
  std::optional<CheckpointDiffTotals> totals_;
};

struct ExportCheckpointParams {
  std::string id;   // "latest" too.
  Timeout timeout;  // Of the whole export; unset = none.
};

// A piece of a file.
struct CheckpointFileChunk {
  std::optional<Checkpoint> checkpoint;  // In the first one only: whose file it is.
  std::string data;
};

// Where the bytes of an export come from. Used by one thread at a time.
class CheckpointExport {
 public:
  virtual ~CheckpointExport() = default;
  // The next piece; nullopt at the end of the file, and only then is it complete. After an error or
  // the end it is not called again. It may take a while to begin: the server proves the file first.
  virtual absl::StatusOr<std::optional<CheckpointFileChunk>> Next() = 0;
};

// Which checkpoints an import takes.
enum class ImportFrom {
  kOwnStore,  // Else FAILED_PRECONDITION, OTHER_STORE.
  kAnyStore,  // One of another store is restored only by its id, and counts for nothing else.
};

struct ImportCheckpointParams {
  ImportFrom from = ImportFrom::kOwnStore;
  // Called on the caller's thread for the next bytes of the file, of any number; empty at its end.
  // An error ends the import, and is what it answers.
  std::function<absl::StatusOr<std::string>()> read;
  Timeout timeout;  // Of the whole import; unset = none.
};

// What CheckpointClient stands on; derive from it for tests. Thread-safe. A method that is not
// overridden is UNIMPLEMENTED.
class CheckpointConnection {
 public:
  virtual ~CheckpointConnection() = default;
  virtual absl::StatusOr<Job> CreateCheckpoint(CreateCheckpointParams params);
  virtual absl::StatusOr<Checkpoint> GetCheckpoint(std::string id, Timeout timeout);
  virtual absl::StatusOr<CheckpointList> ListCheckpoints(Timeout timeout);
  virtual absl::StatusOr<Job> VerifyCheckpoint(std::string id, Timeout timeout);
  virtual absl::Status DeleteCheckpoint(std::string id, Timeout timeout);
  virtual absl::StatusOr<Checkpoint> PinCheckpoint(std::string id, std::string reason,
                                                   Timeout timeout);
  virtual absl::StatusOr<Checkpoint> UnpinCheckpoint(std::string id, Timeout timeout);
  virtual absl::StatusOr<Job> RestoreCheckpoint(RestoreCheckpointParams params);
  virtual absl::StatusOr<CheckpointEntryResult> GetCheckpointEntry(GetCheckpointEntryParams params);
  // Neither is ever null. Errors come with what is read first.
  virtual std::unique_ptr<CheckpointDiffSource> DiffCheckpoints(DiffCheckpointsParams params);
  virtual std::unique_ptr<CheckpointExport> ExportCheckpoint(ExportCheckpointParams params);
  virtual absl::StatusOr<Checkpoint> ImportCheckpoint(ImportCheckpointParams params);
};

absl::StatusOr<std::shared_ptr<CheckpointConnection>> MakeCheckpointConnection(
    const ClientOptions& options);

// Manages the checkpoints of a server. A handle, cheap to copy. Thread-safe. Calls that change
// something are only for loopback peers and for the certificate names on the server's list (else
// PERMISSION_DENIED). Any of them is FAILED_PRECONDITION, CHECKPOINTS_DISABLED on a server without
// checkpoints; those that name one are INVALID_ARGUMENT, INVALID_CHECKPOINT_ID or NOT_FOUND,
// CHECKPOINT_NOT_FOUND, and those that read one DATA_LOSS or FAILED_PRECONDITION, NEWER_FORMAT.
//
// What takes long is a job of the server: the call answers at once, and whether the work was done
// is what the job says. tarn/job.h waits for it.
//
//   absl::StatusOr<Job> job = checkpoints.Create({.pin_reason = "before the migration"});
//   if (job.ok()) job = jobs.Wait(job->id);
//   if (job.ok() && job->state == JobState::kSucceeded) Use(job->result);  // The checkpoint's id.
class CheckpointClient {
 public:
  // As Client::Connect.
  static absl::StatusOr<CheckpointClient> Connect(const ClientOptions& options = {});

  explicit CheckpointClient(std::shared_ptr<CheckpointConnection> connection)
      : connection_(std::move(connection)) {}

  // Begins to create a checkpoint; the job's result will be its id. Requests that wait share one.
  // Idempotent in effect, and repeated by itself unless it pins: then a repetition could leave two
  // that are never removed.
  absl::StatusOr<Job> Create(CreateCheckpointParams params = {}) const;

  // A checkpoint; "latest" too. Idempotent.
  absl::StatusOr<Checkpoint> Get(std::string id, Timeout timeout = {}) const;

  // All of them. Idempotent.
  absl::StatusOr<CheckpointList> List(Timeout timeout = {}) const;

  // Begins to prove every byte of a checkpoint; "latest" too. The job fails with DATA_LOSS when it
  // is damaged; then it is set aside and never restored. Idempotent.
  absl::StatusOr<Job> Verify(std::string id, Timeout timeout = {}) const;

  // Deletes a checkpoint. FAILED_PRECONDITION: CHECKPOINT_PINNED, LAST_CHECKPOINT. Not idempotent:
  // a repetition is CHECKPOINT_NOT_FOUND.
  absl::Status Delete(std::string id, Timeout timeout = {}) const;

  // Keeps a checkpoint from retention and deletion, with a reason for people; "latest" too.
  // Replaces an earlier reason. INVALID_ARGUMENT, INVALID_PIN. Idempotent.
  absl::StatusOr<Checkpoint> Pin(std::string id, std::string reason, Timeout timeout = {}) const;

  // Takes the pin off; OK also when there is none. Idempotent.
  absl::StatusOr<Checkpoint> Unpin(std::string id, Timeout timeout = {}) const;

  // Begins to bring the state, or a part of it, back to what it was in a checkpoint; the job's
  // result will be the id of the one that was restored. A job that fails or is cancelled has
  // changed nothing. FAILED_PRECONDITION, RESTORE_RUNNING. Not repeated by itself when the outcome
  // is unknown: a second restore would undo what was written after the first; validation is.
  absl::StatusOr<Job> Restore(RestoreCheckpointParams params) const;

  // Reads one entry of the past, without restoring anything. Idempotent.
  absl::StatusOr<CheckpointEntryResult> GetEntry(GetCheckpointEntryParams params) const;

  // Compares two checkpoints. Repeated by itself until the first change has arrived.
  CheckpointDiff Diff(DiffCheckpointsParams params) const;

  // Reads a checkpoint's file, byte for byte. Never null. Repeated by itself until the first byte
  // has arrived.
  std::unique_ptr<CheckpointExport> Export(ExportCheckpointParams params) const;

  // Takes a checkpoint's file into the catalog, once all of it is proved. ALREADY_EXISTS,
  // CHECKPOINT_EXISTS; FAILED_PRECONDITION: OTHER_STORE, LATER_INCARNATION; DATA_LOSS. Idempotent,
  // but not repeated by itself: only the caller can read the file again.
  absl::StatusOr<Checkpoint> Import(ImportCheckpointParams params) const;

 private:
  std::shared_ptr<CheckpointConnection> connection_;
};

}  // namespace tarn
