#include "checkpoint/range_restorer.h"

#include <deque>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "checkpoint/range_compare.h"
#include "checkpoint/writer.h"
#include "storage/base/error.h"
#include "storage/base/logging.h"
#include "storage/base/status.h"

namespace tarn::checkpoint {
namespace {

// A commit's worth: short enough that others are not kept waiting.
constexpr size_t kBatchOperations = 512;
constexpr size_t kBatchBytes = 1 << 20;

// Gathers changes and commits them batch by batch.
class ChangeWriter {
 public:
  ChangeWriter(storage::Engine& engine, storage::NamespaceId ns) : engine_(engine), ns_(ns) {}

  absl::Status Add(const RangeChange& change) {
    storage::Operation operation;
    operation.kind = change.kind == RangeChange::Kind::kPut ? storage::OperationKind::kPut
                                                            : storage::OperationKind::kDelete;
    operation.ns = ns_;
    operation.key = Keep(change.key);
    operation.value = Keep(change.value);
    operation.deadline = change.deadline;
    operations_.push_back(operation);
    if (operations_.size() < kBatchOperations && bytes_ < kBatchBytes) return absl::OkStatus();
    return Flush();
  }

  absl::Status Flush() {
    if (operations_.empty()) return absl::OkStatus();
    absl::Notification done;
    absl::Status status;
    engine_.Run({.operations = operations_}, [&](storage::BatchResult& result) {
      status = result.status;
      for (const storage::OperationResult& one : result.results) status.Update(one.status);
      done.Notify();
    });
    done.WaitForNotification();
    operations_.clear();
    kept_.clear();
    bytes_ = 0;
    return status;
  }

 private:
  absl::string_view Keep(absl::string_view bytes) {
    bytes_ += bytes.size();
    return kept_.emplace_back(bytes);
  }

