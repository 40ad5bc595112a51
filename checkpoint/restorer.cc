#include "checkpoint/restorer.h"

#include <algorithm>
#include <set>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "checkpoint/content_digest.h"
#include "checkpoint/namespace_ids.h"
#include "checkpoint/state_summary.h"
#include "storage/base/error.h"
#include "storage/base/logging.h"
#include "storage/base/status.h"

namespace tarn::checkpoint {
namespace {

void BeginPhase(Progress& progress, const char* phase, uint64_t total_entries) {
  progress.phase = phase;
  progress.entries = 0;
  progress.bytes = 0;
  progress.total_entries = total_entries;
}

// Hands the blocks of a checkpoint to an engine, on the reader's threads.
class Filling {
 public:
  Filling(NamespaceIds ids, storage::BulkLoad& load) : ids_(std::move(ids)), load_(load) {
    for (const auto& [name, numbered] : ids_) load_.SetPlacement(numbered.id, numbered.placement);
  }

  absl::Status Take(const BlockInfo& block, absl::Span<const storage::EntryView> entries) {
    const storage::NamespaceId ns =
        block.section == Section::kSystem ? storage::kSystemNamespace : ids_.at(block.ns).id;
    std::vector<storage::EntryView> numbered(entries.begin(), entries.end());
    for (storage::EntryView& entry : numbered) entry.ns = ns;
    absl::Status status = load_.Add(numbered);
    if (!status.ok()) {
      const absl::MutexLock lock(&mutex_);
      engine_status_.Update(status);
    }
    return status;
  }

  // The engine's own first error.
  absl::Status engine_status() const {
    const absl::MutexLock lock(&mutex_);
    return engine_status_;
  }

