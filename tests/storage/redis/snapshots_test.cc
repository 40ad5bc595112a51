// What snapshots remember of the writes after them, without Redis.
#include "storage/redis/snapshots.h"

#include <memory>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "storage/redis/layout.h"
#include "storage/redis/record.h"
#include "tests/catch.h"
#include "tests/support/status.h"

namespace tarn::storage::redis {
namespace {

using testing::Brief;

const MemberRange kAll{EncodeIndexMember({1, ""}), EncodeIndexMember({2, ""})};

// Writes to keys of namespace 1, as the engine would tell of them.
class Subject {
 public:
  explicit Subject(const SnapshotLimits& limits = {}) : registry(clock, writes, limits) {}

  // Sends a write, which is under way until Answer.
  Revision Send() { return writes.Begin(); }
  void Answer(Revision revision, const std::string& key, const std::string& replaced) {
    registry.OnReplaced({revision, 1, key, replaced});
    writes.End(revision);
  }
  // What it replaced is of that revision; 0: there was nothing.
  Revision Write(const std::string& key, Revision replaced) {
    const Revision revision = Send();
    if (replaced == 0) {
      registry.OnReplaced({revision, 1, key, std::nullopt});
    } else {
      registry.OnReplaced({revision, 1, key, EncodeRecord({replaced, base::kNever, "v"})});
    }
    writes.End(revision);
    return revision;
  }

  SnapshotRegistry::Store Now() const { return {1, writes.last()}; }

  SnapshotViewPtr Open(SnapshotPurpose purpose = SnapshotPurpose::kScan) {
    SnapshotViewPtr opened;
    registry.Open(purpose, Now(), [&](absl::StatusOr<SnapshotViewPtr> view) {
      opened = testing::Value(std::move(view));
    });
    return opened;
  }

  // "a:5 b:absent": the revisions of the images in the range.
  std::string Shown(const SnapshotViewPtr& view, const MemberRange& range = kAll) {
    std::string text;
    for (const auto& [member, image] : registry.ImagesOf(*view, range)) {
      absl::StrAppend(&text, text.empty() ? "" : " ", DecodeIndexMember(member)->key, ":");
      if (image) {
        absl::StrAppend(&text, CounterOf(DecodeRecord(*image)->revision));
      } else {
        absl::StrAppend(&text, "absent");
      }
    }
    return text;
  }

