#include "storage/memory/memory_engine.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "storage/base/error.h"
#include "storage/memory/bulk_load.h"
#include "storage/memory/cursor.h"

namespace tarn::storage {
namespace {

using memory::kShards;

// How long a collector holds one shard's lock: some tens of microseconds.
constexpr size_t kImagesPerStep = 256;

uint64_t NotNegative(int64_t bytes) { return static_cast<uint64_t>(std::max<int64_t>(0, bytes)); }

class MemorySnapshot final : public Snapshot {
 public:
  MemorySnapshot(const memory::CursorContext& context,
                 std::shared_ptr<memory::OpenedSnapshot> opened)
      : context_(context), opened_(std::move(opened)) {}
  ~MemorySnapshot() override { context_.snapshots.Close(*opened_); }

  Revision revision() const override { return opened_->revision; }
  base::UnixMs as_of() const override { return opened_->as_of; }
  std::unique_ptr<Cursor> NewCursor(const KeyRange& range, const ScanOptions& options) override {
    return std::make_unique<memory::MemoryCursor>(context_, *opened_, range, options);
  }
  // Keys are in shards by hash, so any one shard is a fair sample of all.
  std::vector<std::string> SplitKeys(NamespaceId ns, size_t parts) override {
    return context_.table.shard(0).SplitKeys(ns, parts);
  }

 private:
  const memory::CursorContext context_;
  const std::shared_ptr<memory::OpenedSnapshot> opened_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<MemoryEngine>> MemoryEngine::Open(const MemoryEngineOptions& options,
                                                                 const base::Clock& clock,
                                                                 UsageLedger& ledger) {
  if (options.limits.max_key_bytes > memory::Entry::kMaxKeyBytes ||
      options.limits.max_value_bytes > memory::Entry::kMaxValueBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("the memory engine holds keys of at most ", memory::Entry::kMaxKeyBytes,
                     " and values of at most ", memory::Entry::kMaxValueBytes, " bytes"));
  }
  return std::unique_ptr<MemoryEngine>(new MemoryEngine(options, clock, ledger));
}

MemoryEngine::MemoryEngine(const MemoryEngineOptions& options, const base::Clock& clock,
                           UsageLedger& ledger)
    : options_(options),
      clock_(clock),
      ledger_(ledger),
      snapshots_({options.max_snapshots}, revisions_, clock),
      table_(std::make_unique<memory::Table>(options.lock_monitor)) {}

MemoryEngine::~MemoryEngine() = default;

void MemoryEngine::Run(const Batch& batch, Completion done) {
  BatchResult result;
  const memory::BatchContext context{
      *table_,    clock_,  options_.limits, revisions_,
      snapshots_, ledger_, gauge_,          static_cast<int64_t>(options_.memory_limit_bytes)};
  memory::BatchRun(context, batch, result).Run();
  table_->Tidy();
  EnforceSnapshotLimit();
  std::move(done)(result);
}

// Called without locks, after the writer is done: it is not refused, and waits for nobody.
void MemoryEngine::EnforceSnapshotLimit() {
  const uint64_t limit = options_.snapshot_limit_bytes != 0 ? options_.snapshot_limit_bytes
                                                            : options_.memory_limit_bytes / 4;
  if (limit == 0 || snapshots_.newest() == 0) return;
  if (NotNegative(gauge_.image_bytes.load(std::memory_order_relaxed)) > limit)
    snapshots_.ExpireOldest();
}

absl::StatusOr<std::unique_ptr<Snapshot>> MemoryEngine::OpenSnapshot(SnapshotPurpose purpose) {
  absl::StatusOr<std::shared_ptr<memory::OpenedSnapshot>> opened = snapshots_.Open(purpose);
  if (!opened.ok()) return opened.status();
  return std::make_unique<MemorySnapshot>(memory::CursorContext{*table_, snapshots_, gauge_},
                                          *std::move(opened));
}

absl::StatusOr<std::unique_ptr<BulkLoad>> MemoryEngine::BeginBulkLoad() {
  return std::make_unique<MemoryBulkLoad>(*this);
}

absl::StatusOr<SweepResult> MemoryEngine::SweepExpired(size_t max_entries) {
  SweepResult result;
  const size_t first = next_swept_shard_.fetch_add(1, std::memory_order_relaxed);
  for (size_t i = 0; i < kShards; ++i) {
    const size_t index = (first + i) % kShards;
    Collect(index, kImagesPerStep);
    if (result.removed == max_entries) {
      result.more = true;
      continue;
    }
    memory::Shard& shard = table_->shard(index);
    const memory::ShardWriterLock lock(shard.mutex);
    // Asked with the lock held: a snapshot that opens later fixes a later time.
    result.removed += shard.Sweep(snapshots_.sweep_horizon(), max_entries - result.removed,
                                  [this](NamespaceId ns, const memory::ShardChange& change) {
                                    gauge_.Add(change);
                                    ledger_.Add(ns, change.usage);
                                  });
  }
  table_->Tidy();
  return result;
}

void MemoryEngine::Collect(size_t shard_index, size_t max_images) {
  memory::Shard& shard = table_->shard(shard_index);
  const memory::ShardWriterLock lock(shard.mutex);
  if (shard.has_images()) gauge_.Add(shard.Collect(snapshots_.oldest(), max_images));
}

EngineStats MemoryEngine::Stats() const {
  EngineStats stats;
  stats.revision = revisions_.Last();
  stats.snapshot_bytes = NotNegative(gauge_.image_bytes.load(std::memory_order_relaxed));
  stats.memory_bytes =
      NotNegative(gauge_.state_bytes.load(std::memory_order_relaxed)) + stats.snapshot_bytes;
  stats.memory_limit_bytes = options_.memory_limit_bytes;
  stats.snapshots = snapshots_.size();
  return stats;
}

absl::StatusOr<std::optional<StoreMeta>> MemoryEngine::ReadMeta() {
  const absl::MutexLock lock(&meta_mutex_);
  return meta_;
}

void MemoryEngine::StartIncarnation(const StoreMeta& meta) {
  const absl::MutexLock lock(&meta_mutex_);
  meta_ = meta;
  revisions_.StartIncarnation(meta.incarnation);
}

absl::Status MemoryEngine::WriteMeta(const StoreMeta& meta) {
  const absl::MutexLock lock(&meta_mutex_);
  if (!meta_) revisions_.StartIncarnation(meta.incarnation);
  meta_ = meta;
  return absl::OkStatus();
}

}  // namespace tarn::storage
