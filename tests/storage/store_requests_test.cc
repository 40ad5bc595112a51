// Writes with request ids: done once, however often they are repeated.
#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "storage/base/error.h"
#include "tests/catch.h"
#include "tests/storage/request_subject.h"

namespace tarn::storage {
namespace {

using testing::Brief;

constexpr auto kAtomic = BatchMode::kAtomic;
constexpr auto kIndependent = BatchMode::kIndependent;
absl::Status OutcomeUnknown() {
  return base::MakeError(absl::StatusCode::kUnknown, base::Reason::kOutcomeUnknown, "who knows");
}
TEST_CASE("a client id is the revision of its issue: it rises, and is below what comes later") {
  StoreSubject subject;
  const Revision first = subject.Register();
  const Revision second = subject.Register();
  CHECK(first < second);
  CHECK(subject.Do(Put("k", "v")).revision > second);
  CHECK(subject.store().Stats().requests.clients == 2);
}

TEST_CASE("a repeated write is done once, and has the same answer") {
  StoreSubject subject;
  const Revision client = subject.Register();
  const Answer first = subject.DoAs({client, 1}, Add("n", 5).For(1000));
  CHECK(Say(first) == "5");
  subject.clock.Advance(300);
  for (int i = 0; i < 3; ++i) {
    const Answer again = subject.DoAs({client, 1}, Add("n", 5).For(1000));
    CHECK(Say(again) == "5 again");
    CHECK(again.revision == first.revision);
    CHECK(again.deadline == first.deadline);
    CHECK(again.found == first.found);
  }
  CHECK(subject.Value("n") == "5");
  CHECK(Say(subject.DoAs({client, 2}, Add("n", 5))) == "10");
  CHECK(subject.store().Stats().requests.replays == 3);
}

TEST_CASE("what was taken is given again, and what was deleted was there") {
  StoreSubject subject;
  const Revision client = subject.Register();
  subject.Do(Put("a", "treasure"));
  subject.Do(Put("b", "v"));
  CHECK(Say(subject.DoAs({client, 1}, Take("a"))) == "treasure");
  CHECK(Say(subject.DoAs({client, 1}, Take("a"))) == "treasure again");
  CHECK(subject.DoAs({client, 2}, Delete("b")).found);
  CHECK(subject.DoAs({client, 2}, Delete("b")).found);
  CHECK_FALSE(subject.DoAs({client, 3}, Delete("b")).found);
}

TEST_CASE("a conditional write that was done is not said to have failed") {
  StoreSubject subject;
  const Revision client = subject.Register();
  const Answer first = subject.DoAs({client, 1}, Put("k", "1").IfAbsent());
  const Answer again = subject.DoAs({client, 1}, Put("k", "1").IfAbsent());
  CHECK(again.status.ok());
  CHECK(again.revision == first.revision);
}

TEST_CASE("an id is its client's own") {
  StoreSubject subject;
  const Revision one = subject.Register();
  const Revision other = subject.Register();
  subject.DoAs({one, 1}, Add("n", 1));
  CHECK(Say(subject.DoAs({other, 1}, Add("n", 1))) == "2");
}

TEST_CASE("an id that was used for something else is refused") {
  StoreSubject subject;
  const Revision client = subject.Register();
  subject.DoAs({client, 1}, Add("n", 1));
  const std::string mismatch = "INVALID_ARGUMENT REQUEST_MISMATCH";
  CHECK(Say(subject.DoAs({client, 1}, Add("n", 2))) == mismatch);
  CHECK(Say(subject.DoAs({client, 1}, Add("m", 1))) == mismatch);
  CHECK(Say(subject.DoAs({client, 1}, Add("n", 1), "other")) == mismatch);
  CHECK(Say(subject.BatchAs({client, 1}, kAtomic, {Add("n", 1)})) == mismatch);
  CHECK(Say(subject.DoAs({client, 1}, Add("n", 1), "default")) == "1 again");
}

TEST_CASE("an unknown client is refused, and half an id") {
  StoreSubject subject;
  const Revision client = subject.Register();
  CHECK(Say(subject.DoAs({client + 1, 1}, Add("n", 1))) == "OUT_OF_RANGE UNKNOWN_CLIENT");
  CHECK(Say(subject.DoAs({client, 0}, Add("n", 1))) == "INVALID_ARGUMENT REQUEST_MISMATCH");
  CHECK(Say(subject.DoAs({0, 1}, Add("n", 1))) == "INVALID_ARGUMENT REQUEST_MISMATCH");
  CHECK(subject.Value("n") == "-");
}

TEST_CASE("what only reads needs no id, and is not remembered") {
  StoreSubject subject;
  const Revision client = subject.Register();
  subject.Do(Put("k", "1"));
  CHECK(Say(subject.DoAs({client, 1}, Get("k"))) == "1");
  subject.Do(Put("k", "2"));
  CHECK(Say(subject.DoAs({client, 1}, Get("k"))) == "2");
  CHECK(Receipts(subject) == 0);
}

TEST_CASE("an atomic batch is answered again as a whole, what it read included") {
  StoreSubject subject;
  const Revision client = subject.Register();
  subject.Do(Put("a", "before"));
  const std::vector<Op> ops = {Get("a"), Add("n", 3), Take("a"), Delete("missing")};
  const BatchAnswer first = subject.BatchAs({client, 1}, kAtomic, ops);
  CHECK(Say(first) == "before, 3, before, 0");
  subject.Do(Put("a", "after"));
  const BatchAnswer again = subject.BatchAs({client, 1}, kAtomic, ops);
  CHECK(Say(again) == "before again, 3 again, before again, 0 again");
  CHECK(again.revision == first.revision);
  CHECK(subject.Value("a") == "after");
}

TEST_CASE("a failure is an answer: its repetition fails too, though it could be done now") {
  StoreSubject subject;
  const Revision client = subject.Register();
  subject.Do(Put("k", "v"));
  const std::string failed = "FAILED_PRECONDITION ALREADY_EXISTS";
  CHECK(Say(subject.DoAs({client, 1}, Put("k", "1").IfAbsent())) == failed);
  CHECK(Say(subject.BatchAs({client, 2}, kAtomic, {Add("n", 1), Put("k", "1").IfAbsent()})) ==
        failed);
  subject.Do(Delete("k"));
  CHECK(Say(subject.DoAs({client, 1}, Put("k", "1").IfAbsent())) == failed);
  const BatchAnswer again =
      subject.BatchAs({client, 2}, kAtomic, {Add("n", 1), Put("k", "1").IfAbsent()});
  CHECK(Say(again) == failed);
  CHECK(again.failed_operation == 1);
  CHECK(subject.Value("n") == "-");
  CHECK(Receipts(subject) == 0);
}

TEST_CASE("what was refused for now is tried again under the same id") {
  StoreSubject subject;
  const Revision client = subject.Register();
  subject.engine->FailBatches(Unavailable(), IsUserWrite);
  for (const BatchMode mode : {kAtomic, kIndependent}) {
    CHECK(Say(subject.BatchAs({client, 1}, mode, {Add("n", 1)})) ==
          "UNAVAILABLE ENGINE_UNAVAILABLE");
  }
  subject.engine->FailBatches(absl::OkStatus());
  CHECK(Say(subject.DoAs({client, 1}, Add("n", 1))) == "1");
  CHECK(Say(subject.DoAs({client, 1}, Add("n", 1))) == "1 again");
}

TEST_CASE("a repetition finds out what became of an unknown outcome: it was done") {
  for (const BatchMode mode : {kAtomic, kIndependent}) {
    StoreSubject subject;
    const Revision client = subject.Register();
    subject.engine->FailAfterDoing(OutcomeUnknown(), IsUserWrite);
    CHECK(Say(subject.BatchAs({client, 1}, mode, {Add("n", 1)})) == "UNKNOWN OUTCOME_UNKNOWN");
    subject.engine->FailAfterDoing(absl::OkStatus(), AnyBatch);
    CHECK(Say(subject.BatchAs({client, 1}, mode, {Add("n", 1)})) == "1 again");
    CHECK(Say(subject.BatchAs({client, 1}, mode, {Add("n", 1)})) == "1 again");
    CHECK(subject.Value("n") == "1");
  }
}

TEST_CASE("a repetition finds out what became of an unknown outcome: it was not done") {
  for (const BatchMode mode : {kAtomic, kIndependent}) {
    StoreSubject subject;
    const Revision client = subject.Register();
    subject.engine->FailBatches(OutcomeUnknown(), IsUserWrite);
    CHECK(Say(subject.BatchAs({client, 1}, mode, {Add("n", 1)})) == "UNKNOWN OUTCOME_UNKNOWN");
    subject.engine->FailBatches(absl::OkStatus());
    CHECK(Say(subject.BatchAs({client, 1}, mode, {Add("n", 1)})) == "1");
    CHECK(Say(subject.BatchAs({client, 1}, mode, {Add("n", 1)})) == "1 again");
  }
}

TEST_CASE("a repetition looks behind the run whose outcome is unknown, which may not have ended") {
  StoreSubject subject;
  const Revision client = subject.Register();
  subject.engine->FailAfterDoing(OutcomeUnknown(), IsUserWrite);
  CHECK(Say(subject.DoAs({client, 1}, Add("n", 1))) == "UNKNOWN OUTCOME_UNKNOWN");
  subject.engine->FailAfterDoing(absl::OkStatus(), AnyBatch);
  std::vector<ReadOrder> looks;
  subject.engine->Hold([&](const Batch& batch) {
    if (IsReadOnly(batch.operations)) looks.push_back(batch.read_order);
    return false;
  });
  CHECK(Say(subject.DoAs({client, 1}, Add("n", 1))) == "1 again");
  CHECK(looks == std::vector<ReadOrder>{ReadOrder::kSubmitted});
}

TEST_CASE("operations of unknown outcome are found out one by one") {
  StoreSubject subject;
  const Revision client = subject.Register();
  const std::vector<Op> ops = {Add("a", 1), Get("a"), Add("b", 1)};
  subject.engine->FailOperations(OutcomeUnknown(), IsUserWrite);
  CHECK(Say(subject.BatchAs({client, 1}, kIndependent, ops)) ==
        "UNKNOWN OUTCOME_UNKNOWN, UNKNOWN OUTCOME_UNKNOWN, UNKNOWN OUTCOME_UNKNOWN");
  subject.engine->FailOperations(absl::OkStatus());
  CHECK(Say(subject.BatchAs({client, 1}, kIndependent, ops)) == "1, 1, 1");
  CHECK(Say(subject.BatchAs({client, 1}, kIndependent, ops)) == "1 again, 1, 1 again");
}

TEST_CASE("when the receipts cannot be read, nothing is done") {
  StoreSubject subject;
  const Revision client = subject.Register();
  subject.DoAs({client, 1}, Add("n", 1));
  subject.engine->FailBatches(Unavailable(), AnyBatch);
  CHECK(Say(subject.DoAs({client, 1}, Add("n", 1))) == "UNAVAILABLE ENGINE_UNAVAILABLE");
  subject.engine->FailBatches(absl::OkStatus());
  CHECK(Say(subject.DoAs({client, 1}, Add("n", 1))) == "1 again");
}

TEST_CASE("a receipt that is gone is damage, never a reason to write again") {
  StoreSubject subject;
  const Revision client = subject.Register();
  subject.DoAs({client, 1}, Add("n", 1));
  Operation gone;
  gone.kind = OperationKind::kDelete;
  const std::string key = ReceiptKey(
      {.client = client,
       .request = 1,
       .route = RouteOf(Placement::kSpread, subject.store().GetNamespace("default")->id, "n")});
  gone.key = key;
  subject.memory->Run({.operations = {&gone, 1}},
                      [](const BatchResult& result) { CHECK(result.results[0].found); });
  CHECK(Say(subject.DoAs({client, 1}, Add("n", 1))) == "DATA_LOSS DATA_LOSS");
  CHECK(subject.Value("n") == "1");
}

TEST_CASE("of an independent batch, what was done is answered again and the rest is tried") {
  StoreSubject subject;
  const Revision client = subject.Register();
  REQUIRE(subject.Create("small", {.quota = {.max_entries = 2}}).ok());
  const std::vector<Op> ops = {
      Add("a", 1), Get("a"), Add("b", 1), Add("c", 1), Add("a", 1).IfAbsent(), Delete("")};
  CHECK(Say(subject.BatchAs({client, 1}, kIndependent, ops, "small")) ==
        "1, 1, 1, RESOURCE_EXHAUSTED QUOTA_EXCEEDED, FAILED_PRECONDITION ALREADY_EXISTS, "
        "INVALID_ARGUMENT INVALID_KEY");
  CHECK(Receipts(subject) == 2);
  subject.Do(Delete("b"), "small");
  subject.Do(Put("a", "7"), "small");
  CHECK(Say(subject.BatchAs({client, 1}, kIndependent, ops, "small")) ==
        "1 again, 7, 1 again, 1, FAILED_PRECONDITION ALREADY_EXISTS, "
        "INVALID_ARGUMENT INVALID_KEY");
  CHECK(Say(subject.BatchAs({client, 1}, kIndependent, ops, "small")) ==
        "1 again, 7, 1 again, 1 again, FAILED_PRECONDITION ALREADY_EXISTS, "
        "INVALID_ARGUMENT INVALID_KEY");
  CHECK(subject.Value("b", "small") == "-");
  CHECK(subject.Value("c", "small") == "1");
}

TEST_CASE("a part that fails as a whole takes nothing away from the other part") {
  StoreSubject subject;
  const Revision client = subject.Register();
  REQUIRE(subject.Create("small", {.quota = {.max_entries = 1}}).ok());
  const std::vector<Op> ops = {Add("a", 1), Add("b", 1)};
  CHECK(Say(subject.BatchAs({client, 1}, kIndependent, ops, "small")) ==
        "1, RESOURCE_EXHAUSTED QUOTA_EXCEEDED");
  subject.engine->FailBatches(
      base::MakeError(absl::StatusCode::kFailedPrecondition, base::Reason::kFenced, "fenced"),
      IsUserWrite);
  CHECK(Say(subject.BatchAs({client, 1}, kIndependent, ops, "small")) ==
        "1 again, FAILED_PRECONDITION FENCED");
  subject.engine->FailBatches(absl::OkStatus());
  CHECK(Say(subject.BatchAs({client, 1}, kIndependent, ops, "small")) ==
        "1 again, RESOURCE_EXHAUSTED QUOTA_EXCEEDED");
}

TEST_CASE("a repetition waits for the first request that is still under way") {
  StoreSubject subject;
  const Revision client = subject.Register();
  subject.engine->Hold(IsUserWrite);
  const auto first = subject.SubmitAs({client, 1}, kIndependent, {Add("n", 1)});
  const auto second = subject.SubmitAs({client, 1}, kIndependent, {Add("n", 1)});
  const auto third = subject.SubmitAs({client, 1}, kIndependent, {Add("n", 1)});
  const auto other = subject.SubmitAs({client, 1}, kIndependent, {Add("n", 2)});
  CHECK(subject.engine->held() == 1);
  REQUIRE(other->done());
  CHECK(Say(*other->answer) == "INVALID_ARGUMENT REQUEST_MISMATCH");
  CHECK_FALSE(second->done());
  subject.engine->Release();
  subject.Settle();
  REQUIRE(third->done());
  CHECK(Say(*first->answer) == "1");
  CHECK(Say(*second->answer) == "1 again");
  CHECK(Say(*third->answer) == "1 again");
  CHECK(second->completions == 1);
}

TEST_CASE("only so many repetitions wait") {
  StoreSubject subject;
  const Revision client = subject.Register();
  subject.engine->Hold(IsUserWrite);
  std::vector<std::unique_ptr<Pending>> waiting;
  for (int i = 0; i < 1026; ++i)
    waiting.push_back(subject.SubmitAs({client, 1}, kIndependent, {Add("n", 1)}));
  REQUIRE(waiting.back()->done());
  CHECK(Say(*waiting.back()->answer) == "RESOURCE_EXHAUSTED QUEUE_FULL");
  subject.engine->Release();
  subject.Settle();
  CHECK(Say(*waiting[1024]->answer) == "1 again");
}

TEST_CASE("a repetition may be what creates the namespace") {
  StoreSubject subject;
  const Revision client = subject.Register();
  CHECK(Say(subject.DoAs({client, 1}, Add("n", 1), "new")) == "1");
  CHECK(Say(subject.DoAs({client, 1}, Add("n", 1), "new")) == "1 again");
  CHECK(subject.DoAs({client, 2}, Delete("n"), "nowhere").status.ok());
  CHECK(subject.DoAs({client, 2}, Delete("n"), "nowhere").replayed);
}

TEST_CASE("a write in a namespace that is placed together is recognised") {
  StoreSubject subject;
  const Revision client = subject.Register();
  REQUIRE(subject.Create("near", {.placement = Placement::kTogether}).ok());
  CHECK(Say(subject.DoAs({client, 1}, Add("n", 1), "near")) == "1");
  REQUIRE(Brief(subject.Reopen()) == "OK");
  CHECK(Say(subject.DoAs({client, 1}, Add("n", 1), "near")) == "1 again");
}

TEST_CASE("threads that repeat each other's requests add each once") {
  constexpr uint64_t kRequests = 2000;
  StoreSubject subject;
  const Revision client = subject.Register();
  std::atomic<int64_t> sum{0};
  // Outlives the calls: a repetition that waits for the first one is done by that one's thread.
  constexpr int kThreads = 4;
  Operation add;
  add.kind = OperationKind::kAdd;
  add.key = "n";
  add.delta = 1;
  std::vector<std::vector<Operation>> adds(kThreads, std::vector<Operation>(kRequests, add));
  std::vector<std::thread> threads;
  for (std::vector<Operation>& own : adds) {
    threads.emplace_back([&subject, &own, &sum, client] {
      for (uint64_t request = 1; request <= kRequests; ++request) {
        subject.store().Run(
            {.operations = absl::MakeSpan(&own[request - 1], 1), .id = {client, request}},
            [&sum](const BatchResult& result) {
              if (result.status.ok() && !result.results[0].replayed) sum += 1;
            });
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  subject.Settle();
  CHECK(sum == kRequests);
  CHECK(subject.Value("n") == absl::StrCat(kRequests));
}

}  // namespace
}  // namespace tarn::storage
