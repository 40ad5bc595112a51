// What each call of StateService answers, over the wire and on every engine.
#include "tests/catch.h"
#include "tests/e2e/raw_client.h"
#include "tests/support/daemon.h"
#include "tests/support/temp_dir.h"

namespace tarn::testing {
namespace {

using State = v1::StateService::Stub;

class Subject {
 public:
  explicit Subject(std::vector<std::string> arguments)
      : daemon_({.directory = dir_.path(), .arguments = std::move(arguments)}),
        client(daemon_.grpc()) {}

  template <typename Request, typename Response>
  Response Ok(grpc::Status (State::*method)(grpc::ClientContext*, const Request&, Response*),
              const Request& request) {
    Response response;
    REQUIRE(client.Call(client.state(), method, request, &response) == "OK");
    return response;
  }

 private:
  const TempDir dir_;
  DaemonProcess daemon_;

 public:
  RawClient client;
};

Subject AnyEngine() {
  return Subject({"--engine", GENERATE(std::string("memory"), std::string("rocksdb"))});
}

template <typename Request>
Request Key(const std::string& key) {
  Request request;
  request.set_key(key);
  return request;
}

TEST_CASE("put, get and delete one entry") {
  Subject subject = AnyEngine();
  auto put = Key<v1::PutRequest>("k");
  put.set_value(std::string("\0v\xff", 3));
  const auto stored = subject.Ok(&State::Put, put);
  CHECK_FALSE(stored.found());
  CHECK(stored.revision() > 0);
  CHECK(stored.expire_time_ms() == 0);
  CHECK(subject.Ok(&State::Put, put).found());

  const auto got = subject.Ok(&State::Get, Key<v1::GetRequest>("k"));
  CHECK(got.found());
  CHECK(got.value() == std::string("\0v\xff", 3));
  CHECK(got.revision() > stored.revision());

  const auto deleted = subject.Ok(&State::Delete, Key<v1::DeleteRequest>("k"));
  CHECK(deleted.found());
  CHECK(deleted.revision() > got.revision());
  CHECK_FALSE(subject.Ok(&State::Get, Key<v1::GetRequest>("k")).found());
  const auto again = subject.Ok(&State::Delete, Key<v1::DeleteRequest>("k"));
  CHECK_FALSE(again.found());
  CHECK(again.revision() == 0);
}

TEST_CASE("take gives the value once") {
  Subject subject = AnyEngine();
  REQUIRE(subject.client.Put("k", "v") == "OK");
  CHECK(subject.Ok(&State::Take, Key<v1::TakeRequest>("k")).value() == "v");
  CHECK_FALSE(subject.Ok(&State::Take, Key<v1::TakeRequest>("k")).found());
}

TEST_CASE("increment and append make what they change") {
  Subject subject = AnyEngine();
  auto increment = Key<v1::IncrementRequest>("n");
  increment.set_delta(5);
  CHECK_FALSE(subject.Ok(&State::Increment, increment).found());
  increment.set_delta(-7);
  CHECK(subject.Ok(&State::Increment, increment).number() == -2);
  CHECK(subject.client.Get("n") == "-2");

  auto append = Key<v1::AppendRequest>("a");
  append.set_suffix("one");
  CHECK(subject.Ok(&State::Append, append).size_bytes() == 3);
  append.set_suffix("two");
  CHECK(subject.Ok(&State::Append, append).size_bytes() == 6);
  CHECK(subject.client.Get("a") == "onetwo");
}

TEST_CASE("touch changes the deadline and nothing else") {
  Subject subject = AnyEngine();
  REQUIRE(subject.client.Put("k", "v") == "OK");
  auto touch = Key<v1::TouchRequest>("k");
  touch.mutable_ttl()->set_milliseconds(3'600'000);
  const auto touched = subject.Ok(&State::Touch, touch);
  CHECK(touched.found());
  CHECK(touched.expire_time_ms() > 0);
  const auto got = subject.Ok(&State::Get, Key<v1::GetRequest>("k"));
  CHECK(got.value() == "v");
  CHECK(got.revision() == touched.revision());
  CHECK(got.expire_time_ms() == touched.expire_time_ms());
  CHECK_FALSE(subject
                  .Ok(&State::Touch,
                      [] {
                        auto missing = Key<v1::TouchRequest>("missing");
                        missing.mutable_ttl()->set_never(true);
                        return missing;
                      }())
                  .found());
}

TEST_CASE("a revision that was read may be replaced once") {
  Subject subject = AnyEngine();
  RawClient& client = subject.client;
  REQUIRE(client.Put("k", "1") == "OK");
  const uint64_t revision = client.RevisionOf("k");
  const auto replace = [&](v1::PutRequest& request) {
    request.mutable_precondition()->set_revision(revision);
  };
  CHECK(client.Put("k", "2", replace) == "OK");
  CHECK(client.Put("k", "3", replace) == "ABORTED REVISION_MISMATCH");
  CHECK(client.Get("k") == "2");
}

TEST_CASE("namespaces keep their keys apart") {
  Subject subject = AnyEngine();
  RawClient& client = subject.client;
  const auto in = [](const std::string& ns) {
    return [ns](v1::PutRequest& request) { request.set_namespace_(ns); };
  };
  REQUIRE(client.Put("k", "1", in("one")) == "OK");
  REQUIRE(client.Put("k", "2", in("two")) == "OK");
  CHECK(client.Get("k", "one") == "1");
  CHECK(client.Get("k", "two") == "2");
  CHECK(client.Get("k") == "(none)");
  REQUIRE(client.Put("k", "3") == "OK");
  CHECK(client.Get("k", "default") == "3");
}

TEST_CASE("with --namespace-creation explicit an unknown namespace is an error") {
  Subject subject({"--engine", "memory", "--namespace-creation", "explicit"});
  RawClient& client = subject.client;
  CHECK(client.Get("k", "unknown") == "FAILED_PRECONDITION NAMESPACE_NOT_FOUND");
  CHECK(client.Put("k", "v", [](v1::PutRequest& request) { request.set_namespace_("unknown"); }) ==
        "FAILED_PRECONDITION NAMESPACE_NOT_FOUND");
  CHECK(client.All("unknown") == "FAILED_PRECONDITION NAMESPACE_NOT_FOUND");
}

TEST_CASE("namespaces beyond the limit are refused") {
  Subject subject({"--engine", "memory", "--max-namespaces", "2"});
  RawClient& client = subject.client;
  const auto in = [](const std::string& ns) {
    return [ns](v1::PutRequest& request) { request.set_namespace_(ns); };
  };
  CHECK(client.Put("k", "v", in("one")) == "OK");
  CHECK(client.Put("k", "v", in("two")) == "RESOURCE_EXHAUSTED TOO_MANY_NAMESPACES");
}

TEST_CASE("an atomic batch sees the state before it and has one revision") {
  Subject subject = AnyEngine();
  REQUIRE(subject.client.Put("a", "1") == "OK");
  v1::BatchRequest request;
  request.set_mode(v1::BATCH_MODE_ATOMIC);
  for (const auto& operation :
       {PutOp("a", "2"), GetOp("a"), IncrementOp("n", 4), DeleteOp("missing")}) {
    *request.add_operations() = operation;
  }
  const auto response = subject.Ok(&State::Batch, request);
  REQUIRE(response.results_size() == 4);
  CHECK(response.results(1).value() == "1");
  CHECK(response.results(2).number() == 4);
  CHECK(response.results(0).revision() == response.revision());
  CHECK(response.results(2).revision() == response.revision());
  CHECK_FALSE(response.results(3).found());
  CHECK(subject.client.All() == "a=2 n=4");
}

TEST_CASE("an independent batch runs in order, each operation by itself") {
  Subject subject = AnyEngine();
  v1::BatchRequest request;
  request.set_mode(v1::BATCH_MODE_INDEPENDENT);
  for (const auto& operation : {PutOp("a", "1"), IncrementOp("a", 1), GetOp("a")})
    *request.add_operations() = operation;
  const auto response = subject.Ok(&State::Batch, request);
  CHECK(response.results(1).number() == 2);
  CHECK(response.results(2).value() == "2");
  CHECK(response.results(0).revision() < response.results(1).revision());
  CHECK(response.revision() == 0);
}

TEST_CASE("count and clear a range") {
  Subject subject = AnyEngine();
  RawClient& client = subject.client;
  for (const char* key : {"a1", "a2", "b1", "b2", "b3"}) REQUIRE(client.Put(key, "v") == "OK");
  v1::CountRequest count;
  CHECK(subject.Ok(&State::Count, count).count() == 5);
  count.mutable_range()->set_prefix("b");
  CHECK(subject.Ok(&State::Count, count).count() == 3);
  CHECK(subject.Ok(&State::Count, count).revision() > 0);
  v1::DeleteRangeRequest clear;
  clear.mutable_range()->set_start("a2");
  clear.mutable_range()->set_end("b2");
  const auto cleared = subject.Ok(&State::DeleteRange, clear);
  CHECK(cleared.deleted_count() == 2);
  CHECK(cleared.revision() > 0);
  CHECK(client.All() == "a1=v b2=v b3=v");
  CHECK(subject.Ok(&State::DeleteRange, clear).revision() == 0);
  clear.set_all(true);
  CHECK(subject.Ok(&State::DeleteRange, clear).deleted_count() == 3);
  CHECK(client.All().empty());
}

TEST_CASE("growth beyond the memory limit is refused, reads and deletes go on") {
  Subject subject({"--engine", "memory", "--memory-limit", "1MiB"});
  RawClient& client = subject.client;
  const std::string value(64 << 10, 'v');
  std::string last = "OK";
  int stored = 0;
  for (; stored < 100 && last == "OK"; ++stored)
    last = client.Put("k" + std::to_string(stored), value);
  CHECK(last == "RESOURCE_EXHAUSTED MEMORY_LIMIT");
  CHECK(client.Get("k0") == value);
  CHECK(client.Delete("k0") == "OK");
  CHECK(client.Put("k0", value) == "OK");
}

TEST_CASE("a call whose deadline has passed is given up") {
  Subject subject = AnyEngine();
  for (int i = 0; i < 50; ++i) {
    v1::BatchRequest batch;
    batch.set_mode(v1::BATCH_MODE_INDEPENDENT);
    for (int j = 0; j < 1000; ++j)
      *batch.add_operations() = PutOp(std::to_string(i * 1000 + j), "v");
    subject.Ok(&State::Batch, batch);
  }
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::milliseconds(1));
  v1::DeleteRangeRequest clear;
  clear.set_all(true);
  v1::DeleteRangeResponse response;
  CHECK(subject.client.state().DeleteRange(&context, clear, &response).error_code() ==
        grpc::StatusCode::DEADLINE_EXCEEDED);
  CHECK(subject.client.Get("missing") == "(none)");
}

}  // namespace
}  // namespace tarn::testing
