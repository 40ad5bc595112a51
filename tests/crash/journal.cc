#include "tests/crash/journal.h"

#include <algorithm>
#include <set>

namespace tarn::testing {
namespace {

const Stored* Find(const Contents& contents, const std::string& key) {
  const auto found = contents.find(key);
  return found == contents.end() ? nullptr : &found->second;
}

std::string Show(const Stored* stored) {
  if (stored == nullptr) return "nothing";
  return "\"" + stored->value.substr(0, 40) + "\" (" + std::to_string(stored->value.size()) +
         " bytes, revision " + std::to_string(stored->revision) + ", expires " +
         std::to_string(stored->expire_time_ms) + ")";
}

bool Same(const Stored* left, const Stored* right) {
  if (left == nullptr || right == nullptr) return left == right;
  return *left == *right;
}

}  // namespace

std::vector<std::string> Journal::Acknowledge(const std::vector<Acknowledged>& results) {
  std::vector<std::string> wrong;
  if (results.size() != attempt_->changes.size())
    return {"as many results as operations were expected"};
  uint64_t highest = highest_revision_;
  for (size_t i = 0; i < results.size(); ++i) {
    const Change& change = attempt_->changes[i];
    const bool changes = change.after || Find(contents_, change.key) != nullptr;
    if (changes != (results[i].revision != 0))
      wrong.push_back(change.key + ": revision without change, or the reverse");
    if (changes && results[i].revision <= highest_revision_) {
      wrong.push_back(change.key + ": revision " + std::to_string(results[i].revision) + " after " +
                      std::to_string(highest_revision_));
    }
    highest = std::max(highest, results[i].revision);
    if (change.after)
      contents_[change.key] = {*change.after, results[i].revision, results[i].expire_time_ms};
    else
      contents_.erase(change.key);
  }
  highest_revision_ = highest;
  attempt_.reset();
  return wrong;
}

Journal::Fate Journal::FateOf(const Change& change, const Contents& found) const {
  const Stored* before = Find(contents_, change.key);
  const Stored* now = Find(found, change.key);
  if (!change.after && before == nullptr && now == nullptr) return Fate::kEither;
  if (Same(before, now)) return Fate::kNotDone;
  if (!change.after) return now == nullptr ? Fate::kDone : Fate::kWrong;
  const bool done =
      now != nullptr && now->value == *change.after && now->revision > highest_revision_;
  return done ? Fate::kDone : Fate::kWrong;
}

std::vector<std::string> Journal::SettleAttempt(const Contents& found) {
  std::vector<std::string> wrong;
  std::set<Fate> fates;
  for (const Change& change : attempt_->changes) {
    const Fate fate = FateOf(change, found);
    if (fate == Fate::kWrong) {
      wrong.push_back(change.key + " holds " + Show(Find(found, change.key)) +
                      ", neither what was acknowledged, " + Show(Find(contents_, change.key)) +
                      ", nor what was attempted");
    }
    if (fate == Fate::kDone || fate == Fate::kNotDone) fates.insert(fate);
  }
  if (attempt_->mode == Attempt::Mode::kAtomic && fates.size() > 1)
    wrong.push_back("an atomic batch was half done");
  return wrong;
}

std::vector<std::string> Journal::Settle(const Contents& found) {
  std::vector<std::string> wrong;
  std::set<std::string> uncertain;
  if (attempt_) {
    wrong = SettleAttempt(found);
    for (const Change& change : attempt_->changes) uncertain.insert(change.key);
  }
  for (const auto& [key, stored] : contents_) {
    if (uncertain.count(key) != 0 || Same(&stored, Find(found, key))) continue;
    wrong.push_back(key + " holds " + Show(Find(found, key)) + ", acknowledged was " +
                    Show(&stored));
  }
  for (const auto& [key, stored] : found) {
    if (uncertain.count(key) != 0 || contents_.count(key) != 0) continue;
    wrong.push_back(key + " holds " + Show(&stored) + ", acknowledged was nothing");
  }
  attempt_.reset();
  contents_ = found;
  for (const auto& [key, stored] : found)
    highest_revision_ = std::max(highest_revision_, stored.revision);
  return wrong;
}

}  // namespace tarn::testing
