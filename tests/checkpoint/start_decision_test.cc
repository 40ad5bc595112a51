#include "checkpoint/start_decision.h"

#include <string>

#include "tests/catch.h"
#include "tests/support/status.h"

namespace tarn::checkpoint {
namespace {

using testing::Brief;
using testing::Value;

constexpr auto kIfEmpty = RestorePolicy::kIfEmpty;
constexpr auto kLatest = RestorePolicy::kLatest;
constexpr auto kNever = RestorePolicy::kNever;
constexpr auto kNothing = CatalogContent::kNothing;
constexpr auto kValid = CatalogContent::kValid;
constexpr auto kOnlyBad = CatalogContent::kOnlyBad;
constexpr auto kTooNew = CatalogContent::kTooNew;

// "restore", "keep", "start empty", "refuse"; with "!" when earlier checkpoints need protection.
std::string Text(const StartDecision& decision) {
  const char* const names[] = {"restore", "keep", "start empty", "refuse"};
  std::string text = names[static_cast<int>(decision.action)];
  const bool refused = decision.action == StartDecision::Action::kRefuse;
  return decision.history == History::kBroken && !refused ? text + "!" : text;
}

TEST_CASE(
    "an empty engine gets the latest valid checkpoint, and is not started empty in place of one") {
  struct Row {
    RestorePolicy policy;
    CatalogContent catalog;
    EmptyStart empty_start;
    std::string expected;
  };
  const Row row = GENERATE(values<Row>({
      {kIfEmpty, kNothing, EmptyStart::kRefuse, "start empty"},
      {kIfEmpty, kNothing, EmptyStart::kAllow, "start empty"},
      {kIfEmpty, kValid, EmptyStart::kRefuse, "restore"},
      {kIfEmpty, kValid, EmptyStart::kAllow, "restore"},
      {kIfEmpty, kOnlyBad, EmptyStart::kRefuse, "refuse"},
      {kIfEmpty, kOnlyBad, EmptyStart::kAllow, "start empty!"},
      {kIfEmpty, kTooNew, EmptyStart::kRefuse, "refuse"},
      {kIfEmpty, kTooNew, EmptyStart::kAllow, "start empty!"},
      {kLatest, kNothing, EmptyStart::kRefuse, "start empty"},
      {kLatest, kNothing, EmptyStart::kAllow, "start empty"},
      {kLatest, kValid, EmptyStart::kRefuse, "restore"},
      {kLatest, kValid, EmptyStart::kAllow, "restore"},
      {kLatest, kOnlyBad, EmptyStart::kRefuse, "refuse"},
      {kLatest, kOnlyBad, EmptyStart::kAllow, "start empty!"},
      {kLatest, kTooNew, EmptyStart::kRefuse, "refuse"},
      {kLatest, kTooNew, EmptyStart::kAllow, "start empty!"},
      {kNever, kNothing, EmptyStart::kRefuse, "start empty"},
      {kNever, kValid, EmptyStart::kRefuse, "start empty!"},
      {kNever, kOnlyBad, EmptyStart::kRefuse, "start empty!"},
      {kNever, kTooNew, EmptyStart::kRefuse, "start empty!"},
  }));
  const StartDecision decision = DecideStart({.policy = row.policy, .empty_start = row.empty_start},
                                             {.catalog = row.catalog, .checkpoint_revision = 10});
  CAPTURE(static_cast<int>(row.policy), static_cast<int>(row.catalog), decision.why);
  CHECK(Text(decision) == row.expected);
  CHECK_FALSE(decision.why.empty());
}

TEST_CASE(
    "an engine with a store keeps it, unless the latest checkpoint is asked for and nothing newer "
    "is lost") {
  struct Row {
    RestorePolicy policy;
    CatalogContent catalog;
    storage::Revision engine_revision;
    NewerCommits newer;
    std::string expected;
  };
  const Row row = GENERATE(values<Row>({
      {kIfEmpty, kNothing, 10, NewerCommits::kRefuse, "keep"},
      {kIfEmpty, kValid, 11, NewerCommits::kRefuse, "keep"},
      {kIfEmpty, kValid, 10, NewerCommits::kRefuse, "keep"},
      // The engine was set back: what it lacks is only in the checkpoints.
      {kIfEmpty, kValid, 9, NewerCommits::kRefuse, "keep!"},
      {kIfEmpty, kOnlyBad, 10, NewerCommits::kRefuse, "keep"},
      {kIfEmpty, kTooNew, 10, NewerCommits::kRefuse, "keep!"},
      {kNever, kNothing, 10, NewerCommits::kRefuse, "keep"},
      {kNever, kValid, 11, NewerCommits::kRefuse, "keep"},
      {kNever, kValid, 9, NewerCommits::kRefuse, "keep!"},
      {kNever, kOnlyBad, 10, NewerCommits::kRefuse, "keep"},
      {kLatest, kNothing, 10, NewerCommits::kRefuse, "keep"},
      {kLatest, kValid, 9, NewerCommits::kRefuse, "restore"},
      {kLatest, kValid, 10, NewerCommits::kRefuse, "restore"},
      {kLatest, kValid, 11, NewerCommits::kRefuse, "refuse"},
      {kLatest, kValid, 11, NewerCommits::kDiscard, "restore"},
      {kLatest, kOnlyBad, 10, NewerCommits::kDiscard, "refuse"},
      {kLatest, kTooNew, 10, NewerCommits::kDiscard, "refuse"},
  }));
  const StartDecision decision = DecideStart({.policy = row.policy, .newer_commits = row.newer},
                                             {.engine = EngineContent::kStore,
                                              .engine_revision = row.engine_revision,
                                              .catalog = row.catalog,
                                              .checkpoint_revision = 10});
  CAPTURE(static_cast<int>(row.policy), static_cast<int>(row.catalog), row.engine_revision);
  CHECK(Text(decision) == row.expected);
}

TEST_CASE("a refusal says what can be done about it") {
  const StartDecision empty = DecideStart({}, {.catalog = kOnlyBad});
  CHECK(empty.why.find("--allow-empty-start") != std::string::npos);
  const StartDecision newer = DecideStart({.policy = kLatest}, {.engine = EngineContent::kStore,
                                                                .engine_revision = 12,
                                                                .catalog = kValid,
                                                                .checkpoint_revision = 10});
  CHECK(newer.why.find("up to revision 12, the checkpoint up to 10") != std::string::npos);
  CHECK(newer.why.find("--discard-newer") != std::string::npos);
}

TEST_CASE("restore policies are named as their flag names them") {
  CHECK(Value(ParseRestorePolicy("if-empty")) == kIfEmpty);
  CHECK(Value(ParseRestorePolicy("latest")) == kLatest);
  CHECK(Value(ParseRestorePolicy("never")) == kNever);
  CHECK(Brief(ParseRestorePolicy("always")) == "INVALID_ARGUMENT");
}

TEST_CASE("a refusal says what it is about") {
  using Problem = StartDecision::Problem;
  const auto problem = [](const StartFacts& facts) {
    return DecideStart({.policy = kLatest}, facts).problem;
  };
  CHECK(problem({.catalog = kOnlyBad}) == Problem::kNoneValid);
  CHECK(problem({.catalog = kTooNew}) == Problem::kTooNew);
  CHECK(problem({.engine = EngineContent::kStore, .catalog = kOnlyBad}) == Problem::kNoneValid);
  CHECK(problem({.engine = EngineContent::kStore, .catalog = kTooNew}) == Problem::kTooNew);
  CHECK(problem({.engine = EngineContent::kStore,
                 .engine_revision = 2,
                 .catalog = kValid,
                 .checkpoint_revision = 1}) == Problem::kNewerCommits);
  CHECK(problem({.catalog = kValid}) == Problem::kNone);
}

}  // namespace
}  // namespace tarn::checkpoint
