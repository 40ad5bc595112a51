// Single entries of the system namespace: what Tarn keeps about itself in the engine.
#pragma once

#include <optional>
#include <string>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "storage/batch.h"
#include "storage/engine.h"

namespace tarn::storage {

struct SystemRecord {
  std::string value;
  Revision revision = 0;
};

// The callbacks follow the rules of Completion.
using RecordRead = absl::AnyInvocable<void(absl::StatusOr<std::optional<SystemRecord>>) &&>;
using RecordWritten = absl::AnyInvocable<void(absl::StatusOr<Revision>) &&>;

void ReadSystemRecord(Engine& engine, std::string key, RecordRead done);
void WriteSystemRecord(Engine& engine, std::string key, std::string value,
                       const Precondition& precondition, RecordWritten done);
void DeleteSystemRecord(Engine& engine, std::string key, const Precondition& precondition,
                        RecordWritten done);

}  // namespace tarn::storage
