// What calls answer. A missing key is an answer (`found` is false), never an error.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "tarn/types.h"

namespace tarn {

struct GetResult {
  bool found = false;
  std::string value;
  Revision revision = 0;                 // The entry's.
  std::optional<Timestamp> expire_time;  // None = never.
};

struct PutResult {
  bool found = false;  // The entry existed before; else it was created.
  Revision revision = 0;
  std::optional<Timestamp> expire_time;
};

struct DeleteResult {
  bool found = false;     // There was an entry.
  Revision revision = 0;  // Of the commit that removed it; 0 when there was none.
};

struct TakeResult {
  bool found = false;  // There was an entry.
  std::string value;   // The one it had.
  Revision revision = 0;
};

struct IncrementResult {
  bool found = false;  // The entry existed before; else it was created from 0.
  int64_t number = 0;  // The sum.
  Revision revision = 0;
  std::optional<Timestamp> expire_time;
};

struct AppendResult {
  bool found = false;       // The entry existed before; else it was created from an empty value.
  uint64_t size_bytes = 0;  // The length of the whole value now.
  Revision revision = 0;
  std::optional<Timestamp> expire_time;
};

struct TouchResult {
  bool found = false;     // There is an entry.
  Revision revision = 0;  // Its new one; 0 when there is none.
  std::optional<Timestamp> expire_time;
};

// Of one member of a batch. Which fields mean something depends on the operation: those of its own
// result above.
struct OperationResult {
  absl::Status status;  // Independent batches: why this operation was not done.
  bool found = false;
  std::string value;
  Revision revision = 0;
  std::optional<Timestamp> expire_time;
  int64_t number = 0;
  uint64_t size_bytes = 0;
};

struct BatchResult {
  std::vector<OperationResult> results;  // One for each operation, in their order.
  Revision revision =
      0;  // Of an atomic commit; 0 when it changed nothing, and for independent batches.
};

struct CountResult {
  uint64_t count = 0;
  Revision revision = 0;  // At which they were counted.
};

struct DeleteRangeResult {
  uint64_t deleted_count = 0;
  Revision revision = 0;  // Of the last commit; 0 when there was nothing to remove.
};

// Takes the outcome of an asynchronous call. Called exactly once, on a thread of gRPC's, or before
// the call that it was given to returns. There are only a few such threads: a callback must not
// block.
template <typename T>
using Callback = std::function<void(absl::StatusOr<T>)>;

}  // namespace tarn
