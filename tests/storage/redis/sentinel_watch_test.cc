#include "storage/redis/sentinel_watch.h"

#include <atomic>
#include <chrono>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "storage/redis/event_loop.h"
#include "storage/redis/reply_parser.h"
#include "tests/catch.h"
#include "tests/storage/redis/support/await.h"
#include "tests/storage/redis/support/fake_redis.h"
#include "tests/storage/redis/support/subject.h"
#include "tests/support/status.h"

namespace tarn::storage::redis {
namespace {

using testing::AwaitThat;
using testing::Bulk;
using testing::FakeRedis;

std::string List(const std::vector<std::string>& words) {
  std::string text = absl::StrCat("*", words.size(), "\r\n");
  for (const std::string& word : words) text += Bulk(word);
  return text;
}

std::string Show(const std::optional<Endpoint>& endpoint) {
  return endpoint ? EndpointText(*endpoint) : "none";
}

std::string Address(const std::string& reply) {
  ReplyParser parser{ReplyLimits()};
  if (!parser.Feed(reply).ok()) return "no reply";
  return Show(ParsePrimaryAddress(testing::Value(parser.Next())->view()));
}

TEST_CASE("an address of a primary is a host and a port") {
  CHECK(Address(List({"127.0.0.1", "6379"})) == "127.0.0.1:6379");
  CHECK(Address(List({"::1", "6379"})) == "[::1]:6379");
  CHECK(Address(List({"h", "0"})) == "none");
  CHECK(Address(List({"h", "65536"})) == "none");
  CHECK(Address(List({"h", "x"})) == "none");
  CHECK(Address(List({"a b", "1"})) == "none");
  CHECK(Address(List({"h"})) == "none");
  CHECK(Address("*-1\r\n") == "none");
  CHECK(Address("+OK\r\n") == "none");
}

TEST_CASE("a switch is of one primary, and leads to a host and a port") {
  CHECK(Show(ParseSwitch("m 1.1.1.1 1 2.2.2.2 2", "m")) == "2.2.2.2:2");
  CHECK(Show(ParseSwitch("n 1.1.1.1 1 2.2.2.2 2", "m")) == "none");
  CHECK(Show(ParseSwitch("m 1.1.1.1 1 2.2.2.2", "m")) == "none");
  CHECK(Show(ParseSwitch("m 1.1.1.1 1 2.2.2.2 0", "m")) == "none");
  CHECK(Show(ParseSwitch("", "m")) == "none");
}

// A Sentinel that gives this address for the primary "m", and publishes what it is told to.
class FakeSentinel {
 public:
  explicit FakeSentinel(std::string address) : address_(std::move(address)), redis_(Script()) {}

  Endpoint endpoint() const { return {"127.0.0.1", redis_.port()}; }
  void Publish(const std::string& text) {
    absl::MutexLock lock(&mutex_);
    news_ += List({"message", "+switch-master", text});
  }
  int questions() const { return questions_; }

 private:
  FakeRedis::Script Script() {
    FakeRedis::Script script;
    script.all_at_once = true;
    script.answer = [this](const FakeRedis::Command& command) {
      if (command[0] == "SUBSCRIBE") {
        return "*3\r\n" + Bulk("subscribe") + Bulk(command[1]) + ":1\r\n";
      }
      if (command[0] == "PING") return List({"pong", ""}) + TakeNews();
      ++questions_;
      return address_;
    };
    return script;
  }

  std::string TakeNews() {
    absl::MutexLock lock(&mutex_);
    return std::exchange(news_, "");
  }

  const std::string address_;
  absl::Mutex mutex_;
  std::string news_ ABSL_GUARDED_BY(mutex_);
  std::atomic<int> questions_ = 0;
  const FakeRedis redis_;
};

class Watch {
 public:
  explicit Watch(const std::vector<const FakeSentinel*>& sentinels)
      : watch_(SentinelWatch::Create(
            loop_.context(), clock_, base::SystemRandom(), Options(sentinels),
            [this](const Endpoint& primary) { Note(EndpointText(primary)); })) {}
  ~Watch() { watch_->Close(); }

  SentinelWatch* operator->() const { return watch_.get(); }

  // The primaries so far, in order.
  std::vector<std::string> found() const {
    absl::MutexLock lock(&mutex_);
    return found_;
  }
  void AwaitFound(const std::vector<std::string>& primaries) const {
    AwaitThat("the primaries are found", [&] { return found() == primaries; });
  }

 private:
  static SentinelWatchOptions Options(const std::vector<const FakeSentinel*>& sentinels) {
    SentinelWatchOptions options;
    for (const FakeSentinel* sentinel : sentinels) {
      options.sentinels.push_back(sentinel->endpoint());
    }
    options.master = "m";
    options.check_interval_ms = 5;
    options.poll_interval_ms = 60'000;
    return options;
  }

  void Note(const std::string& primary) {
    absl::MutexLock lock(&mutex_);
    found_.push_back(primary);
  }

  const base::SystemClock clock_;
  mutable absl::Mutex mutex_;
  std::vector<std::string> found_ ABSL_GUARDED_BY(mutex_);
  EventLoop loop_;
  const std::shared_ptr<SentinelWatch> watch_;
};

TEST_CASE("a Sentinel that does not know the primary, or says nonsense, is passed over") {
  const FakeSentinel none("*-1\r\n");
  const FakeSentinel refuses("-NOAUTH Authentication required.\r\n");
  const FakeSentinel wrong(List({"a b", "1"}));
  const FakeSentinel right(List({"primary", "1"}));
  const Watch watch({&none, &refuses, &wrong, &right});
  watch.AwaitFound({"primary:1"});
  CHECK(none.questions() == 1);
  CHECK(watch->Stats().unanswered == 0);
}

TEST_CASE("nobody who knows is asked for again") {
  const FakeSentinel none("*-1\r\n");
  const Watch watch({&none});
  AwaitThat("it is asked again", [&] { return watch->Stats().unanswered >= 3; });
  CHECK(watch.found().empty());
}

TEST_CASE("what is published is believed, when it is about this primary") {
  FakeSentinel one(List({"primary", "1"}));
  FakeSentinel other(List({"primary", "1"}));
  const Watch watch({&one, &other});
  AwaitThat("both are subscribed to", [&] { return watch->Stats().subscribed == 2; });
  watch.AwaitFound({"primary:1"});
  other.Publish("another primary 1 wrong 2");
  other.Publish("m primary 1");
  other.Publish("m primary 1 next 2");
  watch.AwaitFound({"primary:1", "next:2"});
  CHECK(watch->Stats().announcements == 1);
}

TEST_CASE("who said what does not serve is not asked first again") {
  const FakeSentinel behind(List({"old", "1"}));
  const FakeSentinel knows(List({"new", "2"}));
  const Watch watch({&behind, &knows});
  watch.AwaitFound({"old:1"});
  AwaitThat("both are subscribed to", [&] { return watch->Stats().subscribed == 2; });
  AwaitThat("another one is asked", [&] {
    watch->Doubt();
    return watch.found().size() > 1;
  });
  CHECK(watch.found()[1] == "new:2");
}

TEST_CASE("questions are not asked one after the other as fast as they are wanted") {
  const FakeSentinel sentinel(List({"primary", "1"}));
  const Watch watch({&sentinel});
  watch.AwaitFound({"primary:1"});
  const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(200);
  while (std::chrono::steady_clock::now() < end) watch->Doubt();
  // 50 ms lie between two.
  CHECK(sentinel.questions() < 10);
}

}  // namespace
}  // namespace tarn::storage::redis
