// The bounds on what one request may ask for. Announced by GetServerInfo, enforced before anything
// is done.
#pragma once

#include <cstddef>
#include <cstdint>

namespace tarn::storage {

struct Limits {
  size_t max_key_bytes = 4 << 10;  // A key is an address, not data; every index holds it.
  size_t max_value_bytes =
      2 << 20;  // Leaves room for a request of one value within a stock client's 4 MiB.
  size_t max_batch_operations = 4096;  // Bounds how long a commit keeps others waiting.
  size_t max_request_bytes = 4 << 20;  // What a stock server accepts.
  size_t max_response_bytes =
      (4 << 20) - (64 << 10);             // What a stock client accepts, less room for framing.
  size_t max_scan_chunk_bytes = 1 << 20;  // Upper bound of what a scan's caller may choose.
  size_t default_scan_chunk_bytes =
      64 << 10;  // Small enough that point reads between two chunks do not feel it.
  size_t max_namespaces = 1024;
  size_t max_lock_name_bytes = 256;  // Of locks, holders, groups, members and lock requests.
  int64_t max_lock_ttl_ms = int64_t{3600} * 1000;  // A holder that died keeps others out so long.
  size_t max_locks = 100'000;                      // About 500 bytes of memory each.
  size_t max_lock_waiters = 20'000;                // Likewise.
  size_t max_lock_queue = 20'000;                  // Of one lock.
  size_t max_groups = 10'000;
  int64_t max_ttl_ms = int64_t{100} * 365 * 24 * 3600 *
                       1000;  // 100 years: what is longer is a mistake, or means never.
};

// What a response costs for each operation's result besides its value: an upper bound of the
// numbers and framing.
inline constexpr size_t kResultOverheadBytes = 64;

}  // namespace tarn::storage
