#include "checkpoint/retention.h"

#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tests/catch.h"
#include "tests/support/status.h"

namespace tarn::checkpoint {
namespace {

using testing::Brief;

constexpr int64_t kMinute = 60'000;
constexpr int64_t kHour = 60 * kMinute;
constexpr int64_t kDay = 24 * kHour;
// Noon of some day.
constexpr base::UnixMs kNow = 19'000 * kDay + 12 * kHour;

CheckpointInfo At(uint64_t sequence, int64_t age, storage::Incarnation incarnation = 1) {
  CheckpointInfo info;
  info.id.number = {incarnation, sequence};
  info.file_bytes = 100;
  info.header.create_time = kNow - age;
  return info;
}

CheckpointInfo Pinned(CheckpointInfo info) {
  info.pin = Pin{.reason = "mine"};
  return info;
}
CheckpointInfo With(Health health, CheckpointInfo info) {
  info.health = health;
  return info;
}
CheckpointInfo Foreign(CheckpointInfo info) {
  info.id.other_store = std::string(32, 'b');
  return info;
}
CheckpointInfo OfBytes(uint64_t bytes, CheckpointInfo info) {
  info.file_bytes = bytes;
  return info;
}

// "newest, hourly", and "-" and the reason for what is deleted; in the order of the list.
std::vector<std::string> Judge(const std::vector<CheckpointInfo>& infos,
                               const RetentionPolicy& policy) {
  std::vector<std::string> texts;
  for (const RetentionVerdict& verdict : JudgeRetention(infos, policy, kNow))
    texts.push_back(absl::StrCat(verdict.fate == Fate::kDelete ? "- " : "", verdict.why));
  return texts;
}

using Texts = std::vector<std::string>;
constexpr RetentionPolicy kNewestTwo{.newest = 2, .hours = 0, .days = 0};

TEST_CASE("nothing is judged where there is nothing") { CHECK(Judge({}, {}).empty()); }

TEST_CASE("the newest ones are kept, and older ones go") {
  CHECK(Judge({At(1, 40), At(2, 30), At(3, 20), At(4, 10)}, kNewestTwo) ==
        Texts{"- no rule keeps it", "- no rule keeps it", "newest", "newest"});
}

TEST_CASE("the order is that of numbers, not of times") {
  CHECK(Judge({At(1, 10), At(2, 20), At(1, 40, 2), At(2, 30, 2)}, kNewestTwo) ==
        Texts{"- no rule keeps it", "- no rule keeps it", "newest", "newest"});
}

TEST_CASE("the last one of each hour is kept for a day") {
  const RetentionPolicy policy{.newest = 1, .hours = 24, .days = 0};
  CHECK(Judge({At(1, 24 * kHour), At(2, 24 * kHour - 1), At(3, 2 * kHour), At(4, kHour + 1),
               At(5, kHour), At(6, 1), At(7, 0)},
              policy) == Texts{"- no rule keeps it", "hourly", "- no rule keeps it", "hourly",
                               "- no rule keeps it", "hourly", "newest, hourly"});
}

TEST_CASE("the last one of each day is kept for a week") {
  const RetentionPolicy policy{.newest = 1, .hours = 0, .days = 7};
  CHECK(Judge({At(1, 7 * kDay), At(2, 7 * kDay - 1), At(3, 6 * kDay), At(4, kDay),
               At(5, 13 * kHour), At(6, 1), At(7, 0)},
              policy) == Texts{"- no rule keeps it", "daily", "daily", "- no rule keeps it",
                               "daily", "- no rule keeps it", "newest, daily"});
}

TEST_CASE("a pinned one is kept, and its reason is told") {
  CHECK(Judge({Pinned(At(1, 40)), At(2, 30), At(3, 20), Pinned(At(4, 10))}, kNewestTwo) ==
        Texts{"pinned: mine", "- no rule keeps it", "newest", "pinned: mine, newest"});
}

TEST_CASE("the only valid one is kept whatever the rules are, and damaged ones do not count") {
  CHECK(Judge({At(1, 100 * kDay)}, {.newest = 0, .hours = 0, .days = 0}) == Texts{"last valid"});
  CHECK(Judge({At(1, 30), With(Health::kDamaged, At(2, 20)), With(Health::kDamaged, At(3, 10))},
              {.newest = 1, .hours = 0, .days = 0}) == Texts{"newest, last valid",
                                                             "damaged, left to be looked at",
                                                             "damaged, left to be looked at"});
}

TEST_CASE("what cannot be judged is kept, and takes nobody's place") {
  CHECK(Judge({At(1, 50), At(2, 40), At(3, 30), With(Health::kUnreadable, At(4, 20)),
               With(Health::kNewerFormat, At(5, 10)), With(Health::kOtherStore, At(6, 5)),
               Foreign(At(1, 0, 900))},
              kNewestTwo) == Texts{"- no rule keeps it", "newest", "newest", "cannot be judged",
                                   "cannot be judged", "cannot be judged",
                                   "imported from another store"});
}

TEST_CASE("a run that restored nothing deletes nothing of earlier incarnations") {
  RetentionPolicy policy{.newest = 1, .hours = 0, .days = 0, .protect_before = 3};
  const std::vector<CheckpointInfo> infos = {At(1, 60, 1), At(1, 50, 2), At(2, 40, 2),
                                             At(1, 30, 3), At(2, 20, 3), At(3, 10, 3)};
  const std::string earlier = "earlier incarnation, nothing was restored";
  CHECK(Judge(infos, policy) ==
        Texts{earlier, earlier, earlier, "- no rule keeps it", "- no rule keeps it", "newest"});
  policy.max_bytes = 1;
  CHECK(Judge(infos, policy) ==
        Texts{earlier, earlier, earlier, "- no rule keeps it", "- no rule keeps it", "newest"});
  policy.protect_before = 0;
  CHECK(Judge(infos, policy) == Texts{"- no rule keeps it", "- no rule keeps it",
                                      "- no rule keeps it", "- no rule keeps it",
                                      "- no rule keeps it", "newest"});
}

TEST_CASE("at the byte limit the oldest go first, but never what is pinned, and never the last") {
  const RetentionPolicy policy{.newest = 10, .hours = 0, .days = 0, .max_bytes = 250};
  const std::string over = "- over the byte limit";
  CHECK(Judge({At(1, 40), At(2, 30), At(3, 20), At(4, 10)}, policy) ==
        Texts{over, over, "newest", "newest"});
  CHECK(Judge({Pinned(At(1, 40)), At(2, 30), At(3, 20), At(4, 10)}, policy) ==
        Texts{"pinned: mine, newest", over, over, "newest"});
  CHECK(Judge({OfBytes(10, At(1, 40)), OfBytes(1000, At(2, 30))}, policy) == Texts{over, "newest"});
  CHECK(Judge({OfBytes(1000, At(1, 40))}, policy) == Texts{"newest, last valid"});
  CHECK(Judge({At(1, 40), At(2, 30)}, policy) == Texts{"newest", "newest"});
}

TEST_CASE("damaged ones are the first to go when bytes are short") {
  const RetentionPolicy policy{.newest = 10, .hours = 0, .days = 0, .max_bytes = 250};
  CHECK(Judge({At(1, 40), With(Health::kDamaged, At(2, 30)), At(3, 20)}, policy) ==
        Texts{"newest", "- over the byte limit", "newest"});
}

TEST_CASE("checkpoints dated in the future are kept, but not for ever in numbers") {
  std::vector<CheckpointInfo> infos;
  for (uint64_t i = 0; i < 100; ++i) infos.push_back(At(i + 1, -static_cast<int64_t>(i) * kDay));
  const Texts texts = Judge(infos, {.newest = 2});
  CHECK(std::count_if(texts.begin(), texts.end(),
                      [](const std::string& text) { return text[0] != '-'; }) == 24);
}

TEST_CASE("a policy that keeps nothing is refused") {
  CHECK(Brief(CheckRetentionPolicy({})) == "OK");
  CHECK(Brief(CheckRetentionPolicy({.newest = 0})) == "INVALID_ARGUMENT INVALID_REQUEST");
}

// --- properties ---

std::vector<CheckpointInfo> RandomCatalog(std::mt19937& random) {
  std::map<CheckpointId, CheckpointInfo> infos;
  const size_t count = random() % 60;
  for (size_t i = 0; i < count; ++i) {
    CheckpointInfo info =
        At(random() % 1000, static_cast<int64_t>(random() % (9 * kDay)) - kHour, 1 + random() % 4);
    info.file_bytes = random() % 1000;
    if (random() % 8 == 0) info = Pinned(info);
    if (random() % 8 == 0) info.health = static_cast<Health>(random() % 5);
    if (random() % 12 == 0) info = Foreign(info);
    infos[info.id] = info;
  }
  std::vector<CheckpointInfo> list;
  for (const auto& [id, info] : infos) list.push_back(info);
  return list;
}

RetentionPolicy RandomPolicy(std::mt19937& random) {
  return {.newest = 1 + random() % 12,
          .hours = random() % 25,
          .days = random() % 8,
          .max_bytes = random() % 2 == 0 ? 0 : random() % 20'000,
          .protect_before = random() % 2 == 0 ? 0 : random() % 5};
}

bool Counts(const CheckpointInfo& info) {
  return info.id.other_store.empty() && info.health == Health::kIntact;
}

TEST_CASE(
    "whatever there is and whatever is asked, what must be kept is kept, and no more than "
    "allowed") {
  std::mt19937 random(testing::Seed());
  for (int round = 0; round < 3000; ++round) {
    const std::vector<CheckpointInfo> infos = RandomCatalog(random);
    const RetentionPolicy policy = RandomPolicy(random);
    const auto verdicts = JudgeRetention(infos, policy, kNow);
    REQUIRE(verdicts.size() == infos.size());
    const CheckpointInfo* newest = nullptr;
    uint64_t kept_bytes = 0;
    uint64_t may_go = 0;
    size_t unprotected = 0;
    for (size_t i = 0; i < infos.size(); ++i) {
      REQUIRE(verdicts[i].id == infos[i].id);
      REQUIRE_FALSE(verdicts[i].why.empty());
      if (Counts(infos[i])) newest = &infos[i];
    }
    for (size_t i = 0; i < infos.size(); ++i) {
      const CheckpointInfo& info = infos[i];
      const bool kept = verdicts[i].fate == Fate::kKeep;
      const bool protected_ = info.pin || !info.id.other_store.empty() ||
                              info.id.number.incarnation < policy.protect_before ||
                              &info == newest ||
                              (info.health != Health::kIntact && info.health != Health::kDamaged);
      if (protected_) REQUIRE(kept);
      if (kept) kept_bytes += info.file_bytes;
      if (kept && !protected_) {
        ++may_go;
        if (info.health == Health::kIntact) ++unprotected;
      }
    }
    if (policy.max_bytes != 0 && kept_bytes > policy.max_bytes) REQUIRE(may_go == 0);
    REQUIRE(unprotected <= policy.newest + policy.hours + policy.days);
  }
}

TEST_CASE("judging again what was kept deletes nothing more") {
  std::mt19937 random(testing::Seed());
  for (int round = 0; round < 1000; ++round) {
    const std::vector<CheckpointInfo> infos = RandomCatalog(random);
    const RetentionPolicy policy = RandomPolicy(random);
    std::vector<CheckpointInfo> kept;
    const auto verdicts = JudgeRetention(infos, policy, kNow);
    for (size_t i = 0; i < infos.size(); ++i) {
      if (verdicts[i].fate == Fate::kKeep) kept.push_back(infos[i]);
    }
    for (const RetentionVerdict& verdict : JudgeRetention(kept, policy, kNow))
      REQUIRE(verdict.fate == Fate::kKeep);
  }
}

TEST_CASE(
    "a checkpoint every 10 seconds for nine days leaves one an hour for a day and one a day for a "
    "week") {
  std::vector<CheckpointInfo> kept;
  uint64_t sequence = 0;
  base::UnixMs now = kNow;
  // In steps of ten minutes, which is what retention looks like from further away.
  for (; now < kNow + 9 * kDay; now += 10 * kMinute) {
    CheckpointInfo info = At(++sequence, 0);
    info.header.create_time = now;
    kept.push_back(info);
    const auto verdicts = JudgeRetention(kept, {}, now);
    std::vector<CheckpointInfo> next;
    for (size_t i = 0; i < kept.size(); ++i) {
      if (verdicts[i].fate == Fate::kKeep) next.push_back(kept[i]);
    }
    kept = std::move(next);
  }
  now -= 10 * kMinute;
  // At any moment of the last day there is one at most an hour older; of the last week, a day.
  const auto gap_before = [&](base::UnixMs moment) {
    base::UnixMs best = 0;
    for (const CheckpointInfo& info : kept) {
      if (info.header.create_time <= moment) best = std::max(best, info.header.create_time);
    }
    return moment - best;
  };
  for (int64_t age = 0; age < 22 * kHour; age += kMinute) REQUIRE(gap_before(now - age) <= kHour);
  for (int64_t age = 0; age < 5 * kDay; age += kHour) REQUIRE(gap_before(now - age) <= kDay);
  CHECK(kept.size() <= 10 + 24 + 7);
  CHECK(kept.size() >= 10 + 20 + 5);
}

}  // namespace
}  // namespace tarn::checkpoint
