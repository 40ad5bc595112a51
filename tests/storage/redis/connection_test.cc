// A connection to real servers.
#include "storage/redis/connection.h"

#include <signal.h>

#include <atomic>
#include <future>
#include <string>
#include <thread>
#include <vector>

#include "storage/redis/command.h"
#include "tests/catch.h"
#include "tests/storage/redis/support/redis_server.h"
#include "tests/storage/redis/support/subject.h"

namespace tarn::storage::redis {
namespace {

using testing::Await;
using testing::RedisServer;
using testing::Subject;
using testing::To;

TEST_CASE("a connection over TCP sets and gets any bytes") {
  const RedisServer server;
  Subject subject(To(server));
  REQUIRE(subject.opened() == "OK");
  const std::string key("*?[]{}\0\r\n", 9);
  CHECK(subject.Ask({"SET", key, "v\r\n"}) == "OK");
  CHECK(subject.Ask({"GET", key}, CommandKind::kRead) == "\"v\r\n\"");
  CHECK(subject.Ask({"GET", "*"}, CommandKind::kRead) == "(nil)");
  CHECK(subject.connection().pending() == 0);
}

TEST_CASE("a connection over a Unix socket works as one over TCP") {
  const RedisServer server;
  ConnectionOptions options;
  options.transport.unix_path = server.unix_path();
  Subject subject(options);
  REQUIRE(subject.opened() == "OK");
  CHECK(subject.Ask({"INCR", "n"}) == "(integer) 1");
}

TEST_CASE("a connection tells Redis its name and database and learns its id") {
  const RedisServer server;
  ConnectionOptions options = To(server);
  options.client_name = "tarn-store";
  options.database = 3;
  Subject subject(options);
  REQUIRE(subject.opened() == "OK");
  const std::string info = subject.Ask({"CLIENT", "INFO"}, CommandKind::kRead);
  CHECK_THAT(info, Catch::Matchers::Contains(" name=tarn-store "));
  CHECK_THAT(info, Catch::Matchers::Contains(" db=3 "));
  const std::string id = std::to_string(subject.connection().peer().client_id);
  CHECK_THAT(info, Catch::Matchers::Contains("id=" + id + " "));
}

TEST_CASE("a connection logs in with a password, or as a user of the ACL") {
  const RedisServer server(
      {"--requirepass", "secret", "--user", "tarn", "on", ">word", "~*", "&*", "+@all"});
  ConnectionOptions options = To(server);
  options.password = "secret";
  CHECK(Subject(options).opened() == "OK");
  options.user = "tarn";
  options.password = "word";
  CHECK(Subject(options).opened() == "OK");
}

TEST_CASE("a connection that Redis does not let in says so and holds no secret") {
  const RedisServer server({"--requirepass", "secret"});
  ConnectionOptions options = To(server);
  CHECK(Subject(options).opened() == "INTERNAL ENGINE_ERROR");
  options.password = "wrong-secret";
  Subject subject(options);
  CHECK(subject.opened() == "INTERNAL ENGINE_ERROR");
  CHECK(subject.cause() == "Redis refuses AUTH of the log-in");
  CHECK(subject.Ask({"GET", "k"}) == "no connection: not done");
}

TEST_CASE("a connection to a replica is refused unless any role will do") {
  const RedisServer server({"--replicaof", "127.0.0.1 1"});
  ConnectionOptions options = To(server);
  Subject subject(options);
  CHECK(subject.opened() == "UNAVAILABLE ENGINE_UNAVAILABLE");
  CHECK(subject.cause() == "this Redis is not the primary");
  options.role = RequiredRole::kAny;
  Subject any(options);
  CHECK(any.opened() == "OK");
  CHECK(any.Ask({"SET", "k", "v"}) == "READONLY: not done");
}

TEST_CASE("requests of many threads are answered each with its own reply") {
  const RedisServer server;
  Subject subject(To(server));
  std::vector<std::thread> threads;
  std::atomic<int> wrong = 0;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&, thread] {
      std::vector<std::future<std::string>> answers;
      for (int i = 0; i < 2000; ++i) {
        answers.push_back(subject.Send({"ECHO", std::to_string(thread * 10'000 + i)}));
      }
      for (int i = 0; i < 2000; ++i) {
        const std::string wanted = "\"" + std::to_string(thread * 10'000 + i) + "\"";
        if (Await(answers[i]) != wanted) ++wrong;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(wrong == 0);
}

TEST_CASE("requests of one thread take effect in the order sent") {
  const RedisServer server;
  Subject subject(To(server));
  std::vector<std::future<std::string>> answers;
  for (int i = 1; i <= 1000; ++i) answers.push_back(subject.Send({"INCR", "n"}));
  for (int i = 1; i <= 1000; ++i) {
    CHECK(Await(answers[i - 1]) == "(integer) " + std::to_string(i));
  }
}

TEST_CASE("values larger than any buffer pass in both directions") {
  const RedisServer server;
  Subject subject(To(server));
  const std::string value(3 << 20, 'v');
  CHECK(subject.Ask({"SET", "k", value}) == "OK");
  CHECK(subject.Ask({"GET", "k"}) == "\"" + value + "\"");
}

TEST_CASE("what Redis refuses inside a script before its first write is not done") {
  const RedisServer server({"--maxmemory", "1"});
  Subject subject(To(server));
  CHECK(subject.Ask({"SET", "k", "v"}) == "OOM: not done");
  CHECK(subject.Ask({"EVAL", "return redis.call('SET', KEYS[1], 'v')", "1", "k"}) ==
        "OOM: not done");
  CHECK(subject.Ask({"EXISTS", "k"}) == "(integer) 0");
}

TEST_CASE("an error inside a script leaves a write unknown and the connection open") {
  const RedisServer server;
  Subject subject(To(server));
  const std::string script = "redis.call('SET', KEYS[1], 'v') redis.call('INCR', KEYS[1])";
  CHECK(subject.Ask({"EVAL", script, "1", "k"}) == "script error: unknown");
  CHECK(subject.Ask({"EVAL", "error('x')", "0"}) == "script error: unknown");
  CHECK(subject.Ask({"EVALSHA", std::string(40, '0'), "0"}) == "NOSCRIPT: not done");
  CHECK(subject.Ask({"GET", "k"}) == "\"v\"");
}

TEST_CASE("a missing permission inside a script does not hide what it wrote before") {
  const RedisServer server({"--user", "tarn", "on", ">word", "~*", "&*", "+@all", "-incr"});
  ConnectionOptions options = To(server);
  options.user = "tarn";
  options.password = "word";
  Subject subject(options);
  CHECK(subject.Ask({"INCR", "k"}) == "NOPERM: not done");
  const std::string script = "redis.call('SET', KEYS[1], 'v') redis.call('INCR', KEYS[1])";
  CHECK(subject.Ask({"EVAL", script, "1", "k"}) == "script error: unknown");
  CHECK(subject.Ask({"GET", "k"}) == "\"v\"");
}

TEST_CASE(
    "a server that does not read is given up, and what waits behind the stuck write is not done") {
  const RedisServer server;
  ConnectionOptions options = To(server);
  options.write_timeout_ms = 200;
  options.read_timeout_ms = 60'000;
  Subject subject(options);
  REQUIRE(subject.opened() == "OK");
  server.Signal(SIGSTOP);
  // More than the kernel's buffers take.
  std::future<std::string> stuck = subject.Send({"SET", "k", std::string(40 << 20, 'v')});
  std::future<std::string> behind = subject.Send({"SET", "k", "w"});
  CHECK(Await(stuck) == "connection lost: unknown");
  CHECK_THAT(Await(behind), Catch::Matchers::EndsWith("not done"));
  CHECK(subject.cause() == "Redis took too long");
}

// Two writes that go out as one, to a server that reads no more: the first is larger than what the
// kernel's buffers take.
struct OneWrite {
  OneWrite(Subject& subject, const RedisServer& server) {
    std::promise<void> sent;
    subject.connection().Send(CommandKind::kRead, FormatCommand({"PING"}), [&](Answer&) {
      // On the loop's thread: it writes when both are there.
      server.Signal(SIGSTOP);
      first = subject.Send({"SET", "k", std::string(40 << 20, 'v')});
      second = subject.Send({"SET", "k", "w"});
      sent.set_value();
    });
    sent.get_future().wait();
  }

  std::future<std::string> first;
  std::future<std::string> second;
};

TEST_CASE("while a write is under way, nobody can know how much of it was sent") {
  const RedisServer server;
  ConnectionOptions options = To(server);
  options.write_timeout_ms = 200;
  options.read_timeout_ms = 60'000;
  Subject subject(options);
  OneWrite write(subject, server);
  CHECK(Await(write.first) == "connection lost: unknown");
  CHECK(Await(write.second) == "connection lost: unknown");
}

TEST_CASE("when the server is killed every request gets its outcome") {
  RedisServer server;
  Subject subject(To(server));
  REQUIRE(subject.opened() == "OK");
  server.Signal(SIGSTOP);
  std::future<std::string> write = subject.Send({"SET", "k", "v"});
  std::future<std::string> read = subject.Send({"GET", "k"}, CommandKind::kRead);
  server.Kill();
  CHECK_THAT(Await(write), Catch::Matchers::Contains(": unknown") ||
                               Catch::Matchers::Equals("no connection: not done"));
  CHECK_THAT(Await(read), Catch::Matchers::Contains(": not done"));
  CHECK(subject.closed() == "UNAVAILABLE ENGINE_UNAVAILABLE");
  CHECK(subject.Ask({"SET", "k", "v"}) == "no connection: not done");
}

}  // namespace
}  // namespace tarn::storage::redis
