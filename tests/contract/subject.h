// An engine under test, and the world it lives in.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "storage/base/clock.h"
#include "storage/base/executor.h"
#include "storage/engine.h"
#include "storage/usage.h"
#include "tests/contract/engine_factory.h"
#include "tests/contract/language.h"
#include "tests/support/temp_dir.h"

namespace tarn::testing {

// When the clock of every test starts.
inline constexpr UnixMs kStart = 1'000'000'000'000;

// A page that outlives its completion.
struct PageCopy {
  absl::Status status;
  std::vector<Row> rows;
  bool at_end = false;
};

// Reads a range of a snapshot, page by page.
class Reader {
 public:
  Reader(storage::Snapshot& snapshot, const storage::KeyRange& range,
         const storage::ScanOptions& options = {})
      : cursor_(snapshot.NewCursor(range, options)) {}

  PageCopy Next(const storage::PageBudget& budget, UnixMs now);

  // All that is left. Throws when a page fails or is empty before the end.
  std::vector<Row> Rest(const storage::PageBudget& budget, UnixMs now);

 private:
  std::unique_ptr<storage::Cursor> cursor_;
};

// Everything of the namespace as the snapshot shows it at `now`, in ascending order.
std::vector<Row> ReadAll(storage::Snapshot& snapshot, UnixMs now, NamespaceId ns = kNs);

enum class Start { kInitialised, kEmpty };

// Owns one open engine with a clock that stands still, a ledger, threads and a directory.
class Subject {
 public:
  explicit Subject(const EngineSetup& setup = {}, Start start = Start::kInitialised,
                   EngineFactory& factory = EngineUnderTest());
  ~Subject();

  storage::Engine& engine() { return *engine_; }
  storage::UsageLedger& ledger() { return *ledger_; }
  base::ManualClock& clock() { return clock_; }
  UnixMs now() const { return clock_.Now(); }

  Answer Do(Op op) { return testing::Do(*engine_, std::move(op)); }
  BatchAnswer Atomic(std::vector<Op> ops) { return testing::Atomic(*engine_, std::move(ops)); }
  BatchAnswer Independent(std::vector<Op> ops) {
    return testing::Independent(*engine_, std::move(ops));
  }

  // Writes that the test takes for granted: throw when they fail, and give the revision.
  Revision MustDo(Op op);

  // Throws when there can be none.
  std::unique_ptr<storage::Snapshot> Snapshot(
      storage::SnapshotPurpose purpose = storage::SnapshotPurpose::kCheckpoint);

  absl::Status Inspect() { return factory_.Inspect(*engine_); }

  // What is visible now.
  std::vector<Row> All(NamespaceId ns = kNs);

  // Sweeps until nothing more is to be removed, and says how many were.
  uint64_t SweepAll();

  // Closes the engine and opens it again over the same directory, with a new ledger, as the next
  // incarnation.
  void Reopen();
  void Close() { engine_.reset(); }

 private:
  void Open();

  EngineFactory& factory_;
  const EngineSetup setup_;
  const TempDir directory_;
  base::ManualClock clock_{kStart};
  std::unique_ptr<storage::UsageLedger> ledger_;
  std::unique_ptr<base::ThreadPool> executor_;
  std::unique_ptr<storage::Engine> engine_;
};

// "2 entries, 10 bytes".
std::string UsageOf(Subject& subject, NamespaceId ns = kNs);

}  // namespace tarn::testing
