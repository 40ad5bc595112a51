// Which keys the reading of a checkpoint has left behind.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "storage/batch.h"
#include "storage/snapshot.h"

namespace tarn::storage::memory {

// Of one snapshot at a time, which is named by its serial number. Few ranges, because those that
// touch become one. Not thread-safe.
class PassedRanges {
 public:
  // Adds a range. What was known of an earlier snapshot is forgotten.
  void Add(uint64_t serial, KeyRange range);

  bool Contain(uint64_t serial, NamespaceId ns, absl::string_view key) const;

  size_t size() const { return ranges_.size(); }

 private:
  uint64_t serial_ = 0;
  std::vector<KeyRange> ranges_;  // Disjoint, in no order.
};

}  // namespace tarn::storage::memory
