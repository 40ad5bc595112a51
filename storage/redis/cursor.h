// Walks a range of a snapshot: pages out of stretches that were read from Redis.
#pragma once

#include <memory>

#include "storage/base/executor.h"
#include "storage/redis/chunk_reader.h"
#include "storage/snapshot.h"

namespace tarn::storage::redis {

// See storage/snapshot.h for threads and lifetime. What has been read is given out on the caller's
// thread; what has not, on the loop's, or in the executor when there is one: whoever writes a
// checkpoint does much with a page.
class RedisCursor final : public Cursor {
 public:
  // A caller that asks for the next page from within the completion of the one before goes deeper
  // with every page that is answered at once. So one in so many is not.
  static constexpr int kMaxPagesAtOnce = 32;

  // `executor` may be null. Both outlive it.
  RedisCursor(Core& core, base::Executor* executor, std::shared_ptr<ChunkReader> reader,
              SnapshotViewPtr view);

  void Next(const PageBudget& budget, base::UnixMs now, PageCompletion done) override;

 private:
  class State;

  const std::shared_ptr<State> state_;
};

}  // namespace tarn::storage::redis
