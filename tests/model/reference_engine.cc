#include "tests/model/reference_engine.h"

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "storage/base/error.h"
#include "storage/receipts.h"
#include "tests/model/history.h"
#include "tests/model/semantics.h"

namespace tarn::testing {
namespace {

using base::MakeError;
using base::Reason;
using storage::Batch;
using storage::BatchResult;
using storage::Operation;
using storage::OperationResult;
using storage::SnapshotPurpose;
using storage::StoreMeta;
using storage::Usage;

FullKey KeyOf(const Operation& operation) { return {operation.ns, std::string(operation.key)}; }

Usage Difference(const Usage& after, const Usage& before) {
  return {after.entries - before.entries, after.bytes - before.bytes};
}

absl::Status ResponseTooLarge() {
  return MakeError(absl::StatusCode::kInvalidArgument, Reason::kResponseTooLarge,
                   "the answer would be too large");
}

absl::Status SnapshotExpired() {
  return MakeError(absl::StatusCode::kAborted, Reason::kSnapshotExpired, "the snapshot was ended");
}

// Waits for what is under way when the engine is destroyed.
class Inflight {
 public:
  void Begin() {
    absl::MutexLock lock(&mutex_);
    ++count_;
  }
  void End() {
    absl::MutexLock lock(&mutex_);
    --count_;
  }
  void WaitForAll() {
    absl::MutexLock lock(&mutex_);
    mutex_.Await(absl::Condition(
        +[](int* count) { return *count == 0; }, &count_));
  }

 private:
  absl::Mutex mutex_;
  int count_ ABSL_GUARDED_BY(mutex_) = 0;
};

// What a snapshot and its cursors share with the engine.
struct View {
  Revision revision = 0;
  UnixMs as_of = 0;
  SnapshotPurpose purpose = SnapshotPurpose::kScan;
  bool ended = false;
};

class ReferenceEngine final : public storage::Engine {
 public:
  ReferenceEngine(const ReferenceEngineOptions& options, base::Clock& clock,
                  storage::UsageLedger& ledger)
      : options_(options), clock_(clock), ledger_(ledger) {}
  ~ReferenceEngine() override { inflight_.WaitForAll(); }

  void Run(const Batch& batch, storage::Completion done) override;
  absl::StatusOr<std::unique_ptr<storage::Snapshot>> OpenSnapshot(SnapshotPurpose purpose) override;
  absl::StatusOr<std::unique_ptr<storage::BulkLoad>> BeginBulkLoad() override;
  absl::StatusOr<storage::SweepResult> SweepExpired(size_t max_entries) override;
  storage::EngineStats Stats() const override;

  absl::StatusOr<std::optional<StoreMeta>> ReadMeta() override {
    absl::MutexLock lock(&mutex_);
    return meta_;
  }
  absl::Status WriteMeta(const StoreMeta& meta) override {
    absl::MutexLock lock(&mutex_);
    if (!meta_) last_ = storage::FirstRevision(meta.incarnation);
    meta_ = meta;
    return absl::OkStatus();
  }
  absl::string_view name() const override { return "reference"; }
  absl::string_view durability() const override { return "Nothing survives."; }

  void Close(const View& view);
  void Fill(const View& view, const storage::KeyRange& range, const storage::ScanOptions& options,
            const storage::PageBudget& budget, UnixMs now, std::string* position,
            storage::Page* page);
  bool HasEnded(const View& view) {
    absl::MutexLock lock(&mutex_);
    return view.ended;
  }
  absl::Status Replace(History history, const std::vector<Usage>& usage, const StoreMeta& meta);

 private:
  using Judged = std::vector<std::pair<Operation, Verdict>>;

  void RunAtomic(const Batch& batch, BatchResult& result) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void RunIndependent(const Batch& batch, BatchResult& result)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  Verdict JudgeNow(const Operation& operation) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status Charge(const Judged& judged) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void WriteReceipt(const storage::Receipt& receipt, Revision written, const Batch& batch,
                    absl::Span<const Operation> operations,
                    absl::Span<const OperationResult> results)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Apply(const Judged& judged) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool MayBeShown(const Entry& entry) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool EndOldestScan() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const ReferenceEngineOptions options_;
  base::Clock& clock_;
  storage::UsageLedger& ledger_;
  Inflight inflight_;

