#include "storage/store_door.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "storage/base/error.h"
#include "storage/base/status.h"
#include "storage/key_range.h"
#include "storage/scan_sessions.h"
#include "storage/store_door_locks.h"

namespace tarn::storage {
namespace {

absl::string_view NameOrDefault(absl::string_view name) {
  return name.empty() ? kDefaultNamespace : name;
}

absl::Status Refusal(absl::string_view why) {
  return base::MakeError(absl::StatusCode::kUnavailable, base::Reason::kNotReady,
                         absl::StrCat(why, "; nothing was done"));
}

bool Overlap(const KeyRange& left, const KeyRange& right) {
  const bool left_is_before = !left.end.empty() && left.end <= right.start;
  const bool right_is_before = !right.end.empty() && right.end <= left.start;
  return !left_is_before && !right_is_before;
}

void Fail(const absl::Status& status, Completion& done) {
  BatchResult result;
  result.status = status;
  std::move(done)(result);
}

}  // namespace

// A scan that somebody in front of the door has. The mutex is held while it is destroyed, so that
// it is gone when the store goes.
struct StoreDoor::OpenScanSlot {
  absl::Mutex mutex;
  std::unique_ptr<Scan> scan;  // Null once the store was exchanged.

  void End() {
    const absl::MutexLock lock(&mutex);
    scan.reset();
  }
};

class StoreDoor::DoorScan final : public Scan {
 public:
  DoorScan(StoreDoor& door, std::unique_ptr<Scan> scan)
      : door_(door), slot_(std::make_shared<OpenScanSlot>()) {
    slot_->scan = std::move(scan);
    const absl::MutexLock lock(&door_.mutex_);
    place_ = door_.scans_.insert(door_.scans_.end(), slot_);
  }

  ~DoorScan() override {
    slot_->End();
    const absl::MutexLock lock(&door_.mutex_);
    door_.scans_.erase(place_);
  }

  void Next(Done done) override {
    using NextVisit = Visit<Done>;
    auto visit = std::make_shared<NextVisit>(NextVisit{door_.Enter(), std::move(done)});
    const absl::Status refusal = door_.RefusalOfAll();
    if (!refusal.ok()) return std::move(visit->done)(refusal, {});
    // Whoever ends it has waited for those inside.
    Scan* const scan = slot_->scan.get();
    if (scan == nullptr) return std::move(visit->done)(SnapshotExpired(), {});
    scan->Next([visit](const absl::Status& status, const ScanChunk& chunk) {
      std::move(visit->done)(status, chunk);
    });
  }

 private:
  StoreDoor& door_;
  const std::shared_ptr<OpenScanSlot> slot_;
  std::list<std::shared_ptr<OpenScanSlot>>::iterator place_;
};

// Counting or deleting over a range: too long to be waited for as others are.
class StoreDoor::RangeWork {
 public:
  RangeWork(StoreDoor& door, absl::string_view ns, KeyRange range)
      : door_(door), ns_(NameOrDefault(ns)), range_(std::move(range)) {
    const absl::MutexLock lock(&door_.mutex_);
    place_ = door_.works_.insert(door_.works_.end(), this);
  }

  ~RangeWork() {
    const absl::MutexLock lock(&door_.mutex_);
    door_.works_.erase(place_);
  }

  bool IsIn(const Closed& closed) const {
    return !closed.ns || (*closed.ns == ns_ && Overlap(closed.range, range_));
  }
  void End() { ended_.store(true, std::memory_order_relaxed); }
  bool ended() const { return ended_.load(std::memory_order_relaxed); }

