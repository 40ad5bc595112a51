// Snapshots of a cluster: exact, or ended by name, whatever happens to its nodes.
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "storage/redis/partition.h"
#include "tests/catch.h"
#include "tests/contract/language.h"
#include "tests/contract/subject.h"
#include "tests/storage/redis/support/exactness.h"
#include "tests/storage/redis/support/keyspace_engine.h"
#include "tests/storage/redis/support/redis_groups.h"
#include "tests/support/status.h"

namespace tarn::testing {
namespace {

using storage::SnapshotPurpose;
using storage::redis::Partition;
using storage::redis::PartitionSlot;

TEST_CASE("a range is merged over all nodes of a cluster, and a load is spread over them") {
  ClusterGroup cluster;
  KeyspaceEngine engine(cluster.url(), {});
  auto load = Value(engine.BeginBulkLoad());
  constexpr int kEntries = 3000;
  for (int i = 0; i < kEntries; i += 100) {
    std::vector<std::string> keys;
    for (int k = i; k < i + 100; ++k) keys.push_back(absl::StrCat(10000 + k));
    std::vector<storage::EntryView> entries;
    for (const std::string& key : keys) entries.push_back({kNs, 1, kNever, key, key});
    REQUIRE(load->Add(entries).ok());
  }
  REQUIRE(load->Publish({std::string(32, 'a'), 5}).ok());
  load.reset();
  auto snapshot = Value(engine.OpenSnapshot(SnapshotPurpose::kCheckpoint));
  CHECK(snapshot->SplitKeys(kNs, 4).size() == 3);
  const std::vector<Row> rows = ReadAll(*snapshot, engine.clock().Now());
  REQUIRE(rows.size() == kEntries);
  for (int i = 0; i < kEntries; ++i)
    REQUIRE(rows[static_cast<size_t>(i)].key == absl::StrCat(10000 + i));
}

TEST_CASE("snapshots are exact while slots move from node to node") {
  ClusterGroup cluster;
  KeyspaceEngine engine(cluster.url(), {});
  Findings findings;
  int moved = 0;
  Race(engine, Count(40, 500), findings, [&] {
    const uint16_t slot = PartitionSlot(static_cast<Partition>(moved++ * 7 % 256));
    const size_t from = cluster.OwnerOf(slot);
    cluster.MoveSlots({slot}, from, (from + 1) % 3);
  });
  CHECK(findings.FirstWrong().empty());
  CHECK(findings.unnamed.empty());
  CHECK(findings.seen.size() > 20);
}

// Nothing when the snapshot was ended.
std::optional<size_t> CountAll(storage::Snapshot& snapshot, UnixMs now) {
  Reader reader(snapshot, {kNs, "", ""});
  for (size_t count = 0;;) {
    const PageCopy page = reader.Next({1000, 1 << 20}, now);
    if (!page.status.ok()) return std::nullopt;
    count += page.rows.size();
    if (page.at_end) return count;
  }
}

TEST_CASE("a failover in a cluster ends the open snapshots by name, and later ones are kept") {
  ClusterGroup cluster;
  KeyspaceEngine engine(cluster.url(), {});
  for (int i = 0; i < 100; ++i) REQUIRE(Do(engine, Put(absl::StrCat(i), "v")).status.ok());
  auto snapshot = Value(engine.OpenSnapshot(SnapshotPurpose::kCheckpoint));
  cluster.Failover(3);
  cluster.AwaitSteady();
  // The first write that goes to the new primary finds out.
  for (int i = 0; i < 100; ++i) Do(engine, Put(absl::StrCat(i), "w")).status.IgnoreError();
  Reader reader(*snapshot, {kNs, "", ""});
  CHECK(Brief(reader.Next({}, engine.clock().Now()).status) == "ABORTED SNAPSHOT_EXPIRED");
  // The link hears of it once from a write and once more from the cluster: a snapshot that is
  // opened in between is ended, too, and opened again, as checkpoints are.
  AwaitThat("a later one is kept", [&] {
    const auto later = engine.OpenSnapshot(SnapshotPurpose::kCheckpoint);
    if (!later.ok()) return false;
    const std::optional<size_t> count = CountAll(**later, engine.clock().Now());
    if (count) CHECK(*count == 100);
    return count.has_value();
  });
}

}  // namespace
}  // namespace tarn::testing
