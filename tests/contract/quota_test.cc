// The ledger is exact, and quotas hold growth back and nothing else.
#include <string>
#include <vector>

#include "tests/catch.h"
#include "tests/contract/subject.h"

namespace tarn::testing {
namespace {

constexpr char kRefused[] = "RESOURCE_EXHAUSTED QUOTA_EXCEEDED";

TEST_CASE(
    "The ledger counts entries and the bytes of their keys and values through every operation") {
  Subject subject;
  subject.MustDo(Put("key", "12345"));
  CHECK(UsageOf(subject) == "1 entries, 8 bytes");
  subject.MustDo(Put("key", "1"));
  CHECK(UsageOf(subject) == "1 entries, 4 bytes");
  subject.MustDo(Append("key", "23"));
  CHECK(UsageOf(subject) == "1 entries, 6 bytes");
  subject.MustDo(Add("key", 877));
  CHECK(UsageOf(subject) == "1 entries, 7 bytes");
  subject.MustDo(Touch("key", kStart + 10));
  CHECK(UsageOf(subject) == "1 entries, 7 bytes");
  subject.MustDo(Add("counter", -1));
  CHECK(UsageOf(subject) == "2 entries, 16 bytes");
  subject.MustDo(Take("key"));
  CHECK(UsageOf(subject) == "1 entries, 9 bytes");
  subject.MustDo(Delete("counter"));
  CHECK(UsageOf(subject) == "0 entries, 0 bytes");
}

TEST_CASE("The ledger counts an expired entry until it is swept or replaced") {
  Subject subject;
  subject.MustDo(Put("a", "12345").Until(kStart + 10));
  subject.MustDo(Put("b", "12345").Until(kStart + 10));
  subject.clock().Advance(10);
  subject.Do(Get("a"));
  subject.Do(Delete("a"));
  CHECK(UsageOf(subject) == "2 entries, 12 bytes");
  subject.MustDo(Put("b", "1"));
  CHECK(UsageOf(subject) == "2 entries, 8 bytes");
  subject.SweepAll();
  CHECK(UsageOf(subject) == "1 entries, 2 bytes");
}

TEST_CASE("The ledger is kept for each namespace") {
  Subject subject;
  subject.Atomic({Put("a", "1").In(1), Put("b", "22").In(2), Put("c", "333").In(2)});
  CHECK(UsageOf(subject, 1) == "1 entries, 2 bytes");
  CHECK(UsageOf(subject, 2) == "2 entries, 7 bytes");
  CHECK(UsageOf(subject, 3) == "0 entries, 0 bytes");
}

TEST_CASE("Growth beyond the quota of entries is refused and changes nothing") {
  Subject subject;
  subject.ledger().SetQuota(kNs, {2, 0});
  subject.MustDo(Put("a", "1"));
  subject.MustDo(Put("b", "1"));
  for (const Op& op : {Put("c", "1"), Add("c", 1), Append("c", "1")}) {
    CHECK(Why(subject.Do(op)) == kRefused);
    CHECK(Why(subject.Atomic({op})) == kRefused);
  }
  CHECK(UsageOf(subject) == "2 entries, 4 bytes");
  CHECK(subject.All().size() == 2);
}

TEST_CASE("Growth beyond the quota of bytes is refused and changes nothing") {
  Subject subject;
  subject.ledger().SetQuota(kNs, {0, 10});
  subject.MustDo(Put("a", "12345"));
  CHECK(Why(subject.Do(Put("b", "1234"))) == kRefused);
  CHECK(Why(subject.Do(Append("a", "67890"))) == kRefused);
  CHECK(subject.Do(Get("a")).value == "12345");
  subject.MustDo(Put("b", "123"));
  CHECK(UsageOf(subject) == "2 entries, 10 bytes");
}

TEST_CASE("At the quota, reads, overwrites, touches and deletes work, and make room again") {
  Subject subject;
  subject.ledger().SetQuota(kNs, {2, 6});
  subject.MustDo(Put("a", "12"));
  subject.MustDo(Put("b", "12"));
  REQUIRE(Why(subject.Do(Put("c", ""))) == kRefused);
  CHECK(subject.Do(Get("a")).value == "12");
  CHECK(Why(subject.Do(Put("a", "34"))) == "OK");
  CHECK(Why(subject.Do(Add("a", 1))) == "OK");
  CHECK(Why(subject.Do(Append("a", ""))) == "OK");
  CHECK(Why(subject.Do(Touch("a", kStart + 10))) == "OK");
  CHECK(Why(subject.Do(Put("a", "5"))) == "OK");
  CHECK(Why(subject.Do(Delete("b"))) == "OK");
  CHECK(Why(subject.Do(Put("c", "12"))) == "OK");
}

TEST_CASE("Over a quota that was lowered, shrinking and standing still work") {
  Subject subject;
  subject.MustDo(Put("a", "12345"));
  subject.MustDo(Put("b", "12345"));
  subject.ledger().SetQuota(kNs, {1, 3});
  CHECK(Why(subject.Do(Put("a", "54321"))) == "OK");
  CHECK(Why(subject.Do(Put("a", "1"))) == "OK");
  CHECK(Why(subject.Do(Put("a", "12"))) == kRefused);
  CHECK(Why(subject.Do(Take("b"))) == "OK");
  CHECK(Why(subject.Do(Put("a", "12"))) == "OK");
}

TEST_CASE("An atomic batch is charged as a whole: what it frees makes room for what it adds") {
  Subject subject;
  subject.ledger().SetQuota(kNs, {2, 4});
  subject.MustDo(Put("a", "1"));
  subject.MustDo(Put("b", "1"));
  CHECK(Why(subject.Atomic({Put("c", "1"), Delete("a")})) == "OK");
  CHECK(Why(subject.Atomic({Delete("b"), Put("d", "1"), Put("e", "1")})) == kRefused);
  CHECK(UsageOf(subject) == "2 entries, 4 bytes");
}

TEST_CASE("A batch refused for one namespace's quota takes nothing from another's") {
  Subject subject;
  subject.ledger().SetQuota(2, {1, 0});
  subject.MustDo(Put("full", "1").In(2));
  CHECK(Why(subject.Atomic({Put("a", "1").In(1), Put("b", "1").In(2), Put("c", "1").In(3)})) ==
        kRefused);
  CHECK(UsageOf(subject, 1) == "0 entries, 0 bytes");
  CHECK(UsageOf(subject, 2) == "1 entries, 5 bytes");
  CHECK(UsageOf(subject, 3) == "0 entries, 0 bytes");
  CHECK(subject.All(1).empty());
}

TEST_CASE("In an independent batch each operation meets the quota on its own, in order") {
  Subject subject;
  subject.ledger().SetQuota(kNs, {1, 0});
  const BatchAnswer answer = subject.Independent(
      {Put("a", "1"), Put("b", "1"), Put("a", "2"), Delete("a"), Put("b", "1"), Put("c", "1")});
  CHECK(Why(answer) == "OK");
  const std::vector<std::string> expected = {"OK", kRefused, "OK", "OK", "OK", kRefused};
  for (size_t i = 0; i < expected.size(); ++i) CHECK(Why(answer.results.at(i)) == expected[i]);
  CHECK(UsageOf(subject) == "1 entries, 2 bytes");
}

TEST_CASE("Undone batches leave the ledger as it was") {
  Subject subject;
  subject.MustDo(Put("a", "1"));
  subject.Atomic({Put("b", "12345"), Delete("a"), Get("missing").IfPresent()});
  subject.Atomic({Append("a", "12345"), Add("a", 1).IfAbsent()});
  subject.Do(Put("a", "12345").IfAbsent());
  subject.Do(Delete("a").IfRevision(1));
  CHECK(UsageOf(subject) == "1 entries, 2 bytes");
}

TEST_CASE("Expired entries hold their place in the quota until they are swept") {
  Subject subject;
  subject.ledger().SetQuota(kNs, {1, 0});
  subject.MustDo(Put("a", "1").Until(kStart + 10));
  subject.clock().Advance(10);
  CHECK(Why(subject.Do(Put("b", "1"))) == kRefused);
  CHECK(Why(subject.Do(Put("a", "2").Until(kStart + 20))) == "OK");
  subject.clock().Advance(10);
  subject.SweepAll();
  CHECK(Why(subject.Do(Put("b", "1"))) == "OK");
}

TEST_CASE("The ledger stays exact under parallel writers of the same keys") {
  Subject subject;
  InParallel(4, [&subject](int thread) {
    for (int i = 0; i < 500; ++i) {
      const std::string key = std::to_string((i * 7 + thread) % 10);
      subject.Do(i % 3 == 0 ? Delete(key)
                            : Put(key, std::string(static_cast<size_t>(i % 50), 'x')));
    }
  });
  storage::Usage expected;
  for (const Row& row : subject.All()) {
    expected += {1, static_cast<int64_t>(row.key.size() + row.value.size())};
  }
  CHECK(subject.ledger().Get(kNs).entries == expected.entries);
  CHECK(subject.ledger().Get(kNs).bytes == expected.bytes);
}

TEST_CASE("Parallel writers never grow a namespace beyond its quota") {
  Subject subject;
  subject.ledger().SetQuota(kNs, {100, 0});
  InParallel(4, [&subject](int thread) {
    for (int i = 0; i < 100; ++i)
      subject.Do(Put(std::to_string(thread) + "." + std::to_string(i), "v"));
  });
  CHECK(subject.All().size() <= 100);
  CHECK(subject.ledger().Get(kNs).entries == static_cast<int64_t>(subject.All().size()));
  CHECK(subject.All().size() >=
        97);  // Charges that were about to be taken back may have held others off.
}

}  // namespace
}  // namespace tarn::testing
