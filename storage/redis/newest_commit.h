// Which commit of a store that is opened was the newest.
#pragma once

#include <optional>

#include "storage/redis/store_records.h"
#include "storage/redis/usage_count.h"
#include "storage/revision.h"

namespace tarn::storage::redis {

struct NewestCommit {
  // Never too low. Exact, but where the owner before had no time to say what the newest was, and
  // Redis has collected entries since: then the highest that it may have been. The first of its
  // incarnation when nothing was committed in that.
  Revision revision = 0;
  // Set when Redis has forgotten what it had acknowledged up to there.
  std::optional<Revision> lost;
};

// `incarnation` is the last one that began, 0 when none did. `before` is what the owner before said
// last, if anything.
NewestCommit JudgeNewest(const Content& content, Incarnation incarnation,
                         const std::optional<Heartbeat>& before);

}  // namespace tarn::storage::redis
