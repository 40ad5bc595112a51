// Whatever fails: what a Get finds, a scan finds, and the other way round.
//
// Keys are long, so that few of them fill the lists in which new ones wait for the indexes, and are
// moved while it happens.
#include <atomic>
#include <chrono>
#include <iterator>
#include <memory>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "storage/redis/partition.h"
#include "tarn/admin.h"
#include "tarn/client.h"
#include "tests/catch.h"
#include "tests/faults/redis_daemon.h"
#include "tests/storage/redis/support/await.h"
#include "tests/storage/redis/support/redis_client.h"
#include "tests/storage/redis/support/redis_groups.h"

namespace tarn::testing {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr int kThreads = 3;
constexpr int kBatchKeys = 25;
constexpr size_t kKeyBytes = 3'500;

Client Connect(const std::string& endpoint, milliseconds timeout) {
  ClientOptions options;
  options.endpoint = endpoint;
  options.call_timeout = timeout;
  options.request_ids = RequestIdUse::kNever;
  options.retry_policy = std::make_shared<LimitedRetryPolicy>(0);
  return *Client::Connect(options);
}

// What one client knows of its keys.
struct Written {
  std::set<std::string> all;      // That it ever tried to put.
  std::set<std::string> present;  // That were put, and nobody tried to delete.
};

// Creates keys of its own, and deletes some of them.
class Creator {
 public:
  Creator(const std::string& endpoint, int number, std::atomic<uint64_t>& acknowledged)
      : client_(Connect(endpoint, seconds(2))), number_(number), acknowledged_(acknowledged) {}

  void RunUntil(const std::atomic<bool>& stop) {
    while (!stop) {
      if (!CreateSome() || !DeleteSome()) std::this_thread::sleep_for(milliseconds(2));
    }
  }

  const Written& written() const { return written_; }

 private:
  std::string NewKey() {
    std::string key = std::to_string(number_) + "." + std::to_string(++sequence_) + ".";
    return key + std::string(kKeyBytes - key.size(), 'k');
  }

  bool CreateSome() {
    std::vector<std::string> keys;
    Batch batch = Batch::Independent();
    for (int i = 0; i < kBatchKeys; ++i) {
      keys.push_back(NewKey());
      batch.Put(keys.back(), "v");
    }
    written_.all.insert(keys.begin(), keys.end());
    const auto result = client_.RunBatch(std::move(batch));
    if (!result.ok()) return false;
    for (size_t i = 0; i < keys.size(); ++i) {
      if (!result->results[i].status.ok()) continue;
      written_.present.insert(keys[i]);
      ++acknowledged_;
    }
    return true;
  }

  // Of those that came last, and of the oldest.
  bool DeleteSome() {
    if (written_.present.size() < 2) return true;
    Batch batch = Batch::Independent();
    for (int i = 0; i < 2; ++i) {
      const auto at = i == 0 ? written_.present.begin() : std::prev(written_.present.end());
      batch.Delete(*at);
      written_.present.erase(at);
    }
    return client_.RunBatch(std::move(batch)).ok();
  }

  const Client client_;
  const int number_;
  std::atomic<uint64_t>& acknowledged_;
  uint64_t sequence_ = 0;
  Written written_;
};

class Creators {
 public:
  explicit Creators(const std::string& endpoint) {
    for (int i = 0; i < kThreads; ++i) {
      creators_.push_back(std::make_unique<Creator>(endpoint, i, acknowledged_));
    }
    for (const auto& creator : creators_) {
      threads_.emplace_back([this, &creator = *creator] { creator.RunUntil(stop_); });
    }
  }
  ~Creators() { Join(); }

  void AwaitAcknowledged(uint64_t more) const {
    const uint64_t wanted = acknowledged_ + more;
    AwaitThat("keys are created", [&] { return acknowledged_ >= wanted; });
  }

  // Ends them.
  Written Finish() {
    Join();
    Written all;
    for (const auto& creator : creators_) {
      all.all.insert(creator->written().all.begin(), creator->written().all.end());
      all.present.insert(creator->written().present.begin(), creator->written().present.end());
    }
    return all;
  }

