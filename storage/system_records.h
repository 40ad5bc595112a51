// Single entries of the system namespace: what Tarn keeps about itself in the engine.
#pragma once

#include <optional>
#include <string>

#include "absl/functional/any_invocable.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "storage/batch.h"
#include "storage/engine.h"
#include "storage/snapshot.h"

namespace tarn::storage {

// What a restore voids: locks and group epochs. All their keys begin so, and they are behind all
// other keys.
inline constexpr absl::string_view kTransientKeyPrefix = "~";

// The other records: those that are part of a checkpoint.
inline KeyRange LastingSystemRecords() {
  return {.ns = kSystemNamespace, .start = "", .end = std::string(kTransientKeyPrefix)};
}

struct SystemRecord {
  std::string value;
  Revision revision = 0;
};

// The callbacks follow the rules of Completion.
using RecordRead = absl::AnyInvocable<void(absl::StatusOr<std::optional<SystemRecord>>) &&>;
using RecordWritten = absl::AnyInvocable<void(absl::StatusOr<Revision>) &&>;

// Gives every record whose key begins with `prefix`, as the snapshot shows it, in order; waits for
// the engine. An error of `take` ends it.
absl::Status ForEachSystemRecord(Snapshot& snapshot, absl::string_view prefix, base::UnixMs now,
                                 absl::FunctionRef<absl::Status(const EntryView&)> take);

void ReadSystemRecord(Engine& engine, std::string key, RecordRead done);
void WriteSystemRecord(Engine& engine, std::string key, std::string value,
                       const Precondition& precondition, RecordWritten done);
void DeleteSystemRecord(Engine& engine, std::string key, const Precondition& precondition,
                        RecordWritten done);

}  // namespace tarn::storage
