// Unary calls against a server with a script: what goes over the wire, and what is repeated.
#include <future>
#include <string>
#include <vector>

#include "tests/catch.h"
#include "tests/client/fixture.h"
#include <google/protobuf/util/message_differencer.h>

namespace tarn::testing {
namespace {

using grpc::StatusCode;
using std::chrono::nanoseconds;

v1::PutResponse PutAnswer(uint64_t revision) {
  v1::PutResponse response;
  response.set_revision(revision);
  return response;
}

template <typename Message>
std::string Text(const Message& message) {
  return message.ShortDebugString();
}

// --- what goes over the wire
// ------------------------------------------------------------------------------------

TEST_CASE("get asks for the key in its namespace and returns the entry") {
  Fixture f;
  v1::GetResponse answer;
  answer.set_found(true);
  answer.set_value(std::string("a\0b", 3));
  answer.set_revision(7);
  answer.set_expire_time_ms(1500);
  f.server.get.ThenAnswer(answer);

  const auto got = f.MakeClient("app").Get("k", {.precondition = Precondition::Present()});
  REQUIRE(got.ok());
  CHECK(got->found);
  CHECK(got->value == std::string("a\0b", 3));
  CHECK(got->revision == 7);
  CHECK(got->expire_time == Timestamp(milliseconds(1500)));
  CHECK(Text(f.server.get.requests().at(0)) ==
        R"(namespace: "app" key: "k" precondition { present: true })");
}

TEST_CASE("a missing key is an answer, and an entry without deadline has none") {
  Fixture f;
  f.server.get.ThenAnswer();
  const auto got = f.MakeClient().Get("k");
  REQUIRE(got.ok());
  CHECK_FALSE(got->found);
  CHECK_FALSE(got->expire_time.has_value());
  CHECK(f.server.get.requests().at(0).namespace_().empty());
}

TEST_CASE("put sends value, TTL and precondition") {
  Fixture f;
  v1::PutResponse answer = PutAnswer(9);
  answer.set_found(true);
  answer.set_expire_time_ms(2000);
  f.server.put.ThenAnswer(answer);

  const Client client = f.MakeClient();
  const auto put = client.Put(
      "k", "v", {.ttl = Ttl::Of(seconds(5)), .precondition = Precondition::AtRevision(3)});
  REQUIRE(put.ok());
  CHECK(put->found);
  CHECK(put->revision == 9);
  CHECK(put->expire_time == Timestamp(milliseconds(2000)));
  CHECK(Text(f.server.put.requests().at(0)) ==
        R"(key: "k" precondition { revision: 3 } value: "v" ttl { milliseconds: 5000 })");
  CHECK(client.Put("k", "v", {.ttl = Ttl::Never(), .precondition = Precondition::Absent()}).ok());
  CHECK(Text(f.server.put.requests().at(1)) ==
        R"(key: "k" precondition { absent: true } value: "v" ttl { never: true })");
}

TEST_CASE("delete, take, increment, append and touch send and return their own") {
  Fixture f;
  const Client client = f.MakeClient();

  v1::DeleteResponse deleted;
  deleted.set_found(true);
  deleted.set_revision(1);
  f.server.del.ThenAnswer(deleted);
  const auto del = client.Delete("d", {.precondition = Precondition::AtRevision(4)});
  REQUIRE(del.ok());
  CHECK((del->found && del->revision == 1));
  CHECK(Text(f.server.del.requests().at(0)) == R"(key: "d" precondition { revision: 4 })");

  v1::TakeResponse taken;
  taken.set_found(true);
  taken.set_value("old");
  taken.set_revision(2);
  f.server.take.ThenAnswer(taken);
  const auto take = client.Take("t");
  REQUIRE(take.ok());
  CHECK((take->found && take->value == "old" && take->revision == 2));

  v1::IncrementResponse sum;
  sum.set_number(-5);
  sum.set_revision(3);
  sum.set_expire_time_ms(10);
  f.server.increment.ThenAnswer(sum);
  const auto increment = client.Increment("i", -7, {.ttl = Ttl::Of(milliseconds(1))});
  REQUIRE(increment.ok());
  CHECK((!increment->found && increment->number == -5 && increment->revision == 3));
  CHECK(increment->expire_time == Timestamp(milliseconds(10)));
  CHECK(Text(f.server.increment.requests().at(0)) ==
        R"(key: "i" delta: -7 ttl { milliseconds: 1 })");

  v1::AppendResponse longer;
  longer.set_size_bytes(12);
  longer.set_revision(4);
  f.server.append.ThenAnswer(longer);
  const auto append = client.Append("a", "tail");
  REQUIRE(append.ok());
  CHECK((append->size_bytes == 12 && append->revision == 4));
  CHECK(Text(f.server.append.requests().at(0)) == R"(key: "a" suffix: "tail")");

  v1::TouchResponse touched;
  touched.set_found(true);
  touched.set_revision(5);
  f.server.touch.ThenAnswer(touched);
  const auto touch = client.Touch("x", Ttl::Never());
  REQUIRE(touch.ok());
  CHECK((touch->found && touch->revision == 5));
  CHECK(Text(f.server.touch.requests().at(0)) == R"(key: "x" ttl { never: true })");
}

TEST_CASE("a batch sends every kind of operation and returns a result for each") {
  Fixture f;
  v1::BatchResponse answer;
  answer.set_revision(8);
  answer.add_results()->set_number(4);
  *answer.add_results()->mutable_status() =
      TarnErrorProto(StatusCode::FAILED_PRECONDITION, "KEY_NOT_FOUND");
  f.server.batch.ThenAnswer(answer);

  Batch batch = Batch::Independent();
  batch.Get("a").Put("b", "1", Ttl::Never()).Delete("c").Take("d").Increment("e", 2);
  batch.Append("f", "s", Ttl::Of(seconds(1)))
      .Touch("g", Ttl::Of(seconds(2)), Precondition::Present());
  const auto result = f.MakeClient("app").RunBatch(std::move(batch));
  REQUIRE(result.ok());
  CHECK(result->revision == 8);
  REQUIRE(result->results.size() == 2);
  CHECK(result->results[0].status.ok());
  CHECK(result->results[0].number == 4);
  CHECK(ReasonOf(result->results[1].status) == Reason::kKeyNotFound);
  CHECK(
      Text(f.server.batch.requests().at(0)) ==
      R"(namespace: "app" mode: BATCH_MODE_INDEPENDENT )"
      R"(operations { key: "a" get { } } )"
      R"(operations { key: "b" put { value: "1" ttl { never: true } } } )"
      R"(operations { key: "c" delete { } } operations { key: "d" take { } } )"
      R"(operations { key: "e" increment { delta: 2 } } )"
      R"(operations { key: "f" append { suffix: "s" ttl { milliseconds: 1000 } } } )"
      R"(operations { key: "g" precondition { present: true } touch { ttl { milliseconds: 2000 } } })");
}

TEST_CASE("count and delete range name their range, and everything only when told so") {
  Fixture f;
  const Client client = f.MakeClient();
  v1::CountResponse counted;
  counted.set_count(3);
  counted.set_revision(9);
  f.server.count.ThenAnswer(counted);
  const auto count = client.Count(KeyRange::Prefix("p"));
  REQUIRE(count.ok());
  CHECK((count->count == 3 && count->revision == 9));
  CHECK(Text(f.server.count.requests().at(0)) == R"(range { prefix: "p" })");
  CHECK(client.Count().ok());
  CHECK_FALSE(f.server.count.requests().at(1).has_range());

  v1::DeleteRangeResponse removed;
  removed.set_deleted_count(2);
  f.server.delete_range.ThenAnswer(removed);
  CHECK(client.DeleteRange(KeyRange::Between("a", "b"))->deleted_count == 2);
  CHECK(Text(f.server.delete_range.requests().at(0)) == R"(range { start: "a" end: "b" })");
  // The server must see that a range was meant, to refuse it.
  CHECK(client.DeleteRange(KeyRange::All()).ok());
  CHECK(f.server.delete_range.requests().at(1).target_case() == v1::DeleteRangeRequest::kRange);
  CHECK(client.DeleteAll().ok());
  CHECK(Text(f.server.delete_range.requests().at(2)) == "all: true");
}

TEST_CASE("a client for another namespace uses the same connection") {
  Fixture f;
  f.server.get.ThenAnswer();
  const Client one = f.MakeClient("one");
  const Client two = one.WithNamespace("two");
  CHECK(two.Get("k").ok());
  CHECK(f.server.get.requests().at(0).namespace_() == "two");
  CHECK(one.connection() == two.connection());
  CHECK(one.ns() == "one");
}

// --- what is repeated
// -------------------------------------------------------------------------------------------

TEST_CASE("a call that the server says was not done is repeated, whatever it is") {
  Fixture f;
  v1::IncrementResponse sum;
  sum.set_number(1);
  f.server.increment.ThenFail(TarnError(StatusCode::UNAVAILABLE, "NOT_READY"))
      .ThenFail(TarnError(StatusCode::UNAVAILABLE, "DRAINING"))
      .ThenAnswer(sum);
  const auto result = f.MakeClient().Increment("k");
  REQUIRE(result.ok());
  CHECK(f.server.increment.calls() == 3);
  CHECK(*f.fake.slept == std::vector<nanoseconds>{milliseconds(10), milliseconds(20)});
}

TEST_CASE("a write of unknown outcome is repeated only if it is idempotent") {
  for (const auto code : {StatusCode::UNAVAILABLE, StatusCode::UNKNOWN, StatusCode::CANCELLED,
                          StatusCode::DEADLINE_EXCEEDED}) {
    Fixture f;
    const Client client = f.MakeClient();
    f.server.put.ThenFail({code, "gone"}).ThenAnswer(PutAnswer(5));
    CHECK(client.Put("k", "v").ok());
    CHECK(f.server.put.calls() == 2);

    f.server.take.ThenFail({code, "gone"}).ThenAnswer();
    const auto take = client.Take("k");
    CHECK(IsOutcomeUnknown(take.status()));
    CHECK(take.status().code() == static_cast<absl::StatusCode>(code));
    CHECK(f.server.take.calls() == 1);
  }
}

TEST_CASE("a write that its precondition guards is repeated after an unknown outcome") {
  Fixture f;
  f.server.increment.ThenFail(Broken()).ThenAnswer();
  CHECK(f.MakeClient().Increment("k", 1, {.precondition = Precondition::AtRevision(7)}).ok());
  CHECK(f.server.increment.calls() == 2);
}

TEST_CASE("a lost race after an attempt of unknown outcome is not reported as a lost race") {
  // The first attempt may have won it.
  Fixture f;
  f.server.put.ThenFail(Broken()).ThenFail(TarnError(StatusCode::ABORTED, "REVISION_MISMATCH"));
  const auto put = f.MakeClient().Put("k", "v", {.precondition = Precondition::AtRevision(7)});
  CHECK(put.status().code() == absl::StatusCode::kUnknown);
  CHECK(ReasonOf(put.status()) == Reason::kOutcomeUnknown);
  CHECK(IsOutcomeUnknown(put.status()));
}

TEST_CASE("once the outcome is unknown no later refusal makes it known") {
  Fixture f;
  f.server.put.ThenFail(Broken()).ThenFail(TarnError(StatusCode::UNAVAILABLE, "NOT_READY"));
  const auto put = f.MakeClient().Put("k", "v");
  CHECK(f.server.put.calls() == 4);  // Three retries.
  CHECK(IsOutcomeUnknown(put.status()));
}

TEST_CASE("a read is repeated, and its error stays what it was") {
  Fixture f;
  f.server.get.ThenFail(Broken()).ThenFail(TarnError(StatusCode::UNAVAILABLE, "NOT_OWNER"));
  const auto get = f.MakeClient().Get("k");
  CHECK(f.server.get.calls() == 4);
  CHECK(ReasonOf(get.status()) == Reason::kNotOwner);
  CHECK(std::string(get.status().message()) == "Get (4 attempts): the server says NOT_OWNER");
}

TEST_CASE("an error that repeating cannot help is reported at once") {
  for (const auto& [code, reason] : std::vector<std::pair<StatusCode, std::string>>{
           {StatusCode::INVALID_ARGUMENT, "INVALID_KEY"},
           {StatusCode::FAILED_PRECONDITION, "NAMESPACE_NOT_FOUND"},
           {StatusCode::ABORTED, "REVISION_MISMATCH"},
           {StatusCode::OUT_OF_RANGE, "INTEGER_OVERFLOW"},
           {StatusCode::RESOURCE_EXHAUSTED, "QUOTA_EXCEEDED"},
           {StatusCode::DATA_LOSS, "DATA_LOSS"},
           {StatusCode::INTERNAL, "ENGINE_ERROR"},
           {StatusCode::UNIMPLEMENTED, "UNSUPPORTED"},
           {StatusCode::PERMISSION_DENIED, "PERMISSION_DENIED"}}) {
    Fixture f;
    f.server.get.ThenFail(TarnError(code, reason));
    const auto get = f.MakeClient().Get("k");
    CHECK(f.server.get.calls() == 1);
    CHECK(ReasonName(ReasonOf(get.status())) == reason);
    CHECK(get.status().code() == static_cast<absl::StatusCode>(code));
  }
}

TEST_CASE("the server's wish to wait is honoured") {
  Fixture f;
  f.server.increment
      .ThenFail(TarnError(StatusCode::RESOURCE_EXHAUSTED, "QUEUE_FULL", milliseconds(700)))
      .ThenAnswer();
  CHECK(f.MakeClient().Increment("k").ok());
  CHECK(*f.fake.slept == std::vector<nanoseconds>{milliseconds(700)});
}

TEST_CASE("nothing is repeated beyond the deadline, and nobody waits for it in vain") {
  Fixture f;
  f.server.get.ThenFail(TarnError(StatusCode::UNAVAILABLE, "NOT_READY", seconds(60)));
  const auto get = f.MakeClient().Get("k", {.timeout = seconds(50)});
  CHECK(ReasonOf(get.status()) == Reason::kNotReady);
  CHECK(f.server.get.calls() == 1);
  CHECK(f.fake.slept->empty());
}

TEST_CASE("an attempt that takes too long is given up, and repeated if that is safe") {
  Fixture f;
  f.options.attempt_timeout = milliseconds(100);
  std::promise<void> release;
  auto released = release.get_future().share();
  f.server.get
      .Then([released](const v1::GetRequest&, v1::GetResponse*) {
        released.wait();
        return grpc::Status::OK;
      })
      .ThenAnswer();
  f.server.take.Then([released](const v1::TakeRequest&, v1::TakeResponse*) {
    released.wait();
    return grpc::Status::OK;
  });
  const Client client = f.MakeClient();
  CHECK(client.Get("k").ok());
  CHECK(f.server.get.calls() == 2);
  CHECK(client.Take("k").status().code() == absl::StatusCode::kDeadlineExceeded);
  CHECK(f.server.take.calls() == 1);
  release.set_value();
}

TEST_CASE("without a server every call may be repeated, because nothing was sent") {
  Fixture f;
  f.server.Stop();
  const auto result = f.MakeClient().Increment("k");
  CHECK(ReasonOf(result.status()) == Reason::kNotConnected);
  CHECK_FALSE(IsOutcomeUnknown(result.status()));
  CHECK(f.fake.slept->size() == 3);
}

TEST_CASE("a server that dies during a write leaves its outcome unknown") {
  Fixture f;
  std::promise<void> arrived;
  std::promise<void> release;
  f.server.take.Then([&](const v1::TakeRequest&, v1::TakeResponse*) {
    arrived.set_value();
    release.get_future().wait();
    return grpc::Status::OK;
  });
  std::promise<absl::StatusOr<TakeResult>> done;
  f.MakeClient().AsyncTake("k", {}, [&](auto result) { done.set_value(std::move(result)); });
  arrived.get_future().wait();
  std::thread stopper([&] { f.server.Stop(); });
  const auto take = done.get_future().get();
  release.set_value();
  stopper.join();
  CHECK(take.status().code() == absl::StatusCode::kUnavailable);
  CHECK(IsOutcomeUnknown(take.status()));
}

TEST_CASE("the policy for reads only leaves every write alone") {
  Fixture f;
  f.options.idempotency_policy = std::make_shared<ReadsOnlyIdempotencyPolicy>();
  f.server.put.ThenFail(Broken());
  CHECK(IsOutcomeUnknown(f.MakeClient().Put("k", "v").status()));
  CHECK(f.server.put.calls() == 1);
}

TEST_CASE("a batch is repeated after an unknown outcome if all of it is idempotent") {
  Fixture f;
  const Client client = f.MakeClient();
  f.server.batch.ThenFail(Broken()).ThenAnswer().ThenFail(Broken());
  CHECK(client.RunBatch(Batch::Atomic().Put("a", "1").Delete("b")).ok());
  CHECK(f.server.batch.calls() == 2);
  CHECK_FALSE(client.RunBatch(Batch::Atomic().Put("a", "1").Append("b", "x")).ok());
  CHECK(f.server.batch.calls() == 3);
}

// --- asynchronous calls
// -----------------------------------------------------------------------------------------

template <typename Result, typename Start>
absl::StatusOr<Result> Await(Start start) {
  std::promise<absl::StatusOr<Result>> promise;
  start([&promise](absl::StatusOr<Result> result) { promise.set_value(std::move(result)); });
  return promise.get_future().get();
}

TEST_CASE("an asynchronous call waits on a timer before it is repeated") {
  Fixture f;
  f.server.get.ThenFail(TarnError(StatusCode::UNAVAILABLE, "NOT_READY")).ThenAnswer();
  std::promise<absl::StatusOr<GetResult>> done;
  f.MakeClient().AsyncGet("k", {}, [&](auto result) { done.set_value(std::move(result)); });
  f.fake.timers->AwaitSet(1);
  CHECK(f.fake.timers->delays() == std::vector<nanoseconds>{milliseconds(10)});
  CHECK(f.server.get.calls() == 1);
  f.fake.timers->Advance(milliseconds(10));
  CHECK(done.get_future().get().ok());
  CHECK(f.server.get.calls() == 2);
  CHECK(f.fake.slept->empty());
}

TEST_CASE("each asynchronous call reaches its method") {
  Fixture f;
  const Client c = f.MakeClient("app");
  f.server.get.ThenAnswer();
  f.server.put.ThenAnswer(PutAnswer(3));
  f.server.del.ThenAnswer();
  f.server.take.ThenAnswer();
  f.server.increment.ThenAnswer();
  f.server.append.ThenAnswer();
  f.server.touch.ThenAnswer();
  f.server.batch.ThenAnswer();
  f.server.count.ThenAnswer();
  f.server.delete_range.ThenAnswer();
  CHECK(Await<GetResult>([&](auto done) { c.AsyncGet("k", {}, done); }).ok());
  CHECK(Await<PutResult>([&](auto done) { c.AsyncPut("k", "v", {}, done); })->revision == 3);
  CHECK(Await<DeleteResult>([&](auto done) { c.AsyncDelete("k", {}, done); }).ok());
  CHECK(Await<TakeResult>([&](auto done) { c.AsyncTake("k", {}, done); }).ok());
  CHECK(Await<IncrementResult>([&](auto done) { c.AsyncIncrement("k", 2, {}, done); }).ok());
  CHECK(Await<AppendResult>([&](auto done) { c.AsyncAppend("k", "s", {}, done); }).ok());
  CHECK(Await<TouchResult>([&](auto done) { c.AsyncTouch("k", Ttl::Never(), {}, done); }).ok());
  CHECK(Await<BatchResult>([&](auto done) {
          c.AsyncRunBatch(Batch::Atomic().Put("k", "v"), {}, done);
        }).ok());
  CHECK(Await<CountResult>([&](auto done) { c.AsyncCount({}, {}, done); }).ok());
  CHECK(Await<DeleteRangeResult>([&](auto done) {
          c.AsyncDeleteRange(KeyRange::Prefix("p"), {}, done);
        }).ok());
  CHECK(f.server.increment.requests().at(0).delta() == 2);
  CHECK(f.server.append.requests().at(0).namespace_() == "app");
}

TEST_CASE("an asynchronous call ends after its client is gone") {
  Fixture f;
  std::promise<void> release;
  f.server.get.Then([&](const v1::GetRequest&, v1::GetResponse*) {
    release.get_future().wait();
    return grpc::Status::OK;
  });
  std::promise<absl::StatusOr<GetResult>> done;
  {
    f.MakeClient().AsyncGet("k", {}, [&](auto result) { done.set_value(std::move(result)); });
  }
  release.set_value();
  CHECK(done.get_future().get().ok());
}

TEST_CASE("a client may be destroyed in a callback of its own") {
  // Each of these clients is the only one there is, and gRPC tidies up when the last goes.
  for (int i = 0; i < 50; ++i) {
    Fixture f;
    f.server.get.ThenAnswer();
    std::promise<void> done;
    auto client = std::make_unique<Client>(f.MakeClient());
    client->AsyncGet("k", {}, [&](const auto&) {
      client.reset();
      done.set_value();
    });
    done.get_future().wait();
  }
}

TEST_CASE("an asynchronous write of unknown outcome reports it") {
  Fixture f;
  f.server.take.ThenFail(Broken());
  const auto take = Await<TakeResult>([&](auto done) { f.MakeClient().AsyncTake("k", {}, done); });
  CHECK(IsOutcomeUnknown(take.status()));
  CHECK(f.server.take.calls() == 1);
}

}  // namespace
}  // namespace tarn::testing
