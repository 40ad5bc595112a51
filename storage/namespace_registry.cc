#include "storage/namespace_registry.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/synchronization/notification.h"
#include "storage/base/error.h"
#include "storage/base/status.h"

namespace tarn::storage {
namespace {

using base::MakeError;
using base::Reason;

constexpr size_t kMaxWaitingBatches = 10'000;

absl::Status QueueFull() {
  return MakeError(
      absl::StatusCode::kResourceExhausted, Reason::kQueueFull,
      absl::StrCat(kMaxWaitingBatches, " batches wait for the namespace to be created or deleted"));
}

}  // namespace

absl::Status NamespaceNotFound(absl::string_view name) {
  return MakeError(absl::StatusCode::kFailedPrecondition, Reason::kNamespaceNotFound,
                   absl::StrCat("there is no namespace ", name));
}

NamespaceRegistry::NamespaceRegistry(const RangeTaskContext& context, UsageLedger& ledger,
                                     const Limits& limits)
    : context_(context),
      ledger_(ledger),
      limits_(limits),
      nowhere_(new LiveNamespace("", kNowhere)),
      used_ids_(UsageLedger::kMaxNamespaceIds, false) {
  all_.emplace_back(nowhere_);
}

NamespaceRegistry::~NamespaceRegistry() {
  std::vector<std::unique_ptr<LiveNamespace>> all;
  {
    absl::MutexLock lock(&mutex_);
    all = std::move(all_);
  }
  for (const auto& live : all) {
    absl::Notification empty;
    live->gate.Close([&empty] { empty.Notify(); });
    empty.WaitForNotification();
  }
}

absl::StatusOr<std::unique_ptr<NamespaceRegistry>> NamespaceRegistry::Load(
    const RangeTaskContext& context, UsageLedger& ledger, const Limits& limits) {
  std::unique_ptr<NamespaceRegistry> registry(new NamespaceRegistry(context, ledger, limits));
  TARN_ASSIGN_OR_RETURN(const std::unique_ptr<Snapshot> snapshot,
                        context.engine.OpenSnapshot(SnapshotPurpose::kScan));
  std::vector<std::string> names;
  const auto adopt = [&](const EntryView& entry) -> absl::Status {
    names.emplace_back(absl::StripPrefix(entry.key, kNamespaceKeyPrefix));
    const auto record = DecodeNamespaceRecord(entry.value);
    const absl::Status status =
        record.ok() ? registry->Adopt(names.back(), *record, entry.revision) : record.status();
    if (status.ok()) return status;
    return base::Annotate(status, absl::StrCat("namespace ", names.back()));
  };
  TARN_RETURN_IF_ERROR(
      ForEachSystemRecord(*snapshot, kNamespaceKeyPrefix, context.clock.Now(), adopt));
  for (const std::string& name : names) registry->Settle(name);
  return registry;
}

LiveNamespace* NamespaceRegistry::Find(absl::string_view name) const {
  LiveNamespace* const ns = table_.Find(name);
  return ns == nullptr || ns->deleted.load(std::memory_order_acquire) ? nullptr : ns;
}

absl::StatusOr<std::optional<LiveNamespace*>> NamespaceRegistry::Enlist(absl::string_view name,
                                                                        Need need, Waiter& waiter) {
  {
    absl::MutexLock lock(&mutex_);
    auto room = rooms_.find(name);
    if (room == rooms_.end()) {
      LiveNamespace* const live = FindLocked(name);
      if (live != nullptr || need == Need::kExisting) return live;
      TARN_RETURN_IF_ERROR(CheckRoomForOneMore());
      room = rooms_.emplace(std::string(name), Room()).first;
    }
    std::deque<Waiting>& waiting = room->second.waiting;
    if (waiting.size() >= kMaxWaitingBatches) return QueueFull();
    waiting.push_back({.need = need, .resume = std::move(waiter)});
    if (need == Need::kExisting || room->second.creation_queued || FindLocked(name) != nullptr) {
      return std::nullopt;
    }
    room->second.creation_queued = true;
    changes_.push_back(std::make_shared<Change>(
        Change{.name = room->first, .token = Outstanding::Token(context_.tasks)}));
  }
  Pump();
  return std::nullopt;
}

absl::StatusOr<NamespaceInfo> NamespaceRegistry::Get(absl::string_view name) const {
  const std::optional<Known> known = Lookup(name);
  if (!known) return NamespaceNotFound(name);
  return InfoOf(name, *known);
}

std::vector<NamespaceInfo> NamespaceRegistry::List(absl::string_view after, size_t max) const {
  std::vector<NamespaceInfo> infos;
  absl::MutexLock lock(&mutex_);
  for (auto it = known_.upper_bound(after); it != known_.end() && infos.size() < max; ++it) {
    infos.push_back(InfoOf(it->first, it->second));
  }
  return infos;
}

size_t NamespaceRegistry::size() const {
  absl::MutexLock lock(&mutex_);
  return known_.size();
}

// Takes in what the engine has. A new namespace begins with a closed gate; Settle opens it.
absl::Status NamespaceRegistry::Adopt(absl::string_view name, const NamespaceRecord& record,
                                      Revision revision) {
  absl::MutexLock lock(&mutex_);
  for (const auto& [other, known] : known_) {
    if ((known.record.id == record.id) == (other == name)) continue;
    return MakeError(
        absl::StatusCode::kDataLoss, Reason::kDataLoss,
        absl::StrCat("its number ", record.id, " contradicts what is known of ", other));
  }
  const auto found = known_.find(name);
  const bool is_new = found == known_.end();
  Known& known = is_new ? known_[std::string(name)] : found->second;
  known.record = record;
  known.revision = revision;
  if (is_new) {
    known.live = all_.emplace_back(std::make_unique<LiveNamespace>(name, record.id)).get();
    known.live->gate.Close();
    rooms_.try_emplace(std::string(name));
    used_ids_[record.id] = true;
  }
  known.live->default_ttl_ms.store(record.settings.default_ttl_ms, std::memory_order_relaxed);
  known.live->placement.store(record.settings.placement, std::memory_order_relaxed);
  ledger_.SetQuota(record.id, record.settings.quota);
  context_.engine.SetPlacement(record.id, record.settings.placement);
  if (is_new) table_.Put(*known.live);
  return absl::OkStatus();
}

// The record is gone from the engine. The gate stays closed for good.
void NamespaceRegistry::Forget(absl::string_view name) {
  absl::MutexLock lock(&mutex_);
  const auto found = known_.find(name);
  if (found == known_.end()) return;
  LiveNamespace& live = *found->second.live;
  live.gate.Close();
  live.deleted.store(true, std::memory_order_release);
  ledger_.SetQuota(live.id, {});
  known_.erase(found);
}

std::optional<NamespaceRegistry::Known> NamespaceRegistry::Lookup(absl::string_view name) const {
  absl::MutexLock lock(&mutex_);
  const auto found = known_.find(name);
  if (found == known_.end()) return std::nullopt;
  return found->second;
}

NamespaceInfo NamespaceRegistry::InfoOf(absl::string_view name, const Known& known) const {
  return {.name = std::string(name),
          .id = known.record.id,
          .settings = known.record.settings,
          .create_time = known.record.create_time,
          .revision = known.revision,
          .usage = ledger_.Get(known.record.id)};
}

// A number under which something is still stored (expired entries, until they are swept) waits; one
// that this process has used waits for the next, because a batch may still have it in mind.
std::optional<NamespaceId> NamespaceRegistry::NewId() {
  for (NamespaceId tried = 0; tried < kNowhere; ++tried) {
    last_id_ = last_id_ + 1 >= kNowhere ? kSystemNamespace + 1 : last_id_ + 1;
    if (used_ids_[last_id_] || ledger_.Get(last_id_).entries != 0) continue;
    used_ids_[last_id_] = true;
    return last_id_;
  }
  return std::nullopt;
}

absl::Status NamespaceRegistry::CheckRoomForOneMore() const {
  size_t count = known_.size();
  for (const auto& [name, room] : rooms_) {
    if (room.creation_queued && FindLocked(name) == nullptr) ++count;
  }
  if (count < limits_.max_namespaces) return absl::OkStatus();
  return MakeError(absl::StatusCode::kResourceExhausted, Reason::kTooManyNamespaces,
                   absl::StrCat("there are ", limits_.max_namespaces,
                                " namespaces already, as many as allowed"));
}

LiveNamespace* NamespaceRegistry::FindLocked(absl::string_view name) const {
  const auto found = known_.find(name);
  return found == known_.end() ? nullptr : found->second.live;
}

// Runs whoever waits, and reopens the gate only when nobody does: a batch that comes meanwhile goes
// behind them. What waits for a namespace that is gone asks for a new one.
void NamespaceRegistry::Settle(const std::string& name) {
  while (true) {
    std::deque<Waiting> waiting;
    LiveNamespace* live = nullptr;
    {
      absl::MutexLock lock(&mutex_);
      live = FindLocked(name);
      const auto room = rooms_.find(name);
      if (room == rooms_.end()) return;
      Room& entered = room->second;
      const bool creates =
          std::any_of(entered.waiting.begin(), entered.waiting.end(),
                      [](const Waiting& one) { return one.need == Need::kCreation; });
      if (live == nullptr && creates) {
        if (entered.creation_queued) return;
        entered.creation_queued = true;
        changes_.push_front(std::make_shared<Change>(
            Change{.name = name, .token = Outstanding::Token(context_.tasks)}));
        return;
      }
      if (entered.waiting.empty()) {
        if (live != nullptr) live->gate.Open();
        rooms_.erase(room);
        return;
      }
      waiting.swap(entered.waiting);
    }
    for (Waiting& one : waiting) std::move(one.resume)(live);
  }
}

void NamespaceRegistry::FailRoom(const std::string& name, const absl::Status& status) {
  std::deque<Waiting> waiting;
  {
    absl::MutexLock lock(&mutex_);
    const auto room = rooms_.find(name);
    if (room == rooms_.end()) return;
    waiting = std::move(room->second.waiting);
    rooms_.erase(room);
  }
  for (Waiting& one : waiting) std::move(one.resume)(status);
}

}  // namespace tarn::storage
