// Merges ordered sources: a tree of losers (Knuth, The Art of Computer Programming, volume 3,
// section 5.4.1).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace tarn::storage::memory {

// Finds the first of kSources heads, and finds it again with log2(kSources) comparisons after one
// head has changed. Of two heads the one of the smaller rank comes first; where ranks are the same,
// `Before(i, j)` says whether the head of source i comes before that of source j.
template <size_t kSources, typename Before>
class MergeTree {
 public:
  explicit MergeTree(Before before) : before_(before) {}

  void Rebuild(const std::array<uint64_t, kSources>& ranks) { winner_ = Play(1, ranks); }
  size_t winner() const { return winner_.source; }

  // After the head of the winner has changed: `rank` is the new one's.
  void Replay(uint64_t rank) {
    Head climber{rank, winner_.source};
    for (size_t node = (climber.source + kSources) / 2; node != 0; node /= 2)
      Exchange(losers_[node], climber);
    winner_ = climber;
  }

 private:
  static_assert((kSources & (kSources - 1)) == 0, "a power of two makes the tree complete");

  struct Head {
    uint64_t rank = 0;
    size_t source = 0;
  };

  bool ComesBefore(const Head& left, const Head& right) const {
    if (left.rank == right.rank) [[unlikely]]
      return before_(left.source, right.source);
    return left.rank < right.rank;
  }

  // Leaves the later of both in `loser`. Without a branch: who wins cannot be predicted.
  void Exchange(Head& loser, Head& climber) const {
    const uint64_t all_if = uint64_t{0} - uint64_t{ComesBefore(loser, climber)};
    const uint64_t rank = (loser.rank ^ climber.rank) & all_if;
    const size_t source = (loser.source ^ climber.source) & all_if;
    loser = {loser.rank ^ rank, loser.source ^ source};
    climber = {climber.rank ^ rank, climber.source ^ source};
  }

  // Plays the subtree under `node`; leaves its losers in the nodes and returns its winner.
  Head Play(size_t node, const std::array<uint64_t, kSources>& ranks) {
    if (node >= kSources) return {ranks[node - kSources], node - kSources};
    Head winner = Play(2 * node, ranks);
    losers_[node] = Play(2 * node + 1, ranks);
    Exchange(losers_[node], winner);
    return winner;
  }

  Before before_;
  std::array<Head, kSources> losers_{};
  Head winner_;
};

}  // namespace tarn::storage::memory
