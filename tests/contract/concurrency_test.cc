// Many threads at once: nothing lost, nothing torn, one order that everybody agrees on.
#include <algorithm>
#include <atomic>
#include <map>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "tests/catch.h"
#include "tests/contract/subject.h"

namespace tarn::testing {
namespace {

constexpr int kThreads = 4;

int64_t NumberOf(const std::string& text) {
  int64_t number = 0;
  if (!absl::SimpleAtoi(text, &number)) throw std::runtime_error("not a number: " + text);
  return number;
}

TEST_CASE("Parallel adds to one key make the exact total, and no sum comes twice") {
  Subject subject;
  const int each = static_cast<int>(Count(5'000, 200'000));
  std::vector<std::vector<int64_t>> sums(kThreads);
  InParallel(kThreads, [&](int thread) {
    for (int i = 0; i < each; ++i)
      sums[static_cast<size_t>(thread)].push_back(subject.Do(Add("k", 1)).number);
  });
  std::set<int64_t> distinct;
  for (const auto& mine : sums) {
    CHECK(std::is_sorted(mine.begin(), mine.end()));
    distinct.insert(mine.begin(), mine.end());
  }
  CHECK(distinct.size() == static_cast<size_t>(kThreads * each));
  CHECK(subject.Do(Get("k")).value == absl::StrCat(kThreads * each));
}

TEST_CASE("Parallel compare-and-set loops lose no update") {
  Subject subject;
  const int each = static_cast<int>(Count(2'000, 50'000));
  subject.MustDo(Put("k", "0"));
  InParallel(kThreads, [&](int) {
    for (int done = 0; done < each;) {
      const Answer read = subject.Do(Get("k"));
      const std::string next = absl::StrCat(NumberOf(read.value) + 1);
      if (subject.Do(Put("k", next).IfRevision(read.revision)).status.ok()) ++done;
    }
  });
  CHECK(subject.Do(Get("k")).value == absl::StrCat(kThreads * each));
}

TEST_CASE("Of many that create a key, one wins each round") {
  Subject subject;
  std::atomic<int> won{0};
  InParallel(kThreads, [&](int) {
    for (int round = 0; round < 200; ++round) {
      if (subject.Do(Put(absl::StrCat(round), "v").IfAbsent()).status.ok()) ++won;
    }
  });
  CHECK(won == 200);
}

TEST_CASE("Of many that take a key, one gets it") {
  Subject subject;
  for (int i = 0; i < 200; ++i) subject.MustDo(Put(absl::StrCat(i), "v"));
  std::atomic<int> taken{0};
  InParallel(kThreads, [&](int) {
    for (int i = 0; i < 200; ++i) taken += subject.Do(Take(absl::StrCat(i))).found ? 1 : 0;
  });
  CHECK(taken == 200);
  CHECK(UsageOf(subject) == "0 entries, 0 bytes");
}

constexpr int kAccounts = 20;
constexpr int64_t kBalance = 1'000;

std::string Account(uint64_t i) { return absl::StrCat("account", absl::Dec(i, absl::kZeroPad2)); }

int64_t SumOf(const std::vector<Row>& rows) {
  int64_t sum = 0;
  for (const Row& row : rows) sum += NumberOf(row.value);
  return sum;
}

// Moves money between accounts: by atomic adds, and by read, compare and set of both.
void Transfer(Subject& subject, std::mt19937& random) {
  const std::string from = Account(random() % kAccounts);
  const std::string to = Account(random() % kAccounts);
  if (from == to) return;
  const auto amount = static_cast<int64_t>(random() % 10);
  if (random() % 2 == 0) {
    subject.Atomic({Add(from, -amount), Add(to, amount)});
    return;
  }
  const BatchAnswer read = subject.Atomic({Get(from), Get(to)});
  const Answer& a = read.results.at(0);
  const Answer& b = read.results.at(1);
  subject.Atomic({Put(from, absl::StrCat(NumberOf(a.value) - amount)).IfRevision(a.revision),
                  Put(to, absl::StrCat(NumberOf(b.value) + amount)).IfRevision(b.revision)});
}

void OpenAccounts(Subject& subject) {
  for (uint64_t i = 0; i < kAccounts; ++i) subject.MustDo(Put(Account(i), absl::StrCat(kBalance)));
}

TEST_CASE(
    "Transfers by atomic batches keep the sum exact in every snapshot and every atomic read") {
  Subject subject;
  OpenAccounts(subject);
  const int snapshots = static_cast<int>(Count(2'000, 200'000));
  std::atomic<int> wrong{0};
  std::atomic<bool> stop{false};
  std::vector<Op> all;
  for (uint64_t i = 0; i < kAccounts; ++i) all.push_back(Get(Account(i)));
  InParallel(kThreads, [&](int thread) {
    std::mt19937 random(Seed() + static_cast<unsigned>(thread));
    if (thread != 0) {
      while (!stop) Transfer(subject, random);
      return;
    }
    for (int i = 0; i < snapshots; ++i) {
      if (SumOf(ReadAll(*subject.Snapshot(), subject.now())) != kAccounts * kBalance) ++wrong;
      int64_t sum = 0;
      for (const Answer& one : subject.Atomic(all).results) sum += NumberOf(one.value);
      if (sum != kAccounts * kBalance) ++wrong;
    }
    stop = true;
  });
  CHECK(wrong == 0);
  CHECK(SumOf(subject.All()) == kAccounts * kBalance);
}

TEST_CASE("A snapshot read in small pieces while transfers go on is still exact") {
  Subject subject;
  OpenAccounts(subject);
  std::atomic<bool> stop{false};
  std::atomic<int> wrong{0};
  InParallel(3, [&](int thread) {
    std::mt19937 random(Seed() + static_cast<unsigned>(thread));
    if (thread != 0) {
      while (!stop) Transfer(subject, random);
      return;
    }
    for (int i = 0; i < 50; ++i) {
      auto first = subject.Snapshot();
      auto second = subject.Snapshot();
      const auto down = storage::ScanDirection::kDescending;
      Reader a(*first, {kNs, "", ""});
      Reader b(*second, {kNs, "", ""}, {down, storage::ScanContent::kEntries});
      if (SumOf(a.Rest({3, 1 << 20}, subject.now())) != kAccounts * kBalance) ++wrong;
      first.reset();
      if (SumOf(b.Rest({1, 1 << 20}, subject.now())) != kAccounts * kBalance) ++wrong;
    }
    stop = true;
  });
  CHECK(wrong == 0);
}

// One write as its caller saw it.
struct Written {
  Revision revision = 0;
  int64_t sum = 0;
  bool created = false;
};

TEST_CASE("Sorted by revision, the parallel changes of a key make one history without a break") {
  Subject subject;
  std::vector<std::vector<Written>> logs(kThreads);
  const int each = static_cast<int>(Count(5'000, 200'000));
  InParallel(kThreads, [&](int thread) {
    std::mt19937 random(Seed() + static_cast<unsigned>(thread));
    for (int i = 0; i < each; ++i) {
      const bool remove = random() % 8 == 0;
      const Answer answer = subject.Do(remove ? Delete("k") : Add("k", 1));
      if (answer.revision == 0) continue;
      logs[static_cast<size_t>(thread)].push_back(
          {answer.revision, answer.number, !remove && !answer.found});
    }
  });
  std::map<Revision, Written> history;
  for (const auto& log : logs) {
    Revision last = 0;
    for (const Written& written : log) {
      REQUIRE(written.revision > last);  // Its own writes are in its own order.
      last = written.revision;
      REQUIRE(history.emplace(written.revision, written).second);  // No revision twice.
    }
  }
  int64_t sum = 0;
  for (const auto& [revision, written] : history) {
    REQUIRE(written.created == (sum == 0 && written.sum != 0));
    REQUIRE((written.sum == 0 || written.sum == sum + 1));
    sum = written.sum;
  }
}

TEST_CASE(
    "Snapshots under parallel writes show for each key its newest change up to their revision") {
  Subject subject;
  constexpr int kKeys = 8;
  std::vector<std::vector<std::pair<Revision, Row>>> logs(kThreads);
  std::vector<std::pair<Revision, std::vector<Row>>> views;
  const size_t snapshots = Count(3'000, 50'000);
  std::atomic<bool> stop{false};
  std::atomic<Revision> acknowledged{0};
  bool too_old = false;
  InParallel(kThreads, [&](int thread) {
    std::mt19937 random(Seed() + static_cast<unsigned>(thread));
    if (thread == 0) {
      while (views.size() < snapshots) {
        const Revision before = acknowledged;
        auto snapshot = subject.Snapshot();
        too_old |= snapshot->revision() < before;
        views.emplace_back(snapshot->revision(), ReadAll(*snapshot, subject.now()));
      }
      stop = true;
      return;
    }
    for (int i = 0; !stop; ++i) {
      const std::string key = absl::StrCat("k", random() % kKeys);
      const std::string value = absl::StrCat(thread, ".", i);
      const bool remove = random() % 4 == 0;
      const Revision revision = subject.Do(remove ? Delete(key) : Put(key, value)).revision;
      if (revision == 0) continue;
      logs[static_cast<size_t>(thread)].push_back(
          {revision, {key, remove ? "" : value, remove ? 0 : revision}});
      for (Revision seen = acknowledged;
           seen < revision && !acknowledged.compare_exchange_weak(seen, revision);) {
      }
    }
  });
  CHECK_FALSE(too_old);
  std::map<Revision, Row> changes;
  for (const auto& log : logs) changes.insert(log.begin(), log.end());
  std::sort(views.begin(), views.end(),
            [](const auto& a, const auto& b) { return a.first < b.first; });
  std::map<std::string, Row> state;
  auto change = changes.begin();
  for (const auto& [revision, rows] : views) {
    for (; change != changes.end() && change->first <= revision; ++change)
      state[change->second.key] = change->second;
    std::vector<Row> expected;
    for (const auto& [key, row] : state) {
      if (row.revision != 0) expected.push_back(row);
    }
    REQUIRE(rows == expected);
  }
}

TEST_CASE("A snapshot opened in the middle of a write shows the entry before or after it") {
  Subject subject;
  subject.MustDo(Put("k", "0"));
  const int snapshots = static_cast<int>(Count(10'000, 1'000'000));
  std::atomic<bool> stop{false};
  std::atomic<int> wrong{0};
  InParallel(2, [&](int thread) {
    if (thread == 0) {
      for (int i = 0; !stop; ++i) {
        if (i % 2 == 0) {
          subject.Do(Put("k", "single"));
        } else {
          subject.Atomic({Put("k", "atomic"), Get("k")});
        }
      }
      return;
    }
    for (int i = 0; i < snapshots; ++i) {
      auto snapshot = subject.Snapshot();
      const std::vector<Row> rows = ReadAll(*snapshot, subject.now());
      if (rows.size() != 1 || rows[0].revision > snapshot->revision()) ++wrong;
    }
    stop = true;
  });
  CHECK(wrong == 0);
}

TEST_CASE("Batches over many keys in opposite orders do not block each other for ever") {
  Subject subject;
  InParallel(kThreads, [&](int thread) {
    for (int i = 0; i < 300; ++i) {
      std::vector<Op> ops;
      for (int k = 0; k < 30; ++k)
        ops.push_back(Add(absl::StrCat(thread % 2 == 0 ? k : 29 - k), 1));
      if (i % 2 == 0)
        subject.Atomic(ops);
      else
        subject.Independent(ops);
    }
  });
  const std::vector<Row> rows = subject.All();
  REQUIRE(rows.size() == 30);
  for (const Row& row : rows) CHECK(row.value == absl::StrCat(kThreads * 300));
}

TEST_CASE("Sweeping, scanning, snapshots and writes may all happen at once") {
  Subject subject;
  std::atomic<int> writing{2};
  std::atomic<int> unordered{0};
  InParallel(4, [&](int thread) {
    std::mt19937 random(Seed() + static_cast<unsigned>(thread));
    if (thread < 2) {
      for (int i = 0; i < 3'000; ++i) {
        const Op put = Put(absl::StrCat(random() % 500), "v");
        subject.Do(random() % 2 == 0 ? put.Until(subject.now() + 1 + random() % 5) : put);
        if (i % 10 == 0) subject.clock().Advance(1);
      }
      --writing;
      return;
    }
    while (writing > 0) {
      if (thread == 2) {
        if (!subject.engine().SweepExpired(50).ok()) ++unordered;
        continue;
      }
      const std::vector<Row> rows = subject.All();
      const auto by_key = [](const Row& a, const Row& b) { return a.key < b.key; };
      if (!std::is_sorted(rows.begin(), rows.end(), by_key)) ++unordered;
    }
  });
  CHECK(unordered == 0);
  subject.clock().Advance(100);
  subject.SweepAll();
  CHECK(subject.ledger().Get(kNs).entries == static_cast<int64_t>(subject.All().size()));
}

}  // namespace
}  // namespace tarn::testing
