#include "storage/memory/bulk_load.h"

#include <array>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "storage/base/error.h"
#include "storage/base/status.h"
#include "storage/memory/memory_engine.h"

namespace tarn::storage {
namespace {

using memory::Entry;

constexpr size_t kFirstStep = 29;  // Through all shards in no simple order.

absl::Status CheckLayout(const EntryView& entry) {
  if (entry.ns < UsageLedger::kMaxNamespaceIds && entry.key.size() <= Entry::kMaxKeyBytes &&
      entry.value.size() <= Entry::kMaxValueBytes) {
    return absl::OkStatus();
  }
  return base::MakeError(absl::StatusCode::kInvalidArgument, base::Reason::kInvalidRequest,
                         absl::StrCat("an entry of namespace ", entry.ns, " with a key of ",
                                      entry.key.size(), " and a value of ", entry.value.size(),
                                      " bytes is too large for the memory engine"));
}

}  // namespace

MemoryBulkLoad::MemoryBulkLoad(MemoryEngine& engine)
    : engine_(engine), table_(std::make_unique<memory::Table>(engine.options_.lock_monitor)) {}

// Entries that ascend are scattered over the shards: each shard is locked once for all of its own.
absl::Status MemoryBulkLoad::Add(absl::Span<const EntryView> entries) {
  for (const EntryView& entry : entries) TARN_RETURN_IF_ERROR(CheckLayout(entry));
  TARN_RETURN_IF_ERROR(CheckMemory(entries));
  std::array<std::vector<memory::LoadedEntry>, memory::kShards> runs;
  for (auto& run : runs) run.reserve(entries.size() / memory::kShards * 3 / 2);
  for (const EntryView& entry : entries) {
    const memory::Probe probe(entry.ns, entry.key);
    runs[memory::Table::IndexOf(probe.hash)].push_back({&entry, probe});
  }
  // Each call begins at another shard, so that threads do not walk behind each other.
  const size_t first = next_first_.fetch_add(kFirstStep, std::memory_order_relaxed);
  for (size_t i = 0; i < memory::kShards; ++i) {
    const size_t index = (first + i) % memory::kShards;
    table_->Tidy();
    TARN_RETURN_IF_ERROR(AddTo(table_->shard(index), runs[index]));
  }
  Count(entries);
  return absl::OkStatus();
}

absl::Status MemoryBulkLoad::CheckMemory(absl::Span<const EntryView> entries) const {
  const auto limit = static_cast<int64_t>(engine_.options_.memory_limit_bytes);
  if (limit == 0) return absl::OkStatus();
  int64_t used = gauge_.state_bytes.load(std::memory_order_relaxed);
  for (const EntryView& entry : entries)
    used += static_cast<int64_t>(entry.key.size() + entry.value.size());
  if (used <= limit) return absl::OkStatus();
  return base::MakeError(
      absl::StatusCode::kResourceExhausted, base::Reason::kMemoryLimit,
      absl::StrCat("what is loaded exceeds the memory limit of ", limit, " bytes"));
}

absl::Status MemoryBulkLoad::AddTo(memory::Shard& shard,
                                   absl::Span<const memory::LoadedEntry> run) {
  if (run.empty()) return absl::OkStatus();
  const memory::ShardWriterLock lock(shard.mutex);
  const std::optional<memory::ShardChange> change = shard.Load(run);
  if (!change) {
    return base::MakeError(absl::StatusCode::kInvalidArgument, base::Reason::kInvalidRequest,
                           "a key was loaded twice");
  }
  gauge_.Add(*change);
  return absl::OkStatus();
}

// Once for each stretch of a namespace: threads count in the same places.
void MemoryBulkLoad::Count(absl::Span<const EntryView> entries) {
  while (!entries.empty()) {
    const NamespaceId ns = entries.front().ns;
    Usage usage;
    for (; !entries.empty() && entries.front().ns == ns; entries.remove_prefix(1)) {
      ++usage.entries;
      usage.bytes +=
          static_cast<int64_t>(entries.front().key.size() + entries.front().value.size());
    }
    usage_.Add(ns, usage);
  }
}

absl::Status MemoryBulkLoad::Publish(const StoreMeta& meta) {
  std::swap(engine_.table_, table_);
  engine_.gauge_.state_bytes.store(gauge_.state_bytes.load());
  engine_.gauge_.image_bytes.store(0);
  engine_.ledger_.Clear();
  for (NamespaceId ns = 0; ns < UsageLedger::kMaxNamespaceIds; ++ns) {
    const Usage usage = usage_.Get(ns);
    if (usage.entries != 0) engine_.ledger_.Add(ns, usage);  // An unused slot takes no memory.
  }
  engine_.StartIncarnation(meta);
  return absl::OkStatus();
}

}  // namespace tarn::storage
