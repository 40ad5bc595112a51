#include "storage/redis/ghosts.h"

#include "storage/redis/removal.h"

namespace tarn::storage::redis {

void Ghosts::Report(const Place& place) {
  if (core_.closing || *under_way_ >= kMaxUnderWay) return;
  ++*under_way_;
  RemoveUnseen(core_, place.partition, {place}, 0,
               [&core = core_, count = under_way_](const absl::StatusOr<uint64_t>& result) {
                 --*count;
                 if (result.ok()) core.counters.healed.fetch_add(1, std::memory_order_relaxed);
               });
}

}  // namespace tarn::storage::redis
