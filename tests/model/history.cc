#include "tests/model/history.h"

#include <limits>

namespace tarn::testing {
namespace {

constexpr Revision kNow = std::numeric_limits<Revision>::max();

}  // namespace

const Entry* History::AsOf(const Versions& versions, Revision revision) {
  auto next = versions.upper_bound(revision);
  if (next == versions.begin()) return nullptr;
  const std::optional<Entry>& entry = std::prev(next)->second;
  return entry ? &*entry : nullptr;
}

const Entry* History::AsOf(const FullKey& key, Revision revision) const {
  const auto found = keys_.find(key);
  return found == keys_.end() ? nullptr : AsOf(found->second, revision);
}

const Entry* History::Newest(const FullKey& key) const { return AsOf(key, kNow); }

Revision History::LastChange(const FullKey& key) const {
  const auto found = keys_.find(key);
  return found == keys_.end() ? 0 : found->second.rbegin()->first;
}

void History::Write(const FullKey& key, Entry entry) {
  const Revision revision = entry.revision;
  keys_[key][revision] = std::move(entry);
}

void History::Erase(const FullKey& key, Revision revision) { keys_[key][revision] = std::nullopt; }

void History::Sweep(const FullKey& key) {
  Versions& versions = keys_.at(key);
  versions.rbegin()->second = std::nullopt;
}

void History::ForEach(Revision revision,
                      const std::function<void(const FullKey&, const Entry&)>& visit) const {
  for (const auto& [key, versions] : keys_) {
    if (const Entry* entry = AsOf(versions, revision)) visit(key, *entry);
  }
}

std::vector<Row> History::Range(NamespaceId ns, const std::string& start, const std::string& end,
                                Revision revision, UnixMs now) const {
  std::vector<Row> rows;
  for (auto it = keys_.lower_bound({ns, start}); it != keys_.end() && it->first.first == ns; ++it) {
    const std::string& key = it->first.second;
    if (!end.empty() && key >= end) break;
    const Entry* entry = AsOf(it->second, revision);
    if (entry == nullptr || !IsLive(*entry, now)) continue;
    rows.push_back({key, entry->value, entry->revision, entry->deadline, ns});
  }
  return rows;
}

void History::ForgetBefore(Revision revision) {
  for (auto it = keys_.begin(); it != keys_.end();) {
    Versions& versions = it->second;
    auto shown = versions.upper_bound(revision);
    if (shown != versions.begin()) versions.erase(versions.begin(), std::prev(shown));
    const bool gone =
        versions.size() == 1 && versions.begin()->first <= revision && !versions.begin()->second;
    it = gone ? keys_.erase(it) : std::next(it);
  }
}

storage::Usage UsageOf(const FullKey& key, const Entry& entry) {
  return {1, static_cast<int64_t>(key.second.size() + entry.value.size())};
}

}  // namespace tarn::testing