 private:
  void Join() {
    stop_ = true;
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
  }

  std::atomic<bool> stop_{false};
  std::atomic<uint64_t> acknowledged_{0};
  std::vector<std::unique_ptr<Creator>> creators_;
  std::vector<std::thread> threads_;
};

std::set<std::string> Gotten(const Client& client, const std::set<std::string>& keys) {
  std::set<std::string> found;
  for (auto at = keys.begin(); at != keys.end();) {
    const auto from = at;
    Batch batch = Batch::Independent();
    for (int i = 0; i < 100 && at != keys.end(); ++i) batch.Get(*at++);
    const auto result = client.RunBatch(std::move(batch));
    if (!result.ok()) throw std::runtime_error(result.status().ToString());
    auto key = from;
    for (const OperationResult& one : result->results) {
      if (!one.status.ok()) throw std::runtime_error(one.status.ToString());
      if (one.found) found.insert(*key);
      ++key;
    }
  }
  return found;
}

// Nothing when another server took over meanwhile.
std::optional<std::set<std::string>> Scanned(const Client& client, ScanOrder order) {
  std::set<std::string> keys;
  for (absl::StatusOr<Entry>& entry :
       client.Scan(KeyRange::All(), {.order = order, .content = ScanContent::kKeysOnly})) {
    if (!entry.ok()) return std::nullopt;
    keys.insert(entry->key);
  }
  return keys;
}

size_t Missing(const std::set<std::string>& from, const std::set<std::string>& in) {
  size_t missing = 0;
  for (const std::string& key : in) missing += from.count(key) == 0 ? 1 : 0;
  return missing;
}

uint64_t Counted(const std::string& endpoint) {
  ClientOptions options;
  options.endpoint = endpoint;
  const auto namespaces = AdminClient::Connect(options)->ListNamespaces();
  REQUIRE(namespaces.ok());
  uint64_t entries = 0;
  for (const NamespaceInfo& info : *namespaces) {
    if (info.name == "default") entries = info.entry_count;
  }
  return entries;
}

// Whether reads agree with each other, before and after another start.
void Judge(RedisDaemon& daemon, const Written& written) {
  const Client client = Connect(daemon.endpoint(), seconds(20));
  for (const bool again : {false, true}) {
    if (again) {
      daemon.process().Kill();
      daemon.process().Start();
    }
    AwaitThat("it serves", [&] { return client.Get("k").ok(); });
    const std::set<std::string> gotten = Gotten(client, written.all);
    for (const ScanOrder order : {ScanOrder::kAscending, ScanOrder::kDescending}) {
      std::optional<std::set<std::string>> scanned;
      AwaitThat("a scan ends well", [&] { return (scanned = Scanned(client, order)).has_value(); });
      INFO("started again: " << again << ", " << gotten.size() << " of " << written.all.size());
      CHECK(Missing(*scanned, gotten) == 0);
      CHECK(Missing(gotten, *scanned) == 0);
    }
    if (again) CHECK(Counted(daemon.endpoint()) == gotten.size());
  }
  CHECK(client.DeleteAll().ok());
  CHECK(Gotten(client, written.all).empty());
}

void KillDaemon(RedisDaemon& daemon) {
  daemon.process().Kill();
  daemon.process().Start();
}

TEST_CASE("what Get finds is scanned and counted after the daemon and Redis were killed") {
  RedisServer redis({"--appendonly", "yes", "--appendfsync", "always"});
  RedisDaemon daemon(UnixUrl(redis));
  Creators creators(daemon.endpoint());
  for (uint64_t i = 0; i < Count(2, 40); ++i) {
    creators.AwaitAcknowledged(2'500);
    if (i % 2 == 0) {
      KillDaemon(daemon);
    } else {
      redis.Kill();
      redis.Restart();
    }
  }
  creators.AwaitAcknowledged(500);
  const Written written = creators.Finish();
  const Client client = Connect(daemon.endpoint(), seconds(20));
  CHECK(Missing(Gotten(client, written.all), written.present) == 0);
  Judge(daemon, written);
}

uint64_t UsedMemory(RedisClient& admin) {
  const std::string info = admin.Ask({"INFO", "memory"});
  return std::stoull(info.substr(info.find("used_memory:") + 12));
}

TEST_CASE("a daemon that finds Redis too full to index what is in the lists waits for room") {
  const RedisServer redis;
  RedisDaemon daemon(UnixUrl(redis), Start::kStands);
  daemon.process().AwaitServing();
  Creators creators(daemon.endpoint());
  creators.AwaitAcknowledged(1'000);
  const Written written = creators.Finish();
  daemon.process().Kill();
  RedisClient admin(redis.port());
  const std::string little = std::to_string(UsedMemory(admin) + 500'000);
  REQUIRE(admin.Ask({"CONFIG", "SET", "maxmemory", little}) == "OK");
  daemon.process().Start();
  daemon.process().AwaitLog("the store cannot be opened yet");
  REQUIRE(admin.Ask({"CONFIG", "SET", "maxmemory", "0"}) == "OK");
  daemon.process().AwaitServing();
  Judge(daemon, written);
}

TEST_CASE("what Get finds is scanned and counted after Redis has lost its newest writes") {
  RedisServer redis({"--appendonly", "yes", "--appendfsync", "no"});
  RedisDaemon daemon(UnixUrl(redis));
  Creators creators(daemon.endpoint());
  for (uint64_t i = 0; i < Count(1, 20); ++i) {
    creators.AwaitAcknowledged(2'500);
    redis.Kill();
    redis.Restart();
  }
  creators.AwaitAcknowledged(500);
  Judge(daemon, creators.Finish());
}

// So that no replica falls back so far that it begins from nothing: one that takes over then is
// empty, and nothing is written to it.
const std::vector<std::string> kLongBacklog = {"--repl-backlog-size", "256mb"};

TEST_CASE("what Get finds is scanned and counted after Sentinels have replaced the primary") {
  SentinelGroup group({.down_after_ms = 2'000, .server_arguments = kLongBacklog});
  RedisDaemon daemon(group.url("?wait_replicas=2"));
  Creators creators(daemon.endpoint());
  for (uint64_t i = 0; i < Count(1, 8); ++i) {
    creators.AwaitAcknowledged(2'000);
    i % 2 == 0 ? group.KillPrimary() : group.Failover();
  }
  creators.AwaitAcknowledged(2'000);
  Judge(daemon, creators.Finish());
}

TEST_CASE("what Get finds is scanned and counted after a cluster's failover and moves of slots") {
  ClusterGroup cluster({.server_arguments = kLongBacklog});
  RedisDaemon daemon(cluster.url());
  Creators creators(daemon.endpoint());
  for (uint64_t i = 0; i < Count(1, 4); ++i) {
    creators.AwaitAcknowledged(1'500);
    const size_t replica = 3 + i % 3;
    const size_t primary = replica - 3;
    // As it is when the primary does not answer: what it has not passed on is lost.
    cluster.Tell(cluster.IsPrimary(replica) ? primary : replica,
                 {"CLUSTER", "FAILOVER", "TAKEOVER"});
    creators.AwaitAcknowledged(500);
    cluster.AwaitSteady();
    std::vector<uint16_t> slots;
    const size_t from = cluster.OwnerOf(storage::redis::PartitionSlot(0));
    for (int p = 0; p < storage::redis::kPartitions && slots.size() < 20; ++p) {
      const uint16_t slot =
          storage::redis::PartitionSlot(static_cast<storage::redis::Partition>(p));
      if (cluster.OwnerOf(slot) == from) slots.push_back(slot);
    }
    size_t to = 0;
    while (to == from || !cluster.IsPrimary(to)) ++to;
    cluster.MoveSlots(slots, from, to);
  }
  creators.AwaitAcknowledged(1'000);
  Judge(daemon, creators.Finish());
}

}  // namespace
}  // namespace tarn::testing
