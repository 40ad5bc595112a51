#include "client/examples/window_update.h"

#include <optional>
#include <string>
#include <vector>

#include "tests/catch.h"

namespace window_demo {
namespace {

// Windows of 100 s; sessions of values from 10 on, with gaps of 20 s at most.
struct Subject {
  WindowUpdate update{{.window_seconds = 100, .session_gap_seconds = 20, .session_threshold = 10}};

  void Add(int64_t time, int64_t value, const std::string& key = "k") {
    update.Add({time, key, value});
  }
  std::optional<Window> Open(WindowKind kind, const std::string& key = "k") const {
    return update.open().at({kind, key}).window;
  }
  // "START:COUNT", in the order in which they closed.
  std::vector<std::string> Closed(WindowKind kind) const {
    std::vector<std::string> closed;
    for (const WindowUpdate::Closed& one : update.closed()) {
      if (one.kind != kind) continue;
      closed.push_back(std::to_string(one.window.start) + ":" + std::to_string(one.window.count));
    }
    return closed;
  }
};

using Names = std::vector<std::string>;

TEST_CASE("a window closes when its key's next event lies in another span") {
  Subject s;
  s.Add(100, 1);
  s.Add(199, 2);
  CHECK(s.Closed(WindowKind::kTumbling).empty());
  s.Add(200, 3);
  s.Add(450, 4);
  CHECK(s.Closed(WindowKind::kTumbling) == Names{"100:2", "200:1"});
  CHECK(s.Open(WindowKind::kTumbling)->start == 400);
}

TEST_CASE("spans before 1970 begin at multiples too") {
  Subject s;
  s.Add(-101, 1);
  s.Add(-100, 1);
  s.Add(-1, 1);
  s.Add(0, 1);
  CHECK(s.Closed(WindowKind::kTumbling) == Names{"-200:1", "-100:2"});
}

TEST_CASE("a pause as long as the gap goes on with a session, a longer one ends it") {
  Subject s;
  s.Add(100, 10);
  s.Add(120, 10);
  CHECK(s.Open(WindowKind::kSession)->count == 2);
  s.Add(141, 10);
  CHECK(s.Closed(WindowKind::kSession) == Names{"100:2"});
  CHECK(s.Open(WindowKind::kSession)->start == 141);
}

TEST_CASE("an event below the threshold is in no session, but shows that one is over") {
  Subject s;
  s.Add(100, 10);
  s.Add(110, 9);
  CHECK(s.Open(WindowKind::kSession)->last == 100);
  s.Add(121, 9);
  CHECK(s.Closed(WindowKind::kSession) == Names{"100:1"});
  CHECK_FALSE(s.Open(WindowKind::kSession).has_value());
}

TEST_CASE("keys have windows of their own") {
  Subject s;
  s.Add(100, 10, "a");
  s.Add(250, 10, "b");
  CHECK(s.update.closed().empty());
  CHECK(s.Open(WindowKind::kTumbling, "a")->start == 100);
  CHECK(s.update.event_counts() == std::map<std::string, int64_t>{{"a", 1}, {"b", 1}});
}

TEST_CASE("stored windows are gone on with, and only what changes is to be stored") {
  Subject s;
  const Window stored{.start = 100, .last = 110, .count = 2, .sum = 20, .min = 10, .max = 10};
  s.update.Load(WindowKind::kTumbling, "k", stored);
  s.update.Load(WindowKind::kSession, "k", stored);
  s.Add(115, 9);
  CHECK(s.Open(WindowKind::kTumbling)->count == 3);
  CHECK(s.update.open().at({WindowKind::kTumbling, "k"}).changed);
  CHECK(*s.Open(WindowKind::kSession) == stored);
  CHECK_FALSE(s.update.open().at({WindowKind::kSession, "k"}).changed);
}

}  // namespace
}  // namespace window_demo
