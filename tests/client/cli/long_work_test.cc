// Work that takes long: its sign of life, and its end by Ctrl-C.
#include <future>
#include <string>

#include "client/cli/await.h"
#include "client/cli/progress.h"
#include "tests/catch.h"
#include "tests/client/cli/terminal.h"

namespace tarn::cli {
namespace {

using std::chrono::milliseconds;

// Never answers a count or a clear.
struct Deaf : Connection {
  void AsyncCount(CountParams, Callback<CountResult> callback) override { kept = callback; }
  void AsyncDeleteRange(DeleteRangeParams, Callback<DeleteRangeResult>) override {}
  Callback<CountResult> kept;
};

TEST_CASE("a scan ends between two entries when Ctrl-C comes") {
  Terminal t;
  for (const std::string key : {"a", "b", "c"}) REQUIRE(t.Run({"put", key, "v"}).code == 0);
  t.questions_before_interrupt = 1;
  const Outcome ended = t.Run({"scan"});
  CHECK(ended.code == 130);
  CHECK(ended.out == "a\tv\nb\tv\n");
}

TEST_CASE("a count that takes too long for its caller ends with Ctrl-C") {
  Terminal t;
  t.connection = std::make_shared<Deaf>();
  t.questions_before_interrupt = 1;
  CHECK(t.Run({"count"}).code == 130);
}

TEST_CASE("a clear that is interrupted says what that means") {
  Terminal t;
  t.connection = std::make_shared<Deaf>();
  t.questions_before_interrupt = 0;
  const Outcome ended = t.Run({"clear", "--all"});
  CHECK(ended.code == 130);
  CHECK(Says(ended.err, "a part may be gone"));
}

TEST_CASE("a batch ends between two lines when Ctrl-C comes") {
  Terminal t;
  t.questions_before_interrupt = 2;
  CHECK(t.Run({"batch"}, "put a 1\nput b 1\nput c 1\n").code == 130);
}

struct Screen {
  std::istringstream in;
  std::ostringstream out;
  std::ostringstream err;
  std::chrono::steady_clock::time_point now;
  Environment env{.in = in, .out = out, .err = err, .err_kind = Stream::kTerminal, .now = [this] {
                    return now;
                  }};
};

TEST_CASE("progress is silent at first, then one line that is written over and removed") {
  Screen s;
  {
    Progress progress(s.env, "scan");
    progress.Show(1);
    s.now += milliseconds(900);
    progress.Show(1000);
    CHECK(s.err.str().empty());
    s.now += milliseconds(200);
    progress.Show(123456);
    progress.Show(123457);  // Too soon after the last.
    CHECK(s.err.str() == "\rscan: 123,456");
    s.now += milliseconds(200);
    progress.Show(5);
    CHECK(s.err.str() == "\rscan: 123,456\rscan: 5      ");
  }
  CHECK(s.err.str() == "\rscan: 123,456\rscan: 5      \r       \r");
}

TEST_CASE("without a terminal there is no progress") {
  Screen s;
  s.env.err_kind = Stream::kFile;
  Progress progress(s.env, "scan");
  s.now += milliseconds(5000);
  progress.Show(1);
  CHECK(s.err.str().empty());
}

TEST_CASE("work with a known end has a bar on a terminal") {
  Screen s;
  {
    WorkProgress progress(s.env, "restore", "entries", Loudness::kNormal);
    WorkState state{.phase = "loading",
                    .done = 500'000,
                    .total = 1'000'000,
                    .per_second = 1e6,
                    .time_left = milliseconds(400)};
    progress.Show(state);
    CHECK(s.err.str().empty());
    s.now += milliseconds(1000);
    progress.Show(state);
    CHECK(s.err.str() ==
          "\rrestore: loading [##########          ] 50%  500,000 entries  1,000,000/s  1s left");
  }
  CHECK(s.err.str().back() == '\r');
}

TEST_CASE("without a terminal there is a line now and then, and none when it is not wanted") {
  Screen s;
  s.env.err_kind = Stream::kFile;
  WorkProgress progress(s.env, "restore", "entries", Loudness::kNormal);
  WorkProgress quiet(s.env, "restore", "entries", Loudness::kQuiet);
  for (int second = 0; second < 25; ++second) {
    s.now += milliseconds(1000);
    progress.Show({.phase = "switching", .done = 5, .time_left = {}});
    quiet.Show({.phase = "switching", .done = 5, .time_left = {}});
  }
  const std::string line = "tarnctl: restore: switching  5 entries  0/s\n";
  CHECK(s.err.str() == line + line);
}

TEST_CASE("bytes have a rate of their own") {
  Screen s;
  ByteProgress progress(s.env, "export", Loudness::kNormal);
  progress.Show("receiving", 0, 4 << 20);
  s.now += milliseconds(2000);
  progress.Show("receiving", 2 << 20, 4 << 20);
  CHECK(s.err.str() ==
        "\rexport: receiving [##########          ] 50%  2.0 MiB  1.0 MiB/s  2s left");
}

TEST_CASE("an answer that comes after its caller has gone does no harm") {
  auto deaf = std::make_shared<Deaf>();
  Terminal t;
  t.connection = deaf;
  t.questions_before_interrupt = 0;
  CHECK(t.Run({"count"}).code == 130);
  deaf->kept(CountResult{});
}

}  // namespace
}  // namespace tarn::cli
