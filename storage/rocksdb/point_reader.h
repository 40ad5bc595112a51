// Batches of gets, answered from one state of a database.
#pragma once

#include "rocksdb/options.h"
#include "storage/base/clock.h"
#include "storage/batch.h"
#include "storage/limits.h"
#include "storage/rocksdb/database.h"

namespace tarn::storage::rocks {

enum class ReadFrom {
  kMemory,  // Memtables and block cache only: never blocks.
  kDisk,
};

enum class ReadOutcome {
  kAnswered,
  kNotInMemory,  // Nothing was answered: ask again with kDisk.
};

// Thread-safe.
class PointReader {
 public:
  PointReader(const Limits& limits, const base::Clock& clock);

  // Fills in `result`, which is fresh. The batch is read-only.
  ReadOutcome Read(const Database& database, const Batch& batch, ReadFrom from,
                   BatchResult& result) const;

 private:
  ReadOutcome LookUp(const Database& database, const Batch& batch,
                     const rocksdb::ReadOptions& options, BatchResult& result) const;

  const Limits limits_;
  const base::Clock& clock_;
  const rocksdb::ReadOptions from_memory_;
  const rocksdb::ReadOptions from_disk_;
};

}  // namespace tarn::storage::rocks
