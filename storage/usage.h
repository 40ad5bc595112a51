// How much each namespace holds, and how much it may.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "absl/status/status.h"
#include "storage/batch.h"

namespace tarn::storage {

// Entries include expired ones until they are swept. Bytes are those of keys and values.
struct Usage {
  int64_t entries = 0;
  int64_t bytes = 0;
};

inline Usage& operator+=(Usage& left, const Usage& right) {
  left.entries += right.entries;
  left.bytes += right.bytes;
  return left;
}

struct Quota {
  int64_t max_entries = 0;  // 0: no bound.
  int64_t max_bytes = 0;
};

// The count of every namespace, kept by the engine as it commits. Thread-safe and without locks: a
// commit costs at most two atomic additions a namespace, and none when it neither grows nor shrinks
// anything.
//
// The table never moves, and a slot that was never used costs no memory.
class UsageLedger {
 public:
  // Numbers are not reused while the process lives, so there is room for far more namespaces than
  // may exist at one time.
  static constexpr NamespaceId kMaxNamespaceIds = 1 << 16;

  UsageLedger();

  // Adds a change that is about to be committed. Growth beyond the quota is RESOURCE_EXHAUSTED
  // (QUOTA_EXCEEDED), and then nothing is added; shrinking and standing still always succeed.
  absl::Status Charge(NamespaceId ns, const Usage& change);

  // Adds without looking at the quota: for taking back a Charge, for sweeping, and for counting
  // what is found at start.
  void Add(NamespaceId ns, const Usage& change);

  Usage Get(NamespaceId ns) const;
  void SetQuota(NamespaceId ns, const Quota& quota);

  // Back to nothing for every namespace, quotas kept: the content is about to be replaced.
  void Clear();

 private:
  struct alignas(64) Slot {
    std::atomic<int64_t> entries{0};
    std::atomic<int64_t> bytes{0};
    std::atomic<int64_t> max_entries{0};
    std::atomic<int64_t> max_bytes{0};
  };

  struct Free {
    void operator()(Slot* slots) const;
  };

  std::unique_ptr<Slot[], Free> slots_;
};

}  // namespace tarn::storage
