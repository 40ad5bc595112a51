// Whether a database agrees with itself.
#pragma once

#include "absl/status/status.h"
#include "storage/rocksdb/database.h"

namespace tarn::storage::rocks {

// Reads everything, in one state, and compares: the entries with the usage records and with the
// expiry index, both ways. DATA_LOSS saying what differs. For tests, and for operators in doubt.
absl::Status CheckConsistency(const Database& database);

}  // namespace tarn::storage::rocks
