// diff, export and import.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "tests/catch.h"
#include "tests/client/cli/checkpoint_world.h"
#include "tests/support/temp_dir.h"

namespace tarn::cli {
namespace {

using absl::StatusCode;

std::string BytesOfFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

std::string Golden() {
  const char* const source = std::getenv("TARN_SOURCE_DIR");
  return std::string(source == nullptr ? "." : source) + "/tests/checkpoint/golden/v1-lz4.ckpt";
}

// A catalog that exports the golden file in two pieces, and a place to put it.
struct Transfer : CheckpointTerminal {
  testing::TempDir dir;
  std::string path = dir / "out.ckpt";
  std::string bytes = BytesOfFile(Golden());

  Transfer() {
    catalog->checkpoint.file_bytes = bytes.size();
    catalog->file.chunks = {{.checkpoint = catalog->checkpoint, .data = bytes.substr(0, 100)},
                            {.checkpoint = {}, .data = bytes.substr(100)}};
  }
  bool nothing_left() const { return std::filesystem::is_empty(dir.path()); }
};

CheckpointDiffChunk Totals() {
  return {.changes = {}, .totals = CheckpointDiffTotals{1, 2, 3, 1000}};
}

TEST_CASE("a diff counts") {
  CheckpointTerminal t;
  t.catalog->diff.chunks = {Totals()};
  CHECK(t.Run({"checkpoint", "diff", "a", "b"}).out ==
        "added_count:   1\nremoved_count: 2\nchanged_count: 3\nsame_count:    1000\n");
  CHECK(t.catalog->diffed.from_id == "a");
  CHECK(t.catalog->diffed.to_id == "b");
  CHECK(t.catalog->diffed.ns.empty());
  CHECK(t.catalog->diffed.content == DiffContent::kCountsOnly);
  CHECK(t.Run({"checkpoint", "diff", "a"}).code == 2);
}

TEST_CASE("a diff names the keys when it is asked to") {
  CheckpointTerminal t;
  t.catalog->diff.chunks = {
      {.changes = {{CheckpointChangeKind::kAdded, "app", "a\n"},
                   {CheckpointChangeKind::kRemoved, "app", "b"}},
       .totals = {}},
      {.changes = {{CheckpointChangeKind::kChanged, "app", "c"}}, .totals = {}},
      Totals()};
  const Outcome diff = t.Run({"-n", "app", "checkpoint", "diff", "a", "b", "--keys"});
  CHECK(diff.out == "added\tapp\ta\\n\nremoved\tapp\tb\nchanged\tapp\tc\n");
  CHECK(diff.err == "1 added, 2 removed, 3 changed, 1,000 the same\n");
  CHECK(t.catalog->diffed.ns == "app");
  CHECK(t.catalog->diffed.content == DiffContent::kKeys);
  const Outcome json = t.Run({"checkpoint", "diff", "a", "b", "--keys", "-w", "json"});
  CHECK(Says(json.out, R"({"change":"added","namespace":"app","key":"a)"));
  CHECK(Says(json.out, R"({"added_count":1,)"));
  CHECK(json.err.empty());
}

TEST_CASE("a diff that fails, or is interrupted, gives no totals") {
  CheckpointTerminal t;
  t.catalog->diff.chunks = {
      {.changes = {{CheckpointChangeKind::kAdded, "app", "a"}}, .totals = {}}};
  t.catalog->diff.end = MakeError(StatusCode::kDataLoss, Reason::kDataLoss, "rotten");
  const Outcome failed = t.Run({"checkpoint", "diff", "a", "b", "--keys"});
  CHECK(failed.code == 5);
  CHECK(failed.out == "added\tapp\ta\n");
  t.questions_before_interrupt = 1;
  CHECK(t.Run({"checkpoint", "diff", "a", "b", "--keys"}).code == 130);
}

TEST_CASE("an exported file has every byte, and only its own name") {
  Transfer t;
  const Outcome exported = t.Run({"checkpoint", "export", "latest", t.path});
  CHECK(exported.code == 0);
  CHECK(exported.out == "00000001-0000000002\n");
  CHECK(BytesOfFile(t.path) == t.bytes);
  CHECK(t.Run({"verify", t.path}).code == 0);
  CHECK_FALSE(std::filesystem::exists(t.path + ".tmp"));
  CHECK(t.catalog->ids.back() == "latest");
}

TEST_CASE("an export that breaks leaves what was there before") {
  Transfer t;
  std::ofstream(t.path) << "older";
  t.catalog->file.chunks.pop_back();
  t.catalog->file.end = absl::UnavailableError("reset");
  CHECK(t.Run({"checkpoint", "export", "a", t.path}).code == 6);
  CHECK(BytesOfFile(t.path) == "older");
  CHECK_FALSE(std::filesystem::exists(t.path + ".tmp"));
}

TEST_CASE("an export that arrives damaged or cut is refused") {
  Transfer t;
  t.catalog->file.chunks[1].data[600] ^= 1;
  CHECK(t.Run({"checkpoint", "export", "a", t.path}).code == 5);
  CHECK(t.nothing_left());
  t.catalog->file.chunks.pop_back();
  CHECK(t.Run({"checkpoint", "export", "a", t.path}).code == 5);
  CHECK(t.nothing_left());
}

TEST_CASE("an export that is interrupted leaves nothing") {
  Transfer t;
  t.questions_before_interrupt = 1;
  const Outcome ended = t.Run({"checkpoint", "export", "a", t.path});
  CHECK(ended.code == 130);
  CHECK(Says(ended.err, "is as it was before"));
  CHECK(t.nothing_left());
}

TEST_CASE("an export whose job was cancelled was not interrupted by Ctrl-C") {
  Transfer t;
  t.catalog->file.end = absl::CancelledError("the job was cancelled");
  const Outcome failed = t.Run({"checkpoint", "export", "a", t.path});
  CHECK(failed.code == 1);
  CHECK(Says(failed.err, "the job was cancelled"));
  CHECK(t.nothing_left());
}

TEST_CASE("an export that cannot be written says so") {
  Transfer t;
  const Outcome failed = t.Run({"checkpoint", "export", "a", t.dir / "none" + "/x.ckpt"});
  CHECK(failed.code == 4);
  CHECK(Says(failed.err, "checkpoint export"));
}

TEST_CASE("an imported file is sent whole") {
  Transfer t;
  const Outcome imported = t.Run({"checkpoint", "import", Golden()});
  CHECK(imported.code == 0);
  CHECK(imported.out == "00000001-0000000002\n");
  CHECK(t.catalog->imported == t.bytes);
  CHECK(t.catalog->imported_from == ImportFrom::kOwnStore);
  CHECK(Says(t.Run({"checkpoint", "import", Golden(), "--allow-other-store", "-w", "json"}).out,
             R"("id":"00000001-0000000002")"));
  CHECK(t.catalog->imported_from == ImportFrom::kAnyStore);
}

TEST_CASE("what is no checkpoint is not sent") {
  Transfer t;
  std::ofstream(t.path) << "no checkpoint";
  CHECK(t.Run({"checkpoint", "import", t.path}).code == 5);
  CHECK(t.Run({"checkpoint", "import", t.dir / "none"}).code == 4);
  CHECK(t.catalog->imported.empty());
}

TEST_CASE("a refused import says what would be accepted") {
  Transfer t;
  t.catalog->failure = MakeError(StatusCode::kFailedPrecondition, Reason::kOtherStore, "no");
  const Outcome refused = t.Run({"checkpoint", "import", Golden()});
  CHECK(refused.code == 3);
  CHECK(Says(refused.err, "--allow-other-store"));
}

TEST_CASE("an import that is interrupted takes nothing in") {
  Transfer t;
  t.questions_before_interrupt = 0;
  const Outcome ended = t.Run({"checkpoint", "import", Golden()});
  CHECK(ended.code == 130);
  CHECK(Says(ended.err, "nothing was taken in"));
}

}  // namespace
}  // namespace tarn::cli
