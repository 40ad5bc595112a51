#include "storage/redis/index_log.h"

#include <algorithm>
#include <functional>
#include <iterator>
#include <memory>
#include <utility>

#include "storage/base/error.h"
#include "storage/redis/command_text.h"
#include "storage/redis/core.h"
#include "storage/redis/fold.h"
#include "storage/redis/read_sender.h"

namespace tarn::storage::redis {
namespace {

constexpr int64_t kAgainMs = 500;

// A list so many times as long as is enough, while the other one is not in the indexes yet, takes
// no more: members go straight into the indexes then.
constexpr size_t kMostBehind = 4;

absl::Status Overtaken() {
  return base::MakeError(absl::StatusCode::kUnavailable, base::Reason::kEngineUnavailable,
                         "another restore, or the end, came first");
}

void CallAll(std::vector<IndexLog::Done> callbacks, const absl::Status& status) {
  for (IndexLog::Done& callback : callbacks) std::move(callback)(status);
}

}  // namespace

// --- members ---

Partition IndexLog::ListOf(Partition partition) const {
  return core_.link->spans_partitions() ? kStorePartition : partition;
}

std::string IndexLog::NameOf(const Place& place) const {
  return core_.layout.IndexLog(place.list, place.generation, place.half);
}

void IndexLog::Append(KeyLease& lease, Partition partition, std::string member,
                      AnswerHandler done) {
  const Partition list = ListOf(partition);
  Log& log = logs_[list];
  if (log.folding && IsEnough(log, kMostBehind)) {
    return lease.Send(CommandKind::kWrite, AddCommand(partition, member), std::move(done));
  }
  const Place place{core_.generation, list, log.active};
  CommandText text(3);
  text.Add("RPUSH").Add(NameOf(place)).Add(EncodeLogged({partition, member}));
  Half& half = log.halves[log.active];
  ++half.appended;
  half.bytes += member.size();
  ++half.unanswered;
  FoldIfEnough(list);
  lease.Send(CommandKind::kWrite, std::move(text).Take(),
             [this, place, partition, member = std::move(member),
              done = std::move(done)](Answer& answer) mutable {
               // What was refused would stay here for nothing.
               if (answer.outcome.executed != Executed::kNo) Keep(place, partition, member);
               Answered(place);
               std::move(done)(answer);
             });
}

void IndexLog::Keep(const Place& place, Partition partition, const std::string& member) {
  if (IsCurrent(place)) logs_[place.list].halves[place.half].members[partition].insert(member);
}

std::string IndexLog::AddCommand(Partition partition, absl::string_view member) const {
  CommandText text(4);
  text.Add("ZADD").Add(core_.layout.Index(partition, core_.generation)).Add("0").Add(member);
  return std::move(text).Take();
}

void IndexLog::Erase(Partition partition, absl::string_view member) {
  for (Half& half : logs_[ListOf(partition)].halves) {
    const auto members = half.members.find(partition);
    if (members != half.members.end()) members->second.erase(member);
  }
}

const IndexLog::MemberSet* IndexLog::Find(const Half& half, Partition partition) const {
  const auto members = half.members.find(partition);
  return members == half.members.end() ? nullptr : &members->second;
}

std::vector<std::string> IndexLog::Members(Partition partition, const MemberRange& range,
                                           ScanDirection direction, size_t most) const {
  const bool ascending = direction == ScanDirection::kAscending;
  std::vector<std::string> found;
  for (const Half& half : logs_[ListOf(partition)].halves) {
    const MemberSet* const members = Find(half, partition);
    if (members == nullptr) continue;
    const auto begin = members->lower_bound(range.lower);
    const auto end = members->lower_bound(range.upper);
    size_t left = most;
    if (ascending) {
      for (auto at = begin; at != end && left > 0; ++at, --left) found.push_back(*at);
    } else {
      for (auto at = end; at != begin && left > 0; --left) found.push_back(*--at);
    }
  }
  ascending ? std::sort(found.begin(), found.end())
            : std::sort(found.begin(), found.end(), std::greater<>());
  found.erase(std::unique(found.begin(), found.end()), found.end());
  if (found.size() > most) found.resize(most);
  return found;
}

size_t IndexLog::Count(Partition partition, const MemberRange& range) const {
  size_t count = 0;
  for (const Half& half : logs_[ListOf(partition)].halves) {
    const MemberSet* const members = Find(half, partition);
    if (members == nullptr) continue;
    count += static_cast<size_t>(
        std::distance(members->lower_bound(range.lower), members->lower_bound(range.upper)));
  }
  return count;
}

// --- from a list into the indexes ---

bool IndexLog::IsCurrent(const Place& place) const {
  return place.generation == core_.generation && !core_.closing;
}

void IndexLog::Answered(const Place& place) {
  if (!IsCurrent(place)) return;
  Log& log = logs_[place.list];
  --log.halves[place.half].unanswered;
  if (log.folding && place.half != log.active) Fold(place);
}

void IndexLog::FoldIfEnough(Partition list) {
  const Log& log = logs_[list];
  if (!log.folding && IsEnough(log, 1)) BeginFold(list);
}

bool IndexLog::IsEnough(const Log& log, size_t times) const {
  const Half& half = log.halves[log.active];
  const size_t partitions = times * (core_.link->spans_partitions() ? size_t{kPartitions} : 1);
  return half.appended >= kFoldMembers * partitions || half.bytes >= kFoldBytes * partitions;
}

void IndexLog::BeginFold(Partition list) {
  Log& log = logs_[list];
  log.folding = true;
  const Place place{core_.generation, list, log.active};
  log.active = 1 - log.active;
  Fold(place);
}

// Comes again with each answer that is awaited, and begins with the last one.
void IndexLog::Fold(const Place& place) {
  if (logs_[place.list].halves[place.half].unanswered > 0) return;
  WhenComplete(place.list, [this, place](const absl::Status& complete) {
    if (!IsCurrent(place)) return;
    if (!complete.ok()) return Folded(place, complete);
    FoldPlan plan;
    plan.is_complete = [this, place, then = node_changes_] {
      return IsCurrent(place) && node_changes_ == then;
    };
    plan.add_commands = [this, place] { return AddCommands(place); };
    SendFold(core_, place.list, NameOf(place), std::move(plan),
             [this, place](const absl::Status& status) {
               if (IsCurrent(place)) Folded(place, status);
             });
  });
}

std::vector<std::string> IndexLog::AddCommands(const Place& place) const {
  std::vector<std::string> commands;
  for (const auto& [partition, members] : logs_[place.list].halves[place.half].members) {
    const std::vector<absl::string_view> sorted(members.begin(), members.end());
    AppendAddCommands(core_.layout.Index(partition, place.generation), sorted, commands);
  }
  return commands;
}

void IndexLog::Folded(const Place& place, const absl::Status& status) {
  Log& log = logs_[place.list];
  if (status.ok()) {
    log.halves[place.half] = {};
    log.folding = false;
    FoldIfEnough(place.list);
  } else {
    After(core_, kAgainMs, [this, place] {
      if (IsCurrent(place)) Fold(place);
    });
  }
  CallAll(std::exchange(log.folded, {}), status);
}

void IndexLog::FoldAll(Done then) {
  auto all = std::make_shared<Gathering>(std::move(then));
  for (int i = 0; i < kPartitions; ++i) {
    const auto list = static_cast<Partition>(i);
    if (ListOf(list) != list) continue;
    all->Add();
    WhenComplete(list, [this, list, all](const absl::Status& complete) {
      if (!complete.ok()) return all->Finish(complete);
      FoldNow(list, [all](const absl::Status& status) { all->Finish(status); });
    });
  }
  all->Finish(absl::OkStatus());
}

void IndexLog::FoldNow(Partition list, Done then) {
  Log& log = logs_[list];
  if (log.folding) {
    log.folded.push_back([this, list, then = std::move(then)](const absl::Status& status) mutable {
      status.ok() ? FoldNow(list, std::move(then)) : std::move(then)(status);
    });
    return;
  }
  if (log.halves[log.active].appended == 0) return std::move(then)(absl::OkStatus());
  log.folded.push_back(std::move(then));
  BeginFold(list);
}

// --- when there is more in a list than is known here ---

void IndexLog::WhenComplete(Partition partition, Done then) {
  const Partition list = ListOf(partition);
  Log& log = logs_[list];
  if (log.incomplete_since == 0) return std::move(then)(absl::OkStatus());
  log.completed.push_back(std::move(then));
  if (log.completed.size() == 1) ReadLists(list);
}

void IndexLog::ReadLists(Partition list) {
  const Generation generation = core_.generation;
  const uint64_t since = logs_[list].incomplete_since;
  ReadLoggedMembers(core_, list, generation,
                    [this, list, generation, since](const absl::StatusOr<LoggedMembers>& found) {
                      Log& log = logs_[list];
                      absl::Status status = found.status();
                      if (generation != core_.generation) status = Overtaken();
                      if (status.ok()) TakeOver(log, *found);
                      if (status.ok() && log.incomplete_since != since) return ReadLists(list);
                      if (status.ok()) log.incomplete_since = 0;
                      if (status.ok()) FoldReturned(list);
                      CallAll(std::exchange(log.completed, {}), status);
                    });
}

void IndexLog::TakeOver(Log& log, const LoggedMembers& found) {
  for (size_t i = 0; i < found.size(); ++i) {
    Half& half = log.halves[i];
    for (const LoggedMember& logged : found[i]) {
      ++half.appended;
      half.bytes += logged.member.size();
      half.members[logged.partition].insert(logged.member);
    }
  }
}

// The list that should be empty is there again.
void IndexLog::FoldReturned(Partition list) {
  Log& log = logs_[list];
  const int other = 1 - log.active;
  if (log.folding || log.halves[other].appended == 0) return;
  log.folding = true;
  Fold({core_.generation, list, other});
}

void IndexLog::OnNodeChanged() {
  ++node_changes_;
  for (Log& log : logs_) log.incomplete_since = node_changes_;
}

void IndexLog::StartGeneration() {
  for (Log& log : logs_) {
    std::vector<Done> waiting = std::move(log.folded);
    std::move(log.completed.begin(), log.completed.end(), std::back_inserter(waiting));
    log = {};
    log.incomplete_since = 0;
    CallAll(std::move(waiting), Overtaken());
  }
}

}  // namespace tarn::storage::redis