  mutable absl::Mutex mutex_;
  History history_ ABSL_GUARDED_BY(mutex_);
  Revision last_ ABSL_GUARDED_BY(mutex_) = 0;
  std::optional<StoreMeta> meta_ ABSL_GUARDED_BY(mutex_);
  std::vector<View*> views_ ABSL_GUARDED_BY(mutex_);  // Open ones, the oldest first.
};

class ReferenceCursor final : public storage::Cursor {
 public:
  ReferenceCursor(ReferenceEngine& engine, const View& view, const storage::KeyRange& range,
                  const storage::ScanOptions& options)
      : engine_(engine), view_(view), range_(range), options_(options) {}

  void Next(const storage::PageBudget& budget, UnixMs now, storage::PageCompletion done) override {
    storage::Page page;
    if (engine_.HasEnded(view_)) return std::move(done)(SnapshotExpired(), page);
    engine_.Fill(view_, range_, options_, budget, now, &position_, &page);
    std::move(done)(absl::OkStatus(), page);
  }

 private:
  ReferenceEngine& engine_;
  const View& view_;
  const storage::KeyRange range_;
  const storage::ScanOptions options_;
  std::string position_;  // The last key given; empty before the first.
};

class ReferenceSnapshot final : public storage::Snapshot {
 public:
  ReferenceSnapshot(ReferenceEngine& engine, std::unique_ptr<View> view)
      : engine_(engine), view_(std::move(view)) {}
  ~ReferenceSnapshot() override { engine_.Close(*view_); }

  Revision revision() const override { return view_->revision; }
  UnixMs as_of() const override { return view_->as_of; }
  std::unique_ptr<storage::Cursor> NewCursor(const storage::KeyRange& range,
                                             const storage::ScanOptions& options) override {
    return std::make_unique<ReferenceCursor>(engine_, *view_, range, options);
  }

 private:
  ReferenceEngine& engine_;
  const std::unique_ptr<View> view_;
};

class ReferenceBulkLoad final : public storage::BulkLoad {
 public:
  explicit ReferenceBulkLoad(ReferenceEngine& engine)
      : engine_(engine), usage_(storage::UsageLedger::kMaxNamespaceIds) {}

  absl::Status Add(absl::Span<const storage::EntryView> entries) override {
    absl::MutexLock lock(&mutex_);
    for (const storage::EntryView& view : entries) {
      const FullKey key{view.ns, std::string(view.key)};
      const Entry entry{std::string(view.value), view.revision, view.deadline};
      usage_[view.ns] += testing::UsageOf(key, entry);
      history_.Write(key, entry);
    }
    return absl::OkStatus();
  }

  absl::Status Publish(const StoreMeta& meta) override {
    absl::MutexLock lock(&mutex_);
    return engine_.Replace(std::move(history_), usage_, meta);
  }

