// Batches that are committed together, and the queue in which they wait for it.
#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/catch.h"
#include "tests/storage/rocksdb/fixture.h"

namespace tarn::testing {
namespace {

using PendingBatch = std::shared_ptr<Pending>;

class OpenStore : public RocksStore {
 public:
  OpenStore() { MustOpen(); }
  explicit OpenStore(const std::function<void(storage::RocksDbOptions&)>& choose) {
    choose(options);
    MustOpen();
  }
  PendingBatch Submit(std::vector<Op> ops, ReadOrder order = ReadOrder::kCommitted) {
    return testing::Submit(engine(), BatchMode::kAtomic, std::move(ops), order);
  }
};

TEST_CASE("In a group each batch sees what those before it leave") {
  OpenStore store;
  Gate gate(store.engine());
  const PendingBatch put = store.Submit({Put("k", "1")});
  const PendingBatch add = store.Submit({Add("k", 5)});
  const PendingBatch append = store.Submit({Append("k", "!")});
  const PendingBatch take = store.Submit({Take("k")});
  const PendingBatch absent = store.Submit({Put("k", "again").IfAbsent()});
  const PendingBatch present = store.Submit({Put("k", "never").IfAbsent()});
  gate.Open();
  CHECK_FALSE(put->Wait().results.at(0).found);
  CHECK(add->Wait().results.at(0).number == 6);
  CHECK(append->Wait().results.at(0).size == 2);
  CHECK(take->Wait().results.at(0).value == "6!");
  CHECK(Why(absent->Wait()) == "OK");
  CHECK(Why(present->Wait()) == "FAILED_PRECONDITION ALREADY_EXISTS");
  CHECK(store.Content() == std::vector<std::string>{"k=again"});
  CHECK(store.Usage() == "1 entries, 6 bytes");
  CHECK(Brief(store.engine().CheckConsistency()) == "OK");
}

TEST_CASE("The commits of a group have revisions in their order, and the last is the engine's") {
  OpenStore store;
  Gate gate(store.engine());
  std::vector<PendingBatch> batches;
  for (int i = 0; i < 20; ++i) batches.push_back(store.Submit({Put(absl::StrCat(i % 3), "v")}));
  gate.Open();
  Revision last = 0;
  for (const PendingBatch& batch : batches) {
    CHECK(batch->Wait().revision > last);
    last = batch->Wait().revision;
  }
  CHECK(store.engine().Stats().revision == last);
  CHECK(store.Do(Get("1")).revision == batches[19]->Wait().revision);
}

TEST_CASE("A batch of a group that is refused leaves the others alone") {
  OpenStore store;
  store.ledger().SetQuota(kNs, {3, 0});
  store.MustDo(Put("text", "x"));
  Gate gate(store.engine());
  const PendingBatch first = store.Submit({Put("a", "1")});
  const PendingBatch no_number = store.Submit({Put("b", "1"), Add("text", 1)});
  const PendingBatch over_quota = store.Submit({Put("b", "1"), Put("c", "1")});
  const PendingBatch last = store.Submit({Put("b", "2")});
  gate.Open();
  CHECK(Why(first->Wait()) == "OK");
  CHECK(Why(no_number->Wait()) == "FAILED_PRECONDITION NOT_AN_INTEGER");
  CHECK(Why(over_quota->Wait()) == "RESOURCE_EXHAUSTED QUOTA_EXCEEDED");
  CHECK(Why(last->Wait()) == "OK");
  CHECK(store.Content() == std::vector<std::string>{"a=1", "b=2", "text=x"});
  CHECK(store.Usage() == "3 entries, 9 bytes");
}

TEST_CASE("An atomic batch over its quota takes back what it charged other namespaces") {
  OpenStore store;
  store.ledger().SetQuota(2, {1, 0});
  const BatchAnswer answer =
      store.Atomic({Put("a", "1").In(1), Put("b", "1").In(2), Put("c", "1").In(2)});
  CHECK(Why(answer) == "RESOURCE_EXHAUSTED QUOTA_EXCEEDED");
  CHECK(answer.failed_operation == 1);
  CHECK(store.Usage(1) == "0 entries, 0 bytes");
  CHECK(store.Usage(2) == "0 entries, 0 bytes");
}

TEST_CASE("A key that is made and removed within one group leaves nothing") {
  OpenStore store;
  Gate gate(store.engine());
  const PendingBatch put = store.Submit({Put("k", "v").Until(kStart + 5)});
  const PendingBatch removed = store.Submit({Delete("k")});
  gate.Open();
  CHECK(removed->Wait().results.at(0).found);
  CHECK(store.Content().empty());
  CHECK(store.Usage() == "0 entries, 0 bytes");
  CHECK(Brief(store.engine().CheckConsistency()) == "OK");
  CHECK(store.engine().Stats().revision == removed->Wait().revision);
}

TEST_CASE("A deadline that changes often within one group is indexed once") {
  OpenStore store;
  store.MustDo(Put("k", "v").Until(kStart + 1));
  Gate gate(store.engine());
  std::vector<PendingBatch> batches;
  for (int i = 2; i < 10; ++i) batches.push_back(store.Submit({Touch("k", kStart + i)}));
  gate.Open();
  for (const PendingBatch& batch : batches) CHECK(Why(batch->Wait()) == "OK");
  CHECK(Brief(store.engine().CheckConsistency()) == "OK");
  store.clock().Advance(9);
  CHECK(Value(store.engine().SweepExpired(10)).removed == 1);
}

TEST_CASE("A read in the order of its caller sees the writes that still wait") {
  OpenStore store;
  Gate gate(store.engine());
  const PendingBatch put = store.Submit({Put("k", "v")});
  const PendingBatch ordered = store.Submit({Get("k")}, ReadOrder::kSubmitted);
  const PendingBatch later = store.Submit({Put("k", "w")});
  CHECK_FALSE(store.Do(Get("k")).found);  // Only what is committed, and at once.
  gate.Open();
  CHECK(ordered->Wait().results.at(0).value == "v");
  CHECK(Why(later->Wait()) == "OK");
}

TEST_CASE("A full queue refuses batches, and takes them again when it is not") {
  OpenStore store([](auto& options) { options.max_queued_batches = 3; });
  Gate gate(store.engine());
  std::vector<PendingBatch> accepted;
  for (int i = 0; i < 3; ++i) accepted.push_back(store.Submit({Put(absl::StrCat(i), "v")}));
  const PendingBatch refused = store.Submit({Put("refused", "v")});
  CHECK(refused->done());
  CHECK(Why(refused->Wait()) == "RESOURCE_EXHAUSTED QUEUE_FULL");
  CHECK(store.engine().Stats().queued_batches == 3);
  CHECK(store.engine().Stats().queue_limit == 3);
  gate.Open();
  for (const PendingBatch& batch : accepted) CHECK(Why(batch->Wait()) == "OK");
  CHECK(Why(store.Submit({Put("later", "v")})->Wait()) == "OK");
  CHECK_FALSE(store.Do(Get("refused")).found);
}

TEST_CASE("A queue is full too when its batches have too many bytes, but one always fits") {
  OpenStore store([](auto& options) { options.max_queued_bytes = 1'000; });
  Gate gate(store.engine());
  const PendingBatch large = store.Submit({Put("a", std::string(5'000, 'v'))});
  const PendingBatch refused = store.Submit({Put("b", "v")});
  CHECK(Why(refused->Wait()) == "RESOURCE_EXHAUSTED QUEUE_FULL");
  gate.Open();
  CHECK(Why(large->Wait()) == "OK");
}

TEST_CASE("Groups that are as small as they may be commit everything in order") {
  OpenStore store([](auto& options) {
    options.max_group_operations = 2;
    options.max_group_bytes = 20;
  });
  Gate gate(store.engine());
  std::vector<PendingBatch> batches;
  for (int i = 0; i < 50; ++i) {
    batches.push_back(store.Submit({Append("log", absl::StrCat(i, " ")), Add("n", 1)}));
  }
  batches.push_back(store.Submit({Append("log", std::string(100, '.'))}));
  gate.Open();
  std::string expected;
  for (int i = 0; i < 50; ++i) {
    CHECK(batches[static_cast<size_t>(i)]->Wait().results.at(1).number == i + 1);
    expected += absl::StrCat(i, " ");
  }
  CHECK(Why(batches.back()->Wait()) == "OK");
  CHECK(store.Do(Get("log")).value == expected + std::string(100, '.'));
}

TEST_CASE("A batch that names more bytes than can be held is refused, unless it needs only sizes") {
  OpenStore store;
  std::vector<Op> touches;
  std::vector<Op> deletes;
  for (int i = 0; i < 40; ++i) {
    store.MustDo(Put(absl::StrCat(i), std::string(2 << 20, 'v')));
    touches.push_back(Touch(absl::StrCat(i), kStart + 10));
    deletes.push_back(Delete(absl::StrCat(i)));
  }
  CHECK(Why(store.Atomic(touches)) == "RESOURCE_EXHAUSTED MEMORY_LIMIT");
  CHECK(store.Do(Get("1")).deadline == kNever);
  const BatchAnswer some = Independent(store.engine(), touches);
  CHECK(Why(some.results.front()) == "OK");
  CHECK(Why(some.results.back()) == "RESOURCE_EXHAUSTED MEMORY_LIMIT");
  CHECK(Why(store.Atomic(deletes)) == "OK");
  CHECK(store.Usage() == "0 entries, 0 bytes");
  CHECK(Brief(store.engine().CheckConsistency()) == "OK");
}

TEST_CASE("A key that is replaced and read in one group has its value read") {
  OpenStore store;
  store.MustDo(Put("k", "old"));
  Gate gate(store.engine());
  const PendingBatch both = testing::Submit(store.engine(), BatchMode::kIndependent,
                                            {Get("k"), Put("k", "new"), Append("k", "!")});
  gate.Open();
  CHECK(both->Wait().results.at(0).value == "old");
  CHECK(both->Wait().results.at(2).size == 4);
}

TEST_CASE("Many threads commit together without losing or mixing anything") {
  OpenStore store;
  constexpr int kThreads = 8;
  const int each = static_cast<int>(Count(500, 20'000));
  std::atomic<int> out_of_order{0};
  InParallel(kThreads, [&](int thread) {
    const std::string own = absl::StrCat("own", thread);
    std::vector<PendingBatch> pending;
    for (int i = 0; i < each; ++i) {
      // Two in a row, without waiting for the first: the second must see it.
      pending.push_back(store.Submit({Put(own, absl::StrCat(i)), Add("shared", 1)}));
      const PendingBatch second = store.Submit({Get(own)}, ReadOrder::kSubmitted);
      if (second->Wait().results.at(0).value != absl::StrCat(i)) ++out_of_order;
    }
    for (const PendingBatch& batch : pending) {
      if (!batch->Wait().status.ok()) ++out_of_order;
    }
  });
  CHECK(out_of_order == 0);
  CHECK(store.Do(Get("shared")).value == absl::StrCat(kThreads * each));
  CHECK(Brief(store.engine().CheckConsistency()) == "OK");
}

}  // namespace
}  // namespace tarn::testing
