// What a random history is made of. A step means something whatever came before it, so that any
// part of a history can be left out.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "storage/engine.h"
#include "storage/snapshot.h"
#include "storage/usage.h"
#include "tests/contract/language.h"

namespace tarn::testing {

// Where open snapshots are kept.
inline constexpr int kSlots = 6;

// An operation whose deadline counts from when it runs, and whose revision is looked up then.
struct PlannedOp {
  enum class RevisionChoice : uint8_t {
    kAsIs,
    kCurrent,  // That of the key's entry.
    kNewest,   // The newest of all keys.
  };
  Op op;
  std::optional<int64_t> ttl_ms;  // Nothing: no deadline. Not positive: passed already.
  RevisionChoice revision = RevisionChoice::kAsIs;
};

struct PlannedBatch {
  BatchMode mode = BatchMode::kIndependent;
  std::vector<PlannedOp> ops;
};

// Submits batches one after another without waiting, then waits for all. In their middle a snapshot
// may be opened.
struct RunStep {
  struct Interlude {
    size_t before_batch = 0;
    int slot = 0;
  };
  std::vector<PlannedBatch> batches;
  std::optional<Interlude> snapshot;
};

struct AdvanceStep {
  int64_t milliseconds = 0;
};

struct SweepStep {
  size_t budget = 0;
};

// Opens a snapshot in the slot, closing the one that is there.
struct OpenStep {
  int slot = 0;
  storage::SnapshotPurpose purpose = storage::SnapshotPurpose::kScan;
};

struct CloseStep {
  int slot = 0;
};

// At which time the pages of a cursor are judged.
enum class ReadTime : uint8_t { kAsOf, kNow };

// Begins a scan of the slot's snapshot, in place of the one that is there.
struct CursorStep {
  int slot = 0;
  storage::KeyRange range;
  storage::ScanOptions options;
  ReadTime time = ReadTime::kAsOf;
};

// Reads some pages more of the slot's scan.
struct ReadStep {
  int slot = 0;
  int pages = 1;
  storage::PageBudget budget;
};

struct LoadStep {
  enum class End : uint8_t { kPublish, kAbandon };
  struct Loaded {
    NamespaceId ns = kNs;
    std::string key;
    std::string value;
    std::optional<int64_t> ttl_ms;
  };
  std::vector<Loaded> entries;  // Each key once.
  End end = End::kPublish;
};

struct QuotaStep {
  NamespaceId ns = kNs;
  storage::Quota quota;
};

// Compares everything: all namespaces in a new snapshot, the ledger, the stats.
struct CheckStep {};

// Closes a durable engine and opens it again.
struct ReopenStep {};

using Step = std::variant<RunStep, AdvanceStep, SweepStep, OpenStep, CloseStep, CursorStep,
                          ReadStep, LoadStep, QuotaStep, CheckStep, ReopenStep>;

// One line that says what the step does.
std::string Show(const Step& step);

// How many operations the steps hold.
size_t OperationsIn(const std::vector<Step>& steps);

}  // namespace tarn::testing
