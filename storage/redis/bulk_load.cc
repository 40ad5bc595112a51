#include "storage/redis/bulk_load.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "storage/base/error.h"
#include "storage/base/status.h"
#include "storage/redis/command_text.h"
#include "storage/redis/record.h"
#include "storage/redis/store_records.h"
#include "storage/redis/write_sender.h"
#include <asio/post.hpp>

namespace tarn::storage::redis {
namespace {

// On their way to Redis; more would only wait there, or here.
constexpr size_t kMaxBytesUnderWay = size_t{8} << 20;
// Of one MSET: Redis does nothing else meanwhile.
constexpr size_t kMaxCommandKeys = 512;
constexpr size_t kMaxCommandBytes = size_t{256} << 10;

}  // namespace

// What is under way, and what went wrong. Thread-safe.
struct RedisBulkLoad::Traffic {
  absl::Mutex mutex;
  size_t bytes ABSL_GUARDED_BY(mutex) = 0;
  absl::Status failure ABSL_GUARDED_BY(mutex);  // The first.

  // Waits until so many bytes may follow.
  absl::Status Begin(size_t more) {
    const absl::MutexLock lock(&mutex);
    mutex.Await(absl::Condition(this, &Traffic::HasRoom));
    TARN_RETURN_IF_ERROR(failure);
    bytes += more;
    return absl::OkStatus();
  }

  void End(size_t less, const absl::Status& status) {
    const absl::MutexLock lock(&mutex);
    bytes -= less;
    failure.Update(status);
  }

  // Of all.
  absl::Status Wait() {
    const absl::MutexLock lock(&mutex);
    mutex.Await(absl::Condition(this, &Traffic::IsIdle));
    return failure;
  }

 private:
  bool HasRoom() const ABSL_SHARED_LOCKS_REQUIRED(mutex) { return bytes < kMaxBytesUnderWay; }
  bool IsIdle() const ABSL_SHARED_LOCKS_REQUIRED(mutex) { return bytes == 0; }
};

// Puts the entries of one partition, or of all, into commands: the indexes first.
class RedisBulkLoad::Packer {
 public:
  Packer(const Core& core, Generation generation) : core_(core), generation_(generation) {}

  void Add(Partition partition, const EntryView& entry) {
    members_.push_back({partition, entry.deadline, EncodeIndexMember({entry.ns, entry.key})});
    const std::string name = core_.layout.Entry(partition, {generation_, entry.ns, entry.key});
    const std::string header = EncodeRecord({entry.revision, entry.deadline, ""});
    const std::string px = GarbagePx(entry.deadline, core_.clock.Now());
    if (!px.empty()) {
      CommandText text(5);
      text.Reserve(name.size() + entry.value.size() + 64);
      text.Add("SET").Add(name).Add(header, entry.value).Add("PX").Add(px);
      sets_.push_back(std::move(text).Take());
      return;
    }
    pairs_.push_back({name, header, entry.value});
    pair_bytes_ += name.size() + header.size() + entry.value.size() + 32;
    if (pairs_.size() >= kMaxCommandKeys || pair_bytes_ >= kMaxCommandBytes) FinishPairs();
  }

  Parcel Finish(Partition partition) && {
    FinishPairs();
    Parcel parcel{partition, AddToIndexes(), 0};
    parcel.commands.insert(parcel.commands.end(), std::make_move_iterator(sets_.begin()),
                           std::make_move_iterator(sets_.end()));
    for (const std::string& command : parcel.commands) parcel.bytes += command.size();
    return parcel;
  }

 private:
  struct Member {
    Partition partition = 0;
    base::UnixMs deadline = base::kNever;
    std::string bytes;
  };
  struct Pair {
    std::string name;
    std::string header;
    absl::string_view value;
  };

  void FinishPairs() {
    if (pairs_.empty()) return;
    CommandText text(1 + 2 * pairs_.size());
    text.Reserve(pair_bytes_ + 16);
    text.Add("MSET");
    for (const Pair& pair : pairs_) text.Add(pair.name).Add(pair.header, pair.value);
    sets_.push_back(std::move(text).Take());
    pairs_.clear();
    pair_bytes_ = 0;
  }

  std::vector<std::string> AddToIndexes() {
    std::stable_sort(members_.begin(), members_.end(), [](const Member& left, const Member& right) {
      return left.partition < right.partition;
    });
    std::vector<std::string> commands;
    for (auto from = members_.begin(); from != members_.end();) {
      const auto to = std::find_if(from, members_.end(), [&](const Member& member) {
        return member.partition != from->partition;
      });
      const absl::Span<const Member> same(&*from, static_cast<size_t>(to - from));
      commands.push_back(AddToIndex(same));
      if (std::string deadlines = AddDeadlines(same); !deadlines.empty()) {
        commands.push_back(std::move(deadlines));
      }
      from = to;
    }
    return commands;
  }

  std::string AddToIndex(absl::Span<const Member> members) const {
    CommandText text(2 + 2 * members.size());
    text.Add("ZADD").Add(core_.layout.Index(members.front().partition, generation_));
    for (const Member& member : members) text.Add("0").Add(member.bytes);
    return std::move(text).Take();
  }

  // Empty when there are none.
  std::string AddDeadlines(absl::Span<const Member> members) const {
    const auto count =
        static_cast<size_t>(std::count_if(members.begin(), members.end(), [](const Member& member) {
          return member.deadline != base::kNever;
        }));
    if (count == 0) return "";
    CommandText text(2 + 2 * count);
    text.Add("ZADD").Add(core_.layout.Deadlines(members.front().partition, generation_));
    for (const Member& member : members) {
      if (member.deadline == base::kNever) continue;
      text.Add(absl::StrCat(member.deadline)).Add(member.bytes);
    }
    return std::move(text).Take();
  }

