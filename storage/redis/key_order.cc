#include "storage/redis/key_order.h"

#include <algorithm>

namespace tarn::storage::redis {
namespace {

// So many places of members that have left are kept before a line is moved together.
constexpr size_t kMaxLeftPlaces = 64;

}  // namespace

void KeyOrder::Enter(KeyTurn& turn) {
  turn.granted_ = 0;
  Ready ready;
  for (const uint64_t key : turn.keys) {
    Line& line = lines_[key];
    line.members.push_back(&turn);
    Grant(line, ready);
  }
  // Those before it had their turn when they could: only this one can be new.
  if (!ready.empty() || turn.keys.empty()) turn.OnTurn();
}

void KeyOrder::Leave(KeyTurn& turn) {
  Ready ready;
  for (const uint64_t key : turn.keys) {
    const auto found = lines_.find(key);
    Remove(found->second, turn);
    if (found->second.head == found->second.members.size()) {
      lines_.erase(found);
    } else {
      Grant(found->second, ready);
    }
  }
  for (KeyTurn* const next : ready) next->OnTurn();
}

bool KeyOrder::HasFollower(const KeyTurn& turn) const {
  return std::any_of(turn.keys.begin(), turn.keys.end(), [&](uint64_t key) {
    return lines_.find(key)->second.members.back() != &turn;
  });
}

void KeyOrder::Grant(Line& line, Ready& ready) {
  while (line.next < line.members.size() && !line.alone) {
    KeyTurn* const turn = line.members[line.next];
    const bool wants_all = turn->mode == KeyTurn::Mode::kAlone;
    if (wants_all && line.running > 0) return;
    line.alone = wants_all;
    ++line.running;
    ++line.next;
    if (++turn->granted_ == turn->keys.size()) ready.push_back(turn);
  }
}

void KeyOrder::Remove(Line& line, const KeyTurn& turn) {
  const auto place = std::find(line.members.begin() + static_cast<ptrdiff_t>(line.head),
                               line.members.end(), &turn);
  const auto index = static_cast<size_t>(place - line.members.begin());
  if (index >= line.next) {
    line.members.erase(place);
    return;
  }
  *place = nullptr;
  --line.running;
  line.alone = false;
  while (line.head < line.next && line.members[line.head] == nullptr) ++line.head;
  if (line.head < kMaxLeftPlaces || line.head < line.members.size() / 2) return;
  line.members.erase(line.members.begin(),
                     line.members.begin() + static_cast<ptrdiff_t>(line.head));
  line.next -= line.head;
  line.head = 0;
}

}  // namespace tarn::storage::redis
