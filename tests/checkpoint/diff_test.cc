#include "checkpoint/diff.h"

#include "absl/strings/str_cat.h"
#include "tests/catch.h"
#include "tests/checkpoint/forge.h"
#include "tests/checkpoint/world.h"
#include "tests/support/status.h"

namespace tarn::checkpoint {
namespace {

using testing::Brief;
using testing::Delete;
using testing::FaultFileSystem;
using testing::kStart;
using testing::Op;
using testing::Put;
using testing::TestEngine;
using testing::Value;
using Kind = KeyChange::Kind;

// Blocks of a few entries.
constexpr WriterOptions kSmallBlocks{.block_bytes = 64, .threads = 1};

struct World {
  FaultFileSystem files;
  base::ManualClock clock{kStart};
  TestEngine engine{clock};
  Progress progress;

  World() {
    engine.AddNamespace("a", 1);
    engine.AddNamespace("b", 2);
  }

  World& Do(Op op) {
    engine.Do(std::move(op));
    return *this;
  }
  // Two files: "1" and "2", or whatever they are called.
  World& Save(const std::string& name) {
    testing::Write(*engine, files, name, kSmallBlocks);
    return *this;
  }

  // "+a/k -b/j *a/i", and the totals.
  std::string Compare(DiffOptions options = {}, const std::string& from = "1",
                      const std::string& to = "2") {
    const auto left = testing::OpenFile(files, from);
    const auto right = testing::OpenFile(files, to);
    CheckpointDiff diff(*left, *right, options, progress);
    std::string text;
    while (true) {
      const CheckpointDiff::Step step = Value(diff.Next());
      for (const KeyChange& change : step.changes) text += Show(change) + " ";
      if (step.at_end) break;
    }
    const DiffTotals& totals = diff.totals();
    return absl::StrCat(text, totals.added, " ", totals.removed, " ", totals.changed, " ",
                        totals.same);
  }

