// The link to a real cluster.
#include <future>
#include <set>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "storage/redis/command.h"
#include "tests/catch.h"
#include "tests/storage/redis/support/link_subject.h"
#include "tests/storage/redis/support/redis_groups.h"
#include "tests/storage/redis/support/subject.h"

namespace tarn::storage::redis {
namespace {

using testing::AwaitThat;
using testing::ClusterGroup;
using testing::KeyIn;
using testing::LinkKey;
using testing::LinkSubject;

constexpr char kPushBoth[] =
    "redis.call('RPUSH', KEYS[1], ARGV[1]) redis.call('SET', KEYS[2], ARGV[1]) return 'both'";

uint64_t Errors(const ClusterGroup& cluster, size_t index, const std::string& name) {
  const std::string info = cluster.Ask(index, {"INFO", "errorstats"});
  const std::string start = absl::StrCat("errorstat_", name, ":count=");
  const size_t at = info.find(start);
  return at == std::string::npos ? 0 : std::stoull(info.substr(at + start.size()));
}

TEST_CASE("commands go to the primary of their partition, and none is sent on") {
  const ClusterGroup cluster;
  LinkSubject link(cluster.url());
  link.AwaitReady();
  std::set<int> nodes;
  for (Partition p = 0; p < kPartitions; ++p) {
    nodes.insert(link.NodeOf(p));
    const LinkKey key = KeyIn(p, "k");
    REQUIRE(link.Ask({key}, {"SET", key.name, "v"}) == "OK");
    REQUIRE(link.Ask({key}, {"GET", key.name}) == "\"v\"");
  }
  CHECK(nodes.size() == 3);
  CHECK(link.Stats().size() == 3);
  for (size_t i = 0; i < cluster.size(); ++i) CHECK(Errors(cluster, i, "MOVED") == 0);
  CHECK(link.events().empty());
}

TEST_CASE("a command to every primary is answered by each") {
  const ClusterGroup cluster;
  LinkSubject link(cluster.url());
  link.AwaitReady();
  std::promise<size_t> answered;
  link.OnLoop([&](Link& to) {
    to.SendToAll(CommandKind::kRead, "*1\r\n$4\r\nPING\r\n", [&](std::vector<NodeAnswer>& answers) {
      size_t pongs = 0;
      for (const NodeAnswer& a : answers) {
        pongs += a.answer.reply && a.answer.reply->view().text() == "PONG" ? 1 : 0;
      }
      answered.set_value(pongs);
    });
  });
  CHECK(answered.get_future().get() == 3);
}

TEST_CASE("a slot that moved is followed and remembered, and nothing is lost by it") {
  ClusterGroup cluster;
  LinkSubject link(cluster.url());
  link.AwaitReady();
  const LinkKey key = KeyIn(0, "k");
  const size_t from = cluster.OwnerOf(PartitionSlot(0));
  const size_t to = (from + 1) % 3;
  CHECK(link.Ask({key}, {"SET", key.name, "v"}) == "OK");
  const int before = link.NodeOf(0);
  cluster.MoveSlots({PartitionSlot(0)}, from, to);
  CHECK(link.Ask({key}, {"GET", key.name}) == "\"v\"");
  CHECK(Errors(cluster, from, "MOVED") == 1);
  CHECK(link.NodeOf(0) != before);
  CHECK(link.Ask({key}, {"SET", key.name, "w"}) == "OK");
  CHECK(Errors(cluster, from, "MOVED") == 1);
  CHECK(link.events().empty());
}

TEST_CASE("a key of a slot that is moving is found where it is") {
  ClusterGroup cluster;
  LinkSubject link(cluster.url());
  link.AwaitReady();
  const LinkKey moved = KeyIn(7, "moved");
  const LinkKey fresh = KeyIn(7, "fresh");
  const LinkKey stays = KeyIn(7, "stays");
  const size_t from = cluster.OwnerOf(PartitionSlot(7));
  const size_t to = (from + 1) % 3;
  CHECK(link.Ask({moved}, {"SET", moved.name, "v"}) == "OK");
  const int before = link.NodeOf(7);
  cluster.BeginMove(PartitionSlot(7), from, to);
  cluster.MoveKeys(PartitionSlot(7), from, to);
  CHECK(link.Ask({moved}, {"GET", moved.name}) == "\"v\"");
  CHECK(link.Ask({fresh}, {"SET", fresh.name, "w"}) == "OK");
  CHECK(link.Ask({stays}, {"GET", stays.name}) == "(nil)");
  CHECK(Errors(cluster, from, "ASK") == 3);
  // ASK is no news about the slot.
  CHECK(link.NodeOf(7) == before);
  cluster.EndMove(PartitionSlot(7), from, to);
  CHECK(link.Ask({fresh}, {"GET", fresh.name}) == "\"w\"");
  CHECK(link.NodeOf(7) != before);
}

TEST_CASE("a script over keys that are not together waits until they are") {
  ClusterGroup cluster;
  LinkSubject link(cluster.url());
  link.AwaitReady();
  const LinkKey key = KeyIn(9, "list");
  const std::string other = KeyIn(9, "value").name;
  const size_t from = cluster.OwnerOf(PartitionSlot(9));
  const size_t to = (from + 1) % 3;
  CHECK(link.Ask({key}, {"RPUSH", key.name, "first"}) == "(integer) 1");
  cluster.BeginMove(PartitionSlot(9), from, to);
  std::future<std::string> both =
      link.Send({key}, {"EVAL", kPushBoth, "2", key.name, other, "second"});
  std::future<std::string> behind = link.Send({key}, {"RPUSH", key.name, "third"});
  AwaitThat("the script is refused", [&] { return Errors(cluster, from, "TRYAGAIN") > 0; });
  // What is behind it would find its key, and yet it waits.
  CHECK(cluster.Ask(from, {"LLEN", key.name}) == "(integer) 1");
  cluster.MoveKeys(PartitionSlot(9), from, to);
  cluster.EndMove(PartitionSlot(9), from, to);
  CHECK(testing::Await(both) == "\"both\"");
  CHECK(testing::Await(behind) == "(integer) 3");
  CHECK(link.Ask({key}, {"LRANGE", key.name, "0", "-1"}) == "[\"first\" \"second\" \"third\"]");
}

TEST_CASE("a script whose keys never come together is given up and not done") {
  ClusterGroup cluster;
  LinkSubject link(cluster.url());
  link.AwaitReady();
  const LinkKey key = KeyIn(9, "list");
  const std::string other = KeyIn(9, "value").name;
  const size_t from = cluster.OwnerOf(PartitionSlot(9));
  CHECK(link.Ask({key}, {"RPUSH", key.name, "first"}) == "(integer) 1");
  cluster.BeginMove(PartitionSlot(9), from, (from + 1) % 3);
  CHECK(link.Ask({key}, {"EVAL", kPushBoth, "2", key.name, other, "second"}) ==
        "TRYAGAIN: not done");
  CHECK(link.Ask({key}, {"RPUSH", key.name, "third"}) == "(integer) 2");
}

// One key, to which numbers are appended in order, alone and by scripts, on leases that share it
// and without waiting for answers.
class Appender {
 public:
  Appender(LinkSubject& link, LinkKey key) : link_(link), key_(std::move(key)) {}