 private:
  const NamespaceIds ids_;
  storage::BulkLoad& load_;
  mutable absl::Mutex mutex_;
  absl::Status engine_status_ ABSL_GUARDED_BY(mutex_);
};

struct Living {
  uint64_t entries = 0;
  base::Hash128 digest;
};

// What of a checkpoint has not expired at `now`.
absl::StatusOr<Living> CountLiving(const CheckpointReader& reader, base::UnixMs now) {
  absl::Mutex mutex;
  uint64_t entries = 0;
  ContentDigest digest;
  Progress progress;
  const auto on_block = [&](const BlockInfo& block, absl::Span<const storage::EntryView> all) {
    if (block.section == Section::kSystem) return absl::OkStatus();
    ContentDigest living;
    uint64_t count = 0;
    for (const storage::EntryView& entry : all) {
      if (base::HasExpired(entry.deadline, now)) continue;
      living.Add(block.ns, entry);
      ++count;
    }
    const absl::MutexLock lock(&mutex);
    digest.Add(living.sum());
    entries += count;
    return absl::OkStatus();
  };
  TARN_RETURN_IF_ERROR(reader.ReadAll(on_block, progress));
  return Living{entries, digest.sum()};
}

absl::Status NotEnough(base::Reason reason, absl::string_view what, uint64_t needed,
                       uint64_t available) {
  return base::MakeError(absl::StatusCode::kResourceExhausted, reason,
                         absl::StrCat("to restore needs about ", needed, " bytes of ", what,
                                      ", and ", available, " are available"));
}

std::string Describe(const std::vector<SkippedCheckpoint>& skipped) {
  std::string text;
  for (const SkippedCheckpoint& one : skipped)
    absl::StrAppend(&text, "; passed over ", ToString(one.id), ": ", one.why.message());
  return text;
}

absl::Status Refused(const StartDecision& decision, const std::vector<SkippedCheckpoint>& skipped) {
  const std::string message = absl::StrCat(decision.why, Describe(skipped));
  switch (decision.problem) {
    case StartDecision::Problem::kNoneValid:
      return base::MakeError(absl::StatusCode::kDataLoss, base::Reason::kDataLoss, message);
    case StartDecision::Problem::kTooNew:
      return base::MakeError(absl::StatusCode::kFailedPrecondition, base::Reason::kNewerFormat,
                             message);
    default:
      return absl::FailedPreconditionError(message);
  }
}

}  // namespace

absl::Status LoadedCheckpoint::Publish(const storage::StoreMeta& meta, Progress& progress) && {
  const absl::Status status = Switch(meta, progress);
  const Restorer::Dependencies& world = restorer_->dependencies_;
  if (!status.ok()) {
    base::LogError("restoring checkpoint ", ToString(info_.id), " failed: ", status.message());
    world.observer.OnRestoreFailed(status);
    return status;
  }
  const absl::Duration duration = absl::Nanoseconds(world.clock.MonotonicNanos() - begun_);
  base::LogInfo("restored checkpoint ", ToString(info_.id), ", ", info_.header.entries,
                " entries, content digest ", ToHex(info_.header.content_digest), ", in ",
                absl::FormatDuration(duration));
  world.observer.OnRestored({.info = info_, .duration = duration});
  return status;
}

absl::Status LoadedCheckpoint::Switch(const storage::StoreMeta& meta, Progress& progress) {
  if (meta.incarnation < min_incarnation()) {
    return absl::FailedPreconditionError(absl::StrCat(
        "checkpoint ", ToString(info_.id), " has revisions of incarnation ", min_incarnation() - 1,
        ": incarnation ", meta.incarnation, " cannot follow it"));
  }
  progress.phase = "switching";
  TARN_RETURN_IF_ERROR(load_->Publish(meta));
  load_.reset();
  BeginPhase(progress, "reading back", 0);
  return CheckReadBack();
}

absl::Status LoadedCheckpoint::CheckReadBack() const {
  Progress progress;  // There is nothing to go back to: it must come to an end.
  const Restorer::Dependencies& world = restorer_->dependencies_;
  TARN_ASSIGN_OR_RETURN(const std::unique_ptr<storage::Snapshot> snapshot,
                        world.engine.OpenSnapshot(storage::SnapshotPurpose::kCheckpoint));
  TARN_ASSIGN_OR_RETURN(const StateSummary found,
                        SummarizeState(*snapshot, world.threads, progress));
  const Header& header = info_.header;
  const bool system_is_same =
      found.system_entries == header.system_entries && found.system_digest == header.system_digest;
  if (system_is_same && found.content_digest == header.content_digest) return absl::OkStatus();
  // Some may have expired since the file was written.
  TARN_ASSIGN_OR_RETURN(const Living living, CountLiving(*reader_, snapshot->as_of()));
  if (system_is_same && found.content_digest == living.digest) return absl::OkStatus();
  return base::MakeError(
      absl::StatusCode::kDataLoss, base::Reason::kDataLoss,
      absl::StrCat("the ", world.engine.name(), " engine shows ", found.entries,
                   " entries with content digest ", ToHex(found.content_digest), " and not the ",
                   living.entries, " with ", ToHex(living.digest), " that ", info_.path, " holds"));
}

absl::StatusOr<std::unique_ptr<CheckpointReader>> Restorer::OpenReader(const CheckpointInfo& info,
                                                                       Progress& progress) const {
  TARN_RETURN_IF_ERROR(info.problem);
  const CatalogDirectory& directory = dependencies_.catalog.directory();
  TARN_ASSIGN_OR_RETURN(
      std::unique_ptr<CheckpointReader> reader,
      CheckpointReader::Open(directory.files(), info.path, directory.reader_options()));
  if (reader->header().root != info.header.root)
    return absl::AbortedError(absl::StrCat(info.path, " has been replaced meanwhile"));
  BeginPhase(progress, "verifying", info.header.entries);
  return reader;
}

absl::Status Restorer::CheckRoom(const Header& header) const {
  const storage::EngineStats stats = dependencies_.engine.Stats();
  const uint64_t needed = header.data_bytes + header.data_bytes / 8;
  if (dependencies_.engine.starts_empty() || dependencies_.engine.is_shared()) {
    if (stats.memory_limit_bytes != 0 && needed > stats.memory_limit_bytes)
      return NotEnough(base::Reason::kMemoryLimit, "memory", needed, stats.memory_limit_bytes);
  } else if (needed > stats.disk_free_bytes) {
    return NotEnough(base::Reason::kDiskFull, "disk", needed, stats.disk_free_bytes);
  }
  return absl::OkStatus();
}

void Restorer::QuarantineIfDamaged(const CheckpointId& id, const absl::Status& status) const {
  if (!absl::IsDataLoss(status)) return;
  const absl::Status quarantined = dependencies_.catalog.Quarantine(id, status);
  if (!quarantined.ok()) {
    base::LogWarning("checkpoint ", ToString(id), " cannot be set aside: ", quarantined.message());
    return;
  }
  dependencies_.observer.OnQuarantined(id);
}

absl::Status Restorer::Verify(const CheckpointId& id, Progress& progress) const {
  TARN_ASSIGN_OR_RETURN(const CheckpointInfo info, dependencies_.catalog.Refresh(id));
  absl::StatusOr<std::unique_ptr<CheckpointReader>> reader = OpenReader(info, progress);
  absl::Status status = reader.status();
  if (status.ok()) status = ReadNamespaceIds(**reader).status();
  if (status.ok()) status = (*reader)->Verify(progress);
  QuarantineIfDamaged(id, status);
  return status;
}

Restorer::Attempt Restorer::TryLoad(const CheckpointInfo& info, Progress& progress) const {
  const auto failed = [](absl::Status status, Failure::Blame blame) {
    return Attempt{std::nullopt, {std::move(status), blame}};
  };
  const int64_t begun = dependencies_.clock.MonotonicNanos();
  absl::StatusOr<std::unique_ptr<CheckpointReader>> reader = OpenReader(info, progress);
  if (!reader.ok()) return failed(reader.status(), Failure::Blame::kCheckpoint);
  absl::StatusOr<NamespaceIds> ids = ReadNamespaceIds(**reader);
  if (!ids.ok()) return failed(ids.status(), Failure::Blame::kCheckpoint);
  if (absl::Status room = CheckRoom(info.header); !room.ok())
    return failed(room, Failure::Blame::kEngine);
  absl::StatusOr<std::unique_ptr<storage::BulkLoad>> load = dependencies_.engine.BeginBulkLoad();
  if (!load.ok()) return failed(load.status(), Failure::Blame::kEngine);
  progress.phase = "verifying and loading";
  Filling filling(*std::move(ids), **load);
  const absl::Status status = (*reader)->ReadAll(
      [&](const BlockInfo& block, absl::Span<const storage::EntryView> entries) {
        return filling.Take(block, entries);
      },
      progress);
  if (!filling.engine_status().ok())
    return failed(filling.engine_status(), Failure::Blame::kEngine);
  if (absl::IsCancelled(status)) return failed(status, Failure::Blame::kEngine);
  if (!status.ok()) return failed(status, Failure::Blame::kCheckpoint);
  return Attempt{LoadedCheckpoint(*this, info, *std::move(reader), *std::move(load), begun), {}};
}

absl::StatusOr<LoadedCheckpoint> Restorer::Load(const CheckpointId& id, Progress& progress) const {
  TARN_ASSIGN_OR_RETURN(const CheckpointInfo info, dependencies_.catalog.Refresh(id));
  Attempt attempt = TryLoad(info, progress);
  if (attempt.loaded) return *std::move(attempt.loaded);
  const Failure& failure = attempt.failure;
  if (failure.blame == Failure::Blame::kCheckpoint) QuarantineIfDamaged(id, failure.status);
  dependencies_.observer.OnRestoreFailed(failure.status);
  return failure.status;
}

// Without what was tried in vain.
Restorer::Offer Restorer::Look(const std::set<CheckpointId>& tried) const {
  Offer offer;
  const std::vector<CheckpointId> quarantined = dependencies_.catalog.Quarantined();
  const bool had_some = std::any_of(quarantined.begin(), quarantined.end(),
                                    [](const auto& id) { return id.other_store.empty(); });
  if (had_some) offer.content = CatalogContent::kOnlyBad;
  for (CheckpointInfo& info : dependencies_.catalog.List()) {
    if (!info.id.other_store.empty()) continue;
    if (info.health == Health::kNewerFormat) {
      offer.content = CatalogContent::kTooNew;
    } else if (info.health == Health::kIntact && !tried.contains(info.id)) {
      offer.content = CatalogContent::kValid;
      offer.newest = std::move(info);
    } else if (offer.content == CatalogContent::kNothing) {
      offer.content = CatalogContent::kOnlyBad;
    }
  }
  return offer;
}

absl::StatusOr<PreparedStart> Restorer::Prepare(const StartRules& rules, StartFacts facts,
                                                Progress& progress) const {
  PreparedStart prepared;
  std::set<CheckpointId> tried;
  while (true) {
    const Offer offer = Look(tried);
    facts.catalog = offer.content;
    facts.checkpoint_revision = offer.newest ? offer.newest->header.revision : 0;
    prepared.decision = DecideStart(rules, facts);
    const bool looks = prepared.decision.action == StartDecision::Action::kRestore ||
                       prepared.decision.action == StartDecision::Action::kRefuse;
    if (looks) PassOverBadHeads(offer, prepared, tried);
    if (prepared.decision.action == StartDecision::Action::kRefuse) {
      return Refused(prepared.decision, prepared.skipped);
    }
    if (prepared.decision.action != StartDecision::Action::kRestore) return prepared;
    const CheckpointId id = offer.newest->id;
    Attempt attempt = TryLoad(*offer.newest, progress);
    if (attempt.loaded) {
      prepared.loaded = std::move(attempt.loaded);
      return prepared;
    }
    if (attempt.failure.blame == Failure::Blame::kEngine) return attempt.failure.status;
    PassOver(id, attempt.failure.status, prepared, tried);
  }
}

void Restorer::PassOver(const CheckpointId& id, const absl::Status& why, PreparedStart& prepared,
                        std::set<CheckpointId>& tried) const {
  if (!tried.insert(id).second) return;
  base::LogWarning("checkpoint ", ToString(id), " is passed over: ", why.message());
  QuarantineIfDamaged(id, why);
  prepared.skipped.push_back({id, why});
}

// Those above the newest that is offered, which were found to be bad without being read.
void Restorer::PassOverBadHeads(const Offer& offer, PreparedStart& prepared,
                                std::set<CheckpointId>& tried) const {
  for (const CheckpointInfo& info : dependencies_.catalog.List()) {
    const bool is_above = !offer.newest || offer.newest->id < info.id;
    const bool is_bad = info.health != Health::kIntact && info.health != Health::kNewerFormat;
    if (info.id.other_store.empty() && is_above && is_bad)
      PassOver(info.id, info.problem, prepared, tried);
  }
}

}  // namespace tarn::checkpoint
