// One primary among others: the connections to it, and how it does.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/synchronization/mutex.h"
#include "absl/types/span.h"
#include "storage/base/clock.h"
#include "storage/base/random.h"
#include "storage/redis/circuit_breaker.h"
#include "storage/redis/key_routes.h"
#include "storage/redis/link.h"
#include "storage/redis/pool.h"
#include "storage/redis/redis_url.h"
#include <asio/io_context.hpp>

namespace tarn::storage::redis {

// One life of a node at an address: when a primary is given up and comes back, it is another one,
// so that nothing of the first life is taken for the second's. The loop's thread's, but for Stats.
class Node : public std::enable_shared_from_this<Node> {
 public:
  // Whether the server is the process that was met before.
  enum class Life : uint8_t { kSame, kAnother };

  // Called on the loop's thread, not after Close.
  struct Hooks {
    // A connection opened: it can be leased as soon as this returns.
    std::function<void(Node& node, Life life)> opened;
    std::function<void(Node& node, const absl::Status& cause)> ended;
    // Fills in the guard of its next connection. False when there is one, but not there.
    std::function<bool(const Node& node, ConnectionOptions& options)> guard;
  };

  // `number` is its name among the nodes of a link, never used again.
  static std::shared_ptr<Node> Create(asio::io_context& context, const base::Clock& clock,
                                      base::RandomSource& random, const PoolOptions& options,
                                      const Endpoint& endpoint, ConnectionId number, Hooks hooks);

  Node(asio::io_context& context, const base::Clock& clock, const Endpoint& endpoint,
       std::string address, ConnectionId number, Hooks hooks);

  const Endpoint& endpoint() const { return endpoint_; }
  // "host:port", or the path of a socket.
  const std::string& address() const { return address_; }
  ConnectionId number() const { return number_; }
  // Has a connection.
  bool open() const { return pool_->Stats().open > 0; }
  bool closed() const { return closed_; }

  // As Pool::Lease, or kRefused while it does not answer.
  Leased Lease(absl::Span<const uint64_t> keys);

  // As Pool::Bury.
  void Bury(const Connection::Peer& dead, absl::AnyInvocable<void(const absl::Status&) &&> done);

  // Whether a guard was found by each of its connections, or by somebody else since they were
  // opened (Trust).
  bool trusted() const { return trusted_; }
  void Trust() { trusted_ = true; }

  // How many it serves, for its stats.
  void set_partitions(int64_t partitions) { partitions_ = static_cast<int>(partitions); }

  // Calls `then` when it can be leased, or when the next attempt to connect has failed, or it was
  // closed. Not from within.
  void WhenDecided(absl::AnyInvocable<void() &&> then);

  // What is under way is answered as lost.
  void Close(const absl::Status& cause);

  // Thread-safe.
  NodeStats Stats() const;

 private:
  void Opened(const Connection::Peer& peer);
  void Ended(const absl::Status& cause);
  void TellDecided();

  asio::io_context& context_;
  const Endpoint endpoint_;
  const std::string address_;
  const ConnectionId number_;
  const Hooks hooks_;
  std::shared_ptr<Pool> pool_;  // Constant once it is created.
  CircuitBreaker breaker_;
  bool sound_ = true;  // No connection failed since the last one opened.
  bool closed_ = false;
  bool trusted_ = true;
  bool opens_unguarded_ = false;  // One of its connections at least.
  std::vector<absl::AnyInvocable<void() &&>> undecided_;

  std::atomic<int> partitions_ = 0;
  mutable absl::Mutex mutex_;
  std::string run_id_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace tarn::storage::redis
