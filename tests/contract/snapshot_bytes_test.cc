// The bound on what is kept only because snapshots need it. Not linked for the reference engine,
// which keeps everything.
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "tests/catch.h"
#include "tests/contract/subject.h"

namespace tarn::testing {
namespace {

using storage::SnapshotPurpose;

constexpr int kEntries = 200;
constexpr size_t kValueBytes = 100'000;

EngineSetup WithSnapshotBytes(uint64_t bytes) {
  EngineSetup setup;
  setup.max_snapshot_bytes = bytes;
  return setup;
}

// Writes twenty megabytes, replacing what is there.
void WriteAll(Subject& subject, char content) {
  for (int i = 0; i < kEntries; ++i) {
    REQUIRE(Why(subject.Do(Put(absl::StrCat("k", i), std::string(kValueBytes, content)))) == "OK");
  }
  REQUIRE(Why(subject.Do(Put("last", "v"))) == "OK");  // By now the engine has noticed.
}

std::string Outcome(storage::Snapshot& snapshot) {
  Reader reader(snapshot, {kNs, "", ""});
  return Why(reader.Next({1, 1}, snapshot.as_of()).status);
}

TEST_CASE("Snapshots that keep too much end, scans before checkpoints, and writes do not notice") {
  Subject subject(WithSnapshotBytes(8 << 20));
  WriteAll(subject, 'a');
  auto checkpoint = subject.Snapshot(SnapshotPurpose::kCheckpoint);
  auto scan = subject.Snapshot(SnapshotPurpose::kScan);
  for (int i = 0; Outcome(*scan) == "OK" && i < kEntries; ++i) {
    CHECK(Outcome(*checkpoint) == "OK");
    subject.MustDo(Put(absl::StrCat("k", i), std::string(kValueBytes, 'b')));
    subject.MustDo(Put("last", "v"));
  }
  CHECK(Outcome(*scan) == "ABORTED SNAPSHOT_EXPIRED");
  scan.reset();
  checkpoint.reset();
  CHECK(Outcome(*subject.Snapshot(SnapshotPurpose::kScan)) == "OK");
}

TEST_CASE("A checkpoint's snapshot ends too when it alone keeps too much") {
  Subject subject(WithSnapshotBytes(8 << 20));
  WriteAll(subject, 'a');
  auto checkpoint = subject.Snapshot(SnapshotPurpose::kCheckpoint);
  WriteAll(subject, 'b');
  CHECK(Outcome(*checkpoint) == "ABORTED SNAPSHOT_EXPIRED");
}

TEST_CASE("Far below their bound snapshots stay, and their cost is told") {
  Subject subject(WithSnapshotBytes(1 << 30));
  WriteAll(subject, 'a');
  auto scan = subject.Snapshot(SnapshotPurpose::kScan);
  WriteAll(subject, 'b');
  CHECK(subject.engine().Stats().snapshot_bytes >= kEntries * kValueBytes);
  for (const Row& row : ReadAll(*scan, scan->as_of())) {
    CHECK((row.key == "last" || row.value == std::string(kValueBytes, 'a')));
  }
}

}  // namespace
}  // namespace tarn::testing
