// tarnctl checkpoint, above a catalog of the test's own.
#include <string>
#include <vector>

#include "tests/catch.h"
#include "tests/client/cli/checkpoint_world.h"

namespace tarn::cli {
namespace {

using absl::StatusCode;

TEST_CASE("a created checkpoint is its id and nothing else") {
  CheckpointTerminal t;
  const Outcome created = t.Run({"checkpoint", "create", "-w", "simple"});
  CHECK(created.code == 0);
  CHECK(created.out == "c-1\n");
  CHECK(created.err.empty());
  CHECK(t.catalog->created.when_unchanged == WhenUnchanged::kConfirmNewest);
  CHECK(t.catalog->created.pin_reason.empty());
}

TEST_CASE("a checkpoint is created with what was said") {
  CheckpointTerminal t;
  t.Run({"checkpoint", "create", "--force", "--pin", "before the move"});
  CHECK(t.catalog->created.when_unchanged == WhenUnchanged::kCreateAnother);
  CHECK(t.catalog->created.pin_reason == "before the move");
}

TEST_CASE("who does not wait gets the number of the job") {
  CheckpointTerminal t;
  for (const auto& arguments :
       std::vector<std::vector<std::string>>{{"checkpoint", "create", "--no-wait"},
                                             {"checkpoint", "verify", "latest", "--no-wait"},
                                             {"checkpoint", "restore", "latest", "--no-wait"}}) {
    CHECK(t.Run(arguments).out == "7\n");
  }
  CHECK(t.work->watched.id == 0);
}

TEST_CASE("for programs a created checkpoint is all that is known of it") {
  CheckpointTerminal t;
  t.catalog->checkpoint.root = "aa";
  t.catalog->checkpoint.content_digest = "bb";
  const std::string json = t.Run({"checkpoint", "create", "-w", "json"}).out;
  CHECK(Says(json, R"("root":"aa","content_digest":"bb")"));
  CHECK(t.catalog->ids.back() == "c-1");
}

TEST_CASE("a checkpoint that could not be created says why") {
  CheckpointTerminal t;
  t.work->shown = {{.id = 7,
                    .state = JobState::kFailed,
                    .error = MakeError(StatusCode::kResourceExhausted, Reason::kDiskFull, "full")}};
  const Outcome failed = t.Run({"checkpoint", "create"});
  CHECK(failed.code == 8);
  CHECK(failed.out.empty());
  CHECK(Says(failed.err, "tarnctl: checkpoint create: job 7: RESOURCE_EXHAUSTED, DISK_FULL: full"));
}

TEST_CASE("Ctrl-C while a restore runs says that it goes on") {
  CheckpointTerminal t;
  t.questions_before_interrupt = 0;
  const Outcome ended = t.Run({"checkpoint", "restore", "latest"});
  CHECK(ended.code == 130);
  CHECK(Says(ended.err, "checkpoint restore: interrupted; job 7 goes on"));
}

TEST_CASE("checkpoints are listed with why each is kept") {
  CheckpointTerminal t;
  t.catalog->list.checkpoints = {{.id = "a",
                                  .revision = 5,
                                  .entry_count = 6,
                                  .file_bytes = 7,
                                  .health = CheckpointHealth::kIntact,
                                  .fate = RetentionFate::kKeep,
                                  .why_kept = "newest"},
                                 {.id = "b",
                                  .health = CheckpointHealth::kDamaged,
                                  .fate = RetentionFate::kDelete,
                                  .why_kept = "over the byte limit"}};
  t.catalog->list.quarantined_ids = {"q"};
  const Outcome list = t.Run({"checkpoint", "list"});
  CHECK(list.out ==
        "a\t1970-01-01T00:00:00.000Z\t5\t6\t7\tintact\tnewest\n"
        "b\t1970-01-01T00:00:00.000Z\t0\t0\t0\tdamaged\tnot kept: over the byte limit\n");
  CHECK(Says(list.err, "q was damaged"));
  CHECK(Says(t.Run({"checkpoint", "list", "-w", "table"}).out, "WHY KEPT"));
  const std::string json = t.Run({"checkpoint", "list", "-w", "json"}).out;
  CHECK(Says(json, R"("fate":"delete","why_kept":"over the byte limit")"));
}

TEST_CASE("a checkpoint is shown with both of its digests") {
  CheckpointTerminal t;
  t.catalog->checkpoint.root = "aa";
  t.catalog->checkpoint.content_digest = "bb";
  t.catalog->checkpoint.pin_reason = "why";
  t.catalog->checkpoint.pin_time = Timestamp(std::chrono::seconds(1));
  t.catalog->checkpoint.problem = "rotten";
  const std::string out = t.Run({"checkpoint", "show", "latest"}).out;
  CHECK(Says(out, "root:           aa\n"));
  CHECK(Says(out, "content_digest: bb\n"));
  CHECK(Says(out, "pin_reason:     why\n"));
  CHECK(Says(out, "pin_time:       1970-01-01T00:00:01.000Z\n"));
  CHECK(Says(out, "problem:        rotten\n"));
  CHECK(t.catalog->ids.back() == "latest");
}

TEST_CASE("what is known of a checkpoint has names") {
  for (const auto& [health, name] : std::vector<std::pair<CheckpointHealth, std::string>>{
           {CheckpointHealth::kIntact, "intact"},
           {CheckpointHealth::kOtherStore, "other store"},
           {CheckpointHealth::kNewerFormat, "newer format"},
           {CheckpointHealth::kUnreadable, "unreadable"},
           {CheckpointHealth::kUnknown, "unknown"}}) {
    CheckpointTerminal t;
    t.catalog->checkpoint.health = health;
    CHECK(
        Says(t.Run({"checkpoint", "show", "a", "-w", "json"}).out, "\"health\":\"" + name + "\""));
  }
}

TEST_CASE("a damaged checkpoint exits 5 when it is verified") {
  CheckpointTerminal t;
  CHECK(t.Run({"checkpoint", "verify", "c-1"}).out == "c-1\n");
  CHECK(t.catalog->ids.back() == "c-1");
  t.work->shown = {{.id = 7,
                    .state = JobState::kFailed,
                    .error = MakeError(StatusCode::kDataLoss, Reason::kDataLoss, "at byte 9")}};
  const Outcome damaged = t.Run({"checkpoint", "verify", "c-1"});
  CHECK(damaged.code == 5);
  CHECK(Says(damaged.err, "at byte 9"));
}

TEST_CASE("a checkpoint is pinned, unpinned and deleted by its id") {
  CheckpointTerminal t;
  CHECK(t.Run({"checkpoint", "pin", "latest", "for the audit"}).out == "00000001-0000000002\n");
  CHECK(t.catalog->reason == "for the audit");
  CHECK(t.Run({"checkpoint", "unpin", "c-1"}).out == "00000001-0000000002\n");
  const Outcome deleted = t.Run({"checkpoint", "delete", "c-1"});
  CHECK((deleted.code == 0 && deleted.out.empty()));
  CHECK(t.catalog->ids == std::vector<std::string>{"latest", "c-1", "c-1"});
  CHECK(t.Run({"checkpoint", "pin", "latest"}).code == 2);
}

TEST_CASE("a restore is of everything unless a part is named") {
  CheckpointTerminal t;
  CHECK(t.Run({"checkpoint", "restore", "latest"}).out == "c-1\n");
  CHECK(t.catalog->restored.id == "latest");
  CHECK(t.catalog->restored.mode == RestoreMode::kRestore);
  CHECK(t.catalog->restored.safety == SafetyCheckpoint::kMake);
  CHECK_FALSE(t.catalog->restored.range.has_value());
  t.Run({"checkpoint", "restore", "a", "--validate-only"});
  CHECK(t.catalog->restored.mode == RestoreMode::kValidateOnly);
  t.Run({"checkpoint", "restore", "a", "--no-safety-checkpoint"});
  CHECK(t.catalog->restored.safety == SafetyCheckpoint::kSkip);
}

TEST_CASE("a part of a namespace is restored by prefix, by range, or whole") {
  CheckpointTerminal t;
  t.Run({"-n", "app", "checkpoint", "restore", "a", "--prefix", "p"});
  REQUIRE(t.catalog->restored.range.has_value());
  CHECK(t.catalog->restored.range->ns == "app");
  CHECK(t.catalog->restored.range->keys == KeyRange::Prefix("p"));
  t.Run({"checkpoint", "restore", "a", "--start", "s", "--end", "e"});
  CHECK(t.catalog->restored.range->ns.empty());
  CHECK(t.catalog->restored.range->keys == KeyRange::Between("s", "e"));
  t.Run({"-n", "app", "checkpoint", "restore", "a", "--namespace-only"});
  CHECK(t.catalog->restored.range->ns == "app");
  CHECK(t.catalog->restored.range->keys.is_all());
  CHECK(t.Run({"--hex", "checkpoint", "restore", "a", "--prefix", "zz"}).code == 2);
}

TEST_CASE("a namespace that is named does not silently mean all of them") {
  CheckpointTerminal t;
  const Outcome refused = t.Run({"-n", "app", "checkpoint", "restore", "a"});
  CHECK(refused.code == 2);
  CHECK(Says(refused.err, "--namespace-only"));
  CHECK(t.catalog->ids.empty());
  CHECK(t.Run({"-n", "app", "checkpoint", "restore", "a", "--all"}).code == 0);
  CHECK_FALSE(t.catalog->restored.range.has_value());
}

TEST_CASE("what does not go together in a restore is refused") {
  CheckpointTerminal t;
  for (const std::string part : {"--validate-only", "--no-safety-checkpoint", "--all"}) {
    CHECK(t.Run({"checkpoint", "restore", "a", "--prefix", "p", part}).code == 2);
    CHECK(t.Run({"checkpoint", "restore", "a", "--namespace-only", part}).code == 2);
  }
  CHECK(t.catalog->ids.empty());
}

TEST_CASE("a restore asks on a terminal, and only there") {
  CheckpointTerminal t;
  t.in_kind = Stream::kTerminal;
  const Outcome refused = t.Run({"checkpoint", "restore", "a"}, "n\n");
  CHECK(refused.code == 1);
  CHECK(Says(refused.err, "Replace EVERY entry of every namespace of 127.0.0.1:8276"));
  CHECK(Says(refused.err, "nothing was done"));
  CHECK(t.catalog->ids.empty());
  CHECK(t.Run({"checkpoint", "restore", "a"}, "y\n").code == 0);
  CHECK(t.Run({"checkpoint", "restore", "a", "--yes"}).code == 0);
  CHECK(t.Run({"checkpoint", "restore", "a", "--validate-only"}).code == 0);
  CHECK(Says(t.Run({"-n", "app", "checkpoint", "restore", "a", "--prefix", "p"}, "n\n").err,
             "a part of the namespace app"));
  t.in_kind = Stream::kFile;
  CHECK(t.Run({"checkpoint", "restore", "a"}).code == 0);
}

TEST_CASE("a key is read from the past, or it was not there") {
  CheckpointTerminal t;
  t.catalog->entry = {
      .found = true, .value = "then", .revision = 5, .expire_time = {}, .checkpoint_id = "c-1"};
  CHECK(t.Run({"-n", "app", "get", "--checkpoint", "latest", "k"}).out == "then\n");
  CHECK(t.catalog->entry_asked.id == "latest");
  CHECK(t.catalog->entry_asked.ns == "app");
  CHECK(t.catalog->entry_asked.key == "k");
  CHECK(t.Run({"get", "--checkpoint", "latest", "k", "--raw"}).out == "then");
  CHECK(Says(t.Run({"get", "--checkpoint", "latest", "k", "-w", "json"}).out,
             R"("value":"then","revision":"5","checkpoint_id":"c-1")"));
  t.catalog->entry = {};
  const Outcome missing = t.Run({"get", "--checkpoint", "latest", "k"});
  CHECK(missing.code == 4);
  CHECK(missing.out.empty());
}

TEST_CASE("every checkpoint command passes its error on, with what to do next") {
  CheckpointTerminal t;
  t.catalog->failure = MakeError(StatusCode::kNotFound, Reason::kCheckpointNotFound, "no");
  for (const auto& arguments :
       std::vector<std::vector<std::string>>{{"checkpoint", "create"},
                                             {"checkpoint", "list"},
                                             {"checkpoint", "show", "a"},
                                             {"checkpoint", "verify", "a"},
                                             {"checkpoint", "restore", "a"},
                                             {"checkpoint", "delete", "a"},
                                             {"checkpoint", "pin", "a", "r"},
                                             {"checkpoint", "unpin", "a"},
                                             {"get", "--checkpoint", "a", "k"}}) {
    const Outcome failed = t.Run(arguments);
    CHECK(failed.code == 4);
    CHECK(failed.out.empty());
    CHECK(Says(failed.err, "CHECKPOINT_NOT_FOUND"));
    CHECK(Says(failed.err, "tarnctl checkpoint list"));
  }
}

TEST_CASE("a restore of unknown outcome is said to be so") {
  CheckpointTerminal t;
  t.catalog->failure = absl::UnavailableError("reset");
  CHECK(t.Run({"checkpoint", "restore", "a"}).code == 7);
}

}  // namespace
}  // namespace tarn::cli
