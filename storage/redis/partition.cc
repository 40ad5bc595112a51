#include "storage/redis/partition.h"

#include <array>
#include <cstddef>
#include <cstdlib>

#include "storage/base/checksum.h"
#include "storage/redis/key_slot.h"

namespace tarn::storage::redis {
namespace {

constexpr int kSlotsEach = kSlots / kPartitions;
constexpr absl::string_view kAlphabet =
    "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_";

struct Tags {
  std::array<std::array<char, 2>, kPartitions> texts{};
  std::array<uint16_t, kPartitions> slots{};
};

// Of all pairs of letters, for each partition the first of those whose slot is nearest to the
// middle of its range: none is more than 7 slots away.
Tags FindTags() {
  Tags tags;
  std::array<int, kPartitions> distances{};
  distances.fill(kSlots);
  for (const char first : kAlphabet) {
    for (const char second : kAlphabet) {
      const std::array<char, 2> text = {first, second};
      const uint16_t slot = KeySlot({text.data(), text.size()});
      const int partition = slot / kSlotsEach;
      const int distance = std::abs(slot % kSlotsEach - kSlotsEach / 2);
      if (distance >= distances[partition]) continue;
      distances[partition] = distance;
      tags.texts[partition] = text;
      tags.slots[partition] = slot;
    }
  }
  return tags;
}

const Tags& AllTags() {
  static const Tags tags = FindTags();
  return tags;
}

}  // namespace

absl::string_view PartitionTag(Partition partition) {
  const std::array<char, 2>& text = AllTags().texts[partition];
  return {text.data(), text.size()};
}

uint16_t PartitionSlot(Partition partition) { return AllTags().slots[partition]; }

Partition PartitionOf(Placement placement, NamespaceId ns, absl::string_view key) {
  const absl::string_view hashed = placement == Placement::kTogether ? absl::string_view() : key;
  return static_cast<Partition>(base::Checksum64(hashed, ns) % kPartitions);
}

}  // namespace tarn::storage::redis
