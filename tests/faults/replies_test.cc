// Everything that Redis may answer, or begin to, as a caller of the daemon learns of it.
#include <chrono>
#include <future>
#include <limits>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "tarn/client.h"
#include "tests/catch.h"
#include "tests/faults/redis_daemon.h"
#include "tests/faults/scripted_proxy.h"
#include "tests/storage/redis/support/await.h"
#include "tests/storage/redis/support/redis_server.h"

namespace tarn::testing {
namespace {

using std::chrono::seconds;

const std::string kAway = "UNAVAILABLE ENGINE_UNAVAILABLE";
const std::string kBroken = "INTERNAL ENGINE_ERROR";
const std::string kNobodyKnows = "UNKNOWN OUTCOME_UNKNOWN";

std::string Brief(const absl::Status& status) {
  const std::string reason(ReasonName(ReasonOf(status)));
  return absl::StatusCodeToString(status.code()) + (reason.empty() ? "" : " " + reason);
}

// Keys whose names tell which command of theirs meets the fault.
const ScriptedProxy::Match kRead = {"GET", "victim/read"};
const ScriptedProxy::Match kPlain = {"SET", "victim/plain"};
const ScriptedProxy::Match kScript = {"EVALSHA", "victim/script"};

// A daemon that makes one attempt of each call, and what is in Redis.
class World {
 public:
  World() {
    REQUIRE(client_.Put("victim/read", "there").ok());
    REQUIRE(client_.Put("victim/plain", "0").ok());
    REQUIRE(client_.Increment("victim/script", 1).ok());
  }

  ScriptedProxy& proxy() { return proxy_; }

  std::string Read() { return Brief(client_.Get("victim/read").status()); }
  std::string Plain() {
    ++puts_;
    const absl::Status status = client_.Put("victim/plain", std::to_string(puts_)).status();
    if (status.ok()) put_ = puts_;
    return Brief(status);
  }
  std::string Script() {
    const absl::Status status = client_.Increment("victim/script", 1).status();
    if (status.ok()) ++sum_;
    return Brief(status);
  }

  // After the fault: all is as it was told, or, where nobody knew, as it may be.
  void CheckState(const std::string& plain, const std::string& script) {
    proxy_.Disarm();
    CHECK(Get("victim/read") == "there");
    const std::string put = Get("victim/plain");
    if (plain == kNobodyKnows && put == std::to_string(puts_)) put_ = puts_;
    CHECK(put == std::to_string(put_));
    const std::string sum = Get("victim/script");
    if (script == kNobodyKnows && sum == std::to_string(sum_ + 1)) ++sum_;
    CHECK(sum == std::to_string(sum_));
    CHECK(client_.Put("other", sum).ok());
  }

  // As soon as the daemon has a connection again.
  std::string Get(const std::string& key) {
    absl::StatusOr<GetResult> read = absl::UnavailableError("not tried");
    AwaitThat("a read", [&] { return (read = client_.Get(key)).ok(); });
    return read->value;
  }

