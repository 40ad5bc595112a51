// Every bad input gets its documented code and reason, names what was wrong, and leaves the state
// as it was.
#include <limits>

#include "tests/catch.h"
#include "tests/e2e/raw_client.h"
#include "tests/support/daemon.h"
#include "tests/support/temp_dir.h"

namespace tarn::testing {
namespace {

using State = v1::StateService::Stub;

constexpr char kBefore[] = "a=1 n=41 t=text";

// A daemon with some entries; its client. The state must still be kBefore at the end, in the same
// revisions.
class Subject {
 public:
  explicit Subject(const std::string& engine)
      : daemon_({.directory = dir_.path(), .arguments = {"--engine", engine}}),
        client(daemon_.grpc()) {
    REQUIRE(client.Put("a", "1") == "OK");
    REQUIRE(client.Put("n", "41") == "OK");
    REQUIRE(client.Put("t", "text") == "OK");
    before_ = Revisions();
  }
  ~Subject() {
    CHECK(client.All() == kBefore);
    CHECK(Revisions() == before_);
  }

 private:
  std::vector<uint64_t> Revisions() {
    return {client.RevisionOf("a"), client.RevisionOf("n"), client.RevisionOf("t")};
  }

  const TempDir dir_;
  DaemonProcess daemon_;
  std::vector<uint64_t> before_;

