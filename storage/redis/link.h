// How the engine reaches the node that owns a partition, whatever the topology.
//
// What is below a link is its own: finding nodes, connecting, logging in, redirects (MOVED, ASK,
// TRYAGAIN), WAIT for replicas. What is above it is the engine's: which keys must wait, revisions,
// repeating what may be repeated, settling what became of lost writes.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/types/span.h"
#include "storage/base/clock.h"
#include "storage/base/random.h"
#include "storage/redis/connection.h"
#include "storage/redis/partition.h"
#include "storage/redis/pool.h"
#include "storage/redis/redis_url.h"
#include "storage/redis_stats.h"
#include <asio/io_context.hpp>

namespace tarn::storage::redis {

// What answered to a command that went to every primary.
struct NodeAnswer {
  std::string address;
  Answer answer;
};

// Called on the loop's thread. May call the link, but not destroy it.
class LinkListener {
 public:
  virtual ~LinkListener() = default;

  // What answers for some partitions is another process than before: a primary was replaced, or its
  // server started anew. Called before anything is sent there. What was read there before may never
  // be again.
  virtual void OnNodeChanged(const std::string& address, const std::string& why) = 0;

  // A node serves, but its guard (see ConnectionOptions) says that somebody else may write there,
  // or nobody. Said at each attempt; attempts go on.
  virtual void OnGuardRefused(const std::string& address) = 0;
};

// What every connection of a link must find before it is used: who may write there.
struct LinkGuard {
  // The key to read on a node that owns this partition. None: nothing is checked.
  std::function<std::string(Partition)> key;
  std::string expected;
};

struct LinkOptions {
  RedisUrl url;
  PoolOptions pool;  // Of each node. Its address is the link's to fill in.
  LinkGuard guard;
};

// All of it is called on the loop's thread, but for Stats, and calls back there.
class Link {
 public:
  virtual ~Link() = default;

  // A way to the node that owns `partition`, for commands that touch these keys (hashes, which tell
  // keys of different partitions apart as well). Without keys: any of its connections, for reads
  // that need no order among writes that were not acknowledged. What goes out on one lease is
  // executed in the order sent, redirects included; so is what goes out on leases that share a key.
  virtual Leased Lease(Partition partition, absl::Span<const uint64_t> keys) = 0;

  // Whether one command may touch keys of several partitions: not in a cluster.
  virtual bool spans_partitions() const = 0;

  // The number of the primary that owns the partition now, so that what goes to one node can be put
  // together; 0 when there is only one.
  virtual int NodeOf(Partition partition) const = 0;

  // One command to every primary; `done` is called once, with an answer of each.
  using Everywhere = absl::AnyInvocable<void(std::vector<NodeAnswer>&) &&>;
  virtual void SendToAll(CommandKind kind, const std::string& command, Everywhere done) = 0;

  // Calls `ready` once, as soon as every partition can be leased.
  virtual void WhenReady(absl::AnyInvocable<void() &&> ready) = 0;

  // Ends every connection; what is under way is answered as lost. The loop ends only after it.
  // Nothing is called back any more but answers.
  virtual void Close(const absl::Status& cause) = 0;

  // Thread-safe.
  virtual std::vector<NodeStats> Stats() const = 0;
  // Thread-safe.
  virtual RoutingStats Routing() const = 0;
};

// What MakeLink makes for one server: one pool, and a circuit breaker in front of it.
std::shared_ptr<Link> MakeStandaloneLink(asio::io_context& context, const base::Clock& clock,
                                         base::RandomSource& random, const LinkOptions& options,
                                         LinkListener& listener);

// Begins to connect, as the URL's topology asks. `listener`, `clock` and `random` outlive it, and
// all that it is asked for.
std::shared_ptr<Link> MakeLink(asio::io_context& context, const base::Clock& clock,
                               base::RandomSource& random, const LinkOptions& options,
                               LinkListener& listener);

}  // namespace tarn::storage::redis
