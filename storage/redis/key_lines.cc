#include "storage/redis/key_lines.h"

#include <algorithm>

namespace tarn::storage::redis {

using State = LineMember::State;

// Behind home commands with these counts.
bool KeyLines::MayPass(const LineMember& member, int not_home, int one_several, int all_several) {
  if (not_home > 0) return false;
  // Two commands of several keys touch the same ones when both belong to the same key: neither can
  // be refused without the other, or before it.
  const bool alike = member.several && member.keys.size() == 1;
  return alike ? all_several == one_several : all_several == 0;
}

bool KeyLines::MayGoHome(const LineMember& member) const {
  for (const uint64_t key : member.keys) {
    const auto found = lines_.find(key);
    if (found == lines_.end()) continue;
    const Line& line = found->second;
    if (!MayPass(member, line.not_home, line.one_several, line.all_several)) return false;
  }
  return true;
}

bool KeyLines::Enter(LineMember& member) {
  const bool may_go = MayGoHome(member);
  member.state = may_go ? State::kHome : State::kWaiting;
  for (const uint64_t key : member.keys) lines_[key].members.push_back(&member);
  Count(member, 1);
  return may_go;
}

bool KeyLines::SendAway(LineMember& member) {
  member.moved = true;
  const bool first = IsFirst(member);
  SetState(member, first ? State::kAway : State::kWaiting);
  return first;
}

std::vector<LineMember*> KeyLines::Leave(LineMember& member) {
  Count(member, -1);
  std::vector<LineMember*> out;
  for (const uint64_t key : member.keys) {
    const auto found = lines_.find(key);
    auto& members = found->second.members;
    members.erase(std::find(members.begin(), members.end(), &member));
    if (members.empty()) lines_.erase(found);
  }
  for (const uint64_t key : member.keys) PassOn(key, out);
  return out;
}

void KeyLines::PassOn(uint64_t key, std::vector<LineMember*>& out) {
  const auto found = lines_.find(key);
  if (found == lines_.end() || found->second.not_home == 0) return;
  for (LineMember* const member : found->second.members) {
    if (member->state == State::kHome) continue;
    if (member->state == State::kAway || !Release(*member)) return;
    out.push_back(member);
    if (member->state == State::kAway) return;
  }
}

bool KeyLines::Release(LineMember& member) {
  if (IsFirst(member)) {
    SetState(member, member.moved ? State::kAway : State::kHome);
    return true;
  }
  // It waits in one line only, and those before it there are home.
  if (member.moved || member.keys.size() != 1) return false;
  Line ahead;
  for (const LineMember* const other : lines_.at(member.keys[0]).members) {
    if (other == &member) break;
    ahead.all_several += other->several ? 1 : 0;
    ahead.one_several += other->several && other->keys.size() == 1 ? 1 : 0;
  }
  if (!MayPass(member, 0, ahead.one_several, ahead.all_several)) return false;
  SetState(member, State::kHome);
  return true;
}

bool KeyLines::IsFirst(const LineMember& member) const {
  return std::all_of(member.keys.begin(), member.keys.end(),
                     [&](uint64_t key) { return lines_.at(key).members.front() == &member; });
}

void KeyLines::SetState(LineMember& member, State state) {
  Count(member, -1);
  member.state = state;
  Count(member, 1);
}

void KeyLines::Count(const LineMember& member, int by) {
  for (const uint64_t key : member.keys) {
    Line& line = lines_.at(key);
    if (member.state != State::kHome) {
      line.not_home += by;
    } else if (member.several) {
      line.all_several += by;
      if (member.keys.size() == 1) line.one_several += by;
    }
  }
}

}  // namespace tarn::storage::redis
