// A connection to a server that misbehaves.
#include <string>
#include <vector>

#include "storage/redis/command.h"
#include "storage/redis/connection.h"
#include "tests/catch.h"
#include "tests/storage/redis/support/fake_redis.h"
#include "tests/storage/redis/support/subject.h"

namespace tarn::storage::redis {
namespace {

using testing::Await;
using testing::Bulk;
using testing::FakeRedis;
using testing::Subject;
using testing::To;

FakeRedis::Script Answering(const std::string& bytes) {
  FakeRedis::Script script;
  script.answer = [bytes](const FakeRedis::Command&) { return bytes; };
  return script;
}

std::string AnswerTo(const std::string& bytes, CommandKind kind) {
  const FakeRedis fake(Answering(bytes));
  Subject subject(To(fake));
  return subject.Ask({"SET", "k", "v"}, kind);
}

const std::string kSet = FormatCommand({"SET", "k", "v"});

TEST_CASE("each refusal of Redis is not done and leaves the connection open") {
  for (const std::string name :
       {"MOVED", "ASK", "TRYAGAIN", "CLUSTERDOWN", "MASTERDOWN", "LOADING", "BUSY", "READONLY",
        "NOREPLICAS", "MISCONF", "OOM", "NOSCRIPT", "CROSSSLOT", "NOAUTH", "WRONGPASS", "NOPERM"}) {
    const FakeRedis fake(Answering("-" + name + " 1 h:1\r\n"));
    Subject subject(To(fake));
    CHECK(subject.Ask({"SET", "k", "v"}) == name + ": not done");
    CHECK(subject.Ask({"SET", "k", "v"}) == name + ": not done");
    CHECK(fake.connections() == 1);
  }
}

TEST_CASE("an error that Redis is not known for makes a write unknown and ends the connection") {
  for (const std::string error : {"-ERR what\r\n", "-WRONGTYPE x\r\n", "-\r\n"}) {
    const FakeRedis fake(Answering(error));
    Subject subject(To(fake));
    CHECK(subject.Ask({"SET", "k", "v"}) == "unexpected reply: unknown");
    CHECK(subject.closed() == "UNAVAILABLE ENGINE_UNAVAILABLE");
  }
  CHECK(AnswerTo("-ERR what\r\n", CommandKind::kRead) == "unexpected reply: not done");
}

TEST_CASE("bytes that are no reply make a write unknown and end the connection") {
  for (const std::string bytes : {"hello\r\n", "$x\r\n", "*2147483647\r\n", "HTTP/1.1 400\r\n"}) {
    const FakeRedis fake(Answering(bytes));
    Subject subject(To(fake));
    CHECK(subject.Ask({"SET", "k", "v"}) == "unexpected reply: unknown");
    CHECK(subject.closed() == "INTERNAL ENGINE_ERROR");
  }
  CHECK(AnswerTo("hello\r\n", CommandKind::kRead) == "unexpected reply: not done");
}

TEST_CASE("a reply to nothing ends the connection before it can answer something else") {
  const FakeRedis fake(Answering("+OK\r\n+OK\r\n"));
  Subject subject(To(fake));
  CHECK(subject.Ask({"SET", "k", "v"}) == "OK");
  CHECK(subject.cause() == "Redis answered what it was not asked");
}

TEST_CASE("a reply that comes byte by byte is one reply") {
  FakeRedis::Script script = Answering("*2\r\n" + Bulk("a\r\n") + ":5\r\n");
  script.trickle = true;
  const FakeRedis fake(script);
  Subject subject(To(fake));
  CHECK(subject.Ask({"X"}) == "[\"a\r\n\" (integer) 5]");
  CHECK(subject.Ask({"X"}) == "[\"a\r\n\" (integer) 5]");
}

TEST_CASE("a connection that ends at any byte of a request leaves the write unknown") {
  for (size_t bytes = 1; bytes < kSet.size(); ++bytes) {
    FakeRedis::Script script;
    script.request_bytes = bytes;
    const FakeRedis fake(script);
    Subject subject(To(fake));
    REQUIRE(subject.opened() == "OK");
    CHECK(subject.Ask({"SET", "k", "v"}) == "connection lost: unknown");
    CHECK(fake.commands() == 0);
  }
}

TEST_CASE("a connection that ends at any byte of a reply leaves that write and the next unknown") {
  const std::string reply = Bulk("reply");
  for (size_t bytes = 0; bytes < 2 * reply.size(); ++bytes) {
    FakeRedis::Script script = Answering(reply);
    script.answer_bytes = bytes;
    const FakeRedis fake(script);
    Subject subject(To(fake));
    REQUIRE(subject.opened() == "OK");
    std::future<std::string> first = subject.Send({"SET", "k", "v"});
    std::future<std::string> second = subject.Send({"GET", "k"}, CommandKind::kRead);
    CHECK(Await(first) == (bytes < reply.size() ? "connection lost: unknown" : "\"reply\""));
    CHECK_THAT(Await(second), Catch::Matchers::Contains(": not done"));
  }
}

TEST_CASE("what waits behind a connection that never opens is not done") {
  FakeRedis::Script script;
  script.log_in = [](const FakeRedis::Command& command) {
    return std::string(command[0] == "ROLE" ? "-LOADING Redis is loading\r\n" : "");
  };
  const FakeRedis fake(script);
  Subject subject(To(fake));
  std::future<std::string> early = subject.Send({"SET", "k", "v"});
  CHECK(subject.opened() == "UNAVAILABLE ENGINE_UNAVAILABLE");
  CHECK(subject.cause() == "Redis does not serve yet: LOADING");
  CHECK(Await(early) == "no connection: not done");
  CHECK(fake.commands() == 0);
}

TEST_CASE("a log-in that gets nonsense fails") {
  for (const std::string answer : {"+PONG\r\n", ":1\r\n", "*0\r\n", "$-1\r\n"}) {
    FakeRedis::Script script;
    script.log_in = [answer](const FakeRedis::Command& command) {
      return command[0] == "ROLE" ? answer : "";
    };
    const FakeRedis fake(script);
    CHECK(Subject(To(fake)).opened() == "INTERNAL ENGINE_ERROR");
  }
}

TEST_CASE("a port where nobody listens is told at once") {
  ConnectionOptions options;
  const testing::OwnPort nobody;
  options.transport.endpoint = {"127.0.0.1", nobody.number()};
  Subject subject(options);
  CHECK(subject.opened() == "UNAVAILABLE ENGINE_UNAVAILABLE");
  CHECK(subject.Ask({"SET", "k", "v"}) == "no connection: not done");
}

TEST_CASE("a socket or a host that does not exist is told") {
  ConnectionOptions options;
  options.transport.unix_path = "/nonexistent/redis.sock";
  CHECK(Subject(options).opened() == "UNAVAILABLE ENGINE_UNAVAILABLE");
  options.transport.unix_path.clear();
  options.transport.endpoint = {"host.invalid", 6379};
  CHECK(Subject(options).opened() == "UNAVAILABLE ENGINE_UNAVAILABLE");
}

TEST_CASE("a server that accepts and says nothing is given up after the connect timeout") {
  FakeRedis::Script script;
  script.log_in = [](const FakeRedis::Command&) { return std::string("*"); };
  const FakeRedis fake(script);
  ConnectionOptions options = To(fake);
  options.connect_timeout_ms = 50;
  Subject subject(options);
  CHECK(subject.opened() == "UNAVAILABLE ENGINE_UNAVAILABLE");
  CHECK(subject.cause() == "Redis took too long");
}

TEST_CASE("a server that does not answer is given up after the read timeout") {
  const FakeRedis fake(Answering(""));
  ConnectionOptions options = To(fake);
  options.read_timeout_ms = 50;
  Subject subject(options);
  REQUIRE(subject.opened() == "OK");
  std::future<std::string> first = subject.Send({"SET", "k", "v"});
  std::future<std::string> second = subject.Send({"SET", "k", "w"});
  CHECK(Await(first) == "connection lost: unknown");
  CHECK_THAT(Await(second), Catch::Matchers::Contains("connection"));
  CHECK(subject.cause() == "Redis took too long");
}

TEST_CASE("a connection without requests is not given up") {
  const FakeRedis fake(Answering("+OK\r\n"));
  ConnectionOptions options = To(fake);
  options.read_timeout_ms = 20;
  options.connect_timeout_ms = 2000;
  Subject subject(options);
  REQUIRE(subject.opened() == "OK");
  // Longer than the timeout: as many answers, one after the other, each in time.
  for (int i = 0; i < 200; ++i) REQUIRE(subject.Ask({"X"}) == "OK");
  CHECK(fake.connections() == 1);
}

TEST_CASE("a request for which the queue has no room is refused and the others go on") {
  FakeRedis::Script script;
  const FakeRedis fake(script);
  ConnectionOptions options = To(fake);
  options.max_queued_bytes = 100;
  Subject subject(options);
  CHECK(subject.Ask({"SET", "k", std::string(200, 'v')}) == "too many requests wait: not done");
  CHECK(subject.Ask({"SET", "k", "v"}) == "OK");
}

TEST_CASE("an aborted connection answers everything and never answers again") {
  const FakeRedis fake(Answering(""));
  Subject subject(To(fake));
  REQUIRE(subject.opened() == "OK");
  std::future<std::string> write = subject.Send({"SET", "k", "v"});
  subject.connection().Abort(absl::UnavailableError("the owner says so"));
  CHECK_THAT(Await(write), Catch::Matchers::Equals("connection lost: unknown") ||
                               Catch::Matchers::Equals("no connection: not done"));
  CHECK(subject.cause() == "the owner says so");
  CHECK(subject.Ask({"SET", "k", "v"}) == "no connection: not done");
  CHECK(subject.connection().pending() == 0);
}

}  // namespace
}  // namespace tarn::storage::redis
