// How RocksDB is set up: every choice with its reason.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "rocksdb/db.h"
#include "rocksdb/env.h"
#include "rocksdb/listener.h"
#include "storage/rocksdb/health.h"
#include "storage/rocksdb/rocksdb_options.h"

namespace tarn::storage::rocks {

// What all databases of one engine share. Two of them are open at once while a bulk is loaded.
struct Machinery {
  rocksdb::Env* env = nullptr;
  std::shared_ptr<rocksdb::Cache> block_cache;
  std::shared_ptr<rocksdb::WriteBufferManager> write_buffers;
  std::shared_ptr<rocksdb::TableFactory> tables;
  std::shared_ptr<ErrorCount> errors;
};

// `env` may be null: the operating system's.
Machinery MakeMachinery(const RocksDbOptions& options, rocksdb::Env* env);

enum class DatabaseUse {
  kServing,
  kLoading,  // Written to once, without log and compaction; not read from.
};

rocksdb::DBOptions DatabaseOptions(const Machinery& machinery,
                                   std::shared_ptr<rocksdb::EventListener> listener);

// The default column family, then entries, then expiry.
std::vector<rocksdb::ColumnFamilyDescriptor> ColumnFamilies(const Machinery& machinery,
                                                            DatabaseUse use);

}  // namespace tarn::storage::rocks
