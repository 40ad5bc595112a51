#include "server/checkpoints/full_restore.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "storage/base/error.h"
#include "storage/base/logging.h"
#include "storage/base/status.h"

namespace tarn::server {
namespace {

using checkpoint::CheckpointInfo;
using checkpoint::LoadedCheckpoint;
using checkpoint::Progress;

absl::Status Cancelled() { return absl::CancelledError("the restore was cancelled"); }

absl::Status NoCheckpoint() {
  return base::MakeError(absl::StatusCode::kNotFound, base::Reason::kCheckpointNotFound,
                         "there is no checkpoint");
}

std::string PassedOver(const checkpoint::CheckpointId& id, const absl::Status& why) {
  return absl::StrCat("; passed over ", ToString(id), ": ", why.message());
}

bool IsOwn(const CheckpointInfo& info) { return info.id.other_store.empty(); }

}  // namespace

// --- finding one ---

absl::StatusOr<LoadedCheckpoint> FullRestore::LoadLatest(checkpoint::Job& job) const {
  // As at a start that was told to do so whatever the engine has.
  const checkpoint::StartRules rules{.policy = checkpoint::RestorePolicy::kLatest,
                                     .newer_commits = checkpoint::NewerCommits::kDiscard};
  TARN_ASSIGN_OR_RETURN(checkpoint::PreparedStart prepared,
                        dependencies_.restorer.Prepare(
                            rules, {.engine = checkpoint::EngineContent::kStore}, job.progress()));
  if (!prepared.loaded) return NoCheckpoint();
  std::string subject = ToString(prepared.loaded->info().id);
  for (const checkpoint::SkippedCheckpoint& one : prepared.skipped)
    absl::StrAppend(&subject, PassedOver(one.id, one.why));
  job.SetSubject(subject);
  return *std::move(prepared.loaded);
}

absl::StatusOr<LoadedCheckpoint> FullRestore::Load(const RestoreRequest& request,
                                                   checkpoint::Job& job) const {
  if (!request.id) return LoadLatest(job);
  return dependencies_.restorer.Load(*request.id, job.progress());
}

absl::StatusOr<std::string> FullRestore::VerifyLatest(checkpoint::Job& job) const {
  std::vector<CheckpointInfo> all = dependencies_.catalog.List();
  std::reverse(all.begin(), all.end());
  std::string passed_over;
  for (const CheckpointInfo& info : all) {
    if (!IsOwn(info)) continue;
    const absl::Status status = dependencies_.restorer.Verify(info.id, job.progress());
    if (status.ok()) {
      job.SetSubject(absl::StrCat(ToString(info.id), passed_over));
      return ToString(info.id);
    }
    if (!absl::IsDataLoss(status) && !absl::IsNotFound(status)) return status;
    absl::StrAppend(&passed_over, PassedOver(info.id, status));
  }
  if (passed_over.empty()) return NoCheckpoint();
  return base::MakeError(absl::StatusCode::kDataLoss, base::Reason::kDataLoss,
                         absl::StrCat("none of the checkpoints is valid", passed_over));
}

absl::StatusOr<std::string> FullRestore::Validate(const RestoreRequest& request,
                                                  checkpoint::Job& job) {
  if (!request.id) return VerifyLatest(job);
  TARN_RETURN_IF_ERROR(dependencies_.restorer.Verify(*request.id, job.progress()));
  return ToString(*request.id);
}

// --- switching ---

absl::StatusOr<std::string> FullRestore::Run(const RestoreRequest& request, checkpoint::Job& job) {
  Progress& progress = job.progress();
  TARN_ASSIGN_OR_RETURN(LoadedCheckpoint loaded, Load(request, job));
  const std::string id = ToString(loaded.info().id);
  progress.phase = "waiting for a checkpoint that is being made";
  checkpoint::Scheduler::Hold hold = dependencies_.scheduler.Suspend();
  if (progress.cancel) return Cancelled();
  const Switched switched = CloseAndSwitch(std::move(loaded), request.safety, progress);
  if (switched.served == Served::kNew) {
    dependencies_.checkpointer.StopProtecting();
    MakeNewest(progress);
  } else if (switched.served == Served::kNothing) {
    held_for_good_ = std::make_unique<checkpoint::Scheduler::Hold>(std::move(hold));
  }
  TARN_RETURN_IF_ERROR(switched.status);
  return id;
}

FullRestore::Switched FullRestore::CloseAndSwitch(LoadedCheckpoint loaded, SafetyCheckpoint wish,
                                                  Progress& progress) {
  const std::string id = ToString(loaded.info().id);
  base::LogInfo("switching to checkpoint ", id, ": nothing is served until that is done");
  dependencies_.host.Suspend();
  progress.phase = "waiting for what is under way";
  auto closure =
      dependencies_.door.CloseAll(absl::StrCat("the state is being restored from checkpoint ", id));
  Switched switched;
  std::optional<Safety> safety;
  if (wish == SafetyCheckpoint::kMake) {
    auto made = MakeSafety(dependencies_.checkpointer, dependencies_.catalog,
                           absl::StrCat("the state before the restore of ", id), progress);
    switched.status = made.status();
    if (made.ok()) safety = *made;
  }
  if (switched.status.ok() && progress.cancel) switched.status = Cancelled();
  if (switched.status.ok()) switched = Switch(std::move(loaded), safety, progress);
  if (switched.served == Served::kNew) ForgetRange();
  if (switched.served == Served::kOld && safety) UndoSafety(*safety, dependencies_.catalog);
  if (switched.served == Served::kNothing) {
    base::LogError("nothing is served until tarnd is started again: ", switched.status.message());
    shut_for_good_ = std::move(closure);
    return switched;
  }
  closure.reset();
  dependencies_.host.Resume();
  base::LogInfo(switched.served == Served::kNew ? "serving the restored state"
                                                : "serving the state from before the restore");
  return switched;
}

FullRestore::Switched FullRestore::Switch(LoadedCheckpoint loaded,
                                          const std::optional<Safety>& safety, Progress& progress) {
  const absl::MutexLock lock(&switching_);
  const storage::StoreStats before = dependencies_.door.Stats();
  dependencies_.door.Remove();
  Switched switched = Adopt(std::move(loaded), progress);
  if (switched.served == Served::kNothing) return GoBack(switched.status, safety, progress);
  if (switched.served == Served::kNew) return switched;
  const absl::Status reopened =
      Reopen({.store_id = before.store_id, .incarnation = before.incarnation});
  if (!reopened.ok()) switched = {reopened, Served::kNothing};
  return switched;
}

// kNothing: the engine has switched, and what it shows must not be served.
FullRestore::Switched FullRestore::Adopt(LoadedCheckpoint loaded, Progress& progress) {
  storage::Engine& engine = dependencies_.door.engine();
  const absl::StatusOr<storage::StoreMeta> next = NextMeta(loaded);
  if (!next.ok()) return {next.status(), Served::kOld};
  const storage::Revision newest = loaded.info().header.revision;
  absl::Status status =
      dependencies_.directory.WriteBeginning({.incarnation = next->incarnation, .newest = newest});
  // Durable before the first commit of it can be.
  if (status.ok()) status = dependencies_.directory.WriteMeta(*next, engine.name());
  if (!status.ok()) return {status, Served::kOld};
  status = std::move(loaded).Publish(*next, progress);
  if (!status.ok()) {
    const auto in_engine = engine.ReadMeta();
    const bool old = in_engine.ok() && *in_engine && (*in_engine)->incarnation < next->incarnation;
    return {status, old ? Served::kOld : Served::kNothing};
  }
  status = Reopen(*next);
  return {status, status.ok() ? Served::kNew : Served::kNothing};
}

FullRestore::Switched FullRestore::GoBack(const absl::Status& failure,
                                          const std::optional<Safety>& safety, Progress& progress) {
  if (!safety) return {failure, Served::kNothing};
  base::LogError("the restored state cannot be served: ", failure.message(),
                 "; going back to checkpoint ", ToString(safety->id));
  progress.cancel = false;  // It must come to an end.
  absl::StatusOr<LoadedCheckpoint> loaded = dependencies_.restorer.Load(safety->id, progress);
  if (!loaded.ok()) return {failure, Served::kNothing};
  const Switched back = Adopt(*std::move(loaded), progress);
  return {failure, back.served == Served::kNew ? Served::kOld : Served::kNothing};
}

absl::StatusOr<storage::StoreMeta> FullRestore::NextMeta(const LoadedCheckpoint& loaded) const {
  TARN_ASSIGN_OR_RETURN(const auto in_directory, dependencies_.directory.ReadMeta());
  TARN_ASSIGN_OR_RETURN(const auto in_engine, dependencies_.door.engine().ReadMeta());
  if (!in_directory || !in_engine)
    return absl::InternalError("the store has lost what says who it is");
  const storage::Incarnation highest = std::max({in_directory->incarnation, in_engine->incarnation,
                                                 dependencies_.door.Stats().incarnation,
                                                 dependencies_.catalog.HighestIncarnation()});
  return storage::StoreMeta{.store_id = in_directory->store_id,
                            .incarnation = std::max(highest + 1, loaded.min_incarnation())};
}

absl::Status FullRestore::Reopen(const storage::StoreMeta& meta) {
  TARN_ASSIGN_OR_RETURN(std::unique_ptr<storage::Store> store, dependencies_.host.OpenStore(meta));
  dependencies_.door.Install(std::move(store));
  return absl::OkStatus();
}

// What a restore of a range has still to do would be done to a state that it does not concern.
void FullRestore::ForgetRange() {
  const absl::Status forgotten = dependencies_.range_restorer.Forget();
  if (!forgotten.ok())
    base::LogError("a restore of a range stays journaled: ", forgotten.message());
}

// Otherwise the newest one would be of the state that was given up, and a start after a crash would
// bring that back.
void FullRestore::MakeNewest(Progress& progress) {
  progress.phase = "checkpointing the restored state";
  Progress own;
  const auto made =
      dependencies_.checkpointer.Create({.if_unchanged = checkpoint::IfUnchanged::kWriteNew}, own);
  if (!made.ok()) {
    base::LogWarning("the restored state has no checkpoint of its own yet: ",
                     made.status().message());
  }
}

absl::Status FullRestore::KeepIncarnationReserved() {
  if (!switching_.TryLock()) return absl::OkStatus();
  storage::Engine& engine = dependencies_.door.engine();
  const absl::Status status =
      storage::KeepIncarnationReserved(engine, dependencies_.directory, engine.Stats().revision);
  switching_.Unlock();
  return status;
}

}  // namespace tarn::server
