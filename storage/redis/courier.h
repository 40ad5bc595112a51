// Brings commands to the node that serves their partition, wherever that is meanwhile.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/inlined_vector.h"
#include "absl/types/span.h"
#include "storage/base/clock.h"
#include "storage/base/random.h"
#include "storage/redis/backoff.h"
#include "storage/redis/key_lines.h"
#include "storage/redis/key_routes.h"
#include "storage/redis/node_map.h"
#include "storage/redis/pool.h"
#include <asio/io_context.hpp>

namespace tarn::storage::redis {

// Whether nodes send commands elsewhere.
enum class Following : uint8_t { kNothing, kRedirects };

// The loop's thread's, but for Stats.
class Courier : public std::enable_shared_from_this<Courier> {
 public:
  Courier(asio::io_context& context, const base::Clock& clock, base::RandomSource& random,
          std::shared_ptr<NodeMap> nodes, const LinkGuard& guard, Following following);

  // As Link::Lease.
  Leased Lease(Partition partition, absl::Span<const uint64_t> keys);

  // Its own part. Thread-safe.
  RoutingStats Stats() const;

 private:
  friend class RoutedLease;
  struct Holding;
  struct Command;
  using CommandPtr = std::shared_ptr<Command>;

  // --- leases ---

  bool MayLease(absl::Span<const uint64_t> keys, const Node& node);
  void Release(const Holding& holding);
  void Bury(std::shared_ptr<Holding> holding, size_t index,
            absl::AnyInvocable<void(const absl::Status&) &&> done);

  // --- commands ---

  void Send(const std::shared_ptr<Holding>& holding, CommandKind kind, std::string bytes,
            AnswerHandler done);
  static CommandPtr Make(const std::shared_ptr<Holding>& holding, CommandKind kind,
                         std::string bytes, AnswerHandler done);
  void Start(const CommandPtr& command);
  void GoHome(const CommandPtr& command);
  void Return(const CommandPtr& command, const std::shared_ptr<Node>& from, Answer& answer);
  void Finish(const CommandPtr& command, Answer& answer);
  void GoOn(const std::vector<LineMember*>& members);
  void GiveUp(const CommandPtr& command, const Outcome& outcome);
  void GiveUpUnsent(const CommandPtr& command);

  // --- commands that are sent away ---

  void Follow(const CommandPtr& command, const Node& from, Answer& answer);
  void SendAway(const CommandPtr& command);
  void GoAway(const CommandPtr& command);
  void GoAwayLater(const CommandPtr& command);
  void AwaitNode(const CommandPtr& command, const std::shared_ptr<Node>& node);
  void AwaitTrust(const CommandPtr& command, const std::shared_ptr<Node>& node);
  void CheckGuard(Partition partition, const std::shared_ptr<Node>& node,
                  absl::AnyInvocable<void() &&> then);
  void TryAgain(const CommandPtr& command, Answer& answer);
  void KeepStray(Command& command, const std::shared_ptr<Node>& from);
  bool HasLost(absl::Span<const uint64_t> keys) const;

  asio::io_context& context_;
  const base::Clock& clock_;
  base::RandomSource& random_;
  const std::shared_ptr<NodeMap> nodes_;
  const LinkGuard guard_;
  const Following following_;

  KeyRoutes routes_;  // To nodes, by number.
  KeyLines lines_;
  absl::flat_hash_map<uint64_t, int> lost_;  // Keys with an answer lost away from home: by leases.
  // Who waits for a check of the guard, by node.
  absl::flat_hash_map<ConnectionId, std::vector<absl::AnyInvocable<void() &&>>> checks_;
  std::deque<CommandPtr> to_go_;  // Commands that may go out.
  bool going_ = false;

  std::atomic<uint64_t> moved_ = 0;
  std::atomic<uint64_t> asked_ = 0;
  std::atomic<uint64_t> tried_again_ = 0;
  std::atomic<uint64_t> given_up_ = 0;
};

}  // namespace tarn::storage::redis
