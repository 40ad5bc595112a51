#include "client/examples/window.h"

#include "tests/catch.h"

namespace window_demo {
namespace {

TEST_CASE("a window sums up its events") {
  Window window = Window::Begin(0, {.time = 5, .key = "k", .value = 3});
  window.Add({.time = 8, .key = "k", .value = -1});
  window.Add({.time = 8, .key = "k", .value = 9});
  CHECK(window == Window{.start = 0, .last = 8, .count = 3, .sum = 11, .min = -1, .max = 9});
}

TEST_CASE("windows and progress are stored as text, and read back") {
  const Window window{.start = -60, .last = 8, .count = 3, .sum = 11, .min = -1, .max = 9};
  CHECK(Encode(window) == "-60 8 3 11 -1 9");
  CHECK(*DecodeWindow(Encode(window)) == window);
  Progress progress{.offset = 7, .events = 2, .time = 9, .owner = "me"};
  CHECK(Encode(progress) == "7 2 9 running me");
  CHECK(*DecodeProgress(Encode(progress)) == progress);
  progress.state = Progress::State::kFinished;
  CHECK(*DecodeProgress(Encode(progress)) == progress);
}

TEST_CASE("text that the worker did not write is data loss") {
  for (const std::string text : {"", "1 2 3 4 5", "1 2 3 4 5 6 7", "1 2 3 x 5 6", "1 2 3 4 5 "}) {
    INFO(text);
    CHECK(DecodeWindow(text).status().code() == absl::StatusCode::kDataLoss);
  }
  for (const std::string text : {"", "1 2 3 running", "x 2 3 running me", "1 x 3 running me",
                                 "1 2 x running me", "1 2 3 idle me", "-1 2 3 running me"}) {
    INFO(text);
    CHECK(DecodeProgress(text).status().code() == absl::StatusCode::kDataLoss);
  }
}

TEST_CASE("keys say which window they hold, also where the events' keys contain slashes") {
  CHECK(OpenKey(WindowKind::kTumbling, "a/b") == "open/window/a/b");
  CHECK(ParseOpenKey("open/session/a/b")->kind == WindowKind::kSession);
  CHECK(ParseOpenKey("open/session/a/b")->event_key == "a/b");
  const std::string closed = ClosedKey(WindowKind::kSession, "a/b", 1279144800);
  CHECK(closed == "closed/session/a/b/2010-07-14T22:00");
  CHECK(ParseClosedKey(closed)->kind == WindowKind::kSession);
  CHECK(ParseClosedKey(closed)->event_key == "a/b");
}

TEST_CASE("a key that the worker did not write is data loss") {
  CHECK(ParseOpenKey("open/other/k").status().code() == absl::StatusCode::kDataLoss);
  CHECK(ParseClosedKey("closed/k").status().code() == absl::StatusCode::kDataLoss);
  CHECK(ParseClosedKey("closed/other/k/2010-07-14T22:00").status().code() ==
        absl::StatusCode::kDataLoss);
}

}  // namespace
}  // namespace window_demo
