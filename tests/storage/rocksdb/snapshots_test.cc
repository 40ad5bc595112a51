// Snapshots cost something, so they have limits; and the oldest scan's is the first to go.
#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/catch.h"
#include "tests/storage/rocksdb/fixture.h"

namespace tarn::testing {
namespace {

using storage::SnapshotPurpose;

class LimitedStore : public RocksStore {
 public:
  LimitedStore() {
    options.max_snapshots = 3;
    options.max_scan_snapshot_age = absl::Minutes(10);
    options.max_snapshot_bytes = 100'000;
    MustOpen();
    MustDo(Put("k", std::string(1'000, 'v')));
  }

  std::unique_ptr<storage::Snapshot> Open(SnapshotPurpose purpose) {
    return Value(engine().OpenSnapshot(purpose));
  }
  // "OK" or why it cannot be read any more.
  std::string State(storage::Snapshot& snapshot) {
    return Brief(Reader(snapshot, {kNs, "", ""}).Next({}, clock().Now()).status);
  }
  // Replaces so many times a thousand bytes.
  void Churn(int kilobytes) {
    for (int i = 0; i < kilobytes; ++i) MustDo(Put("k", std::string(1'000, 'v')));
  }
  // Lets the writer look after the limits.
  void Settle() {
    MustDo(Put("settle", "v"));
    MustDo(Delete("settle"));
  }
};

constexpr char kExpired[] = "ABORTED SNAPSHOT_EXPIRED";

TEST_CASE("At the limit of their number the oldest scan's snapshot makes room") {
  LimitedStore store;
  const auto checkpoint = store.Open(SnapshotPurpose::kCheckpoint);
  const auto first = store.Open(SnapshotPurpose::kScan);
  const auto second = store.Open(SnapshotPurpose::kScan);
  const auto third = store.Open(SnapshotPurpose::kScan);
  CHECK(store.State(*checkpoint) == "OK");
  CHECK(store.State(*first) == kExpired);
  CHECK(store.State(*second) == "OK");
  CHECK(store.State(*third) == "OK");
  CHECK(store.engine().Stats().snapshots == 3);
}

TEST_CASE("When only checkpoints' snapshots are open, no further one is") {
  LimitedStore store;
  std::vector<std::unique_ptr<storage::Snapshot>> open;
  for (int i = 0; i < 3; ++i) open.push_back(store.Open(SnapshotPurpose::kCheckpoint));
  for (const auto purpose : {SnapshotPurpose::kScan, SnapshotPurpose::kCheckpoint}) {
    CHECK(Brief(store.engine().OpenSnapshot(purpose)) == "RESOURCE_EXHAUSTED TOO_MANY_SNAPSHOTS");
  }
  open.pop_back();
  CHECK(store.engine().OpenSnapshot(SnapshotPurpose::kScan).ok());
}

TEST_CASE("A scan's snapshot ends when it is too old, a checkpoint's does not") {
  LimitedStore store;
  const auto checkpoint = store.Open(SnapshotPurpose::kCheckpoint);
  const auto old = store.Open(SnapshotPurpose::kScan);
  store.clock().Advance(9 * 60'000);
  const auto young = store.Open(SnapshotPurpose::kScan);
  store.Settle();
  CHECK(store.State(*old) == "OK");
  store.clock().Advance(2 * 60'000);
  store.Settle();
  CHECK(store.State(*old) == kExpired);
  CHECK(store.State(*young) == "OK");
  CHECK(store.State(*checkpoint) == "OK");
}

TEST_CASE("What snapshots keep is estimated, and ends with them") {
  LimitedStore store;
  CHECK(store.engine().Stats().snapshot_bytes == 0);
  const auto snapshot = store.Open(SnapshotPurpose::kScan);
  store.Churn(50);
  const uint64_t kept = store.engine().Stats().snapshot_bytes;
  CHECK(kept >= 50'000);
  CHECK(kept < 60'000);
  const_cast<std::unique_ptr<storage::Snapshot>&>(snapshot).reset();
  CHECK(store.engine().Stats().snapshot_bytes == 0);
}

TEST_CASE("Snapshots that keep too much end, scans' before a checkpoint's") {
  LimitedStore store;
  const auto checkpoint = store.Open(SnapshotPurpose::kCheckpoint);
  store.Churn(10);
  const auto scan = store.Open(SnapshotPurpose::kScan);
  store.Churn(60);
  CHECK(store.State(*scan) == "OK");
  store.Churn(60);
  store.Settle();
  CHECK(store.State(*scan) == kExpired);
  CHECK(store.State(*checkpoint) == kExpired);  // It alone keeps more than is allowed.
  CHECK(store.engine().Stats().snapshots == 0);
}

TEST_CASE("Ending the oldest scan's snapshot is enough when it is what keeps so much") {
  LimitedStore store;
  const auto old = store.Open(SnapshotPurpose::kScan);
  store.Churn(90);
  const auto checkpoint = store.Open(SnapshotPurpose::kCheckpoint);
  const auto young = store.Open(SnapshotPurpose::kScan);
  store.Churn(20);
  store.Settle();
  CHECK(store.State(*old) == kExpired);
  CHECK(store.State(*young) == "OK");
  CHECK(store.State(*checkpoint) == "OK");
}

TEST_CASE("A scan under way when its snapshot ends is told at its next page") {
  LimitedStore store;
  for (int i = 0; i < 10; ++i) store.MustDo(Put(absl::StrCat("key", i), "v"));
  const auto snapshot = store.Open(SnapshotPurpose::kScan);
  Reader reader(*snapshot, {kNs, "", ""});
  CHECK(reader.Next({3, 1'000'000}, store.clock().Now()).rows.size() == 3);
  store.clock().Advance(11 * 60'000);
  store.Settle();
  const PageCopy page = reader.Next({3, 1'000'000}, store.clock().Now());
  CHECK(Brief(page.status) == kExpired);
  CHECK(page.rows.empty());
}

TEST_CASE("A snapshot may end while pages of it are read, and its writes go on meanwhile") {
  RocksStore store;
  store.options.max_snapshots = 2;
  store.MustOpen();
  for (int i = 0; i < 500; ++i) store.MustDo(Put(absl::StrCat("key", i), "v"));
  const int rounds = static_cast<int>(Count(50, 2'000));
  std::atomic<int> wrong{0};
  InParallel(4, [&](int) {
    for (int i = 0; i < rounds; ++i) {
      const auto snapshot = store.engine().OpenSnapshot(SnapshotPurpose::kScan);
      if (!snapshot.ok()) continue;
      Reader reader(**snapshot, {kNs, "", ""});
      size_t rows = 0;
      while (true) {
        const PageCopy page = reader.Next({50, 1'000'000}, kStart);
        rows += page.rows.size();
        if (!page.status.ok()) {
          if (Brief(page.status) != kExpired) ++wrong;
          break;
        }
        if (!page.at_end) continue;
        if (rows != 500) ++wrong;
        break;
      }
    }
  });
  CHECK(wrong == 0);
  CHECK(store.engine().Stats().snapshots == 0);
}

TEST_CASE("A snapshot's revision is that of the newest commit it shows") {
  RocksStore store;
  store.MustOpen();
  const auto empty = Value(store.engine().OpenSnapshot(SnapshotPurpose::kScan));
  CHECK(empty->revision() == storage::FirstRevision(1));
  const Revision revision = store.Do(Put("k", "v")).revision;
  const auto snapshot = Value(store.engine().OpenSnapshot(SnapshotPurpose::kScan));
  CHECK(snapshot->revision() == revision);
  store.MustDo(Put("k", "w"));
  CHECK(snapshot->revision() == revision);
  CHECK(snapshot->as_of() == kStart);
}

TEST_CASE("A snapshot that was ended has no keys to split at") {
  LimitedStore store;
  const auto first = store.Open(SnapshotPurpose::kScan);
  std::vector<std::unique_ptr<storage::Snapshot>> others;
  for (int i = 0; i < 3; ++i) others.push_back(store.Open(SnapshotPurpose::kScan));
  CHECK(first->SplitKeys(kNs, 8).empty());
}

}  // namespace
}  // namespace tarn::testing
