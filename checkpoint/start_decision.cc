#include "checkpoint/start_decision.h"

#include "absl/strings/str_cat.h"

namespace tarn::checkpoint {
namespace {

using Action = StartDecision::Action;
using Problem = StartDecision::Problem;

constexpr absl::string_view kTooNewText =
    "the newest checkpoint is of a format that only a newer program reads";
constexpr absl::string_view kTooNewAdvice =
    "; use that program, or move what is too new for this one out of the checkpoint directory";

StartDecision DecideForEmpty(const StartRules& rules, CatalogContent catalog) {
  if (catalog == CatalogContent::kNothing)
    return {Action::kStartEmpty, History::kContinued, "there is no state and no checkpoint yet"};
  if (rules.policy == RestorePolicy::kNever) {
    return {Action::kStartEmpty, History::kBroken,
            "the engine is empty, there are checkpoints, and none may be restored"};
  }
  if (catalog == CatalogContent::kValid)
    return {Action::kRestore, History::kContinued, "the engine is empty and there is a checkpoint"};
  const absl::string_view what =
      catalog == CatalogContent::kTooNew ? kTooNewText : "none of the checkpoints is valid";
  if (rules.empty_start == EmptyStart::kAllow) {
    return {Action::kStartEmpty, History::kBroken,
            absl::StrCat(what, ", and an empty start is allowed")};
  }
  const bool too_new = catalog == CatalogContent::kTooNew;
  return {Action::kRefuse, History::kBroken,
          absl::StrCat("the engine is empty and ", what, too_new ? kTooNewAdvice : "",
                       "; --allow-empty-start starts empty"),
          too_new ? Problem::kTooNew : Problem::kNoneValid};
}

StartDecision Keep(absl::string_view why) {
  return {Action::kKeep, History::kContinued, std::string(why)};
}

StartDecision DecideToReplace(const StartRules& rules, const StartFacts& facts) {
  switch (facts.catalog) {
    case CatalogContent::kNothing:
      return Keep("there is no checkpoint, and the engine has a store");
    case CatalogContent::kTooNew:
      return {Action::kRefuse, History::kContinued, absl::StrCat(kTooNewText, kTooNewAdvice),
              Problem::kTooNew};
    case CatalogContent::kOnlyBad:
      return {Action::kRefuse, History::kContinued,
              "none of the checkpoints is valid; --restore-on-start if-empty goes on with what the "
              "engine has",
              Problem::kNoneValid};
    case CatalogContent::kValid:
      break;
  }
  if (facts.engine_revision <= facts.checkpoint_revision)
    return {Action::kRestore, History::kContinued, "the latest checkpoint was asked for"};
  if (rules.newer_commits == NewerCommits::kDiscard) {
    return {Action::kRestore, History::kContinued,
            "the latest checkpoint was asked for, and newer commits may be discarded"};
  }
  return {Action::kRefuse, History::kContinued,
          absl::StrCat("the engine has commits up to revision ", facts.engine_revision,
                       ", the checkpoint up to ", facts.checkpoint_revision,
                       "; --discard-newer gives them up"),
          Problem::kNewerCommits};
}

}  // namespace

absl::StatusOr<RestorePolicy> ParseRestorePolicy(absl::string_view text) {
  if (text == "if-empty") return RestorePolicy::kIfEmpty;
  if (text == "latest") return RestorePolicy::kLatest;
  if (text == "never") return RestorePolicy::kNever;
  return absl::InvalidArgumentError(
      absl::StrCat("unknown restore policy '", text, "': use if-empty, latest or never"));
}

StartDecision DecideStart(const StartRules& rules, const StartFacts& facts) {
  if (facts.engine == EngineContent::kEmpty) return DecideForEmpty(rules, facts.catalog);
  if (rules.policy == RestorePolicy::kLatest) return DecideToReplace(rules, facts);
  StartDecision decision = Keep("the engine has a store");
  // An engine that was set back to an earlier state did not come from these checkpoints.
  if (facts.catalog == CatalogContent::kTooNew ||
      (facts.catalog == CatalogContent::kValid &&
       facts.engine_revision < facts.checkpoint_revision)) {
    decision.history = History::kBroken;
    decision.why = "the engine has a store, but the checkpoints have commits that it has not";
  }
  return decision;
}

}  // namespace tarn::checkpoint
