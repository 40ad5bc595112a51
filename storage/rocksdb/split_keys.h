// Where to cut a namespace so that several threads can read it.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "rocksdb/snapshot.h"
#include "storage/batch.h"
#include "storage/rocksdb/database.h"

namespace tarn::storage::rocks {

// See Snapshot::SplitKeys. Goes by the sizes that RocksDB estimates of its files, and by samples of
// what was written since.
std::vector<std::string> SplitKeys(const Database& database, const rocksdb::Snapshot* snapshot,
                                   NamespaceId ns, size_t parts);

}  // namespace tarn::storage::rocks