 public:
  RawClient client;
};

std::string AnyEngine() { return GENERATE(std::string("memory"), std::string("rocksdb")); }

TEST_CASE("a key must not be empty or longer than the limit") {
  Subject subject(AnyEngine());
  RawClient& client = subject.client;
  CHECK(client.Put("", "v") == "INVALID_ARGUMENT INVALID_KEY key");
  CHECK(client.Get("") == "INVALID_ARGUMENT INVALID_KEY key");
  CHECK(client.Put(std::string(4097, 'k'), "v") == "INVALID_ARGUMENT KEY_TOO_LARGE key");
  CHECK(client.Get(std::string(4097, 'k')) == "INVALID_ARGUMENT KEY_TOO_LARGE key");
  const std::string longest(4096, 'k');
  CHECK(client.Put(longest, "v") == "OK");
  CHECK(client.Delete(longest) == "OK");
}

TEST_CASE("a value must not be longer than the limit, however it comes to be") {
  Subject subject(AnyEngine());
  RawClient& client = subject.client;
  const std::string longest(2 << 20, 'v');
  CHECK(client.Put("big", longest + "v") == "INVALID_ARGUMENT VALUE_TOO_LARGE value");
  CHECK(client.Put("big", longest) == "OK");
  v1::AppendRequest append;
  append.set_key("big");
  append.set_suffix("x");
  v1::AppendResponse appended;
  CHECK(client.Call(client.state(), &State::Append, append, &appended) ==
        "INVALID_ARGUMENT VALUE_TOO_LARGE suffix");
  CHECK(client.Delete("big") == "OK");
}

TEST_CASE("a request larger than the server receives is refused by gRPC") {
  Subject subject(AnyEngine());
  CHECK(subject.client.Put("big", std::string(5 << 20, 'v')) == "RESOURCE_EXHAUSTED");
}

TEST_CASE("a batch must have operations, not too many, and a mode") {
  Subject subject(AnyEngine());
  RawClient& client = subject.client;
  const auto run = [&](const v1::BatchRequest& request) {
    v1::BatchResponse response;
    return client.Call(client.state(), &State::Batch, request, &response);
  };
  v1::BatchRequest request;
  request.set_mode(v1::BATCH_MODE_ATOMIC);
  CHECK(run(request) == "INVALID_ARGUMENT INVALID_REQUEST operations");
  *request.add_operations() = PutOp("x", "1");
  request.set_mode(v1::BATCH_MODE_UNSPECIFIED);
  CHECK(run(request) == "INVALID_ARGUMENT INVALID_REQUEST mode");
  request.set_mode(v1::BATCH_MODE_INDEPENDENT);
  for (int i = 0; i < 4096; ++i) *request.add_operations() = PutOp("x" + std::to_string(i), "1");
  CHECK(run(request) == "INVALID_ARGUMENT BATCH_TOO_LARGE operations");
}

TEST_CASE("an atomic batch with one bad operation does nothing and names it") {
  Subject subject(AnyEngine());
  RawClient& client = subject.client;
  const auto run = [&](const std::vector<v1::Operation>& operations) {
    v1::BatchRequest request;
    request.set_mode(v1::BATCH_MODE_ATOMIC);
    for (const auto& operation : operations) *request.add_operations() = operation;
    v1::BatchResponse response;
    return client.Call(client.state(), &State::Batch, request, &response);
  };
  CHECK(run({PutOp("a", "2"), PutOp("", "2")}) == "INVALID_ARGUMENT INVALID_KEY operations[1].key");
  CHECK(run({PutOp("a", "2"), PutOp("a", "3")}) ==
        "INVALID_ARGUMENT DUPLICATE_KEY operations[1].key");
  CHECK(run({PutOp("a", "2"), IncrementOp("t", 1)}) == "FAILED_PRECONDITION NOT_AN_INTEGER");
  v1::Operation no_action;
  no_action.set_key("a");
  CHECK(run({PutOp("a", "2"), no_action}) == "INVALID_ARGUMENT INVALID_REQUEST operations[1]");
  v1::Operation conditional = PutOp("b", "1");
  conditional.mutable_precondition()->set_revision(5);
  CHECK(run({PutOp("a", "2"), conditional}) == "ABORTED REVISION_MISMATCH");
}

TEST_CASE("the index of the operation that failed an atomic batch is in the error") {
  Subject subject(AnyEngine());
  v1::BatchRequest request;
  request.set_mode(v1::BATCH_MODE_ATOMIC);
  *request.add_operations() = PutOp("a", "2");
  *request.add_operations() = IncrementOp("t", 1);
  v1::BatchResponse response;
  const auto context = subject.client.NewContext();
  const grpc::Status status = subject.client.state().Batch(context.get(), request, &response);
  CHECK(InfoOf(DetailsOf(status)).metadata().at("operation") == "1");
}

TEST_CASE("an independent batch reports each bad operation by itself") {
  Subject subject(AnyEngine());
  RawClient& client = subject.client;
  v1::BatchRequest request;
  request.set_mode(v1::BATCH_MODE_INDEPENDENT);
  v1::Operation touch;
  touch.set_key("a");
  touch.mutable_touch();
  v1::Operation no_action;
  no_action.set_key("a");
  for (const auto& operation : {PutOp("", "1"), touch, GetOp("a"), no_action, IncrementOp("t", 1),
                                PutOp("big", std::string((2 << 20) + 1, 'v'))}) {
    *request.add_operations() = operation;
  }
  v1::BatchResponse response;
  REQUIRE(client.Call(client.state(), &State::Batch, request, &response) == "OK");
  REQUIRE(response.results_size() == 6);
  CHECK(Brief(response.results(0).status()) == "INVALID_ARGUMENT INVALID_KEY operations[0].key");
  CHECK(Brief(response.results(1).status()) ==
        "INVALID_ARGUMENT INVALID_TTL operations[1].touch.ttl");
  CHECK(response.results(2).value() == "1");
  CHECK(Brief(response.results(3).status()) == "INVALID_ARGUMENT INVALID_REQUEST operations[3]");
  CHECK(Brief(response.results(4).status()) == "FAILED_PRECONDITION NOT_AN_INTEGER");
  CHECK(Brief(response.results(5).status()) ==
        "INVALID_ARGUMENT VALUE_TOO_LARGE operations[5].put.value");
}

TEST_CASE("a batch whose answer would be too large does nothing, or fails per operation") {
  Subject subject(AnyEngine());
  RawClient& client = subject.client;
  const std::string value((2 << 20) - 100, 'v');
  REQUIRE(client.Put("big", value) == "OK");
  v1::BatchRequest request;
  request.set_mode(v1::BATCH_MODE_ATOMIC);
  for (int i = 0; i < 3; ++i) *request.add_operations() = GetOp("big");
  *request.add_operations() = PutOp("a", "2");
  v1::BatchResponse response;
  CHECK(client.Call(client.state(), &State::Batch, request, &response) ==
        "INVALID_ARGUMENT RESPONSE_TOO_LARGE operations");
  request.mutable_operations()->RemoveLast();
  request.set_mode(v1::BATCH_MODE_INDEPENDENT);
  REQUIRE(client.Call(client.state(), &State::Batch, request, &response) == "OK");
  CHECK(response.results(0).value() == value);
  CHECK(Brief(response.results(2).status()) == "INVALID_ARGUMENT RESPONSE_TOO_LARGE operations");
  CHECK(client.Delete("big") == "OK");
}

TEST_CASE("a TTL must be positive and must not overflow") {
  Subject subject(AnyEngine());
  for (const int64_t milliseconds :
       {int64_t{0}, int64_t{-1}, std::numeric_limits<int64_t>::min(),
        std::numeric_limits<int64_t>::max(), int64_t{101} * 366 * 86'400'000}) {
    INFO(milliseconds);
    CHECK(subject.client.Put("a", "2", [&](v1::PutRequest& request) {
      request.mutable_ttl()->set_milliseconds(milliseconds);
    }) == "INVALID_ARGUMENT INVALID_TTL ttl");
  }
  CHECK(subject.client.Put("a", "2", [](v1::PutRequest& request) { request.mutable_ttl(); }) ==
        "INVALID_ARGUMENT INVALID_TTL ttl");
  v1::TouchRequest touch;
  touch.set_key("a");
  v1::TouchResponse touched;
  RawClient& client = subject.client;
  CHECK(client.Call(client.state(), &State::Touch, touch, &touched) ==
        "INVALID_ARGUMENT INVALID_TTL ttl");
  touch.mutable_ttl()->set_milliseconds(-1);
  CHECK(client.Call(client.state(), &State::Touch, touch, &touched) ==
        "INVALID_ARGUMENT INVALID_TTL ttl");
}

TEST_CASE("a precondition must say something, and must be met") {
  Subject subject(AnyEngine());
  RawClient& client = subject.client;
  const auto put = [&](const std::string& key, const std::function<void(v1::Precondition&)>& set) {
    return client.Put(key, "2",
                      [&](v1::PutRequest& request) { set(*request.mutable_precondition()); });
  };
  CHECK(put("a", [](v1::Precondition&) {}) == "INVALID_ARGUMENT INVALID_PRECONDITION precondition");
  CHECK(put("a", [](auto& p) { p.set_revision(0); }) ==
        "INVALID_ARGUMENT INVALID_PRECONDITION precondition");
  CHECK(put("a", [](auto& p) { p.set_absent(true); }) == "FAILED_PRECONDITION ALREADY_EXISTS");
  CHECK(put("missing", [](auto& p) { p.set_present(true); }) ==
        "FAILED_PRECONDITION KEY_NOT_FOUND");
  CHECK(put("missing", [](auto& p) { p.set_revision(7); }) == "ABORTED REVISION_MISMATCH");
  CHECK(put("a", [](auto& p) { p.set_revision(7); }) == "ABORTED REVISION_MISMATCH");
}

TEST_CASE("an increment must find an integer and stay one") {
  Subject subject(AnyEngine());
  RawClient& client = subject.client;
  const auto increment = [&](const std::string& key, int64_t delta) {
    v1::IncrementRequest request;
    request.set_key(key);
    request.set_delta(delta);
    v1::IncrementResponse response;
    return client.Call(client.state(), &State::Increment, request, &response);
  };
  CHECK(increment("t", 1) == "FAILED_PRECONDITION NOT_AN_INTEGER");
  CHECK(increment("n", std::numeric_limits<int64_t>::max()) == "OUT_OF_RANGE INTEGER_OVERFLOW");
  REQUIRE(client.Put("low", "-9223372036854775808") == "OK");
  CHECK(increment("low", -1) == "OUT_OF_RANGE INTEGER_OVERFLOW");
  CHECK(client.Delete("low") == "OK");
}

// The brief of each result, or of the batch that failed as a whole.
std::string Answer(RawClient& client, v1::BatchMode mode,
                   const std::vector<v1::Operation>& operations) {
  v1::PipelineRequest request;
  request.set_mode(mode);
  for (const auto& operation : operations) *request.add_operations() = operation;
  const auto context = client.NewContext();
  const auto stream = client.state().Pipeline(context.get());
  v1::PipelineResponse response;
  REQUIRE(stream->Write(request));
  stream->WritesDone();
  REQUIRE(stream->Read(&response));
  CHECK(stream->Finish().ok());
  if (response.has_status()) return Brief(response.status());
  std::string briefs;
  for (const auto& result : response.results()) briefs += Brief(result.status()) + "; ";
  return briefs;
}

TEST_CASE("a pipeline refuses what a batch refuses") {
  Subject subject(AnyEngine());
  RawClient& client = subject.client;
  v1::Operation negative = PutOp("a", "2");
  negative.mutable_put()->mutable_ttl()->set_milliseconds(-1);
  v1::Operation conditional = PutOp("missing", "2");
  conditional.mutable_precondition()->set_revision(7);
  CHECK(Answer(client, v1::BATCH_MODE_INDEPENDENT,
               {PutOp("", "2"), PutOp(std::string(4097, 'k'), "2"),
                PutOp("big", std::string((2 << 20) + 1, 'v')), negative, conditional,
                IncrementOp("t", 1), IncrementOp("n", std::numeric_limits<int64_t>::max())}) ==
        "INVALID_ARGUMENT INVALID_KEY operations[0].key; "
        "INVALID_ARGUMENT KEY_TOO_LARGE operations[1].key; "
        "INVALID_ARGUMENT VALUE_TOO_LARGE operations[2].put.value; "
        "INVALID_ARGUMENT INVALID_TTL operations[3].put.ttl; "
        "ABORTED REVISION_MISMATCH; "
        "FAILED_PRECONDITION NOT_AN_INTEGER; "
        "OUT_OF_RANGE INTEGER_OVERFLOW; ");
  CHECK(Answer(client, v1::BATCH_MODE_ATOMIC, {PutOp("a", "2"), PutOp("", "2")}) ==
        "INVALID_ARGUMENT INVALID_KEY operations[1].key");
  CHECK(Answer(client, v1::BATCH_MODE_ATOMIC, {}) == "INVALID_ARGUMENT INVALID_REQUEST operations");
  CHECK(Answer(client, v1::BATCH_MODE_UNSPECIFIED, {PutOp("a", "2")}) ==
        "INVALID_ARGUMENT INVALID_REQUEST mode");
  CHECK(Answer(client, v1::BATCH_MODE_INDEPENDENT,
               std::vector<v1::Operation>(4097, PutOp("a", "2"))) ==
        "INVALID_ARGUMENT BATCH_TOO_LARGE operations");
}

TEST_CASE("a namespace must have a valid name") {
  Subject subject(AnyEngine());
  RawClient& client = subject.client;
  const std::vector<std::string> names = {"UPPER", "-x", "a/b", "a b", std::string(64, 'x')};
  for (const std::string& name : names) {
    INFO(name);
    CHECK(client.Get("a", name) == "INVALID_ARGUMENT INVALID_NAMESPACE_NAME namespace");
    CHECK(client.Put("a", "2", [&](v1::PutRequest& request) { request.set_namespace_(name); }) ==
          "INVALID_ARGUMENT INVALID_NAMESPACE_NAME namespace");
  }
}

TEST_CASE("a range must not contradict itself") {
  Subject subject(AnyEngine());
  RawClient& client = subject.client;
  const auto count = [&](const std::function<void(v1::KeyRange&)>& set) {
    v1::CountRequest request;
    set(*request.mutable_range());
    v1::CountResponse response;
    return client.Call(client.state(), &State::Count, request, &response);
  };
  CHECK(count([](auto& range) {
          range.set_prefix("p");
          range.set_start("s");
        }) == "INVALID_ARGUMENT INVALID_RANGE range");
  CHECK(count([](auto& range) {
          range.set_prefix("p");
          range.set_end("s");
        }) == "INVALID_ARGUMENT INVALID_RANGE range");
  CHECK(count([](auto& range) {
          range.set_start("b");
          range.set_end("a");
        }) == "INVALID_ARGUMENT INVALID_RANGE range");
  CHECK(count([](auto& range) { range.set_start(std::string(4098, 's')); }) ==
        "INVALID_ARGUMENT INVALID_RANGE range");
  CHECK(count([](auto& range) { range.set_start(std::string(4097, 's')); }) == "OK");
  CHECK(count([](auto& range) {
          range.set_start("a");
          range.set_end("a");
        }) == "OK");
}

TEST_CASE("DeleteRange must name what it deletes") {
  Subject subject(AnyEngine());
  RawClient& client = subject.client;
  const auto clear = [&](const v1::DeleteRangeRequest& request) {
    v1::DeleteRangeResponse response;
    return client.Call(client.state(), &State::DeleteRange, request, &response);
  };
  v1::DeleteRangeRequest request;
  CHECK(clear(request) == "INVALID_ARGUMENT INVALID_RANGE range");
  request.mutable_range();
  CHECK(clear(request) == "INVALID_ARGUMENT INVALID_RANGE range");
  request.set_all(false);
  CHECK(clear(request) == "INVALID_ARGUMENT INVALID_RANGE all");
}

TEST_CASE("a scan must have a known order, a chunk size within the limit, and a token of its own") {
  Subject subject(AnyEngine());
  RawClient& client = subject.client;
  const auto scan = [&](const std::function<void(v1::ScanRequest&)>& set) {
    v1::ScanRequest request;
    set(request);
    const auto context = client.NewContext();
    const auto reader = client.state().Scan(context.get(), request);
    v1::ScanResponse response;
    while (reader->Read(&response)) continue;
    return Brief(reader->Finish());
  };
  CHECK(scan([](auto& r) { r.set_order(static_cast<v1::ScanOrder>(9)); }) ==
        "INVALID_ARGUMENT INVALID_REQUEST order");
  CHECK(scan([](auto& r) { r.set_chunk_bytes((256 << 10) + 1); }) ==
        "INVALID_ARGUMENT INVALID_REQUEST chunk_bytes");
  CHECK(scan([](auto& r) { r.set_resume_token("made up"); }) ==
        "INVALID_ARGUMENT INVALID_RESUME_TOKEN resume_token");
  CHECK(scan([](auto& r) { r.set_resume_token(std::string(5000, '\0')); }) ==
        "INVALID_ARGUMENT INVALID_RESUME_TOKEN resume_token");
}

}  // namespace
}  // namespace tarn::testing
