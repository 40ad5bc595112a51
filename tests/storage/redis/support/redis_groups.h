// Several real servers that belong together: a primary watched by Sentinels, and a cluster.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "tests/storage/redis/support/await.h"
#include "tests/storage/redis/support/redis_client.h"
#include "tests/storage/redis/support/redis_process.h"
#include "tests/storage/redis/support/redis_server.h"
#include "tests/support/own_port.h"
#include "tests/support/temp_dir.h"

namespace tarn::testing {

// A primary with replicas, and Sentinels that move the former. All of it decides quickly.
class SentinelGroup {
 public:
  struct Options {
    int replicas = 2;
    int sentinels = 3;
    // After so long without an answer the primary is replaced. Long, so that it is not because the
    // machine was busy; tests that kill it make it short.
    int down_after_ms = 20'000;
    std::vector<std::string> server_arguments;
    std::vector<std::string> sentinel_lines;  // Of each Sentinel's file.
    std::string sentinel_password;
  };

  static constexpr char kName[] = "tarn-test";

  // When it returns every Sentinel knows the others and all replicas, which are in step.
  explicit SentinelGroup(Options options);
  SentinelGroup() : SentinelGroup(Options()) {}

  // "redis+sentinel://..." and these options, such as "?wait_replicas=1".
  std::string url(const std::string& options = "") const;

  // That Sentinels agree on.
  uint16_t primary_port() const;
  RedisServer& primary();
  size_t size() const { return servers_.size(); }
  RedisServer& server(size_t index) { return *servers_[index]; }
  RedisProcess& sentinel(size_t index) { return *sentinels_[index]; }

  // SENTINEL FAILOVER; returns when another one is the primary and all others follow it.
  void Failover();
  // kill -9 of the primary, which comes back as a replica after another one has taken over.
  void KillPrimary();
  void AwaitSteady();

 private:
  void StartSentinel();
  std::string AskSentinel(size_t index, const std::vector<std::string>& words) const;
  bool IsSteady() const;

  const Options options_;
  TempDir directory_;
  std::vector<std::unique_ptr<RedisServer>> servers_;
  std::vector<OwnPort> sentinel_ports_;
  std::vector<std::unique_ptr<RedisProcess>> sentinels_;
};

// Primaries that share the slots evenly, each with the same number of replicas.
class ClusterGroup {
 public:
  struct Options {
    int primaries = 3;
    int replicas = 1;  // Of each.
    // After so long without an answer a node is replaced. Long, so that nobody is because the
    // machine was busy; tests that kill a primary make it short.
    int node_timeout_ms = 10'000;
    std::vector<std::string> server_arguments;
  };

  explicit ClusterGroup(const Options& options);
  ClusterGroup() : ClusterGroup(Options()) {}

  std::string url(const std::string& options = "") const;

  size_t size() const { return servers_.size(); }
  RedisServer& server(size_t index) { return *servers_[index]; }
  // The first are the primaries, at first.
  bool IsPrimary(size_t index) const;
  // Which server serves a slot, as it says itself.
  size_t OwnerOf(uint16_t slot) const;

  // The replica with this index takes over, while its primary helps.
  void Failover(size_t replica);
  void AwaitSteady();
  // Until a replica of this primary has all that was written to it so far. `key`: one that it
  // serves; a name that begins with it is written.
  void AwaitReplica(size_t primary, const std::string& key);

  // Moves slots from one primary to another, keys and all, as redis-cli --cluster reshard does.
  void MoveSlots(const std::vector<uint16_t>& slots, size_t from, size_t to);
  // The same in steps, for tests that look in between.
  void BeginMove(uint16_t slot, size_t from, size_t to);
  void MoveKeys(uint16_t slot, size_t from, size_t to);
  void EndMove(uint16_t slot, size_t from, size_t to);

  std::string Ask(size_t index, const std::vector<std::string>& words) const;
  // Throws unless the answer is OK.
  void Tell(size_t index, const std::vector<std::string>& words) const;

 private:
  void Join(const Options& options);
  std::string View(size_t index) const;

  std::vector<OwnPort> bus_ports_;
  std::vector<std::unique_ptr<RedisServer>> servers_;
  std::vector<std::unique_ptr<RedisClient>> admins_;
  std::vector<std::string> ids_;
};

}  // namespace tarn::testing