 private:
  const RedisServer redis_;
  ScriptedProxy proxy_{redis_.port()};
  RedisDaemon daemon_{TcpUrl(proxy_.port())};
  const Client client_ =
      *Client::Connect({.endpoint = daemon_.endpoint(),
                        .call_timeout = seconds(20),
                        .request_ids = RequestIdUse::kNever,
                        .retry_policy = std::make_shared<LimitedRetryPolicy>(0)});
  int puts_ = 0;  // Tried,
  int put_ = 0;   // and the last that was done.
  int sum_ = 1;
};

struct Row {
  std::string reply;
  std::string read;
  std::string write;
};

// What is not done, and is said so for reads and writes alike.
std::vector<Row> Refusals() {
  std::vector<Row> rows;
  for (const std::string reply :
       {"MOVED 3999 127.0.0.1:1", "ASK 3999 127.0.0.1:1", "TRYAGAIN Multiple keys request",
        "CLUSTERDOWN Hash slot not served", "MASTERDOWN Link with MASTER is down",
        "LOADING Redis is loading the dataset in memory", "BUSY Redis is busy running a script",
        "ERR max number of clients reached", "READONLY You can't write against a read only",
        "NOREPLICAS Not enough good replicas to write.", "MISCONF Redis is configured to save"}) {
    rows.push_back({reply, kAway, kAway});
  }
  const std::string full = "RESOURCE_EXHAUSTED MEMORY_LIMIT";
  rows.push_back({"OOM command not allowed when used memory > 'maxmemory'.", full, full});
  const std::string cross = "FAILED_PRECONDITION CROSS_SLOT";
  rows.push_back({"CROSSSLOT Keys in request don't hash to the same slot", cross, cross});
  for (const std::string reply :
       {"NOSCRIPT No matching script.", "NOAUTH Authentication required.",
        "WRONGPASS invalid username-password pair", "NOPERM this user has no permissions"}) {
    rows.push_back({reply, kBroken, kBroken});
  }
  return rows;
}

ScriptedProxy::Fault Always(const std::string& reply) {
  return {
      .any_of = {kRead, kPlain, kScript}, .times = std::numeric_limits<int>::max(), .reply = reply};
}

// All three at once, since each repeats for a while.
struct Outcomes {
  std::string read;
  std::string plain;
  std::string script;
};

Outcomes RunAll(World& world) {
  std::future<std::string> read = std::async(std::launch::async, [&] { return world.Read(); });
  std::future<std::string> plain = std::async(std::launch::async, [&] { return world.Plain(); });
  std::future<std::string> script = std::async(std::launch::async, [&] { return world.Script(); });
  return {read.get(), plain.get(), script.get()};
}

TEST_CASE("a refusal of Redis that stays is an error with its code and reason, and not done") {
  World world;
  for (const Row& row : Refusals()) {
    INFO(row.reply);
    world.proxy().Arm(Always("-" + row.reply + "\r\n"));
    const Outcomes outcomes = RunAll(world);
    CHECK(outcomes.read == row.read);
    CHECK(outcomes.plain == row.write);
    CHECK(outcomes.script == row.write);
    world.CheckState(outcomes.plain, outcomes.script);
  }
}

TEST_CASE("a refusal of Redis that passes is not noticed by callers") {
  World world;
  for (const std::string reply :
       {"TRYAGAIN x", "CLUSTERDOWN x", "MASTERDOWN x", "LOADING x", "BUSY x",
        "ERR max number of clients reached", "READONLY x", "NOSCRIPT x"}) {
    INFO(reply);
    for (const ScriptedProxy::Match& match : {kRead, kPlain, kScript}) {
      const bool is_script = match.command == "EVALSHA";
      if (reply == "NOSCRIPT x" && !is_script) continue;  // It answers scripts alone.
      world.proxy().Arm({.any_of = {match}, .reply = "-" + reply + "\r\n"});
      const Outcomes outcomes = RunAll(world);
      CHECK(world.proxy().struck().times == 1);
      CHECK(outcomes.read == "OK");
      CHECK(outcomes.plain == "OK");
      CHECK(outcomes.script == "OK");
    }
    world.CheckState("OK", "OK");
  }
}

// The write is settled: that it was not done is found, or nobody knows.
bool IsNotDone(const std::string& outcome) {
  return outcome == kAway || outcome == kNobodyKnows || outcome == kBroken;
}

TEST_CASE("answers of the wrong type, and no answers at all, are never taken for success") {
  World world;
  for (const std::string reply :
       {"-ERR what\r\n", "-WRONGTYPE x\r\n", "-\r\n", ":1\r\n", "*0\r\n", "+QUEUED\r\n",
        "*1\r\n:7\r\n", "hello\r\n", "$x\r\n", "$-2\r\n", "*2147483647\r\n",
        "HTTP/1.1 400 Bad Request\r\n\r\n", "+OK\r\n+OK\r\n"}) {
    INFO(reply);
    world.proxy().Arm(Always(reply));
    const Outcomes outcomes = RunAll(world);
    INFO(outcomes.read << ", " << outcomes.plain << ", " << outcomes.script);
    CHECK(IsNotDone(outcomes.read));
    CHECK(IsNotDone(outcomes.plain));
    CHECK(IsNotDone(outcomes.script));
    world.CheckState(outcomes.plain, outcomes.script);
  }
}

TEST_CASE("an error that a script raises is an unknown outcome, or settled") {
  World world;
  for (const std::string reply : {"-ERR user_script:1: x script: 5ac, on @user_script:1.\r\n",
                                  "-WRONGTYPE x script: 5ac, on @user_script:1.\r\n",
                                  "-NOPERM x script: 5ac, on @user_script:1.\r\n"}) {
    INFO(reply);
    world.proxy().Arm({.any_of = {kScript}, .times = 100, .reply = reply});
    const std::string outcome = world.Script();
    CHECK((outcome == kAway || outcome == kNobodyKnows));
    world.CheckState("OK", outcome);
  }
}

// --- cut at every byte ---

enum class Side { kRequest, kReply };

// In a short run not at every byte, but at others each time.
size_t Step() { return Count(9, 1); }

void CutEverywhere(World& world, const ScriptedProxy::Match& match, Side side) {
  std::mt19937 random(Seed());
  const auto run = [&](size_t bytes) {
    ScriptedProxy::Fault fault{.any_of = {match}};
    (side == Side::kRequest ? fault.request_bytes : fault.reply_bytes) = bytes;
    world.proxy().Arm(fault);
    std::string outcome;
    if (match.command == "GET") outcome = world.Read();
    if (match.command == "SET") outcome = world.Plain();
    if (match.command == "EVALSHA") outcome = world.Script();
    const ScriptedProxy::Struck struck = world.proxy().struck();
    INFO(match.command << " cut at " << bytes << ": " << outcome);
    CHECK(struck.times == 1);
    CHECK((outcome == "OK" || outcome == kAway || outcome == kNobodyKnows));
    world.CheckState(outcome, outcome);
    return struck;
  };
  const ScriptedProxy::Struck whole = run(side == Side::kReply ? 0 : ScriptedProxy::kAll - 1);
  const size_t size = side == Side::kReply ? whole.reply_bytes : whole.request_bytes;
  REQUIRE(size > 3);
  for (size_t at = random() % Step(); at < size; at += Step()) run(at);
}

TEST_CASE("a request that is cut at any byte is done once or not, and the caller knows") {
  World world;
  for (const auto& match : {kRead, kPlain, kScript}) CutEverywhere(world, match, Side::kRequest);
}

TEST_CASE("an answer that is cut at any byte leaves a write done once, and the caller knows") {
  World world;
  for (const auto& match : {kRead, kPlain, kScript}) CutEverywhere(world, match, Side::kReply);
}

}  // namespace
}  // namespace tarn::testing
