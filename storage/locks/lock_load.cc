// How the table comes back from its records.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "storage/base/error.h"
#include "storage/base/status.h"
#include "storage/locks/lock_table.h"
#include "storage/system_records.h"

namespace tarn::storage {
namespace {

// What a holder gets once when the machine was started anew: it had no chance to renew meanwhile,
// and the wall clock, which then decides, may be a little off.
constexpr int64_t kRebootGraceMs = 10'000;

}  // namespace

absl::StatusOr<std::unique_ptr<LockTable>> LockTable::Load(const Dependencies& dependencies) {
  std::unique_ptr<LockTable> table(new LockTable(dependencies));
  TARN_ASSIGN_OR_RETURN(table->alarm_, base::Alarm::Create());
  TARN_RETURN_IF_ERROR(table->LoadRecords());
  if (dependencies.time_keeper == TimeKeeper::kOwnThread)
    table->thread_ = std::thread([raw = table.get()] { raw->WatchTime(); });
  return table;
}

absl::Status LockTable::LoadRecords() {
  TARN_ASSIGN_OR_RETURN(const std::unique_ptr<Snapshot> snapshot,
                        dependencies_.engine.OpenSnapshot(SnapshotPurpose::kScan));
  std::vector<LockEntry*> graced;
  TARN_RETURN_IF_ERROR(
      ForEachSystemRecord(*snapshot, kTransientKeyPrefix, dependencies_.clock.Now(),
                          [&](const EntryView& entry) { return Adopt(entry, graced); }));
  return RewriteAll(graced);
}

absl::Status LockTable::Adopt(const EntryView& entry, std::vector<LockEntry*>& graced) {
  const std::optional<LockName> parsed = ParseLockKey(entry.key);
  if (!parsed) return absl::OkStatus();
  absl::StatusOr<LockRecord> record = DecodeLockRecord(entry.value);
  if (!record.ok()) return base::Annotate(record.status(), absl::StrCat("lock ", parsed->name));
  if (record->token == 0) record->token = entry.revision;
  const bool got_grace = parsed->kind == LockKind::kLock && Resettle(*record);
  const NameView name{parsed->kind, parsed->ns, parsed->name};
  Shard& shard = ShardOf(name);
  const absl::MutexLock guard(&shard.mutex);
  TARN_ASSIGN_OR_RETURN(LockEntry* const lock, FindOrAdd(shard, name));
  lock->held = true;
  lock->grant = *std::move(record);
  if (parsed->kind == LockKind::kLock) {
    counts_.held.fetch_add(1, std::memory_order_relaxed);
    ArmLock(shard, *lock, lock->grant.deadline);
  }
  if (got_grace) graced.push_back(lock);
  return absl::OkStatus();
}

// Puts a deadline into the terms of this process. Whether it got its grace with that.
bool LockTable::Resettle(LockRecord& record) const {
  const base::UnixMs now = dependencies_.clock.Now();
  const int64_t since_boot = dependencies_.boot.SinceBootMs();
  const int64_t longest = dependencies_.limits.max_lock_ttl_ms;
  if (!boot_id_.empty() && record.boot_id == boot_id_) {
    record.deadline = now + std::min(record.deadline_since_boot_ms - since_boot, longest);
    return false;
  }
  const bool gets_grace = record.grace_ms == 0;
  if (gets_grace) record.grace_ms = kRebootGraceMs;
  const int64_t left = record.deadline - now + (gets_grace ? kRebootGraceMs : 0);
  record.deadline = now + std::min(left, longest + kRebootGraceMs);
  record.boot_id = boot_id_;
  record.deadline_since_boot_ms = std::max<int64_t>(since_boot + record.deadline - now, 0);
  return gets_grace;
}

// Before anybody is answered: a grace that was given and not recorded would be given again.
absl::Status LockTable::RewriteAll(const std::vector<LockEntry*>& locks) {
  absl::Mutex mutex;
  absl::Status first_error;
  Outstanding under_way;
  for (LockEntry* const lock : locks) {
    WriteSystemRecord(
        dependencies_.engine, LockKey(lock->kind, lock->ns, lock->name),
        EncodeLockRecord(lock->grant), {},
        [&, token = Outstanding::Token(under_way)](const absl::StatusOr<Revision>& written) {
          const absl::MutexLock guard(&mutex);
          first_error.Update(written.status());
        });
  }
  under_way.WaitForNone();
  const absl::MutexLock guard(&mutex);
  return first_error;
}

}  // namespace tarn::storage
