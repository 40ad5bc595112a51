// A RocksDB engine under test, with a world that the test owns.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/synchronization/notification.h"
#include "storage/base/clock.h"
#include "storage/base/executor.h"
#include "storage/base/file_system.h"
#include "storage/rocksdb/rocksdb_engine.h"
#include "storage/usage.h"
#include "tests/contract/language.h"
#include "tests/contract/subject.h"
#include "tests/support/status.h"
#include "tests/support/temp_dir.h"

namespace tarn::testing {

// The operating system's files, with as much free space as the test says.
class SmallDisk final : public base::FileSystem {
 public:
  void SetFree(uint64_t bytes) { free_bytes_ = bytes; }
  // As much as there really is.
  void AskReally() { really_ = true; }

  absl::StatusOr<std::unique_ptr<base::WritableFile>> Create(const std::string& path) override {
    return real_.Create(path);
  }
  absl::StatusOr<std::unique_ptr<base::RandomAccessFile>> Open(const std::string& path) override {
    return real_.Open(path);
  }
  absl::Status Rename(const std::string& from, const std::string& to) override;
  absl::Status Remove(const std::string& path) override { return real_.Remove(path); }
  absl::Status RemoveRecursively(const std::string& path) override;
  absl::Status CreateDirectories(const std::string& path) override {
    return real_.CreateDirectories(path);
  }
  absl::Status SyncDirectory(const std::string& path) override;
  absl::StatusOr<std::vector<std::string>> List(const std::string& path) override {
    return real_.List(path);
  }
  absl::StatusOr<bool> Exists(const std::string& path) override { return real_.Exists(path); }
  absl::StatusOr<base::DiskSpace> Space(const std::string& path) override;
  absl::StatusOr<std::unique_ptr<base::FileLock>> Lock(const std::string& path,
                                                       absl::string_view holder) override {
    return real_.Lock(path, holder);
  }

  // The next so many changes of names (renames, removals, syncs of directories) succeed, all later
  // ones fail, until it is healed.
  void FailNamesAfter(int changes) { names_left_ = changes; }
  // As above, but one succeeds again after `failures`.
  void FailNamesAfter(int changes, int failures);
  void Heal() { names_left_ = -1; }

 private:
  absl::Status CountName();

  base::FileSystem& real_ = base::PosixFileSystem();
  std::atomic<uint64_t> free_bytes_{uint64_t{1} << 40};
  std::atomic<bool> really_{false};
  std::atomic<int> names_left_{-1};  // Below 0: all.
  std::atomic<int> failures_left_{0};
};

// Runs nothing before it is told to, or refuses everything.
class ManualExecutor final : public base::Executor {
 public:
  absl::Status Submit(base::Task task) override;
  void RefuseAll() { refuse_ = true; }
  void AcceptAll() { refuse_ = false; }
  // Runs what waits, in order; gives its number.
  size_t RunAll();
  size_t waiting() const { return tasks_.size(); }

 private:
  bool refuse_ = false;
  std::vector<base::Task> tasks_;
};

// One store on the disk, opened as often as the test likes.
class RocksStore {
 public:
  RocksStore();

  // Set before Open.
  storage::RocksDbOptions options;
  rocksdb::Env* env = nullptr;
  base::Executor* executor = nullptr;  // Null: threads of its own.

  // Opens it and starts its next incarnation.
  absl::Status Open();
  void MustOpen();
  void Close();
  void Reopen() {
    Close();
    MustOpen();
  }

  storage::RocksDbEngine& engine() { return *engine_; }
  storage::UsageLedger& ledger() { return *ledger_; }
  base::ManualClock& clock() { return clock_; }
  SmallDisk& disk() { return disk_; }

  Answer Do(Op op) { return testing::Do(engine(), std::move(op)); }
  BatchAnswer Atomic(std::vector<Op> ops) { return testing::Atomic(engine(), std::move(ops)); }
  void MustDo(Op op);
  // How it ended: "OK", or the code and the reason.
  std::string Try(Op op) { return Brief(Do(std::move(op)).status); }

  // "key=value" of each live entry, in order.
  std::vector<std::string> Content(NamespaceId ns = kNs);
  // "2 entries, 10 bytes".
  std::string Usage(NamespaceId ns = kNs);

  // Of the closed or open store.
  std::string directory() const { return options.path; }
  std::string database() const;
  // Paths of the database's files whose names end so, the newest last.
  std::vector<std::string> Files(const std::string& ending) const;

 private:
  const TempDir temp_;
  base::ManualClock clock_{kStart};
  SmallDisk disk_;
  std::unique_ptr<storage::UsageLedger> ledger_;
  std::unique_ptr<base::ThreadPool> threads_;
  std::unique_ptr<storage::RocksDbEngine> engine_;
};

// Keeps the writer of an engine busy, so that what is submitted meanwhile is committed together.
class Gate {
 public:
  // Returns when the writer waits.
  explicit Gate(storage::Engine& engine);
  ~Gate() { Open(); }
  void Open();

 private:
  const std::shared_ptr<absl::Notification> opened_ = std::make_shared<absl::Notification>();
};

std::string ReadWhole(const std::string& path);
void WriteWhole(const std::string& path, const std::string& bytes);

}  // namespace tarn::testing
