#include "storage/rocksdb/tuning.h"

#include <algorithm>
#include <utility>

#include "rocksdb/cache.h"
#include "rocksdb/filter_policy.h"
#include "rocksdb/memtablerep.h"
#include "rocksdb/table.h"
#include "rocksdb/write_buffer_manager.h"
#include "storage/rocksdb/info_log.h"
#include "storage/rocksdb/layout.h"

namespace tarn::storage::rocks {
namespace {

constexpr uint64_t kMiB = 1 << 20;

// Beyond this, larger write buffers only make restarts slower: the log of what is in them is read.
constexpr uint64_t kMaxWriteBufferBytes = 256 * kMiB;

// Each open file costs its index and filter in memory, and a descriptor of the 1,024 that a process
// has by default.
constexpr int kMaxOpenFiles = 512;

// A tenth of a percent of the keys that are not there cost a needless read of a block.
constexpr double kFilterBitsPerKey = 10;

std::shared_ptr<rocksdb::TableFactory> MakeTables(const std::shared_ptr<rocksdb::Cache>& cache) {
  rocksdb::BlockBasedTableOptions options;
  options.block_cache = cache;
  options.filter_policy.reset(rocksdb::NewBloomFilterPolicy(kFilterBitsPerKey));
  // Indexes and filters count against the one budget, and stay in memory while their file is open.
  options.cache_index_and_filter_blocks = true;
  options.metadata_cache_options.unpartitioned_pinning = rocksdb::PinningTier::kAll;
  options.data_block_index_type = rocksdb::BlockBasedTableOptions::kDataBlockBinaryAndHash;
  options.format_version = 5;
  return std::shared_ptr<rocksdb::TableFactory>(rocksdb::NewBlockBasedTableFactory(options));
}

rocksdb::ColumnFamilyOptions FamilyOptions(const Machinery& machinery, DatabaseUse use) {
  rocksdb::ColumnFamilyOptions options;
  options.table_factory = machinery.tables;
  options.compression = rocksdb::kLZ4Compression;
  options.level_compaction_dynamic_level_bytes = true;
  options.write_buffer_size = machinery.write_buffers->buffer_size() / 2;
  // Memory is taken in blocks of this size: an idle store needs few of them.
  options.arena_block_size = 256 << 10;
  options.max_write_buffer_number = 4;
  if (use == DatabaseUse::kServing) return options;
  // Sorted once when it is full; nobody reads it before.
  options.memtable_factory = std::make_shared<rocksdb::VectorRepFactory>();
  options.disable_auto_compactions = true;
  options.level0_slowdown_writes_trigger = 1 << 30;
  options.level0_stop_writes_trigger = 1 << 30;
  return options;
}

rocksdb::ColumnFamilyOptions EntriesOptions(const Machinery& machinery, DatabaseUse use) {
  rocksdb::ColumnFamilyOptions options = FamilyOptions(machinery, use);
  if (use == DatabaseUse::kLoading) return options;
  // Every commit looks up what it replaces: a filter saves most of the searches for new keys.
  options.memtable_prefix_bloom_size_ratio = 0.02;
  options.memtable_whole_key_filtering = true;
  return options;
}

// Few keys, written with every commit: flushing collapses them.
rocksdb::ColumnFamilyOptions MetaOptions(const Machinery& machinery, DatabaseUse use) {
  rocksdb::ColumnFamilyOptions options = FamilyOptions(machinery, use);
  options.write_buffer_size = std::min<size_t>(options.write_buffer_size, 16 * kMiB);
  return options;
}

}  // namespace

Machinery MakeMachinery(const RocksDbOptions& options, rocksdb::Env* env) {
  const uint64_t write_bytes = std::min(options.memory_bytes / 4, kMaxWriteBufferBytes);
  Machinery machinery;
  machinery.env = env != nullptr ? env : rocksdb::Env::Default();
  machinery.block_cache = rocksdb::NewLRUCache(options.memory_bytes - write_bytes);
  machinery.write_buffers = std::make_shared<rocksdb::WriteBufferManager>(write_bytes);
  machinery.tables = MakeTables(machinery.block_cache);
  machinery.errors = std::make_shared<ErrorCount>(0);
  return machinery;
}

rocksdb::DBOptions DatabaseOptions(const Machinery& machinery,
                                   std::shared_ptr<rocksdb::EventListener> listener) {
  rocksdb::DBOptions options;
  options.env = machinery.env;
  options.write_buffer_manager = machinery.write_buffers;
  options.listeners.push_back(std::move(listener));
  // The default drops acknowledged writes silently after damage in the middle of the log.
  options.wal_recovery_mode = rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords;
  options.paranoid_checks = true;
  options.max_open_files = kMaxOpenFiles;
  options.max_background_jobs = 2;
  // The log holds back until every family was flushed; bounds what a restart reads.
  options.max_total_wal_size = machinery.write_buffers->buffer_size();
  // Spreads the writing out to the disk, so that a flush by the system does not stall a commit.
  options.bytes_per_sync = kMiB;
  options.wal_bytes_per_sync = kMiB;
  // Only the writer writes, and inserting for one is cheaper. (Loading: the vector demands it.)
  options.allow_concurrent_memtable_write = false;
  // Ending a snapshot or a scan must not wait for files to be deleted.
  options.avoid_unnecessary_blocking_io = true;
  // What happens after an error is decided elsewhere: see Recovery.
  options.max_bgerror_resume_count = 0;
  // What costs time at start and nobody reads.
  options.skip_stats_update_on_db_open = true;
  options.stats_dump_period_sec = 0;
  options.stats_persist_period_sec = 0;
  options.info_log = std::make_shared<InfoLog>();
  return options;
}

std::vector<rocksdb::ColumnFamilyDescriptor> ColumnFamilies(const Machinery& machinery,
                                                            DatabaseUse use) {
  return {{rocksdb::kDefaultColumnFamilyName, MetaOptions(machinery, use)},
          {kEntriesFamily, EntriesOptions(machinery, use)},
          {kExpiryFamily, FamilyOptions(machinery, use)}};
}

}  // namespace tarn::storage::rocks
