#include "storage/rocksdb/writer.h"

#include <pthread.h>

#include "absl/strings/str_cat.h"
#include "storage/base/error.h"
#include "storage/base/logging.h"
#include "storage/rocksdb/answer.h"
#include "storage/rocksdb/rocksdb_status.h"

namespace tarn::storage::rocks {
namespace {

rocksdb::WriteOptions MakeWriteOptions(Durability durability) {
  rocksdb::WriteOptions options;
  options.sync = durability == Durability::kDisk;
  return options;
}

CommitQueue::Limits QueueLimits(const RocksDbOptions& options) {
  return {options.max_queued_batches, options.max_queued_bytes, options.max_group_operations,
          options.max_group_bytes};
}

absl::Status QueueFull() {
  return base::MakeError(absl::StatusCode::kResourceExhausted, base::Reason::kQueueFull,
                         "too many batches wait for their commit");
}

}  // namespace

Writer::Writer(const Dependencies& dependencies, const RocksDbOptions& options, Reopen reopen)
    : on_(dependencies),
      limits_(options.limits),
      write_options_(MakeWriteOptions(options.durability)),
      queue_(QueueLimits(options)),
      recovery_(dependencies.clock, dependencies.disk, dependencies.database, std::move(reopen)),
      sweeper_(dependencies.database, dependencies.ledger, dependencies.snapshots),
      group_(limits_, dependencies.ledger, dependencies.revisions),
      thread_([this] {
        pthread_setname_np(pthread_self(), "tarn-commit");
        Loop();
      }) {}

Writer::~Writer() {
  queue_.Close();
  thread_.join();
}

void Writer::Submit(const Batch& batch, Completion done) {
  std::unique_ptr<Submission> refused =
      queue_.Push(std::make_unique<Submission>(batch, std::move(done)));
  if (refused == nullptr) return;
  Refuse(refused->result, QueueFull());
  std::move(refused->done)(refused->result);
}

void Writer::Loop() {
  while (true) {
    CommitQueue::Work work = queue_.Take(kTick);
    if (work.closed) return SyncLog();
    for (CommitQueue::Task& task : work.tasks) std::move(task)();
    if (!work.batches.empty()) Commit(std::move(work.batches));
    CheckUp();
  }
}

// After a proper stop everything is on the medium, whatever the durability.
void Writer::SyncLog() {
  const Database* const database = on_.database.get();
  if (database == nullptr || database->health().stopped()) return;
  rocksdb::WriteBatch nothing;
  const absl::Status status = database->WriteDurably(nothing);
  if (!status.ok()) base::LogWarning("the log was not synced at the end: ", status.message());
}

void Writer::CheckUp() {
  on_.snapshots.Enforce();
  on_.disk.room();
  Refusal().IgnoreError();
}

absl::Status Writer::Refusal() {
  absl::Status refusal;
  if (stopped_cause_) {
    refusal = NotWritable(*stopped_cause_);
  } else if (!recovery_.Attempt()) {
    const Database* const database = on_.database.get();
    refusal = database == nullptr ? NotOpen() : NotWritable(database->health().cause());
  }
  writable_.store(refusal.ok(), std::memory_order_relaxed);
  if (refusal.ok() && on_.disk.room() == Room::kNoWrites) return DiskFull();
  return refusal;
}

void Writer::Commit(Submissions group) {
  const absl::Status refusal = Refusal();
  if (const Database* const database = on_.database.get(); database == nullptr) {
    RefuseAll(group, refusal);
  } else {
    group_.Judge(*database, group, {on_.clock.Now(), on_.disk.room(), refusal});
    if (group_.revision() != 0) {
      const rocksdb::Status status = Write();
      if (!status.ok()) Fail(group, status);
    }
  }
  // Before the completions: whoever is told may look at once.
  queue_.Finished(group.size());
  for (const auto& submission : group) std::move(submission->done)(submission->result);
  group_.Clear();
}

void Writer::RefuseAll(const Submissions& group, const absl::Status& status) {
  for (const auto& submission : group) Refuse(submission->result, status);
}

rocksdb::Status Writer::Write() {
  batch_.Clear();
  const Database& database = *on_.database.get();
  group_.AddChanges(database, batch_);
  const base::UnixMs deadline = group_.overlay().earliest_deadline();
  if (deadline != base::kNever) sweeper_.NoteDeadline(deadline);
  rocksdb::Status status = database.db().Write(write_options_, &batch_);
  if (!status.ok()) return status;
  recovery_.Succeeded();
  SetCommitted(group_.revision());
  on_.snapshots.CountReplaced(group_.overlay().replaced_bytes());
  return status;
}

// Nobody may act on what the database does not hold. Whoever changed something does not know
// whether it is done; whoever did not may have seen the changes of others.
void Writer::Fail(const Submissions& group, const rocksdb::Status& status) {
  const Database& database = *on_.database.get();
  group_.Settle(database);
  database.health().CountError();
  recovery_.Notice();
  base::LogError("a commit failed: ", status.ToString());
  for (const auto& submission : group) {
    Refuse(submission->result, submission->changes
                                   ? OutcomeUnknown(status)
                                   : NotWritable("the commit it was answered with failed"));
  }
}

}  // namespace tarn::storage::rocks
