// Which number each namespace of a checkpoint has, and how its keys are placed.
#pragma once

#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "checkpoint/reader.h"
#include "storage/batch.h"
#include "storage/namespaces.h"

namespace tarn::checkpoint {

struct NumberedNamespace {
  storage::NamespaceId id = 0;
  storage::Placement placement = storage::Placement::kSpread;
};

// By name.
using NamespaceIds = absl::flat_hash_map<std::string, NumberedNamespace>;

// From the records in the system section. DATA_LOSS naming the file when a record is malformed, two
// namespaces share a number, or there are entries of a namespace without a record.
absl::StatusOr<NamespaceIds> ReadNamespaceIds(const CheckpointReader& reader);

}  // namespace tarn::checkpoint
