#include "tests/storage/redis/support/exactness.h"

#include <memory>
#include <random>
#include <set>
#include <stop_token>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tests/catch.h"
#include "tests/contract/subject.h"
#include "tests/support/status.h"

namespace tarn::testing {
namespace {

using storage::ScanDirection;
using storage::ScanReading;
using storage::SnapshotPurpose;

constexpr int kKeys = 300;
constexpr int kWriters = 3;

std::string Key(uint64_t number) { return absl::StrCat("key", absl::Dec(number, absl::kZeroPad4)); }

// Writes to keys of its own, without pause: creates, replaces, deletes, lets expire, in batches.
class Writer {
 public:
  Writer(KeyspaceEngine& engine, History& history, int number, int writers)
      : engine_(engine), history_(history), number_(number), writers_(writers) {
    random_.seed(Seed() + static_cast<uint32_t>(number));
  }

  void WriteSome() {
    if (random_() % 4 == 0) return WriteAtomically();
    std::vector<Op> ops;
    std::set<std::string> used;
    for (int i = 0; i < 16; ++i) {
      Op op = Choose();
      if (used.insert(op.key).second) ops.push_back(std::move(op));
    }
    const BatchAnswer answer = Independent(engine_, ops);
    for (size_t i = 0; i < ops.size(); ++i) {
      Note(ops[i], answer.status.ok() ? answer.results[i] : Answer{answer.status});
    }
  }

 private:
  std::string OwnKey() {
    return Key(random_() % (kKeys / writers_) * static_cast<uint64_t>(writers_) +
               static_cast<uint64_t>(number_));
  }

  Op Choose() {
    const std::string key = OwnKey();
    const std::string value = absl::StrCat("w", number_, "v", ++written_);
    switch (random_() % 8) {
      case 0:
      case 1:
        return Delete(key);
      case 2:
        return Take(key);
      case 3:
        return Put(key, value).Until(engine_.core().clock.Now() + 1 + random_() % 5);
      default:
        return Put(key, value);
    }
  }

  void WriteAtomically() {
    std::map<std::string, Op> ops;
    for (int i = 0; i < 3; ++i) {
      const std::string key = OwnKey();
      const std::string value = absl::StrCat("w", number_, "a", ++written_);
      ops[key] = random_() % 3 == 0 ? Delete(key) : Put(key, value);
    }
    std::vector<Op> batch;
    for (auto& [key, op] : ops) batch.push_back(op);
    const BatchAnswer answer = Atomic(engine_, batch);
    for (size_t i = 0; i < batch.size(); ++i) {
      Note(batch[i], answer.status.ok() ? answer.results[i] : Answer{answer.status});
    }
  }

  void Note(const Op& op, const Answer& answer) {
    const bool puts = op.kind == storage::OperationKind::kPut;
    const State state{puts, op.value, puts ? op.deadline : kNever};
    if (answer.status.ok()) {
      if (answer.revision != 0) history_.Add(op.key, answer.revision, state);
    } else if (absl::IsUnknown(answer.status)) {
      history_.AddUnknown(op.key, state);
    }
  }

