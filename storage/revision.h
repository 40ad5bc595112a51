// The order of everything: incarnation << 40 | counter.
#pragma once

#include <atomic>
#include <cstdint>

namespace tarn::storage {

// Strictly increasing over commits, never used twice: not after a crash, a restore, or a delete and
// re-create. 0 is no revision.
using Revision = uint64_t;

// How many times this store has been opened for writing. Persisted before the first commit of each.
using Incarnation = uint64_t;

inline constexpr int kCounterBits = 40;
inline constexpr Incarnation kMaxIncarnation = (uint64_t{1} << (64 - kCounterBits)) - 1;

constexpr Revision FirstRevision(Incarnation incarnation) { return incarnation << kCounterBits; }
constexpr Incarnation IncarnationOf(Revision revision) { return revision >> kCounterBits; }
constexpr uint64_t CounterOf(Revision revision) {
  return revision & ((uint64_t{1} << kCounterBits) - 1);
}

// Hands out revisions. Next() is called where the commit is ordered. Thread-safe.
//
// A counter that runs over carries into the incarnation by plain addition: that is the next
// incarnation, and the keeper of the store's identity has persisted it long before (see
// ReserveNextIncarnation).
class RevisionSource {
 public:
  explicit RevisionSource(Incarnation incarnation) : last_(FirstRevision(incarnation)) {}

  Revision Next() { return last_.fetch_add(1, std::memory_order_seq_cst) + 1; }

  // The highest revision handed out; the first of the incarnation, with counter 0, when there was
  // none.
  Revision Last() const { return last_.load(std::memory_order_seq_cst); }

  // Starts a new incarnation. Only while nothing commits.
  void StartIncarnation(Incarnation incarnation) { last_.store(FirstRevision(incarnation)); }

 private:
  std::atomic<Revision> last_;
};

}  // namespace tarn::storage
