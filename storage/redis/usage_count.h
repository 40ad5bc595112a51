// Counts what a store holds.
#pragma once

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "storage/base/clock.h"
#include "storage/redis/asking.h"
#include "storage/redis/layout.h"
#include "storage/revision.h"
#include "storage/usage.h"

namespace tarn::storage::redis {

struct Content {
  absl::flat_hash_map<NamespaceId, Usage> usage;
  Revision newest = 0;  // Of all entries, and of all that were removed.
  // Redis has collected something as garbage, so `newest` may be too low.
  bool collected = false;
};

// Walks through the indexes of a generation and asks for the size and the header of each entry:
// about a second for a third of a million. Nothing may be written meanwhile.
absl::StatusOr<Content> CountContent(Asking& asking, const Layout& layout, Generation generation,
                                     base::UnixMs now);

}  // namespace tarn::storage::redis
