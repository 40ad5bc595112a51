// What the Redis engine tells of how it does: its nodes, its commands, its snapshots. Known outside
// of the engine, too.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace tarn::storage::redis {

enum class Topology : uint8_t { kStandalone, kSentinel, kCluster };

// Of a circuit breaker.
enum class BreakerState : uint8_t {
  kClosed,    // Requests go through.
  kOpen,      // None does.
  kHalfOpen,  // One is on its way, to see.
};

// Named after what Redis says, so that every row of the table can be counted by name.
enum class Event : uint8_t {
  kReply,  // No error.
  kMoved,
  kAsk,
  kTryAgain,
  kClusterDown,
  kMasterDown,
  kLoading,
  kBusy,
  kMaxClients,
  kReadOnly,
  kNoReplicas,
  kMisconfigured,
  kOutOfMemory,
  kNoScript,
  kCrossSlot,
  kNoAuth,
  kWrongPassword,
  kNoPermission,
  kScriptError,
  kNotReplicated,
  kQueueFull,
  kLostUnsent,
  kLostSent,
  kUnexpected,
};
inline constexpr size_t kEvents = static_cast<size_t>(Event::kUnexpected) + 1;

// "MOVED", "connection lost".
absl::string_view EventName(Event event);

// The upper bounds of the latency histogram's buckets in nanoseconds; one more bucket has none.
inline constexpr std::array<int64_t, 14> kLatencyBoundsNs = {
    50'000,     100'000,    250'000,    500'000,     1'000'000,   2'500'000,     5'000'000,
    10'000'000, 25'000'000, 50'000'000, 100'000'000, 250'000'000, 1'000'000'000, 3'000'000'000};
inline constexpr size_t kLatencyBuckets = kLatencyBoundsNs.size() + 1;

// Since the node was met.
struct TrafficTotals {
  uint64_t commands = 0;  // Put into the stream, those of log-ins and checks included.
  uint64_t sent_bytes = 0;
  uint64_t received_bytes = 0;
  std::array<uint64_t, kEvents> errors = {};  // Answers by event; none of kReply.
  // Of one command in kMeasuredEvery.
  std::array<uint64_t, kLatencyBuckets> latency = {};
  uint64_t latency_sum_ns = 0;
  // Of WAIT.
  int64_t acknowledged_replicas = -1;  // By the last one; -1: there was none.
  uint64_t short_waits = 0;            // Fewer than asked for, or nobody knows.
};

// The connections to one node.
struct PoolStats {
  int open = 0;
  int idle = 0;  // Of those: nothing is under way there.
  int connecting = 0;
  size_t pending = 0;       // Requests without an answer.
  size_t keys = 0;          // In flight.
  uint64_t opened = 0;      // Connections since the start,
  uint64_t failed = 0;      // and how many of them, and of attempts, came to an end.
  uint64_t latency_us = 0;  // From sending to the answer, smoothed over the last few hundred.
  TrafficTotals traffic;
};

// Of a cluster.
struct SlotRange {
  uint16_t first = 0;
  uint16_t last = 0;

  friend bool operator==(const SlotRange&, const SlotRange&) = default;
};

// One node as operators see it.
struct NodeStats {
  std::string address;           // "host:port", or the path of a socket.
  std::string run_id;            // Of the server's process; empty before the first log-in.
  int partitions = 0;            // That it serves.
  std::vector<SlotRange> slots;  // Likewise; of a cluster only.
  PoolStats pool;                // Connections, requests under way, latency.
  BreakerState breaker = BreakerState::kClosed;
  uint64_t breaker_opened = 0;  // How often it opened, since the node was met.
};

// What became of the search for the right node; all 0 where there is only one. Counted since the
// start, where it is not said otherwise.
struct RoutingStats {
  uint64_t moved = 0;        // Commands that were sent on by MOVED,
  uint64_t asked = 0;        // by ASK,
  uint64_t tried_again = 0;  // or again after TRYAGAIN,
  uint64_t given_up = 0;     // and those that led nowhere.
  uint64_t switches = 0;     // Primaries that were replaced by others.
  uint64_t questions = 0;    // Rounds of asking Sentinels, or nodes, who serves what,
  uint64_t unanswered = 0;   // in which none knew.
  int sentinels = 0;         // That would tell of a switch now.
};

// Why a snapshot was ended by others than its owner.
enum class SnapshotEnd : uint8_t {
  kMadeRoom,     // Too many, or too much was replaced since.
  kTooOld,       // Older than max_age.
  kNodeChanged,  // A primary, or its process, is another one than before.
  kAnswerLost,   // The answer of a write that should have told what it replaced.
  kUntold,       // A write replaced something and never told.
  kClosing,      // The engine ends.
};
inline constexpr size_t kSnapshotEnds = static_cast<size_t>(SnapshotEnd::kClosing) + 1;

// "made_room".
absl::string_view SnapshotEndName(SnapshotEnd end);

}  // namespace tarn::storage::redis