 private:
  ReferenceEngine& engine_;
  absl::Mutex mutex_;
  History history_ ABSL_GUARDED_BY(mutex_);
  std::vector<Usage> usage_ ABSL_GUARDED_BY(mutex_);
};

void ReferenceEngine::Run(const Batch& batch, storage::Completion done) {
  auto result = std::make_unique<BatchResult>();
  {
    absl::MutexLock lock(&mutex_);
    if (batch.mode == storage::BatchMode::kAtomic)
      RunAtomic(batch, *result);
    else
      RunIndependent(batch, *result);
  }
  if (options_.completions == nullptr) return std::move(done)(*result);
  inflight_.Begin();
  auto task = [this, done = std::move(done), result = std::move(result)]() mutable {
    std::move(done)(*result);
    inflight_.End();
  };
  if (!options_.completions->Submit(std::move(task)).ok())
    std::abort();  // The tests never queue that much.
}

OperationResult Present(const Answer& answer, base::Arena& arena) {
  OperationResult result;
  result.status = answer.status;
  result.found = answer.found;
  result.revision = answer.revision;
  result.deadline = answer.deadline;
  result.number = answer.number;
  result.size = answer.size;
  result.value = arena.Copy(answer.value);
  return result;
}

Verdict ReferenceEngine::JudgeNow(const Operation& operation) {
  const Entry* entry = history_.Newest(KeyOf(operation));
  const bool live = entry != nullptr && IsLive(*entry, clock_.Now());
  return Judge(operation, live ? entry : nullptr, last_ + 1, options_.limits);
}

absl::Status ReferenceEngine::Charge(const Judged& judged) {
  std::map<NamespaceId, Usage> changes;
  for (const auto& [operation, verdict] : judged) {
    if (verdict.change == Verdict::Change::kNothing) continue;
    const FullKey key = KeyOf(operation);
    const Entry* before = history_.Newest(key);
    const Usage had = before == nullptr ? Usage{} : testing::UsageOf(key, *before);
    const bool writes = verdict.change == Verdict::Change::kWrite;
    changes[operation.ns] +=
        Difference(writes ? testing::UsageOf(key, verdict.after) : Usage{}, had);
  }
  for (auto it = changes.begin(); it != changes.end(); ++it) {
    const absl::Status status = ledger_.Charge(it->first, it->second);
    if (status.ok()) continue;
    for (auto back = changes.begin(); back != it; ++back)
      ledger_.Add(back->first, Difference({}, back->second));
    return status;
  }
  return absl::OkStatus();
}

void ReferenceEngine::Apply(const Judged& judged) {
  const Revision revision = last_ + 1;
  for (const auto& [operation, verdict] : judged) {
    if (verdict.change == Verdict::Change::kNothing) continue;
    last_ = revision;
    if (verdict.change == Verdict::Change::kWrite)
      history_.Write(KeyOf(operation), verdict.after);
    else
      history_.Erase(KeyOf(operation), revision);
  }
  if (views_.empty()) history_.ForgetBefore(last_);
}

// `written` is the revision of the write; 0 when it changed nothing.
void ReferenceEngine::WriteReceipt(const storage::Receipt& receipt, Revision written,
                                   const Batch& batch, absl::Span<const Operation> operations,
                                   absl::Span<const OperationResult> results) {
  const Revision of_batch = batch.mode == storage::BatchMode::kAtomic ? written : 0;
  const FullKey key{storage::kSystemNamespace, std::string(receipt.key)};
  const Entry entry{storage::EncodeReceipt(receipt.header, of_batch, operations, results),
                    written == 0 ? ++last_ : written, base::kNever};
  ledger_.Add(key.first, testing::UsageOf(key, entry));
  history_.Write(key, entry);
}

void ReferenceEngine::RunAtomic(const Batch& batch, BatchResult& result) {
  Judged judged;
  size_t response = 0;
  for (const Operation& operation : batch.operations) {
    judged.emplace_back(operation, JudgeNow(operation));
    const Answer& answer = judged.back().second.answer;
    response += storage::kResultOverheadBytes + answer.value.size();
    if (answer.status.ok()) continue;
    result.status = answer.status;
    result.failed_operation = judged.size() - 1;
    return;
  }
  result.status =
      response > options_.limits.max_response_bytes ? ResponseTooLarge() : Charge(judged);
  if (!result.status.ok()) return;
  const Revision before = last_;
  Apply(judged);
  if (last_ != before) result.revision = last_;
  for (const auto& [operation, verdict] : judged)
    result.results.push_back(Present(verdict.answer, result.arena));
  if (batch.receipt != nullptr)
    WriteReceipt(*batch.receipt, result.revision, batch, batch.operations, result.results);
}

void ReferenceEngine::RunIndependent(const Batch& batch, BatchResult& result) {
  size_t response = batch.operations.size() * storage::kResultOverheadBytes;
  for (const Operation& operation : batch.operations) {
    Judged judged{{operation, JudgeNow(operation)}};
    Answer answer = judged.front().second.answer;
    if (answer.status.ok() && response + answer.value.size() > options_.limits.max_response_bytes) {
      answer = Answer{ResponseTooLarge()};
    }
    if (answer.status.ok()) {
      const absl::Status charged = Charge(judged);
      if (!charged.ok()) answer = Answer{charged};
    }
    if (answer.status.ok()) {
      response += answer.value.size();
      Apply(judged);
    }
    result.results.push_back(Present(answer, result.arena));
    if (answer.status.ok() && operation.receipt != nullptr) {
      WriteReceipt(*operation.receipt, answer.revision, batch, {&operation, 1},
                   {&result.results.back(), 1});
    }
  }
}

bool ReferenceEngine::EndOldestScan() {
  const auto oldest = std::find_if(views_.begin(), views_.end(), [](const View* view) {
    return view->purpose == SnapshotPurpose::kScan;
  });
  if (oldest == views_.end()) return false;
  (*oldest)->ended = true;
  views_.erase(oldest);
  return true;
}

absl::StatusOr<std::unique_ptr<storage::Snapshot>> ReferenceEngine::OpenSnapshot(
    SnapshotPurpose purpose) {
  absl::MutexLock lock(&mutex_);
  if (views_.size() >= options_.max_snapshots && !EndOldestScan()) {
    return MakeError(absl::StatusCode::kResourceExhausted, Reason::kTooManySnapshots,
                     "too many are open");
  }
  auto view = std::make_unique<View>(View{last_, clock_.Now(), purpose, false});
  views_.push_back(view.get());
  return std::make_unique<ReferenceSnapshot>(*this, std::move(view));
}

void ReferenceEngine::Close(const View& view) {
  absl::MutexLock lock(&mutex_);
  views_.erase(std::remove(views_.begin(), views_.end(), &view), views_.end());
}

void ReferenceEngine::Fill(const View& view, const storage::KeyRange& range,
                           const storage::ScanOptions& options, const storage::PageBudget& budget,
                           UnixMs now, std::string* position, storage::Page* page) {
  const bool descending = options.direction == storage::ScanDirection::kDescending;
  std::vector<Row> rows;
  {
    absl::MutexLock lock(&mutex_);
    rows = history_.Range(range.ns, range.start, range.end, view.revision, now);
  }
  if (descending) std::reverse(rows.begin(), rows.end());
  size_t bytes = 0;
  page->at_end = true;
  for (Row& row : rows) {
    const bool given =
        !position->empty() && (descending ? row.key >= *position : row.key <= *position);
    if (given) continue;
    if (options.content == storage::ScanContent::kKeysOnly) row.value.clear();
    bytes += row.key.size() + row.value.size();
    const bool full = page->entries.size() >= budget.max_entries || bytes > budget.max_bytes;
    if (full && !page->entries.empty()) {
      page->at_end = false;
      break;
    }
    page->entries.push_back({row.ns, row.revision, row.deadline, page->arena.Copy(row.key),
                             page->arena.Copy(row.value)});
  }
  if (!page->entries.empty()) *position = std::string(page->entries.back().key);
}

bool ReferenceEngine::MayBeShown(const Entry& entry) const {
  return std::any_of(views_.begin(), views_.end(), [&entry](const View* view) {
    return view->revision >= entry.revision && IsLive(entry, view->as_of);
  });
}

absl::StatusOr<storage::SweepResult> ReferenceEngine::SweepExpired(size_t max_entries) {
  absl::MutexLock lock(&mutex_);
  storage::SweepResult result;
  std::vector<std::pair<FullKey, Usage>> gone;
  history_.ForEach(
      last_, [&, this](const FullKey& key, const Entry& entry) ABSL_NO_THREAD_SAFETY_ANALYSIS {
        if (IsLive(entry, clock_.Now()) || MayBeShown(entry)) return;
        if (gone.size() < max_entries)
          gone.emplace_back(key, testing::UsageOf(key, entry));
        else
          result.more = true;
      });
  for (const auto& [key, usage] : gone) {
    history_.Sweep(key);
    ledger_.Add(key.first, Difference({}, usage));
  }
  result.removed = gone.size();
  return result;
}

storage::EngineStats ReferenceEngine::Stats() const {
  absl::MutexLock lock(&mutex_);
  storage::EngineStats stats;
  stats.revision = last_;
  stats.snapshots = views_.size();
  return stats;
}

absl::StatusOr<std::unique_ptr<storage::BulkLoad>> ReferenceEngine::BeginBulkLoad() {
  return std::make_unique<ReferenceBulkLoad>(*this);
}

absl::Status ReferenceEngine::Replace(History history, const std::vector<Usage>& usage,
                                      const StoreMeta& meta) {
  absl::MutexLock lock(&mutex_);
  history_ = std::move(history);
  ledger_.Clear();
  for (NamespaceId ns = 0; ns < usage.size(); ++ns) ledger_.Add(ns, usage[ns]);
  meta_ = meta;
  last_ = storage::FirstRevision(meta.incarnation);
  return absl::OkStatus();
}

}  // namespace

std::unique_ptr<storage::Engine> NewReferenceEngine(const ReferenceEngineOptions& options,
                                                    base::Clock& clock,
                                                    storage::UsageLedger& ledger) {
  return std::make_unique<ReferenceEngine>(options, clock, ledger);
}

}  // namespace tarn::testing