  const Core& core_;
  const Generation generation_;
  std::vector<Member> members_;
  std::vector<Pair> pairs_;
  size_t pair_bytes_ = 0;
  std::vector<std::string> sets_;
};

absl::StatusOr<std::unique_ptr<BulkLoad>> RedisBulkLoad::Begin(Core& core, Generations& generations,
                                                               OnPublished published) {
  auto begun = std::make_shared<Generation>(0);
  TARN_RETURN_IF_ERROR(OnLoop(core, [&generations, begun](Generations::Done done) {
    generations.Begin([begun, done = std::move(done)](absl::StatusOr<Generation> next) mutable {
      if (next.ok()) *begun = *next;
      std::move(done)(next.status());
    });
  }));
  return std::make_unique<RedisBulkLoad>(core, generations, *begun, std::move(published));
}

RedisBulkLoad::RedisBulkLoad(Core& core, Generations& generations, Generation generation,
                             OnPublished published)
    : core_(core),
      generations_(generations),
      generation_(generation),
      published_(std::move(published)),
      placements_(std::make_unique<Placements>()),
      traffic_(std::make_shared<Traffic>()) {}

// What is under way would come behind what removes it.
RedisBulkLoad::~RedisBulkLoad() {
  traffic_->Wait().IgnoreError();
  if (switched_) return;
  asio::post(core_.context, [&generations = generations_, generation = generation_] {
    generations.Remove(generation);
  });
}

void RedisBulkLoad::SetPlacement(NamespaceId ns, Placement placement) {
  placements_->Set(ns, placement);
  const absl::MutexLock lock(&mutex_);
  placed_[ns] = placement;
}

absl::Status RedisBulkLoad::Add(absl::Span<const EntryView> entries) {
  for (const EntryView& entry : entries) {
    if (entry.ns < UsageLedger::kMaxNamespaceIds) continue;
    return absl::InvalidArgumentError(absl::StrCat("there is no namespace ", entry.ns));
  }
  for (Parcel& parcel : Pack(entries)) TARN_RETURN_IF_ERROR(Send(std::move(parcel)));
  Merge(entries);
  return absl::OkStatus();
}

std::vector<RedisBulkLoad::Parcel> RedisBulkLoad::Pack(absl::Span<const EntryView> entries) const {
  const bool spans = core_.link->spans_partitions();
  std::map<Partition, Packer> packers;
  for (const EntryView& entry : entries) {
    const Partition partition = placements_->Locate(entry.ns, entry.key).partition;
    const Partition together = spans ? kStorePartition : partition;
    packers.try_emplace(together, core_, generation_).first->second.Add(partition, entry);
  }
  std::vector<Parcel> parcels;
  parcels.reserve(packers.size());
  for (auto& [partition, packer] : packers) {
    parcels.push_back(std::move(packer).Finish(partition));
  }
  return parcels;
}

absl::Status RedisBulkLoad::Send(Parcel parcel) {
  const size_t bytes = parcel.bytes;
  TARN_RETURN_IF_ERROR(traffic_->Begin(bytes));
  asio::post(core_.context, [&core = core_, generation = generation_, traffic = traffic_, bytes,
                             parcel = std::move(parcel)]() mutable {
    std::string name = core.layout.Index(parcel.partition, generation);
    SendWrites(core, parcel.partition, std::move(name), std::move(parcel.commands),
               [traffic, bytes](const absl::Status& status) { traffic->End(bytes, status); });
  });
  return absl::OkStatus();
}

void RedisBulkLoad::Merge(absl::Span<const EntryView> entries) {
  const absl::MutexLock lock(&mutex_);
  for (const EntryView& entry : entries) {
    totals_.usage[entry.ns] += {1, static_cast<int64_t>(entry.key.size() + entry.value.size())};
    totals_.newest = std::max(totals_.newest, entry.revision);
  }
}

absl::Status RedisBulkLoad::Publish(const StoreMeta& meta) {
  TARN_RETURN_IF_ERROR(traffic_->Wait());
  TARN_RETURN_IF_ERROR(OnLoop(
      core_, [this](Generations::Done done) { generations_.PrepareSwitch(std::move(done)); }));
  return WriteMeta(meta);
}

absl::Status RedisBulkLoad::WriteMeta(const StoreMeta& meta) {
  return OnLoop(core_, [this, meta](Generations::Done done) {
    CommandText text(3);
    text.Add("SET").Add(core_.layout.Meta()).Add(EncodeMeta({meta, generation_}));
    SendWrites(core_, kStorePartition, core_.layout.Meta(), {std::move(text).Take()},
               [this, meta, done = std::move(done)](const absl::Status& status) mutable {
                 if (status.ok()) Switch(meta);
                 std::move(done)(status);
               });
  });
}

// On the loop's thread. Nothing is under way.
void RedisBulkLoad::Switch(const StoreMeta& meta) {
  switched_ = true;
  const Generation old = std::exchange(core_.generation, generation_);
  core_.known.Clear();
  core_.index_log.StartGeneration();
  core_.due.ForgetAll();
  core_.writes.StartIncarnation(meta.incarnation);
  core_.ledger.Clear();
  Revision newest = FirstRevision(meta.incarnation);
  {
    const absl::MutexLock lock(&mutex_);
    for (const auto& [ns, usage] : totals_.usage) core_.ledger.Add(ns, usage);
    for (const auto& [ns, placement] : placed_) core_.placements.Set(ns, placement);
    newest = std::max(newest, totals_.newest);
  }
  core_.NoteCommit(newest);
  published_(meta);
  generations_.Remove(old);
}

}  // namespace tarn::storage::redis
