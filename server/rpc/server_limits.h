// The bounds that only the server knows. Those of storage are in storage/limits.h; GetServerInfo
// announces both.
#pragma once

#include <cstddef>
#include <cstdint>

namespace tarn::server {

struct ServerLimits {
  size_t scan_chunk_bytes =
      256 << 10;  // Large enough that a message costs little, small enough for point reads between.
  size_t max_pipeline_batches = 64;  // Of one stream, unanswered. 16 already fill a connection.
  size_t max_pipeline_bytes =
      16 << 20;  // Of one stream: requests unanswered, and as many of answers not yet sent.
  size_t max_page_size = 1000;            // Elements of a list in one answer.
  int64_t snapshot_lifetime_ms = 60'000;  // What the Store was opened with.
  size_t max_snapshots = 128;             // Likewise.
  size_t max_concurrent_streams =
      2048;  // Calls under way on one connection; libtarn keeps to far fewer.
  size_t max_metadata_bytes = 16 << 10;  // Of one call's headers.
};

}  // namespace tarn::server
