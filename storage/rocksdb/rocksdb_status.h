// The one place where RocksDB's errors become Tarn's.
#pragma once

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "rocksdb/status.h"

namespace tarn::storage::rocks {

// Damaged or missing files are DATA_LOSS, a full disk is RESOURCE_EXHAUSTED (DISK_FULL), what
// passes by itself is UNAVAILABLE (ENGINE_UNAVAILABLE), everything else INTERNAL (ENGINE_ERROR).
// RocksDB's text, which names the file where there is one, follows `attempted`.
absl::Status ToStatus(const rocksdb::Status& status, absl::string_view attempted);

// A commit that was handed to RocksDB failed: it may show up after a crash, or not.
absl::Status OutcomeUnknown(const rocksdb::Status& status);

// Nothing was handed to RocksDB, because of `cause`.
absl::Status NotWritable(absl::string_view cause);

// There is no database for the moment.
absl::Status NotOpen();

// Nothing was handed to RocksDB, because the disk has too little room for it.
absl::Status DiskFull();

// Bytes that RocksDB gave, unharmed as far as it knows, are not what Tarn writes there.
absl::Status Undecodable(absl::string_view what);

}  // namespace tarn::storage::rocks
