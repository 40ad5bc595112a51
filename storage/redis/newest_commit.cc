#include "storage/redis/newest_commit.h"

#include <algorithm>

namespace tarn::storage::redis {
namespace {

// A revision that was told in this incarnation is of a commit whose entry is there, or is noted as
// removed. Before that the content may have been replaced by a restore.
bool HasLost(const Content& content, Incarnation incarnation, Revision told) {
  return told > content.newest && IncarnationOf(told) == incarnation && CounterOf(told) > 0 &&
         !content.collected;
}

}  // namespace

NewestCommit JudgeNewest(const Content& content, Incarnation incarnation,
                         const std::optional<Heartbeat>& before) {
  const Revision told = before ? before->revision : 0;
  const bool told_all = before && before->state == Heartbeat::State::kReleased;
  NewestCommit newest;
  newest.revision = std::max({content.newest, told, FirstRevision(incarnation)});
  if (content.collected && !told_all) {
    newest.revision = std::max(newest.revision, FirstRevision(incarnation + 1) - 1);
  }
  if (HasLost(content, incarnation, told)) newest.lost = told;
  return newest;
}

}  // namespace tarn::storage::redis
