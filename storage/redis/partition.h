// The keyspace's fixed number of parts. Everything about one key (value, index, receipts, the owner
// record that guards it) carries its partition's hash tag and so shares its slot; a cluster may
// move a partition, never split it.
#pragma once

#include <cstdint>

#include "absl/strings/string_view.h"
#include "storage/batch.h"
#include "storage/namespaces.h"

namespace tarn::storage::redis {

// NOTE: persisted, as the tags and the functions below are: another number is another format.
// 256: of 10 nodes none has more than a 25th part more than another, and a scan of a short range
// asks few enough indexes to be one round trip.
inline constexpr int kPartitions = 256;

// 0 to kPartitions - 1.
using Partition = uint16_t;

// Holds what the store says of itself as a whole.
inline constexpr Partition kStorePartition = 0;

// Two characters, without braces. Each 256th part of the slots holds one partition's slot, near its
// middle, so that a cluster that deals out slots evenly deals out partitions evenly.
absl::string_view PartitionTag(Partition partition);

// The slot of everything in a partition.
uint16_t PartitionSlot(Partition partition);

Partition PartitionOf(Placement placement, NamespaceId ns, absl::string_view key);

}  // namespace tarn::storage::redis
