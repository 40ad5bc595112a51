#include "storage/redis/newest_commit.h"

#include "tests/catch.h"

namespace tarn::storage::redis {
namespace {

Content Holding(Revision newest, bool collected) {
  Content content;
  content.newest = newest;
  content.collected = collected;
  return content;
}

Heartbeat Saying(Revision revision, Heartbeat::State state = Heartbeat::State::kAlive) {
  return {state, 1, 1, revision, "holder", ""};
}

TEST_CASE("the newest commit is the newest that is there or was told, never less") {
  const Revision first = FirstRevision(3);
  CHECK(JudgeNewest({}, 0, {}).revision == 0);
  CHECK(JudgeNewest(Holding(first + 5, false), 3, {}).revision == first + 5);
  CHECK(JudgeNewest(Holding(first + 5, false), 3, Saying(first + 4)).revision == first + 5);
  CHECK(JudgeNewest(Holding(first + 5, false), 3, Saying(first + 6)).revision == first + 6);
  // Nothing was committed since the incarnation began.
  CHECK(JudgeNewest(Holding(7, false), 3, {}).revision == first);
}

TEST_CASE("where something was collected, only the owner's last word says which was the newest") {
  const Revision first = FirstRevision(3);
  CHECK(JudgeNewest(Holding(first + 5, true), 3, {}).revision == FirstRevision(4) - 1);
  CHECK(JudgeNewest(Holding(first + 5, true), 3, Saying(first + 9)).revision ==
        FirstRevision(4) - 1);
  const Heartbeat last_word = Saying(first + 9, Heartbeat::State::kReleased);
  CHECK(JudgeNewest(Holding(first + 5, true), 3, last_word).revision == first + 9);
}

TEST_CASE("a commit that was told and is not there was lost") {
  const Revision first = FirstRevision(3);
  CHECK(JudgeNewest(Holding(first + 5, false), 3, Saying(first + 6)).lost == first + 6);
  CHECK_FALSE(JudgeNewest(Holding(first + 5, false), 3, Saying(first + 5)).lost);
  CHECK_FALSE(JudgeNewest(Holding(first + 5, false), 3, Saying(first + 4)).lost);
  // It may be what was collected.
  CHECK_FALSE(JudgeNewest(Holding(first + 5, true), 3, Saying(first + 6)).lost);
  // It was told before a restore replaced the content, or is no commit but a beginning.
  CHECK_FALSE(JudgeNewest(Holding(7, false), 3, Saying(FirstRevision(2) + 9)).lost);
  CHECK_FALSE(JudgeNewest(Holding(7, false), 3, Saying(first)).lost);
}

}  // namespace
}  // namespace tarn::storage::redis
