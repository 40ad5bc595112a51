// What an operator may choose about the Redis engine.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "storage/limits.h"
#include "storage/redis/layout.h"
#include "storage/redis/owner.h"
#include "storage/redis/snapshots.h"

namespace tarn::storage {

// Redis may drop entries when its memory is full, without a word.
enum class Eviction : uint8_t { kRefused, kAllowed };

struct RedisOptions {
  std::string url;  // See redis_url.h.
  std::string key_prefix{redis::kDefaultKeyPrefix};
  std::string password;  // In place of the URL's, when not empty.
  std::string ca_file;   // PEM. Empty: the system's authorities.
  std::string certificate_file;
  std::string key_file;
  int min_connections = 1;  // To each node.
  int max_connections = 2;
  Eviction eviction = Eviction::kRefused;
  redis::OwnerOptions owner;

  Limits limits;

  // Batches under way; beyond it they are refused (QUEUE_FULL).
  size_t max_queued_batches = 65'536;

  redis::SnapshotLimits snapshots;
};

}  // namespace tarn::storage