  base::ManualClock clock{1'000'000};
  WritesUnderWay writes;
  SnapshotRegistry registry;
};

TEST_CASE("the first that was replaced of a key is what a snapshot shows") {
  Subject subject;
  const Revision first = subject.Write("a", 0);
  const SnapshotViewPtr view = subject.Open();
  CHECK(view->identity().revision == first);
  const Revision second = subject.Write("a", first);
  subject.Write("a", second);
  subject.Write("b", 0);
  CHECK(subject.Shown(view) == "a:1 b:absent");
}

TEST_CASE("writes before a snapshot leave nothing in it, even when they are answered later") {
  Subject subject;
  const Revision before = subject.Send();
  SnapshotViewPtr view;
  subject.registry.Open(SnapshotPurpose::kScan, subject.Now(),
                        [&](absl::StatusOr<SnapshotViewPtr> opened) { view = *opened; });
  CHECK(view == nullptr);
  subject.registry.OnReplaced({before, 1, "a", std::nullopt});
  subject.writes.End(before);
  REQUIRE(view != nullptr);
  CHECK(subject.Shown(view).empty());
}

TEST_CASE("what was refused behind the newest commit does not count, once it is not under way") {
  Subject subject;
  const Revision committed = subject.Write("a", 0);
  const Revision refused = subject.Send();
  SnapshotViewPtr view;
  const auto open = [&] {
    subject.registry.Open(SnapshotPurpose::kScan, {1, committed},
                          [&](absl::StatusOr<SnapshotViewPtr> opened) { view = *opened; });
  };
  open();
  subject.writes.End(refused);
  CHECK(view->identity().revision == refused);
  open();
  CHECK(view->identity().revision == committed);
  subject.Write("a", committed);
  CHECK(subject.Shown(view) == "a:1");
}

TEST_CASE("a snapshot before the first write of an incarnation has the newest revision there is") {
  Subject subject;
  SnapshotViewPtr view;
  subject.registry.Open(SnapshotPurpose::kScan, {1, 1000},
                        [&](absl::StatusOr<SnapshotViewPtr> opened) { view = *opened; });
  REQUIRE(view != nullptr);
  CHECK(view->identity().revision == 1000);
}

TEST_CASE("an older snapshot shows what newer ones keep, as far as it has nothing older") {
  Subject subject;
  const Revision a1 = subject.Write("a", 0);
  const Revision b1 = subject.Write("b", 0);
  const SnapshotViewPtr old = subject.Open();
  const Revision a2 = subject.Write("a", a1);
  const SnapshotViewPtr young = subject.Open();
  subject.Write("a", a2);
  subject.Write("b", b1);
  CHECK(subject.Shown(old) == "a:1 b:2");
  CHECK(subject.Shown(young) == "a:3 b:2");
  SECTION("also when the newer one is closed first") {
    subject.registry.Close(young);
    CHECK(subject.Shown(old) == "a:1 b:2");
  }
  SECTION("and the newer one's stays when the older one is closed") {
    subject.registry.Close(old);
    CHECK(subject.Shown(young) == "a:3 b:2");
  }
}

TEST_CASE("without snapshots nothing is wanted and nothing kept") {
  Subject subject;
  CHECK_FALSE(subject.registry.WantsReplaced());
  SnapshotViewPtr view = subject.Open();
  CHECK(subject.registry.WantsReplaced());
  subject.Write("a", 0);
  CHECK(subject.registry.kept_bytes() > 0);
  subject.registry.Close(view);
  CHECK_FALSE(subject.registry.WantsReplaced());
  CHECK(subject.registry.kept_bytes() == 0);
}

TEST_CASE("what was replaced and is not known ends the snapshots that it concerns, and no others") {
  Subject subject;
  const SnapshotViewPtr before = subject.Open();
  const Revision lost = subject.Send();
  SnapshotViewPtr after;
  subject.registry.Open(SnapshotPurpose::kScan, subject.Now(),
                        [&](absl::StatusOr<SnapshotViewPtr> opened) { after = *opened; });
  subject.registry.OnReplacedLost(lost, absl::UnknownError("lost"));
  subject.writes.End(lost);
  CHECK(Brief(before->status()) == "ABORTED SNAPSHOT_EXPIRED");
  REQUIRE(after != nullptr);
  CHECK(Brief(after->status()) == "OK");
}

TEST_CASE("a write that told nothing is noticed by the next one of its key") {
  Subject subject;
  const Revision first = subject.Write("a", 0);
  const SnapshotViewPtr view = subject.Open();
  const Revision silent = subject.Send();
  subject.writes.End(silent);
  CHECK(Brief(view->status()) == "OK");
  subject.Write("a", silent);
  CHECK(Brief(view->status()) == "ABORTED SNAPSHOT_EXPIRED");
  CHECK(first < silent);
}

TEST_CASE("another process in the place of Redis ends every snapshot, one that waits included") {
  Subject subject;
  const SnapshotViewPtr open = subject.Open();
  const Revision under_way = subject.Send();
  std::string waiting;
  subject.registry.Open(
      SnapshotPurpose::kCheckpoint, subject.Now(),
      [&](const absl::StatusOr<SnapshotViewPtr>& view) { waiting = Brief(view); });
  subject.registry.OnNodeChanged(absl::UnavailableError("started anew"));
  subject.writes.End(under_way);
  CHECK(Brief(open->status()) == "ABORTED SNAPSHOT_EXPIRED");
  CHECK(waiting == "ABORTED SNAPSHOT_EXPIRED");
}

TEST_CASE(
    "at the limit of bytes the oldest scan's ends, and a checkpoint's only when there is none") {
  Subject subject({.max_bytes = 1000});
  const SnapshotViewPtr checkpoint = subject.Open(SnapshotPurpose::kCheckpoint);
  const SnapshotViewPtr scan = subject.Open(SnapshotPurpose::kScan);
  int written = 0;
  const auto write_until_ended = [&](const SnapshotViewPtr& view) {
    while (view->status().ok() && ++written < 100) subject.Write(absl::StrCat(written), 0);
  };
  write_until_ended(scan);
  CHECK(Brief(scan->status()) == "ABORTED SNAPSHOT_EXPIRED");
  write_until_ended(checkpoint);
  CHECK(Brief(checkpoint->status()) == "ABORTED SNAPSHOT_EXPIRED");
  CHECK(subject.registry.kept_bytes() == 0);
}

TEST_CASE("as many snapshots as allowed: the oldest scan's makes room, a checkpoint's does not") {
  Subject subject({.max_open = 2});
  const SnapshotViewPtr scan = subject.Open(SnapshotPurpose::kScan);
  const SnapshotViewPtr first = subject.Open(SnapshotPurpose::kCheckpoint);
  const SnapshotViewPtr second = subject.Open(SnapshotPurpose::kCheckpoint);
  CHECK(Brief(scan->status()) == "ABORTED SNAPSHOT_EXPIRED");
  std::string refused;
  subject.registry.Open(
      SnapshotPurpose::kScan, subject.Now(),
      [&](const absl::StatusOr<SnapshotViewPtr>& view) { refused = Brief(view); });
  CHECK(refused == "RESOURCE_EXHAUSTED TOO_MANY_SNAPSHOTS");
}

TEST_CASE("a snapshot ends before Redis itself removes what has expired in it") {
  Subject subject;
  const SnapshotViewPtr view = subject.Open(SnapshotPurpose::kCheckpoint);
  subject.clock.Advance(absl::ToInt64Milliseconds(SnapshotLimits().max_age));
  subject.registry.Enforce();
  CHECK(Brief(view->status()) == "OK");
  subject.clock.Advance(1);
  subject.registry.Enforce();
  CHECK(Brief(view->status()) == "ABORTED SNAPSHOT_EXPIRED");
  CHECK(absl::ToInt64Milliseconds(SnapshotLimits().max_age) < kGarbageDelayMs);
}

TEST_CASE("what a snapshot has passed is not kept for it alone") {
  Subject subject;
  const SnapshotViewPtr view = subject.Open();
  subject.Write("b", 0);
  subject.Write("x", 0);
  subject.registry.Pass(*view, {kAll.lower, EncodeIndexMember({1, "g"})});
  CHECK(subject.Shown(view) == "x:absent");
  subject.Write("c", 0);
  subject.Write("y", 0);
  CHECK(subject.Shown(view) == "x:absent y:absent");
  subject.registry.Pass(*view, {EncodeIndexMember({1, "g"}), EncodeIndexMember({1, "y"})});
  subject.Write("h", 0);
  CHECK(subject.Shown(view) == "y:absent");
  SECTION("but for others that need it") {
    const SnapshotViewPtr other = subject.Open();
    subject.Write("d", 0);
    subject.registry.Pass(*other, kAll);
    CHECK(subject.Shown(other) == "d:absent");
  }
}

TEST_CASE("sweeping stops at what the oldest snapshot shows") {
  Subject subject;
  CHECK(subject.registry.SweepBound() > subject.clock.Now());
  const SnapshotViewPtr view = subject.Open();
  subject.clock.Advance(10);
  const SnapshotViewPtr later = subject.Open();
  CHECK(subject.registry.SweepBound() == 1'000'000);
  subject.registry.Close(view);
  CHECK(subject.registry.SweepBound() == 1'000'010);
}

}  // namespace
}  // namespace tarn::storage::redis