  storage::Engine& engine_;
  const storage::NamespaceId ns_;
  std::vector<storage::Operation> operations_;
  std::deque<std::string> kept_;
  size_t bytes_ = 0;
};

// The number that a namespace has in the engine now; nothing when there is none of that name.
absl::StatusOr<std::optional<storage::NamespaceId>> FindNamespace(storage::Engine& engine,
                                                                  absl::string_view name) {
  TARN_ASSIGN_OR_RETURN(const std::unique_ptr<storage::Snapshot> snapshot,
                        engine.OpenSnapshot(storage::SnapshotPurpose::kCheckpoint));
  TARN_ASSIGN_OR_RETURN(const std::vector<NamedNamespace> namespaces, ReadNamespaces(*snapshot));
  for (const NamedNamespace& ns : namespaces) {
    if (ns.name == name) return std::optional(ns.id);
  }
  return std::optional<storage::NamespaceId>();
}

absl::Status StillDifferent(absl::string_view engine, absl::string_view path) {
  return base::MakeError(
      absl::StatusCode::kDataLoss, base::Reason::kDataLoss,
      absl::StrCat("the ", engine, " engine does not show what was restored of ", path));
}

}  // namespace

absl::StatusOr<std::unique_ptr<CheckpointReader>> RangeRestorer::OpenProven(
    const CheckpointId& id, Progress& progress) const {
  TARN_ASSIGN_OR_RETURN(const CheckpointInfo info, dependencies_.catalog.Refresh(id));
  TARN_RETURN_IF_ERROR(info.problem);
  const CatalogDirectory& directory = dependencies_.catalog.directory();
  TARN_ASSIGN_OR_RETURN(
      std::unique_ptr<CheckpointReader> reader,
      CheckpointReader::Open(directory.files(), info.path, directory.reader_options()));
  progress.phase = "verifying";
  progress.entries = 0;
  progress.bytes = 0;
  progress.total_entries = reader->header().entries;
  TARN_RETURN_IF_ERROR(reader->Verify(progress));
  return reader;
}

absl::Status RangeRestorer::Restore(const RangeRestoreRequest& request, RangeGate& gate,
                                    MakeSafety make_safety, Progress& progress) {
  TARN_ASSIGN_OR_RETURN(const std::optional<RestoreIntent> earlier, dependencies_.journal.Read());
  if (stuck_ != nullptr || (earlier && earlier->done_at == 0)) {
    return absl::FailedPreconditionError(
        absl::StrCat("an earlier restore of a range has still to be settled; ",
                     dependencies_.journal.path(), " says which"));
  }
  TARN_ASSIGN_OR_RETURN(const auto target, OpenProven(request.target, progress));
  RestoreIntent intent{.target = {request.target, target->header().root},
                       .ns = request.ns,
                       .start = request.start,
                       .end = request.end};
  TARN_ASSIGN_OR_RETURN(std::unique_ptr<RangeGate::Closure> closed,
                        gate.Close(request.ns, request.start, request.end));
  TARN_ASSIGN_OR_RETURN(intent, AddSafety(std::move(intent), make_safety, progress));
  const Outcome outcome = Begin(intent, closed->ns(), progress);
  if (outcome.range == Outcome::Range::kSettled) return outcome.status;
  stuck_ = std::move(closed);
  return base::Annotate(outcome.status, "the range stays closed until its restore is settled");
}

absl::StatusOr<RestoreIntent> RangeRestorer::AddSafety(RestoreIntent intent, MakeSafety make_safety,
                                                       Progress& progress) const {
  progress.phase = "making a safety checkpoint";
  TARN_ASSIGN_OR_RETURN(intent.safety.id, make_safety());
  TARN_ASSIGN_OR_RETURN(const auto safety, OpenProven(intent.safety.id, progress));
  intent.safety.root = safety->header().root;
  return intent;
}

RangeRestorer::Outcome RangeRestorer::Begin(const RestoreIntent& intent, storage::NamespaceId ns,
                                            Progress& progress) {
  const absl::Status written = dependencies_.journal.Write(intent);
  if (written.ok()) return FinishOrUndo(intent, ns, progress);
  // It may be there all the same, and would be believed by the next start.
  const bool cleared = dependencies_.journal.Clear().ok();
  return {written, cleared ? Outcome::Range::kSettled : Outcome::Range::kUnsettled};
}

RangeRestorer::Outcome RangeRestorer::FinishOrUndo(const RestoreIntent& intent,
                                                   storage::NamespaceId ns, Progress& progress) {
  const absl::Status finished = Finish(intent, ns, progress);
  if (finished.ok()) return {};
  base::LogWarning("the restore of a range is undone: ", finished.message());
  // From here on, going back is what is to be finished.
  RestoreIntent back = intent;
  back.target = intent.safety;
  Progress not_cancelled;
  absl::Status undone = dependencies_.journal.Write(back);
  if (undone.ok()) undone = Finish(back, ns, not_cancelled);
  if (undone.ok()) return {finished, Outcome::Range::kSettled};
  base::LogError("the restore of a range cannot be undone: ", undone.message());
  return {finished, Outcome::Range::kUnsettled};
}

absl::Status RangeRestorer::Finish(RestoreIntent intent, storage::NamespaceId ns,
                                   Progress& progress) {
  TARN_ASSIGN_OR_RETURN(const auto reader, OpenProven(intent.target.id, progress));
  if (reader->header().root != intent.target.root) {
    return absl::FailedPreconditionError(
        absl::StrCat(reader->path(), " is not the checkpoint it was when the restore began"));
  }
  progress.phase = "restoring the range";
  TARN_RETURN_IF_ERROR(Become(*reader, intent, ns, progress));
  // The commits may be less durable than the journal: it keeps how far the store must have come for
  // them to count.
  intent.done_at = dependencies_.engine.Stats().revision;
  return dependencies_.journal.Write(intent);
}

// Deletes first, so that a quota is not exceeded in between.
absl::Status RangeRestorer::Become(const CheckpointReader& reader, const RestoreIntent& intent,
                                   storage::NamespaceId ns, Progress& progress) {
  progress.total_entries = 0;
  TARN_RETURN_IF_ERROR(Apply(reader, intent, ns, RangeChange::Kind::kDelete, progress));
  TARN_RETURN_IF_ERROR(Apply(reader, intent, ns, RangeChange::Kind::kPut, progress));
  TARN_ASSIGN_OR_RETURN(const std::unique_ptr<storage::Snapshot> snapshot,
                        dependencies_.engine.OpenSnapshot(storage::SnapshotPurpose::kCheckpoint));
  const auto refuse = [&](const RangeChange&) {
    return StillDifferent(dependencies_.engine.name(), reader.path());
  };
  return CompareRange(*snapshot, {ns, intent.start, intent.end}, reader, intent.ns, refuse,
                      progress);
}

// Those of one kind.
absl::Status RangeRestorer::Apply(const CheckpointReader& reader, const RestoreIntent& intent,
                                  storage::NamespaceId ns, RangeChange::Kind kind,
                                  Progress& progress) {
  progress.entries = 0;
  ChangeWriter writer(dependencies_.engine, ns);
  TARN_ASSIGN_OR_RETURN(const std::unique_ptr<storage::Snapshot> snapshot,
                        dependencies_.engine.OpenSnapshot(storage::SnapshotPurpose::kCheckpoint));
  const auto write = [&](const RangeChange& change) {
    return change.kind == kind ? writer.Add(change) : absl::OkStatus();
  };
  TARN_RETURN_IF_ERROR(
      CompareRange(*snapshot, {ns, intent.start, intent.end}, reader, intent.ns, write, progress));
  return writer.Flush();
}

absl::Status RangeRestorer::Settle(storage::Revision revision, Progress& progress) {
  const absl::Status status = SettleJournal(revision, progress);
  if (status.ok()) stuck_.reset();
  return status;
}

absl::Status RangeRestorer::Forget() {
  stuck_.reset();
  return dependencies_.journal.Clear();
}

absl::Status RangeRestorer::SettleJournal(storage::Revision revision, Progress& progress) {
  TARN_ASSIGN_OR_RETURN(std::optional<RestoreIntent> intent, dependencies_.journal.Read());
  if (!intent) return absl::OkStatus();
  if (intent->done_at != 0 && revision >= intent->done_at) return dependencies_.journal.Clear();
  TARN_ASSIGN_OR_RETURN(const std::optional<storage::NamespaceId> ns,
                        FindNamespace(dependencies_.engine, intent->ns));
  if (!ns) {
    base::LogWarning("a restore of a range is dropped: there is no namespace ", intent->ns);
    return dependencies_.journal.Clear();
  }
  if (std::exchange(intent->done_at, 0) != 0)
    TARN_RETURN_IF_ERROR(dependencies_.journal.Write(*intent));
  const Outcome outcome = FinishOrUndo(*intent, *ns, progress);
  return outcome.range == Outcome::Range::kSettled ? absl::OkStatus() : outcome.status;
}

}  // namespace tarn::checkpoint