  static std::string Show(const KeyChange& change) {
    const char* const sign = change.kind == Kind::kAdded     ? "+"
                             : change.kind == Kind::kRemoved ? "-"
                                                             : "*";
    return absl::StrCat(sign, change.ns, "/", change.key);
  }
};

TEST_CASE("added, removed, changed and same keys are told apart, in order") {
  World world;
  world.Do(Put("gone", "v")).Do(Put("k", "v")).Do(Put("same", "v")).Save("1");
  world.Do(Delete("gone")).Do(Put("k", "w")).Do(Put("new", "v")).Save("2");
  CHECK(world.Compare() == "-a/gone *a/k +a/new 1 1 1 1");
  CHECK(world.Compare({}, "2", "1") == "+a/gone *a/k -a/new 1 1 1 1");
  CHECK(world.Compare({}, "1", "1") == "0 0 0 3");
}

TEST_CASE("namespaces are compared in order of their names, each with itself") {
  World world;
  world.Do(Put("k", "v").In(2)).Save("1");
  world.Do(Delete("k").In(2)).Do(Put("k", "v").In(1)).Save("2");
  CHECK(world.Compare() == "+a/k -b/k 1 1 0 0");
  CHECK(world.Compare({.ns = "b"}) == "-b/k 0 1 0 0");
  CHECK(world.Compare({.ns = "c"}) == "0 0 0 0");
}

TEST_CASE("another deadline is a change, another revision is none") {
  World world;
  world.Do(Put("k", "v")).Do(Put("l", "v")).Save("1");
  world.Do(Put("k", "v")).Do(Put("l", "v").Until(kStart + 1000)).Save("2");
  CHECK(world.Compare() == "*a/l 0 0 1 1");
}

TEST_CASE("equal deadlines are the same whenever the checkpoint was made") {
  World world;
  world.Do(Put("k", "v").Until(kStart + 1000)).Save("1");
  world.clock.Advance(100);
  world.Do(Put("l", "v")).Save("2");
  CHECK(world.Compare() == "+a/l 1 0 0 1");
}

TEST_CASE("with an empty one, everything is new") {
  World world;
  world.Save("1");
  world.Do(Put("i", "v")).Do(Put("j", "v").In(2)).Save("2");
  CHECK(world.Compare() == "+a/i +b/j 2 0 0 0");
  CHECK(world.Compare({}, "1", "1") == "0 0 0 0");
}

TEST_CASE("counts alone are the same counts") {
  World world;
  world.Do(Put("gone", "v")).Save("1");
  world.Do(Delete("gone")).Do(Put("new", "v")).Save("2");
  CHECK(world.Compare({.detail = DiffDetail::kCountsOnly}) == "1 1 0 0");
}

TEST_CASE("however small the steps are, they add up to the same") {
  World world;
  for (int i = 0; i < 300; ++i) world.Do(Put(absl::StrCat("k", i), "v").In(1 + i % 2));
  world.Save("1");
  for (int i = 0; i < 300; i += 3) world.Do(Put(absl::StrCat("k", i), "w").In(1 + i % 2));
  for (int i = 0; i < 300; i += 7) world.Do(Delete(absl::StrCat("k", i)).In(1 + i % 2));
  world.Save("2");
  const std::string whole = world.Compare();
  CHECK(whole.substr(whole.find(" 0 ")) == " 0 43 85 172");
  const size_t bytes = GENERATE(1, 10, 1000);
  const size_t blocks = GENERATE(1, 2, 100);
  CHECK(world.Compare({.max_step_bytes = bytes, .max_step_blocks = blocks}) == whole);
}

TEST_CASE("a step is bounded, and says how far the work has come") {
  World world;
  for (int i = 0; i < 100; ++i) world.Do(Put(absl::StrCat("key", i), "v"));
  world.Save("1").Save("2");
  const auto left = testing::OpenFile(world.files, "1");
  const auto right = testing::OpenFile(world.files, "2");
  CheckpointDiff diff(*left, *right, {.max_step_blocks = 2}, world.progress);
  CHECK(world.progress.total_entries == 200);
  const CheckpointDiff::Step step = Value(diff.Next());
  CHECK(step.changes.empty());
  CHECK_FALSE(step.at_end);
  CHECK(world.progress.entries > 0);
  CHECK(world.progress.entries < 50);
  CHECK(world.progress.bytes > 0);
}

TEST_CASE("a diff that is cancelled ends") {
  World world;
  world.Do(Put("k", "v")).Save("1");
  const auto reader = testing::OpenFile(world.files, "1");
  CheckpointDiff diff(*reader, *reader, {}, world.progress);
  world.progress.cancel = true;
  CHECK(Brief(diff.Next()) == "CANCELLED");
}

TEST_CASE("a damaged block ends a diff, and is named") {
  World world;
  world.Do(Put("k", "v")).Save("1").Do(Put("k", "w")).Save("2");
  std::string bytes = testing::Load(world.files, "2");
  const BlockInfo block = testing::OpenFile(world.files, "2")->blocks().front();
  REQUIRE(block.section == Section::kEntries);
  bytes[block.offset] ^= 1;
  testing::Store(world.files, "2", bytes);
  const auto left = testing::OpenFile(world.files, "1");
  const auto right = testing::OpenFile(world.files, "2");
  CheckpointDiff diff(*left, *right, {}, world.progress);
  const auto step = diff.Next();
  CHECK(Brief(step) == "DATA_LOSS DATA_LOSS");
  CHECK(testing::Says(step.status(), absl::StrCat("2 is damaged at byte ", block.offset, ":")));
}

TEST_CASE("blocks whose keys overlap are damage, not a difference") {
  World world;
  testing::Forgery forgery;
  const auto entry = [&](absl::string_view key) {
    return storage::EntryView{.revision = forgery.header.revision, .key = key, .value = "v"};
  };
  forgery.AddBlock("a", {entry("b"), entry("d")});
  forgery.AddBlock("a", {entry("c"), entry("e")});
  testing::Store(world.files, "1", forgery.Bytes());
  const auto reader = testing::OpenFile(world.files, "1");
  CheckpointDiff diff(*reader, *reader, {}, world.progress);
  const auto step = diff.Next();
  CHECK(Brief(step) == "DATA_LOSS DATA_LOSS");
  CHECK(testing::Says(step.status(), "goes on behind the begin of the next one"));
}

}  // namespace
}  // namespace tarn::checkpoint