  void Round() {
    std::vector<std::unique_ptr<KeyLease>> leases;
    AwaitThat("there are leases", [&] {
      leases.clear();
      link_.OnLoop([&](Link& link) {
        for (int i = 0; i < 3; ++i) {
          Leased leased = link.Lease(key_.partition, {&key_.hash, 1});
          if (leased.lease != nullptr) leases.push_back(std::move(leased.lease));
        }
      });
      return leases.size() == 3;
    });
    std::vector<std::future<std::string>> answers;
    link_.OnLoop([&](Link&) {
      for (int i = 0; i < 30; ++i) answers.push_back(Append(*leases[i % 3]));
    });
    for (std::future<std::string>& answer : answers) {
      const std::string text = testing::Await(answer);
      if (text != "\"both\"" && !absl::StartsWith(text, "(integer)")) wrong_.push_back(text);
    }
    link_.OnLoop([&](Link&) { leases.clear(); });
  }

  void Check() {
    INFO(absl::StrJoin(wrong_, ", "));
    CHECK(wrong_.empty());
    CHECK(link_.Ask({key_}, {"LRANGE", key_.name, "0", "-1"}) == "[" + expected_ + "]");
  }

 private:
  std::future<std::string> Append(KeyLease& lease) {
    const std::string text = std::to_string(next_++);
    absl::StrAppend(&expected_, text == "0" ? "" : " ", "\"", text, "\"");
    const std::string beside = key_.name + "-beside";
    const bool script = next_ % 3 == 0;
    const std::string bytes = script
                                  ? FormatCommand({"EVAL", kPushBoth, "2", key_.name, beside, text})
                                  : FormatCommand({"RPUSH", key_.name, text});
    auto promise = std::make_shared<std::promise<std::string>>();
    lease.Send(CommandKind::kWrite, bytes,
               [promise](Answer& answer) { promise->set_value(testing::Brief(answer)); });
    return promise->get_future();
  }

