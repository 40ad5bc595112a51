// Which of a cluster's nodes serves which slot.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "storage/redis/key_slot.h"
#include "storage/redis/redis_url.h"
#include "storage/redis/reply.h"
#include "storage/redis_stats.h"

namespace tarn::storage::redis {

// As many as a cluster may have by Redis' own advice.
inline constexpr size_t kMaxClusterNodes = 1000;

// Immutable once it is shared: what changes is which map is in use.
class SlotMap {
 public:
  struct Node {
    Endpoint primary;
    std::vector<Endpoint> replicas;
  };

  SlotMap() { owners_.fill(kNobody); }

  // Null when nobody serves the slot.
  const Endpoint* Owner(uint16_t slot) const {
    return owners_[slot] == kNobody ? nullptr : &nodes_[owners_[slot]].primary;
  }

  // Each with at least one slot, except those that lost their last one to Assign.
  const std::vector<Node>& nodes() const { return nodes_; }
  int slots_served() const;
  // In order, none next to another.
  std::vector<SlotRange> SlotsOf(const Endpoint& primary) const;

  // What a MOVED tells: a node that is not known yet comes without replicas. INTERNAL
  // (ENGINE_ERROR) when there are kMaxClusterNodes already.
  absl::Status Assign(uint16_t slot, const Endpoint& primary);

 private:
  friend class SlotsParser;

  static constexpr uint16_t kNobody = 0xFFFF;
  static_assert(kMaxClusterNodes < kNobody);

  // Its place among the nodes, which it gets unless it has one.
  absl::StatusOr<uint16_t> Place(const Endpoint& primary);

  std::vector<Node> nodes_;
  std::array<uint16_t, kSlots> owners_;
};

// The reply to CLUSTER SLOTS. It is not trusted: slots outside the range or named twice, hosts that
// are none, and more nodes than allowed are INTERNAL (ENGINE_ERROR). `asked` is who answered: a
// node that does not know its own address means that one.
absl::StatusOr<SlotMap> ParseClusterSlots(ReplyView reply, const Endpoint& asked);

}  // namespace tarn::storage::redis
