// The link to a primary that real Sentinels watch.
#include <signal.h>

#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/catch.h"
#include "tests/storage/redis/support/link_subject.h"
#include "tests/storage/redis/support/redis_groups.h"
#include "tests/storage/redis/support/subject.h"

namespace tarn::storage::redis {
namespace {

using testing::AwaitThat;
using testing::KeyIn;
using testing::LinkKey;
using testing::LinkSubject;
using testing::SentinelGroup;
using testing::Subject;
using testing::Writers;

const LinkKey kKey = KeyIn(0, "k");

std::string AddressOf(const testing::RedisServer& server) {
  return absl::StrCat("127.0.0.1:", server.port());
}

std::string Set(LinkSubject& link) { return link.Ask({kKey}, {"SET", kKey.name, "v"}); }

TEST_CASE("the primary is found through Sentinels, all partitions there") {
  SentinelGroup group;
  LinkSubject link(group.url());
  link.AwaitReady();
  CHECK(Set(link) == "OK");
  CHECK(link.Ask({KeyIn(200, "k")}, {"GET", "k"}) == "(nil)");
  REQUIRE(link.Stats().size() == 1);
  CHECK(link.Stats()[0].address == AddressOf(group.primary()));
  CHECK(link.NodeOf(0) == 0);
  CHECK(link.NodeOf(200) == 0);
  CHECK(link.events().empty());
  AwaitThat("all Sentinels would tell", [&] { return link.Routing().sentinels == 3; });
}

TEST_CASE("a Sentinel that is away is passed over") {
  SentinelGroup group;
  group.sentinel(0).Kill();
  LinkSubject link(group.url());
  link.AwaitReady();
  CHECK(Set(link) == "OK");
}

TEST_CASE("Sentinels are logged in to with their own password") {
  SentinelGroup::Options options;
  options.sentinel_lines = {"requirepass secret", "sentinel sentinel-pass secret"};
  options.sentinel_password = "secret";
  SentinelGroup group(options);
  LinkSubject link(group.url("?sentinel_password=secret"));
  link.AwaitReady();
  CHECK(Set(link) == "OK");
}

TEST_CASE("no acknowledged write is lost while Sentinels fail over") {
  SentinelGroup group;
  // Both: Sentinels choose by what they heard a while ago, so it may be the one that lags behind.
  LinkSubject link(group.url("?wait_replicas=2"));
  link.AwaitReady();
  Writers writers(link, 4);
  for (uint64_t round = 0; round < testing::Count(2, 4); ++round) {
    writers.AwaitProgress();
    group.Failover();
    writers.AwaitProgress();
    CHECK(link.Stats()[0].address == AddressOf(group.primary()));
    CHECK(link.events().back() == "changed " + AddressOf(group.primary()));
  }
  const std::string lost = writers.StopAndFindLost();
  INFO(lost);
  CHECK(lost.empty());
}

TEST_CASE("no write that replicas have is lost while primaries are killed") {
  SentinelGroup::Options options;
  options.down_after_ms = 1000;
  SentinelGroup group(options);
  LinkSubject link(group.url("?wait_replicas=2"));
  link.AwaitReady();
  Writers writers(link, 4);
  for (uint64_t round = 0; round < testing::Count(2, 4); ++round) {
    writers.AwaitProgress();
    group.KillPrimary();
    writers.AwaitProgress();
  }
  const std::string lost = writers.StopAndFindLost();
  INFO(lost);
  CHECK(lost.empty());
}

TEST_CASE("a switch is followed without any traffic") {
  SentinelGroup group;
  LinkSubject link(group.url());
  link.AwaitReady();
  group.Failover();
  AwaitThat("the link is at the new primary", [&] {
    const std::vector<NodeStats> stats = link.Stats();
    return stats.size() == 1 && stats[0].address == AddressOf(group.primary()) &&
           stats[0].pool.open > 0;
  });
  CHECK(Set(link) == "OK");
}

TEST_CASE("a primary that turns into a replica loses all connections of the link") {
  SentinelGroup group;
  // Nobody tells of it.
  group.sentinel(0).Signal(SIGSTOP);
  LinkSubject link(group.url());
  link.AwaitReady();
  const uint64_t opened = link.Stats()[0].pool.opened;
  for (size_t i = 0; i < 3; ++i) group.sentinel(i).Signal(SIGSTOP);
  Subject admin(testing::To(group.server(0)));
  CHECK(admin.Ask({"REPLICAOF", "127.0.0.1", std::to_string(group.server(1).port())}) == "OK");
  CHECK(Set(link) == "READONLY: not done");
  CHECK(opened > 0);
  AwaitThat("the connection is gone", [&] { return link.Stats()[0].pool.open == 0; });
  CHECK(Set(link) == "no connection");
  CHECK(admin.Ask({"REPLICAOF", "NO", "ONE"}) == "OK");
  for (size_t i = 0; i < 3; ++i) group.sentinel(i).Signal(SIGCONT);
  CHECK(link.AskUntilDone(kKey, {"SET", kKey.name, "v"}) == "OK");
}

TEST_CASE("a write is answered when as many replicas have it as were asked for") {
  SentinelGroup group;
  LinkOptions patient = LinkSubject::Options(group.url("?wait_replicas=2"));
  patient.pool.wait_timeout_ms = 30'000;
  patient.pool.connection.read_timeout_ms = 60'000;
  LinkSubject enough(patient);
  enough.AwaitReady();
  CHECK(Set(enough) == "OK");
  LinkSubject too_many(group.url("?wait_replicas=3"));
  too_many.AwaitReady();
  CHECK(Set(too_many) == "not replicated: done");
  // Reads wait for nobody.
  CHECK(too_many.Ask({kKey}, {"GET", kKey.name}) == "\"v\"");
}

}  // namespace
}  // namespace tarn::storage::redis
