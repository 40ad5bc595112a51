// Which number each namespace of a checkpoint has.
#pragma once

#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "checkpoint/reader.h"
#include "storage/batch.h"

namespace tarn::checkpoint {

using NamespaceIds = absl::flat_hash_map<std::string, storage::NamespaceId>;

// From the records in the system section. DATA_LOSS naming the file when a record is malformed, two
// namespaces share a number, or there are entries of a namespace without a record.
absl::StatusOr<NamespaceIds> ReadNamespaceIds(const CheckpointReader& reader);

}  // namespace tarn::checkpoint
