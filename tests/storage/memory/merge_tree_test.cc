#include "storage/memory/merge_tree.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <random>
#include <utility>
#include <vector>

#include "tests/catch.h"

namespace tarn::storage::memory {
namespace {

constexpr size_t kSources = 8;

// A rank, and what decides between equal ranks.
using Item = std::pair<uint64_t, int>;

// Sorted lists and the tree over their heads.
class Merge {
 public:
  explicit Merge(std::array<std::vector<Item>, kSources> lists) : lists_(std::move(lists)) {}

  std::vector<Item> All() {
    std::array<uint64_t, kSources> ranks{};
    for (size_t i = 0; i < kSources; ++i) ranks[i] = RankOf(i);
    tree_.Rebuild(ranks);
    std::vector<Item> merged;
    while (!lists_[tree_.winner()].empty()) {
      std::vector<Item>& list = lists_[tree_.winner()];
      merged.push_back(list.front());
      list.erase(list.begin());
      tree_.Replay(RankOf(tree_.winner()));
    }
    return merged;
  }

 private:
  struct Before {
    const Merge* merge;
    bool operator()(size_t left, size_t right) const {
      const std::vector<Item>& a = merge->lists_[left];
      const std::vector<Item>& b = merge->lists_[right];
      if (a.empty() || b.empty()) return !a.empty();
      return a.front().second < b.front().second;
    }
  };

  uint64_t RankOf(size_t source) const {
    return lists_[source].empty() ? UINT64_MAX : lists_[source].front().first;
  }

  std::array<std::vector<Item>, kSources> lists_;
  MergeTree<kSources, Before> tree_{Before{this}};
};

TEST_CASE("a merge of nothing is empty") { CHECK(Merge({}).All().empty()); }

TEST_CASE("lists are merged by rank, and where ranks are the same by what decides then") {
  std::mt19937 random(8276);
  for (int round = 0; round < 200; ++round) {
    // Few ranks, the largest there is among them: that of a list that has ended.
    const std::array<uint64_t, 4> ranks{0, 1, 1000, UINT64_MAX};
    std::array<std::vector<Item>, kSources> lists;
    std::vector<Item> all;
    for (int i = 0; i < round; ++i) {
      all.emplace_back(ranks[random() % ranks.size()], i);
      lists[random() % kSources].push_back(all.back());
    }
    for (std::vector<Item>& list : lists) std::sort(list.begin(), list.end());
    std::sort(all.begin(), all.end());
    REQUIRE(Merge(lists).All() == all);
  }
}

}  // namespace
}  // namespace tarn::storage::memory
