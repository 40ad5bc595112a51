// Groups of workers and their epochs.
#include "storage/locks/lock_table.h"
#include "tests/catch.h"
#include "tests/storage/locks/lock_subject.h"

namespace tarn::storage {
namespace {

using testing::Brief;
using testing::Value;

constexpr const char* kFenced = "FAILED_PRECONDITION FENCED";

TEST_CASE("each member that joins raises the epoch, and fences all earlier ones at once") {
  LockSubject s;
  CHECK(Brief(s.EnterGroup(1).status()) == kFenced);
  const Revision first = s.Join("w1").value();
  CHECK(s.EnterGroup(first).ok());
  const Revision second = s.Join("w2").value();
  CHECK(second > first);
  const absl::Status zombie = s.EnterGroup(first).status();
  CHECK(Brief(zombie) == kFenced);
  CHECK(std::string(zombie.message()).find("w2") != std::string::npos);
  CHECK(s.EnterGroup(second).ok());
  CHECK(s.table->Stats().joined == 2);
  CHECK(s.table->Stats().groups == 1);
}

TEST_CASE("joining waits for the writes under the earlier epoch, and lets no more of them in") {
  LockSubject s;
  const Revision first = s.Join("w1").value();
  auto pass = s.EnterGroup(first);
  auto second = s.Join("w2");
  CHECK(second.brief() == "-");
  CHECK(Brief(s.EnterGroup(first).status()) == kFenced);
  { const auto given_back = *std::move(pass); }
  REQUIRE(second.brief() == "OK");
  CHECK(s.EnterGroup(second.value()).ok());
}

TEST_CASE("many who join while a write is in flight get an epoch each") {
  LockSubject s;
  auto pass = s.EnterGroup(s.Join("w0").value());
  std::vector<Told<Revision>> joins;
  for (int i = 0; i < 5000; ++i) joins.push_back(s.Join("w"));
  { const auto given_back = *std::move(pass); }
  Revision last = 0;
  for (const auto& join : joins) {
    REQUIRE(join.brief() == "OK");
    CHECK(join.value() > last);
    last = join.value();
  }
  CHECK(s.EnterGroup(last).ok());
}

TEST_CASE("an epoch does not expire") {
  LockSubject s;
  const Revision epoch = s.Join("w").value();
  s.Pass(int64_t{1000} * 3600 * 24 * 365);
  CHECK(s.EnterGroup(epoch).ok());
}

TEST_CASE("epochs survive a restart") {
  LockSubject s;
  const Revision epoch = s.Join("w").value();
  s.boot.Reboot("boot-2");
  REQUIRE(s.Reopen().ok());
  CHECK(s.EnterGroup(epoch).ok());
  const GroupInfo info = Value(s.table->GetGroup("", "group"));
  CHECK(info.found);
  CHECK(info.epoch == epoch);
  CHECK(info.member == "w");
  CHECK(info.join_time == LockSubject::kStart);
}

TEST_CASE("a group and a lock of one name are two things") {
  LockSubject s;
  const Revision epoch = s.Join("w").value();
  CHECK(Brief(s.table->Enter("", {.lock = FencingToken{"group", epoch}}).status()) == kFenced);
  CHECK_FALSE(Value(s.table->GetLock("", "group")).held);
}

TEST_CASE("a write may be fenced by both a lock and a group") {
  LockSubject s;
  const Revision token = s.Get("a");
  const Revision epoch = s.Join("w").value();
  const WriteFence both{.lock = FencingToken{"lock", token}, .group = FencingToken{"group", epoch}};
  CHECK(s.table->Enter("", both).ok());
  const Revision later = s.Join("w").value();
  CHECK(Brief(s.table->Enter("", both).status()) == kFenced);
  CHECK(s.Release(token) == "OK");  // No pass of the refused one is left behind.
  const WriteFence stale{.lock = both.lock, .group = FencingToken{"group", later}};
  CHECK(Brief(s.table->Enter("", stale).status()) == kFenced);
}

TEST_CASE("a group that is deleted fences its epoch, and begins anew with a larger one") {
  LockSubject s;
  Told<bool> deleted;
  s.table->DeleteGroup("", "group", deleted.Callback());
  CHECK_FALSE(deleted.value());
  const Revision epoch = s.Join("w").value();
  s.table->DeleteGroup("", "group", deleted.Callback());
  CHECK(deleted.value());
  CHECK(Brief(s.EnterGroup(epoch).status()) == kFenced);
  CHECK_FALSE(Value(s.table->GetGroup("", "group")).found);
  CHECK(s.table->Stats().groups == 0);
  CHECK(s.Join("w").value() > epoch);
}

TEST_CASE("there are only so many groups") {
  Limits limits;
  limits.max_groups = 1;
  LockSubject s(limits);
  s.Join("w");
  Told<Revision> other;
  s.table->JoinGroup("", "other", "w", other.Callback());
  CHECK(other.brief() == "RESOURCE_EXHAUSTED TOO_MANY_GROUPS");
}

TEST_CASE("groups are listed by name") {
  LockSubject s;
  for (const char* name : {"b", "a"}) {
    Told<Revision> told;
    s.table->JoinGroup("", name, "w", told.Callback());
  }
  const auto groups = Value(s.table->ListGroups("", "", 10));
  REQUIRE(groups.size() == 2);
  CHECK(groups[0].name == "a");
  CHECK(groups[1].name == "b");
  CHECK(Value(s.table->ListGroups("", "a", 10)).size() == 1);
  CHECK(Value(s.table->ListLocks("", "", 10)).empty());
}

TEST_CASE("what no request of a group may hold is refused") {
  LockSubject s;
  const auto join = [&](const std::string& group, const std::string& member, const char* ns = "") {
    Told<Revision> told;
    s.table->JoinGroup(ns, group, member, told.Callback());
    return told.brief();
  };
  CHECK(join("", "w") == "INVALID_ARGUMENT INVALID_LOCK");
  CHECK(join("g", "") == "INVALID_ARGUMENT INVALID_LOCK");
  CHECK(join("g", "w", "No") == "INVALID_ARGUMENT INVALID_NAMESPACE_NAME");
  CHECK(Brief(s.table->GetGroup("", "")) == "INVALID_ARGUMENT INVALID_LOCK");
  CHECK(Brief(s.EnterGroup(0).status()) == "INVALID_ARGUMENT INVALID_LOCK");
  Told<bool> deleted;
  s.table->DeleteGroup("", "", deleted.Callback());
  CHECK(deleted.brief() == "INVALID_ARGUMENT INVALID_LOCK");
}

}  // namespace
}  // namespace tarn::storage