 private:
  StoreDoor& door_;
  const std::string ns_;
  const KeyRange range_;
  std::atomic<bool> ended_{false};
  std::list<RangeWork*>::iterator place_;
};

StoreDoor::StoreDoor(std::unique_ptr<Store> store)
    : engine_(store->engine()),
      limits_(store->limits()),
      request_options_(store->request_options()),
      store_(std::move(store)),
      locks_(std::make_unique<DoorLocks>(*this)) {}

StoreDoor::~StoreDoor() = default;

Locks& StoreDoor::locks() { return *locks_; }

// --- coming in ---

// Only at the moment of a closing is the current gate found closed.
WriteGate::Pass StoreDoor::Enter() const {
  while (true) {
    if (auto pass = gates_[current_gate_.load(std::memory_order_acquire)].Enter())
      return *std::move(pass);
  }
}

absl::Status StoreDoor::FirstRefusal(const std::function<bool(const Closed&)>& concerns) const {
  const absl::MutexLock lock(&mutex_);
  for (const Closed& closed : closed_) {
    if (!closed.ns || concerns(closed)) return closed.refusal;
  }
  return absl::OkStatus();
}

absl::Status StoreDoor::RefusalOfAll() const {
  if (NothingClosed()) return absl::OkStatus();
  return FirstRefusal([](const Closed&) { return false; });
}

absl::Status StoreDoor::RefusalOf(const BatchRequest& request) const {
  if (NothingClosed()) return absl::OkStatus();
  return FirstRefusal([&](const Closed& closed) {
    return *closed.ns == NameOrDefault(request.ns) &&
           std::any_of(request.operations.begin(), request.operations.end(),
                       [&](const Operation& one) { return Contains(closed.range, one.key); });
  });
}

absl::Status StoreDoor::RefusalOf(absl::string_view ns, const KeyRange& range) const {
  if (NothingClosed()) return absl::OkStatus();
  return FirstRefusal([&](const Closed& closed) {
    return *closed.ns == NameOrDefault(ns) && Overlap(closed.range, range);
  });
}

absl::Status StoreDoor::RefusalOfDeletion(absl::string_view ns) const {
  if (NothingClosed()) return absl::OkStatus();
  return FirstRefusal([&](const Closed& closed) { return *closed.ns == ns; });
}

// Bounds that are wrong touch nothing: the store says so.
KeyRange StoreDoor::RangeOf(const KeyBounds& bounds) const {
  absl::StatusOr<KeyRange> range = ToKeyRange(kSystemNamespace, bounds, limits_);
  return range.ok() ? *std::move(range) : KeyRange{};
}

void StoreDoor::Run(const BatchRequest& request, Completion done) {
  using BatchVisit = Visit<Completion>;
  auto visit = std::make_shared<BatchVisit>(BatchVisit{Enter(), std::move(done)});
  const absl::Status refusal = RefusalOf(request);
  if (!refusal.ok()) return Fail(refusal, visit->done);
  store_->Run(request, [visit](BatchResult& result) { std::move(visit->done)(result); });
}

void StoreDoor::RegisterClient(Done<Revision> done) {
  using RegisterVisit = Visit<Done<Revision>>;
  auto visit = std::make_shared<RegisterVisit>(RegisterVisit{Enter(), std::move(done)});
  const absl::Status refusal = RefusalOfAll();
  if (!refusal.ok()) return std::move(visit->done)(refusal);
  store_->RegisterClient(
      [visit](absl::StatusOr<Revision> client) { std::move(visit->done)(std::move(client)); });
}

void StoreDoor::OpenScan(const ScanRequest& request, Done<std::unique_ptr<Scan>> done) {
  using ScanVisit = Visit<Done<std::unique_ptr<Scan>>>;
  auto visit = std::make_shared<ScanVisit>(ScanVisit{Enter(), std::move(done)});
  const absl::Status refusal = RefusalOf(request.ns, RangeOf(request.bounds));
  if (!refusal.ok()) return std::move(visit->done)(refusal);
  store_->OpenScan(request, [this, visit](absl::StatusOr<std::unique_ptr<Scan>> scan) {
    if (!scan.ok()) return std::move(visit->done)(scan.status());
    std::move(visit->done)(std::make_unique<DoorScan>(*this, *std::move(scan)));
  });
}

// Once it is known to whoever closes, those inside need not wait for it.
template <typename Result, typename Start>
void StoreDoor::WorkOnRange(absl::string_view ns, const KeyBounds& bounds, StopRequested stop,
                            Done<Result> done, Start start) {
  const WriteGate::Pass pass = Enter();
  KeyRange range = RangeOf(bounds);
  const absl::Status refusal = RefusalOf(ns, range);
  if (!refusal.ok()) return std::move(done)(refusal);
  const auto work = std::make_shared<RangeWork>(*this, ns, std::move(range));
  start([work, stop = std::move(stop)] { return work->ended() || (stop && stop()); },
        [work, done = std::move(done)](absl::StatusOr<Result> result) mutable {
          const bool told_to = absl::IsCancelled(result.status()) && work->ended();
          std::move(done)(told_to ? Refusal("the range is being restored; to repeat it is right")
                                  : std::move(result));
        });
}

void StoreDoor::Count(absl::string_view ns, const KeyBounds& bounds, StopRequested stop,
                      Done<CountResult> done) {
  WorkOnRange(ns, bounds, std::move(stop), std::move(done),
              [&](StopRequested stop_either, Done<CountResult> done_either) {
                store_->Count(ns, bounds, std::move(stop_either), std::move(done_either));
              });
}

void StoreDoor::DeleteRange(absl::string_view ns, const KeyBounds& bounds, const WriteFence& fence,
                            StopRequested stop, Done<DeleteRangeResult> done) {
  WorkOnRange(ns, bounds, std::move(stop), std::move(done),
              [&](StopRequested stop_either, Done<DeleteRangeResult> done_either) {
                store_->DeleteRange(ns, bounds, fence, std::move(stop_either),
                                    std::move(done_either));
              });
}

template <typename Start>
void StoreDoor::ChangeNamespace(const absl::Status& refusal, WriteGate::Pass pass,
                                Done<NamespaceInfo> done, Start start) {
  if (!refusal.ok()) return std::move(done)(refusal);
  using ChangeVisit = Visit<Done<NamespaceInfo>>;
  auto visit = std::make_shared<ChangeVisit>(ChangeVisit{std::move(pass), std::move(done)});
  start([visit](absl::StatusOr<NamespaceInfo> info) { std::move(visit->done)(std::move(info)); });
}

void StoreDoor::CreateNamespace(absl::string_view name, const NamespaceSettings& settings,
                                Done<NamespaceInfo> done) {
  WriteGate::Pass pass = Enter();
  ChangeNamespace(RefusalOfAll(), std::move(pass), std::move(done), [&](Done<NamespaceInfo> inner) {
    store_->CreateNamespace(name, settings, std::move(inner));
  });
}

void StoreDoor::UpdateNamespace(absl::string_view name, const NamespaceSettings& settings,
                                std::optional<Revision> expected, Done<NamespaceInfo> done) {
  WriteGate::Pass pass = Enter();
  ChangeNamespace(RefusalOfAll(), std::move(pass), std::move(done), [&](Done<NamespaceInfo> inner) {
    store_->UpdateNamespace(name, settings, expected, std::move(inner));
  });
}

void StoreDoor::DeleteNamespace(absl::string_view name, std::optional<Revision> expected,
                                Done<NamespaceInfo> done) {
  WriteGate::Pass pass = Enter();
  ChangeNamespace(RefusalOfDeletion(name), std::move(pass), std::move(done),
                  [&](Done<NamespaceInfo> inner) {
                    store_->DeleteNamespace(name, expected, std::move(inner));
                  });
}

absl::StatusOr<NamespaceInfo> StoreDoor::GetNamespace(absl::string_view name) const {
  const WriteGate::Pass pass = Enter();
  TARN_RETURN_IF_ERROR(RefusalOfAll());
  return store_->GetNamespace(name);
}

const StoreDoor::LastView* StoreDoor::LastViewIfClosed() const {
  return last_view_ ? &*last_view_ : nullptr;
}

std::vector<NamespaceInfo> StoreDoor::ListNamespaces(absl::string_view after, size_t max) const {
  const WriteGate::Pass pass = Enter();
  if (NothingClosed()) return store_->ListNamespaces(after, max);
  {
    const absl::MutexLock lock(&mutex_);
    if (const LastView* const last = LastViewIfClosed()) {
      std::vector<NamespaceInfo> infos;
      for (const NamespaceInfo& info : last->namespaces) {
        if (info.name > after && infos.size() < max) infos.push_back(info);
      }
      return infos;
    }
  }
  return store_->ListNamespaces(after, max);
}

StoreStats StoreDoor::Stats() const {
  const WriteGate::Pass pass = Enter();
  if (NothingClosed()) return store_->Stats();
  {
    const absl::MutexLock lock(&mutex_);
    if (const LastView* const last = LastViewIfClosed()) return last->stats;
  }
  return store_->Stats();
}

// --- closing ---

std::unique_ptr<StoreDoor::Closure> StoreDoor::CloseAll(absl::string_view why) {
  return Close({.refusal = Refusal(why)});
}

std::unique_ptr<StoreDoor::Closure> StoreDoor::CloseRange(absl::string_view ns,
                                                          const std::string& start,
                                                          const std::string& end,
                                                          absl::string_view why) {
  return Close({.ns = std::string(NameOrDefault(ns)),
                .range = {.start = start, .end = end},
                .refusal = Refusal(why)});
}

std::unique_ptr<StoreDoor::Closure> StoreDoor::Close(Closed closed) {
  const absl::MutexLock closing(&closing_);
  std::optional<LastView> view;
  if (!closed.ns) view = LastView{Stats(), ListNamespaces("", std::numeric_limits<size_t>::max())};
  {
    const absl::MutexLock lock(&mutex_);
    closed.id = ++last_id_;
    if (view) last_view_ = std::move(view);
    closed_.push_back(closed);
    closed_count_.store(closed_.size(), std::memory_order_release);
    EndWorks(closed);
  }
  Drain();
  const auto no_work = [&] {
    mutex_.AssertReaderHeld();
    return std::none_of(works_.begin(), works_.end(),
                        [&](const RangeWork* work) { return work->IsIn(closed); });
  };
  const absl::MutexLock lock(&mutex_);
  EndWorks(closed);  // Those who had come in, and were counted among the works only now.
  mutex_.Await(absl::Condition(&no_work));
  return std::unique_ptr<Closure>(new Closure(*this, closed.id));
}

void StoreDoor::EndWorks(const Closed& closed) {
  for (RangeWork* const work : works_) {
    if (work->IsIn(closed)) work->End();
  }
}

// Those who come from now on find the other gate, and with it what is closed. Nobody is in that one
// but whoever chose it an age ago, and finds the same.
void StoreDoor::Drain() {
  const size_t old = current_gate_.load(std::memory_order_relaxed);
  gates_[1 - old].Open();
  current_gate_.store(1 - old, std::memory_order_release);
  absl::Notification empty;
  gates_[old].Close([&] { empty.Notify(); });
  empty.WaitForNotification();
}

void StoreDoor::Reopen(uint64_t id) {
  const absl::MutexLock lock(&mutex_);
  closed_.remove_if([id](const Closed& closed) { return closed.id == id; });
  const bool all =
      std::any_of(closed_.begin(), closed_.end(), [](const Closed& closed) { return !closed.ns; });
  if (!all) last_view_.reset();
  closed_count_.store(closed_.size(), std::memory_order_release);
}

void StoreDoor::Remove() {
  std::vector<std::shared_ptr<OpenScanSlot>> scans;
  {
    const absl::MutexLock lock(&mutex_);
    scans.assign(scans_.begin(), scans_.end());
  }
  for (const auto& scan : scans) scan->End();
  store_.reset();
}

void StoreDoor::Install(std::unique_ptr<Store> store) { store_ = std::move(store); }

}  // namespace tarn::storage