  LinkSubject& link_;
  const LinkKey key_;
  int next_ = 0;
  std::string expected_;
  std::vector<std::string> wrong_;
};

TEST_CASE("commands of a key keep their order while slots move, and each is done once") {
  ClusterGroup cluster;
  LinkSubject link(cluster.url());
  link.AwaitReady();
  // All of the first primary's partitions go to the second one; in the long run with other slots.
  std::vector<uint16_t> slots;
  const auto count = static_cast<int>(testing::Count(1200, 4000));
  for (int slot = 0; slot < count; ++slot) slots.push_back(static_cast<uint16_t>(slot));
  std::vector<std::unique_ptr<Appender>> appenders;
  std::vector<std::jthread> writers;
  for (int i = 0; i < 6; ++i) {
    const auto partition = static_cast<Partition>(i * 3);
    REQUIRE(PartitionSlot(partition) < count);
    appenders.push_back(
        std::make_unique<Appender>(link, KeyIn(partition, absl::StrCat("list", i))));
    writers.emplace_back([&appender = *appenders.back()](const std::stop_token& over) {
      do appender.Round();
      while (!over.stop_requested());
    });
  }
  cluster.MoveSlots(slots, 0, 1);
  writers.clear();  // Each is told to stop and waited for.
  for (const auto& appender : appenders) appender->Check();
  CHECK(Errors(cluster, 0, "MOVED") > 0);
  CHECK(link.events().empty());
}

TEST_CASE("no acknowledged write is lost while replicas take over") {
  ClusterGroup::Options options;
  // An election that fails is repeated after four times as long.
  options.node_timeout_ms = 4000;
  ClusterGroup cluster(options);
  LinkSubject link(cluster.url());
  link.AwaitReady();
  testing::Writers writers(link, 8);
  for (uint64_t round = 0; round < testing::Count(2, 6); ++round) {
    // The replica of the first primary and back.
    writers.AwaitProgress();
    cluster.Failover(round % 2 == 0 ? 3 : 0);
    writers.AwaitProgress();
  }
  const std::string lost = writers.StopAndFindLost();
  INFO(lost);
  CHECK(lost.empty());
  CHECK(absl::StrContains(absl::StrJoin(link.events(), ","),
                          absl::StrCat("changed 127.0.0.1:", cluster.server(3).port())));
}

TEST_CASE("a primary that dies is replaced, and the others serve on") {
  ClusterGroup::Options options;
  options.node_timeout_ms = 2000;
  ClusterGroup cluster(options);
  LinkSubject link(cluster.url());
  link.AwaitReady();
  const LinkKey there = KeyIn(0, "k");
  const LinkKey elsewhere = KeyIn(kPartitions - 1, "k");
  REQUIRE(cluster.OwnerOf(PartitionSlot(0)) == 0);
  CHECK(link.AskUntilDone(there, {"SET", there.name, "v"}) == "OK");
  cluster.AwaitReplica(0, there.name);
  cluster.server(0).Kill();
  CHECK(link.Ask({elsewhere}, {"SET", elsewhere.name, "v"}) == "OK");
  CHECK(link.Read(there) == "\"v\"");
  CHECK(link.events() ==
        std::vector<std::string>{absl::StrCat("changed 127.0.0.1:", cluster.server(3).port())});
}

}  // namespace
}  // namespace tarn::storage::redis