  KeyspaceEngine& engine_;
  History& history_;
  const int number_;
  const int writers_;
  std::mt19937 random_;
  uint64_t written_ = 0;
};

// Reads all of a snapshot, one way or another.
absl::StatusOr<std::vector<Row>> ReadSomehow(storage::Snapshot& snapshot, int way) {
  storage::ScanOptions options;
  options.direction = way % 2 == 0 ? ScanDirection::kAscending : ScanDirection::kDescending;
  if (way % 4 == 0) options.reading = ScanReading::kOnce;
  std::vector<std::string> bounds = {""};
  if (way % 3 == 0) {
    for (std::string& key : snapshot.SplitKeys(kNs, 3)) bounds.push_back(std::move(key));
  }
  bounds.emplace_back();
  std::vector<Row> rows;
  for (size_t i = 0; i + 1 < bounds.size(); ++i) {
    Reader reader(snapshot, {kNs, bounds[i], bounds[i + 1]}, options);
    for (bool at_end = false; !at_end;) {
      PageCopy page = reader.Next({static_cast<size_t>(1 + way * 7), 1 << 20}, snapshot.as_of());
      if (!page.status.ok()) return page.status;
      rows.insert(rows.end(), page.rows.begin(), page.rows.end());
      at_end = page.at_end;
    }
  }
  return rows;
}

}  // namespace

void History::Add(const std::string& key, Revision revision, State state) {
  const std::lock_guard<std::mutex> lock(mutex_);
  keys_[key].commits[revision] = std::move(state);
}

void History::AddUnknown(const std::string& key, State state) {
  const std::lock_guard<std::mutex> lock(mutex_);
  keys_[key].unknown.push_back(std::move(state));
}

std::string History::Differences(Revision revision, UnixMs as_of,
                                 const std::vector<Row>& rows) const {
  std::map<std::string, const Row*> shown;
  std::string wrong;
  for (const Row& row : rows) {
    if (!shown.emplace(row.key, &row).second) absl::StrAppend(&wrong, row.key, " twice; ");
  }
  for (const auto& [key, life] : keys_) {
    const auto found = shown.find(key);
    const Row* const row = found == shown.end() ? nullptr : found->second;
    if (!Fits(life, revision, as_of, row)) absl::StrAppend(&wrong, key, "; ");
    if (row != nullptr) shown.erase(found);
  }
  for (const auto& [key, row] : shown) absl::StrAppend(&wrong, key, " was never written; ");
  return wrong;
}

bool History::Fits(const Life& life, Revision revision, UnixMs as_of, const Row* row) {
  auto behind = life.commits.upper_bound(revision);
  const bool some = behind != life.commits.begin();
  const State state = some ? std::prev(behind)->second : State();
  const bool visible = state.present && !base::HasExpired(state.deadline, as_of);
  if (row == nullptr ? !visible : visible && row->value == state.value) return true;
  for (const State& maybe : life.unknown) {
    if (row == nullptr ? !maybe.present || maybe.deadline != kNever : row->value == maybe.value) {
      return true;
    }
  }
  return false;
}

std::string Findings::FirstWrong() const {
  for (const Seen& one : seen) {
    std::string wrong = history.Differences(one.revision, one.as_of, one.rows);
    if (!wrong.empty()) return absl::StrCat("at ", one.revision, ": ", wrong);
  }
  return "";
}

void Race(KeyspaceEngine& engine, uint64_t snapshots, Findings& findings,
          const std::function<void()>& meanwhile) {
  // They are told to stop and waited for, also when `meanwhile` throws.
  std::vector<std::jthread> threads;
  for (int i = 0; i < kWriters; ++i) {
    threads.emplace_back([&, i](const std::stop_token& over) {
      Writer writer(engine, findings.history, i, kWriters);
      while (!over.stop_requested()) writer.WriteSome();
    });
  }
  threads.emplace_back([&](const std::stop_token& over) {
    while (!over.stop_requested()) {
      engine.clock().Advance(1);
      engine.SweepExpired(100).status().IgnoreError();
    }
  });
  for (uint64_t i = 0; i < snapshots; ++i) {
    const auto purpose = i % 2 == 0 ? SnapshotPurpose::kCheckpoint : SnapshotPurpose::kScan;
    auto snapshot = engine.OpenSnapshot(purpose);
    meanwhile();
    absl::Status status = snapshot.status();
    if (status.ok()) {
      auto rows = ReadSomehow(**snapshot, static_cast<int>(i % 12));
      status = rows.status();
      if (status.ok()) {
        findings.seen.push_back({(*snapshot)->revision(), (*snapshot)->as_of(), *std::move(rows)});
      }
    }
    if (status.ok()) continue;
    ++findings.ended;
    const std::string why = Brief(status);
    if (why != "ABORTED SNAPSHOT_EXPIRED" && why != "UNAVAILABLE ENGINE_UNAVAILABLE") {
      findings.unnamed = why;
    }
  }
}

}  // namespace tarn::testing
