// What an operator may choose: the values that the rest of the daemon is built from.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "checkpoint/compression.h"
#include "checkpoint/start_decision.h"
#include "storage/base/logging.h"

namespace tarn::server {

enum class EngineKind : uint8_t { kRocksDb, kMemory, kRedis };
enum class DurabilityChoice : uint8_t { kOs, kDisk };
enum class NamespaceCreationChoice : uint8_t { kOnFirstWrite, kExplicit };
enum class Switch : uint8_t { kOff, kOn };

// The defaults are those of --help. See option_table.cc for what each means and which values it may
// have.
struct Options {
  EngineKind engine = EngineKind::kRocksDb;
  std::string data_dir;       // Depends on the environment: see DefaultDataDir.
  uint64_t memory_limit = 0;  // Depends on the machine: see DefaultMemoryLimit.
  uint64_t rocksdb_memory = 512 << 20;
  DurabilityChoice durability = DurabilityChoice::kOs;
  std::string redis_url = "redis://127.0.0.1:6379";
  std::string redis_key_prefix = "tarn";
  uint64_t redis_pool_min = 1;
  uint64_t redis_pool_max = 2;
  std::string redis_ca;
  std::string redis_cert;
  std::string redis_key;
  std::string redis_password_file;
  Switch redis_allow_eviction = Switch::kOff;
  Switch take_over = Switch::kOff;
  NamespaceCreationChoice namespace_creation = NamespaceCreationChoice::kOnFirstWrite;

  std::string checkpoint_dir;  // Below the data directory, unless it is given.
  absl::Duration checkpoint_interval = absl::Seconds(10);  // Zero: none by themselves.
  checkpoint::Compression checkpoint_codec;
  uint64_t checkpoint_threads = 2;
  uint64_t checkpoint_retain = 10;
  uint64_t checkpoint_retain_hourly = 24;
  uint64_t checkpoint_retain_daily = 7;
  uint64_t checkpoint_retain_size = 0;  // 0: no limit.
  checkpoint::RestorePolicy restore_on_start = checkpoint::RestorePolicy::kIfEmpty;
  Switch discard_newer = Switch::kOff;
  Switch allow_empty_start = Switch::kOff;

  std::string listen = "127.0.0.1:8276";
  std::string http_listen = "127.0.0.1:8277";
  Switch insecure_listen = Switch::kOff;
  Switch insecure_http_listen = Switch::kOff;
  std::string tls_cert;
  std::string tls_key;
  std::string tls_client_ca;
  std::vector<std::string> admin_names;
  absl::Duration drain_timeout = absl::Seconds(10);
  std::string address_file;

  uint64_t max_key_size = 4 << 10;
  uint64_t max_value_size = 2 << 20;
  uint64_t max_batch_operations = 4096;
  uint64_t max_namespaces = 1024;
  uint64_t max_scans = 128;
  absl::Duration scan_lifetime = absl::Seconds(60);
  uint64_t scan_chunk = 256 << 10;
  uint64_t max_pipeline_batches = 64;
  uint64_t max_pipeline_size = 16 << 20;
  uint64_t max_concurrent_calls = 2048;
  absl::Duration max_lock_ttl = absl::Hours(1);
  uint64_t max_locks = 100'000;
  uint64_t max_lock_waiters = 20'000;
  uint64_t max_groups = 10'000;
  uint64_t max_receipts_size = 256 << 20;
  uint64_t max_clients = 4096;

  base::LogLevel log_level = base::LogLevel::kInfo;
  base::LogFormat log_format = base::LogFormat::kText;
};

}  // namespace tarn::server
