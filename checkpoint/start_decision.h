// What a daemon does about its state when it starts: a pure function of what it finds.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "storage/revision.h"

namespace tarn::checkpoint {

enum class RestorePolicy {
  kIfEmpty,  // The latest valid checkpoint, if the engine holds no store yet.
  kLatest,   // The latest valid checkpoint, in place of what the engine holds.
  kNever,
};

// "if-empty", "latest", "never"; INVALID_ARGUMENT.
absl::StatusOr<RestorePolicy> ParseRestorePolicy(absl::string_view text);

enum class NewerCommits { kRefuse, kDiscard };  // --discard-newer
enum class EmptyStart { kRefuse, kAllow };      // --allow-empty-start

struct StartRules {
  RestorePolicy policy = RestorePolicy::kIfEmpty;
  NewerCommits newer_commits = NewerCommits::kRefuse;
  EmptyStart empty_start = EmptyStart::kRefuse;
};

enum class EngineContent {
  kEmpty,  // Never initialised, which is not the same as without entries.
  kStore,
};

enum class CatalogContent {
  kNothing,
  kValid,    // At least one, as far as is known by now.
  kOnlyBad,  // There are some, or were: damaged, unreadable, quarantined ones.
  kTooNew,   // The newest one is of a format for newer programs.
};

struct StartFacts {
  EngineContent engine = EngineContent::kEmpty;
  storage::Revision engine_revision = 0;  // Its newest commit, before this run began.
  CatalogContent catalog = CatalogContent::kNothing;
  storage::Revision checkpoint_revision = 0;  // Of the newest valid one.
};

// Whether the state of this run comes after all that is in the catalog. If not, retention must not
// let it push out what was there before (RetentionPolicy::protect_before).
enum class History { kContinued, kBroken };

struct StartDecision {
  enum class Action { kRestore, kKeep, kStartEmpty, kRefuse };
  // What kRefuse is about.
  enum class Problem { kNone, kNoneValid, kTooNew, kNewerCommits };

  Action action = Action::kRefuse;
  History history = History::kContinued;
  std::string why;  // For the log, or for the one whose start is refused.
  Problem problem = Problem::kNone;
};

StartDecision DecideStart(const StartRules& rules, const StartFacts& facts);

}  // namespace tarn::checkpoint
