// The nodes of a topology, and which of them serves which partition.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"
#include "storage/redis/link.h"
#include "storage/redis/node.h"
#include "storage/redis/partition.h"
#include "storage/redis/slot_map.h"

namespace tarn::storage::redis {

// Finds out who serves what, and calls back with maps. The loop's thread's, but for Stats.
class MapSource {
 public:
  virtual ~MapSource() = default;

  // What it said last does not serve: it asks again soon, `better` first, who may know.
  virtual void Doubt(const std::optional<Endpoint>& better) = 0;
  // Ends its connections, and calls back no more.
  virtual void Close() = 0;

  // Its own part of the stats. Thread-safe.
  virtual RoutingStats Stats() const = 0;
};

// What becomes of a node that serves nothing any more.
enum class Farewell : uint8_t {
  kAtOnce,      // Its connections are closed: it answers for nothing.
  kWhenUnused,  // When nobody uses it: it still tells where things went.
};

// The loop's thread's, but for Stats.
class NodeMap : public std::enable_shared_from_this<NodeMap> {
 public:
  struct Options {
    PoolOptions pool;  // Of each node.
    LinkGuard guard;
    Farewell farewell = Farewell::kWhenUnused;
  };

  // `listener` outlives it.
  NodeMap(asio::io_context& context, const base::Clock& clock, base::RandomSource& random,
          const Options& options, LinkListener& listener);

  void SetSource(std::shared_ptr<MapSource> source);

  // --- who serves what ---

  // Null when nobody is known to.
  const std::shared_ptr<Node>& Owner(Partition partition) const { return owners_[partition]; }
  // What the topology says from now on.
  void Adopt(SlotMap map);
  // What a node said of one slot; the topology is asked for the rest.
  void Learn(uint16_t slot, const Endpoint& primary);
  void Doubt(const std::optional<Endpoint>& better = std::nullopt);

  // --- nodes ---

  // That at this address, which is met now if it was not known. Null when there are too many.
  std::shared_ptr<Node> Reach(const Endpoint& endpoint);
  // Ends all of its connections. What it served is served by another life of it, until the topology
  // says otherwise.
  void Drop(const std::shared_ptr<Node>& node);
  // All that are in use or may be.
  std::vector<std::shared_ptr<Node>> Nodes() const;
  // Whether all partitions are served by nodes that can be leased.
  bool Ready() const;
  void WhenReady(absl::AnyInvocable<void() &&> ready);

  // Of each use of a node, such as a lease: it is not let go before the end.
  void Use(const std::shared_ptr<Node>& node);
  void EndUse(const std::shared_ptr<Node>& node);

  void TellGuardRefused(const Node& node);

  void Close(const absl::Status& cause);
  bool closed() const { return closed_; }

  // Thread-safe.
  std::vector<NodeStats> Stats() const;
  // Its own part, and the source's. Thread-safe.
  RoutingStats Routing() const;

 private:
  struct Known {
    std::shared_ptr<Node> node;
    size_t uses = 0;
    uint64_t seen = 0;  // The newest map that it was in, or that was in force when it was used.
  };

  std::shared_ptr<Node> Meet(const Endpoint& endpoint);
  void SetOwners(SlotMap map);
  bool IsFailover(const SlotMap& after, const Endpoint& from, const Endpoint& to) const;
  void TellReplaced(std::vector<std::string> addresses);
  void LetGo();
  void Publish();
  void PublishMap();
  std::shared_ptr<MapSource> source() const;

  bool SetGuard(const Node& node, ConnectionOptions& options) const;
  void Opened(Node& node, Node::Life life);
  void Ended(Node& node, const absl::Status& cause);
  void TellReady();

  asio::io_context& context_;
  const base::Clock& clock_;
  base::RandomSource& random_;
  const Options options_;
  LinkListener& listener_;

  SlotMap told_;       // By the topology.
  SlotMap map_;        // The same with what nodes said since.
  uint64_t maps_ = 0;  // Adopted so far.
  std::array<std::shared_ptr<Node>, kPartitions> owners_;
  absl::flat_hash_map<std::string, Known> nodes_;  // By address.
  ConnectionId last_number_ = 0;
  bool closed_ = false;
  std::vector<absl::AnyInvocable<void() &&>> ready_;

  std::atomic<uint64_t> switches_ = 0;
  mutable absl::Mutex mutex_;
  std::shared_ptr<MapSource> source_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::shared_ptr<Node>> published_ ABSL_GUARDED_BY(mutex_);
  std::shared_ptr<const SlotMap> published_map_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace tarn::storage::redis
