#include "server/checkpoints/state_opening.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/exit_codes.h"
#include "storage/base/error.h"
#include "storage/base/logging.h"
#include "storage/base/status.h"

namespace tarn::server {
namespace {

using checkpoint::StartDecision;

// A catalog that was bound to this store and says nothing any more is not the one that was bound:
// not mounted, say. To go on would be to start empty without a word.
absl::Status CheckCatalogIsThere(const StateOpening& opening, checkpoint::EmptyStart empty_start) {
  TARN_ASSIGN_OR_RETURN(const std::optional<std::string> bound,
                        opening.directory.ReadCatalogPath());
  const std::string& path = opening.catalog.directory().path();
  const bool gone = bound && *bound == path && !opening.catalog.store_id();
  if (!gone || empty_start == checkpoint::EmptyStart::kAllow) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(
      "the data directory ", opening.directory.path(), " has its checkpoints in ", path,
      ", but that was never initialised; --allow-empty-start goes on without them"));
}

absl::StatusOr<storage::StoreMeta> AgreeOnStore(const StateOpening& opening) {
  return storage::AgreeOnStore(
      opening.engine, opening.directory, opening.random,
      {.place = absl::StrCat("the checkpoint directory ", opening.catalog.directory().path()),
       .store_id = opening.catalog.store_id(),
       .highest = opening.catalog.HighestIncarnation()});
}

// An incarnation is written to the engine before it is to the directory: an engine that knows fewer
// is a copy of what it was. It goes on from there, with revisions that nobody has seen.
absl::Status SayIfOlder(const StateOpening& opening) {
  TARN_ASSIGN_OR_RETURN(const auto in_engine, opening.engine.ReadMeta());
  TARN_ASSIGN_OR_RETURN(const auto in_directory, opening.directory.ReadMeta());
  if (!in_engine || !in_directory || in_engine->incarnation >= in_directory->incarnation) {
    return absl::OkStatus();
  }
  base::LogError("the ", opening.engine.name(), " engine is older than it was: it knows of ",
                 in_engine->incarnation, " incarnations of its store, ", opening.directory.path(),
                 " of ", in_directory->incarnation,
                 "; what was acknowledged in between may be lost");
  return absl::OkStatus();
}

// The store has been agreed on: what still fails is that another process has the catalog.
absl::Status BindCatalog(const StateOpening& opening, const storage::StoreMeta& known) {
  const absl::Status bound = opening.catalog.Bind(known.store_id, opening.holder);
  if (absl::IsFailedPrecondition(bound)) return WithExitCode(bound, ExitCode::kLocked);
  TARN_RETURN_IF_ERROR(bound);
  return opening.directory.WriteCatalogPath(opening.catalog.directory().path());
}

// An incarnation takes a revision of its own when it begins, which is no commit yet.
absl::StatusOr<storage::Revision> NewestCommit(const StateOpening& opening) {
  const storage::Revision revision = opening.engine.Stats().revision;
  TARN_ASSIGN_OR_RETURN(const auto beginning, opening.directory.ReadBeginning());
  const bool no_commit_since =
      beginning && revision == storage::FirstRevision(beginning->incarnation);
  return no_commit_since ? beginning->newest : revision;
}

absl::StatusOr<checkpoint::StartFacts> GatherFacts(const StateOpening& opening) {
  checkpoint::StartFacts facts;
  TARN_ASSIGN_OR_RETURN(const auto in_engine, opening.engine.ReadMeta());
  if (!in_engine) return facts;
  facts.engine = checkpoint::EngineContent::kStore;
  TARN_ASSIGN_OR_RETURN(facts.engine_revision, NewestCommit(opening));
  return facts;
}

// A refusal without a reason is about what the operator asked for.
absl::Status Exiting(const absl::Status& refused) {
  const bool asked_for =
      absl::IsFailedPrecondition(refused) && base::ReasonOf(refused) == base::Reason::kNone;
  return asked_for ? WithExitCode(refused, ExitCode::kUsage) : ExitingFromStore(refused);
}

void Say(const StartDecision& decision) {
  if (decision.history == checkpoint::History::kBroken) {
    return base::LogWarning("start: ", decision.why);
  }
  base::LogInfo(decision.action == StartDecision::Action::kRestore ? "restoring: " : "start: ",
                decision.why);
}

absl::Status Begin(const StateOpening& opening, const OpenedState& state,
                   std::optional<checkpoint::LoadedCheckpoint> loaded,
                   checkpoint::Progress& progress) {
  TARN_RETURN_IF_ERROR(opening.directory.WriteBeginning(
      {.incarnation = state.meta.incarnation, .newest = state.newest}));
  if (loaded) TARN_RETURN_IF_ERROR((*std::move(loaded)).Publish(state.meta, progress));
  return storage::StartIncarnation(opening.engine, opening.directory, state.meta);
}

absl::StatusOr<OpenedState> Open(const StateOpening& opening, const checkpoint::StartRules& rules,
                                 checkpoint::Progress& progress) {
  const int64_t begun = opening.clock.MonotonicNanos();
  TARN_RETURN_IF_ERROR(CheckCatalogIsThere(opening, rules.empty_start));
  TARN_ASSIGN_OR_RETURN(const storage::StoreMeta known, AgreeOnStore(opening));
  TARN_RETURN_IF_ERROR(SayIfOlder(opening));
  TARN_RETURN_IF_ERROR(BindCatalog(opening, known));
  TARN_ASSIGN_OR_RETURN(const checkpoint::StartFacts facts, GatherFacts(opening));
  auto prepared = opening.restorer.Prepare(rules, facts, progress);
  if (!prepared.ok()) return Exiting(prepared.status());
  const StartDecision& decision = prepared->decision;
  Say(decision);
  OpenedState state{.meta = known, .newest = facts.engine_revision, .history = decision.history};
  state.meta.incarnation = std::max(known.incarnation, opening.catalog.HighestIncarnation()) + 1;
  if (prepared->loaded) state.newest = prepared->loaded->info().header.revision;
  TARN_RETURN_IF_ERROR(Begin(opening, state, std::move(prepared->loaded), progress));
  if (decision.action == StartDecision::Action::kRestore)
    opening.counts.Restored(absl::Nanoseconds(opening.clock.MonotonicNanos() - begun));
  return state;
}

}  // namespace

absl::StatusOr<OpenedState> OpenState(const StateOpening& opening,
                                      const checkpoint::StartRules& rules,
                                      checkpoint::Progress& progress) {
  absl::StatusOr<OpenedState> state = Open(opening, rules, progress);
  if (state.ok() || HasExitCode(state.status())) return state;
  return ExitingFromStore(state.status());
}

}  // namespace tarn::server
