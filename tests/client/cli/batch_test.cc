// tarnctl batch.
#include <fstream>
#include <string>

#include "tests/catch.h"
#include "tests/client/cli/terminal.h"
#include "tests/support/temp_dir.h"

namespace tarn::cli {
namespace {

constexpr char kLines[] =
    "# A comment, and an empty line.\n"
    "\n"
    "put k \"a value\"\n"
    "get k\n"
    "get missing\n"
    "incr n 5\n"
    "append k !\n"
    "del k\n";

TEST_CASE("a batch prints a line for each operation, in order") {
  Terminal t;
  const Outcome done = t.Run({"batch"}, kLines);
  CHECK(done.code == 0);
  CHECK(Says(done.out, "4\tget\tk\ta value\t\n"));
  CHECK(Says(done.out, "5\tget\tmissing\t-\t\n"));
  CHECK(Says(done.out, "6\tincr\tn\t5\t\n"));
  CHECK(Says(done.out, "7\tappend\tk\t8\t\n"));
  CHECK(Says(done.out, "8\tdel\tk\t1\t\n"));
  CHECK(Says(done.err, "6 done, 0 failed"));
}

TEST_CASE("a batch can come from a file") {
  const testing::TempDir dir;
  std::ofstream(dir / "lines") << kLines;
  Terminal t;
  CHECK(t.Run({"batch", dir / "lines", "--quiet"}).out.empty());
  CHECK(t.Run({"get", "n"}).out == "5\n");
  const Outcome none = t.Run({"batch", dir / "none"});
  CHECK(none.code == 2);
  CHECK(Says(none.err, "cannot read"));
}

TEST_CASE("of independent operations the ones that fail are named, and the others done") {
  Terminal t;
  const Outcome mixed = t.Run({"batch", "-q"}, "put k v\nput k w --if-absent\nput l v\n");
  CHECK(mixed.code == 3);
  CHECK(Says(mixed.out, "2\tput\tk\t\tALREADY_EXISTS\n"));
  CHECK(Says(mixed.err, "2 done, 1 failed"));
  CHECK(t.Run({"get", "l"}).code == 0);
  CHECK(Says(t.Run({"batch", "-w", "json"}, "put k w --if-absent\n").out,
             R"({"line":1,"operation":"put","key":"k","error":"ALREADY_EXISTS"})"));
}

TEST_CASE("an atomic batch is all or nothing") {
  Terminal t;
  CHECK(t.Run({"batch", "--atomic"}, "put a 1\nincr n\n").code == 0);
  const Outcome undone = t.Run({"batch", "--atomic"}, "put a 2\nput b 1 --if-present\n");
  CHECK(undone.code == 3);
  CHECK(Says(undone.err, "KEY_NOT_FOUND"));
  CHECK(t.Run({"get", "a"}).out == "1\n");
}

TEST_CASE("a malformed line ends the batch there, and an atomic one before it begins") {
  Terminal t;
  const Outcome bad = t.Run({"batch"}, "put a 1\nsteal b\nput c 1\n");
  CHECK(bad.code == 2);
  CHECK(Says(bad.err, "line 2: 'steal' is none of"));
  CHECK(t.Run({"get", "a"}).code == 0);
  CHECK(t.Run({"get", "c"}).code == 4);
  CHECK(t.Run({"batch", "--atomic"}, "put d 1\nput \"e\n").code == 2);
  CHECK(t.Run({"get", "d"}).code == 4);
}

TEST_CASE("long input goes in batches that every server takes") {
  Terminal t;
  std::string lines;
  for (int i = 0; i < 2500; ++i) lines += "put k" + std::to_string(i) + " v\n";
  CHECK(t.Run({"batch", "--quiet"}, lines).code == 0);
  CHECK(t.store->calls("Batch") == 3);
  CHECK(t.Run({"count"}).out == "2500\n");
}

TEST_CASE("a batch that fails as a whole names its lines") {
  Terminal t;
  t.store->FailNext("Batch", MakeError(absl::StatusCode::kUnavailable, Reason::kNotReady, "wait"));
  const Outcome failed = t.Run({"batch"}, "\nput a 1\nput b 1\n");
  CHECK(failed.code == 6);
  CHECK(Says(failed.err, "batch, lines 2 to 3: UNAVAILABLE, NOT_READY"));
}

TEST_CASE("an empty batch is no mistake") {
  Terminal t;
  CHECK(t.Run({"batch"}, "# nothing\n").code == 0);
  CHECK(t.Run({"batch", "--atomic"}, "").code == 0);
}

TEST_CASE("every form of result has its JSON") {
  Terminal t;
  const std::string out =
      t.Run({"batch", "-w", "json"}, "put k v\nget k\nincr n\nappend a x\ntake k\n").out;
  CHECK(Says(out, R"("operation":"get","key":"k","found":true,"value":"v","revision":")"));
  CHECK(Says(out, R"("number":1)"));
  CHECK(Says(out, R"("size_bytes":1)"));
}

}  // namespace
}  // namespace tarn::cli
