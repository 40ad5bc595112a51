// The connections to one node.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "absl/functional/any_invocable.h"
#include "absl/types/span.h"
#include "storage/base/clock.h"
#include "storage/base/random.h"
#include "storage/redis/backoff.h"
#include "storage/redis/connection.h"
#include "storage/redis_stats.h"
#include <asio/io_context.hpp>

namespace tarn::storage::redis {

struct PoolOptions {
  ConnectionOptions connection;
  // One pipelined connection nearly fills a Redis; a second one was worth 10 to 25 % more.
  int min_connections = 1;       // Kept open.
  int max_connections = 2;       // Opened while there is load for them.
  size_t grow_at_pending = 256;  // On every open connection: then one more is opened.
  int shrink_after_checks = 60;  // In a row in which the last one had nothing to do.
  // A connection on which nothing is under way is asked for a sign of life so often. With the read
  // timeout, a dead node is noticed within their sum.
  int64_t check_interval_ms = 1000;
  int64_t reconnect_base_ms = 100;  // Doubling, with full jitter,
  int64_t reconnect_cap_ms = 5000;  // up to this.
  int wait_replicas = 0;            // As many must have a write before it is answered; they are
  int64_t wait_timeout_ms = 1000;   // waited for so long: less than the read timeout.
};

// Keys in flight on one connection. Held until it is known what became of their commands: after a
// lost answer that is later than the answer (see Action::kSettle), and until then the keys stay
// where they are. Move-only; not thread-safe.
class KeyLease {
 public:
  virtual ~KeyLease() = default;

  // On the connection that was open when the keys were leased. When that has failed, the answer is
  // "not done", and comes at once.
  virtual void Send(CommandKind kind, std::string command, AnswerHandler done) = 0;

  // After a lost answer: calls `done` with OK when nothing that was sent on this lease can be
  // executed any more, because its connection is killed on the server or the server's process is
  // another one. UNAVAILABLE: not known yet, ask again later. On the loop's thread.
  virtual void Bury(absl::AnyInvocable<void(const absl::Status&) &&> done) = 0;

  // The connection that was leased, as the server knows it.
  virtual Connection::Peer peer() const = 0;

  // Once that is so: on any connection that is open, to find out what became of them.
  virtual void SendAnew(CommandKind kind, std::string command, AnswerHandler done) = 0;
};

struct Leased {
  enum class Result : uint8_t {
    kOk,
    kElsewhere,     // The keys are in flight on several connections: ask again when some are not.
    kNoConnection,  // None is open, or the one that the keys are bound to is not.
    kRefused,       // By the circuit breaker: the node is left alone for a while.
  };
  Result result = Result::kOk;
  std::unique_ptr<KeyLease> lease;  // When kOk.
};

// Called on the loop's thread.
struct PoolHooks {
  // A connection is about to be used.
  std::function<void(const Connection::Peer&)> opened = [](const Connection::Peer&) {};
  // A connection, or an attempt to open one, came to an end.
  std::function<void(const absl::Status& cause)> ended = [](const absl::Status&) {};
  // What the next connection is opened with may be changed, such as its guard.
  std::function<void(ConnectionOptions&)> prepare = [](ConnectionOptions&) {};
};

// Thread-safe. Lives on an event loop, which outlives it.
class Pool {
 public:
  // Begins to connect. It lives until Close, whoever holds it.
  static std::shared_ptr<Pool> Create(asio::io_context& context, const base::Clock& clock,
                                      base::RandomSource& random, const PoolOptions& options,
                                      PoolHooks hooks = {});

  virtual ~Pool() = default;

  // `keys` are hashes of all keys that the commands will touch.
  virtual Leased Lease(absl::Span<const uint64_t> keys) = 0;

  // As KeyLease::Bury, of a connection to the same address that was another pool's.
  virtual void Bury(const Connection::Peer& dead,
                    absl::AnyInvocable<void(const absl::Status&) &&> done) = 0;

  // Ends every connection: what is under way is answered as lost. The loop ends only after it.
  virtual void Close(const absl::Status& cause) = 0;

  virtual PoolStats Stats() const = 0;
};

}  // namespace tarn::storage::redis
