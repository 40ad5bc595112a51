// The connections to one node.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "absl/types/span.h"
#include "storage/base/clock.h"
#include "storage/base/random.h"
#include "storage/redis/backoff.h"
#include "storage/redis/connection.h"
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
};

struct PoolStats {
  int open = 0;
  size_t pending = 0;   // Requests without an answer.
  size_t keys = 0;      // In flight.
  uint64_t opened = 0;  // Connections since the start,
  uint64_t failed = 0;  // and how many of them, and of attempts, came to an end.
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
};

struct Leased {
  enum class Result : uint8_t {
    kOk,
    kElsewhere,     // The keys are in flight on several connections: ask again when some are not.
    kNoConnection,  // None is open, or the one that the keys are bound to is not.
  };
  Result result = Result::kOk;
  std::unique_ptr<KeyLease> lease;  // When kOk.
};

// Thread-safe. Lives on an event loop, which outlives it.
class Pool {
 public:
  // Begins to connect. It lives until Close, whoever holds it.
  static std::shared_ptr<Pool> Create(asio::io_context& context, const base::Clock& clock,
                                      base::RandomSource& random, const PoolOptions& options);

  virtual ~Pool() = default;

  // `keys` are hashes of all keys that the commands will touch.
  virtual Leased Lease(absl::Span<const uint64_t> keys) = 0;

  // Ends every connection: what is under way is answered as lost. The loop ends only after it.
  virtual void Close(const absl::Status& cause) = 0;

  virtual PoolStats Stats() const = 0;
};

}  // namespace tarn::storage::redis
