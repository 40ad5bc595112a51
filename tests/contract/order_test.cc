// The order of what one thread submits without waiting, and how completions come.
#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "tests/catch.h"
#include "tests/contract/subject.h"

namespace tarn::testing {
namespace {

TEST_CASE("Batches submitted without waiting take effect in order on a key they share") {
  Subject subject;
  std::vector<std::shared_ptr<Pending>> pending;
  std::string expected;
  for (int i = 0; i < 1'000; ++i) {
    const std::string digit(1, static_cast<char>('0' + i % 10));
    expected += digit;
    const BatchMode mode = i % 3 == 0 ? BatchMode::kAtomic : BatchMode::kIndependent;
    pending.push_back(
        Submit(subject.engine(), mode, {Append("k", digit), Put(absl::StrCat("own", i), "v")}));
  }
  Revision last = 0;
  for (size_t i = 0; i < pending.size(); ++i) {
    const Answer& append = pending[i]->Wait().results.at(0);
    CHECK(append.size == i + 1);
    CHECK(append.revision > last);
    last = append.revision;
  }
  CHECK(subject.Do(Get("k")).value == expected);
}

TEST_CASE("Changes of every kind on one key take effect in the order sent") {
  Subject subject;
  std::vector<std::shared_ptr<Pending>> pending;
  for (int i = 0; i < 200; ++i) {
    pending.push_back(
        Submit(subject.engine(), BatchMode::kAtomic, {Put("k", absl::StrCat(i)).IfAbsent()}));
    pending.push_back(Submit(subject.engine(), BatchMode::kIndependent, {Add("k", 1'000)}));
    pending.push_back(Submit(subject.engine(), BatchMode::kAtomic, {Take("k").IfPresent()}));
    pending.push_back(Submit(subject.engine(), BatchMode::kIndependent, {Delete("k")}));
  }
  for (size_t i = 0; i < pending.size(); i += 4) {
    CHECK(Why(pending[i]->Wait()) == "OK");
    CHECK(Why(pending[i + 1]->Wait().results.at(0)) == "OK");
    CHECK(pending[i + 2]->Wait().results.at(0).value == absl::StrCat(1'000 + i / 4));
    CHECK_FALSE(pending[i + 3]->Wait().results.at(0).found);
  }
}

TEST_CASE(
    "A read in submission order sees the writes before it and none behind it, acknowledged or "
    "not") {
  Subject subject;
  std::vector<std::shared_ptr<Pending>> reads;
  std::vector<std::shared_ptr<Pending>> writes;
  for (int i = 0; i < 500; ++i) {
    writes.push_back(Submit(subject.engine(), BatchMode::kIndependent, {Add("k", 1)}));
    const BatchMode mode = i % 2 == 0 ? BatchMode::kAtomic : BatchMode::kIndependent;
    reads.push_back(
        Submit(subject.engine(), mode, {Get("k"), Get("other")}, ReadOrder::kSubmitted));
  }
  for (size_t i = 0; i < reads.size(); ++i)
    CHECK(reads[i]->Wait().results.at(0).value == absl::StrCat(i + 1));
  for (const auto& write : writes) write->Wait();
}

TEST_CASE("A read sees every write that was acknowledged before it was submitted") {
  Subject subject;
  for (int i = 0; i < 300; ++i) {
    const std::string value = absl::StrCat(i);
    subject.MustDo(Put("k", value));
    const BatchAnswer answer = subject.Atomic({Get("k"), Get("k")});
    REQUIRE(answer.results.at(0).value == value);
    REQUIRE(answer.results.at(1).value == value);
  }
}

TEST_CASE("A write acknowledged to one thread is seen by another") {
  Subject subject;
  std::atomic<int> acknowledged{0};
  std::atomic<int> stale{0};
  InParallel(2, [&](int thread) {
    for (int i = 1; i <= 1'000; ++i) {
      if (thread == 0) {
        subject.Do(Put("k", absl::StrCat(i)));
        acknowledged.store(i);
        continue;
      }
      const int at_least = acknowledged.load();
      const Answer answer = subject.Do(Get("k"));
      if (at_least > 0 && (!answer.found || std::stoi(answer.value) < at_least)) ++stale;
    }
  });
  CHECK(stale == 0);
}

TEST_CASE("An engine that says so completes every batch before Run returns") {
  Subject subject;
  if (!subject.engine().completes_inline()) return;
  for (int i = 0; i < 100; ++i) {
    CHECK(Submit(subject.engine(), BatchMode::kAtomic, {Add("k", 1)})->done());
    CHECK(Submit(subject.engine(), BatchMode::kIndependent, {Get("k"), Get("missing")})->done());
  }
}

TEST_CASE("A completion may submit the next batch on the same key") {
  Subject subject;
  struct Chain {
    storage::Engine* engine;
    storage::Operation operation;
    int left = 200;
    absl::Notification done;

    void Step() {
      engine->Run({BatchMode::kAtomic, ReadOrder::kCommitted, absl::MakeConstSpan(&operation, 1)},
                  [this](storage::BatchResult& result) {
                    if (!result.status.ok() || --left == 0) return done.Notify();
                    Step();
                  });
    }
  };
  const Op add = Add("k", 1);
  Chain chain{&subject.engine(), add.View(), 200, {}};
  chain.Step();
  REQUIRE(chain.done.WaitForNotificationWithTimeout(absl::Minutes(1)));
  CHECK(subject.Do(Get("k")).value == "200");
}

TEST_CASE("A completion of a read may write to the key it read") {
  Subject subject;
  subject.MustDo(Put("k", "1"));
  absl::Notification done;
  const Op get = Get("k");
  const Op put = Put("k", "2");
  const storage::Operation read = get.View();
  const storage::Operation write = put.View();
  subject.engine().Run(
      {BatchMode::kIndependent, ReadOrder::kCommitted, absl::MakeConstSpan(&read, 1)},
      [&](storage::BatchResult&) {
        subject.engine().Run(
            {BatchMode::kIndependent, ReadOrder::kCommitted, absl::MakeConstSpan(&write, 1)},
            [&](storage::BatchResult&) { done.Notify(); });
      });
  REQUIRE(done.WaitForNotificationWithTimeout(absl::Minutes(1)));
  CHECK(subject.Do(Get("k")).value == "2");
}

TEST_CASE("Every batch is completed before its engine is gone") {
  std::vector<std::shared_ptr<Pending>> pending;
  {
    Subject subject;
    for (int i = 0; i < 500; ++i) {
      pending.push_back(Submit(subject.engine(), BatchMode::kAtomic, {Put(absl::StrCat(i), "v")}));
      pending.push_back(Submit(subject.engine(), BatchMode::kIndependent, {Get(absl::StrCat(i))}));
    }
    subject.Close();
    for (const auto& one : pending) CHECK(one->done());
  }
  for (const auto& one : pending) CHECK(Why(one->Wait()) == "OK");
}

}  // namespace
}  // namespace tarn::testing
