#include "storage/memory/bulk_load.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "storage/base/error.h"
#include "storage/base/status.h"
#include "storage/memory/memory_engine.h"

namespace tarn::storage {
namespace {

using memory::Entry;

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

absl::Status MemoryBulkLoad::Add(absl::Span<const EntryView> entries) {
  for (const EntryView& entry : entries) TARN_RETURN_IF_ERROR(AddOne(entry));
  return absl::OkStatus();
}

absl::Status MemoryBulkLoad::AddOne(const EntryView& entry) {
  TARN_RETURN_IF_ERROR(CheckLayout(entry));
  const int64_t limit = static_cast<int64_t>(engine_.options_.memory_limit_bytes);
  if (limit != 0 && gauge_.state_bytes.load(std::memory_order_relaxed) > limit) {
    return base::MakeError(
        absl::StatusCode::kResourceExhausted, base::Reason::kMemoryLimit,
        absl::StrCat("what is loaded exceeds the memory limit of ", limit, " bytes"));
  }
  Entry* const loaded = Entry::New(
      {Entry::Kind::kLive, entry.ns, entry.revision, entry.deadline, entry.key, entry.value, {}});
  memory::Shard& shard = table_->ShardOf(memory::Probe(entry.ns, entry.key));
  std::optional<memory::ShardChange> change;
  {
    const memory::ShardWriterLock lock(shard.mutex);
    change = shard.Load(loaded);
  }
  if (!change) {
    Entry::Delete(loaded);
    return base::MakeError(absl::StatusCode::kInvalidArgument, base::Reason::kInvalidRequest,
                           "a key was loaded twice");
  }
  gauge_.Add(*change);
  usage_.Add(entry.ns, change->usage);
  return absl::OkStatus();
}

absl::Status MemoryBulkLoad::Publish(const StoreMeta& meta) {
  std::swap(engine_.table_, table_);
  engine_.gauge_.state_bytes.store(gauge_.state_bytes.load());
  engine_.gauge_.image_bytes.store(0);
  engine_.ledger_.Clear();
  for (NamespaceId ns = 0; ns < UsageLedger::kMaxNamespaceIds; ++ns)
    engine_.ledger_.Add(ns, usage_.Get(ns));
  engine_.StartIncarnation(meta);
  return absl::OkStatus();
}

}  // namespace tarn::storage
