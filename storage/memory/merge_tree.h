// Merges ordered sources: a tree of losers (Knuth, The Art of Computer Programming, volume 3,
// section 5.4.1).
#pragma once

#include <array>
#include <cstddef>
#include <utility>

namespace tarn::storage::memory {

// Finds the first of kSources heads, and finds it again with log2(kSources) comparisons after one
// head has changed. `Before(i, j)` says whether the head of source i comes before that of source j.
template <size_t kSources, typename Before>
class MergeTree {
 public:
  explicit MergeTree(Before before) : before_(before) {}

  void Rebuild() { winner_ = Play(1); }
  size_t winner() const { return winner_; }

  // After the head of the winner has changed.
  void Replay() {
    size_t climber = winner_;
    for (size_t node = (climber + kSources) / 2; node != 0; node /= 2) {
      if (before_(losers_[node], climber)) std::swap(losers_[node], climber);
    }
    winner_ = climber;
  }

 private:
  static_assert((kSources & (kSources - 1)) == 0, "a power of two makes the tree complete");

  // Plays the subtree under `node`; leaves its losers in the nodes and returns its winner.
  size_t Play(size_t node) {
    if (node >= kSources) return node - kSources;
    size_t winner = Play(2 * node);
    size_t loser = Play(2 * node + 1);
    if (before_(loser, winner)) std::swap(winner, loser);
    losers_[node] = loser;
    return winner;
  }

  Before before_;
  std::array<size_t, kSources> losers_{};
  size_t winner_ = 0;
};

}  // namespace tarn::storage::memory
