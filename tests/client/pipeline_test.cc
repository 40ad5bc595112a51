// The pipeline against servers that answer, refuse, stall and break.
#include <algorithm>
#include <future>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "tests/catch.h"
#include "tests/client/fixture.h"

namespace tarn::testing {
namespace {

using grpc::StatusCode;
using std::chrono::nanoseconds;
using Stream = FakeServer::PipelineStream;
using OperationFuture = std::future<absl::StatusOr<OperationResult>>;
using BatchFuture = std::future<absl::StatusOr<BatchResult>>;

// Keys in the order in which the server got them, over all streams.
class Log {
 public:
  void Add(const v1::PipelineRequest& request) {
    const std::lock_guard lock(mutex_);
    messages_.emplace_back();
    for (const auto& operation : request.operations()) messages_.back().push_back(operation.key());
  }
  std::vector<std::vector<std::string>> messages() const {
    const std::lock_guard lock(mutex_);
    return messages_;
  }
  std::vector<std::string> keys() const {
    std::vector<std::string> all;
    for (const auto& message : messages()) all.insert(all.end(), message.begin(), message.end());
    return all;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::vector<std::string>> messages_;
};

// Each operation is answered with its own key as the value.
v1::PipelineResponse AnswerTo(const v1::PipelineRequest& request) {
  v1::PipelineResponse response;
  response.set_batch_id(request.batch_id());
  for (const auto& operation : request.operations()) {
    response.add_results()->set_value(operation.key());
  }
  return response;
}

FakeServer::PipelineHandler AnswerAll(Log& log) {
  return [&log](grpc::ServerContext&, Stream& stream) {
    v1::PipelineRequest request;
    while (stream.Read(&request)) {
      log.Add(request);
      stream.Write(AnswerTo(request));
    }
    return grpc::Status::OK;
  };
}

// Answers once it is told to.
struct Gate {
  std::promise<void> promise;
  std::shared_future<void> opened = promise.get_future().share();
  void Open() { promise.set_value(); }

  FakeServer::PipelineHandler AnswerAll(Log& log) {
    return [&log, opened = opened](grpc::ServerContext&, Stream& stream) {
      std::vector<v1::PipelineRequest> early;
      v1::PipelineRequest request;
      while (stream.Read(&request)) {
        log.Add(request);
        opened.wait();
        stream.Write(AnswerTo(request));
      }
      return grpc::Status::OK;
    };
  }
};

// Reads so many messages, answers none, and ends the stream like this.
FakeServer::PipelineHandler ReadAndEnd(Log& log, int messages, grpc::Status status) {
  return [&log, messages, status](grpc::ServerContext&, Stream& stream) {
    v1::PipelineRequest request;
    for (int i = 0; i < messages && stream.Read(&request); ++i) log.Add(request);
    return status;
  };
}

std::string ValueOf(OperationFuture& future) {
  const auto result = future.get();
  return result.ok() ? result->value : result.status().ToString();
}

Reason ReasonOf(OperationFuture& future) { return tarn::ReasonOf(future.get().status()); }

TEST_CASE("each operation gets its own answer") {
  Fixture f;
  Log log;
  f.server.pipelines = {AnswerAll(log)};
  Pipeline pipeline = f.MakeClient("app").OpenPipeline();
  std::vector<OperationFuture> futures;
  for (int i = 0; i < 1000; ++i) {
    futures.push_back(pipeline.Add(Operation::Put(std::to_string(i), "v")));
  }
  for (int i = 0; i < 1000; ++i)
    CHECK(ValueOf(futures[static_cast<size_t>(i)]) == std::to_string(i));
  CHECK(pipeline.Close().ok());
  CHECK(f.server.pipeline_calls == 1);
}

TEST_CASE("operations that come while others are under way travel together") {
  Fixture f;
  Log log;
  Gate gate;
  f.server.pipelines = {gate.AnswerAll(log)};
  Pipeline pipeline = f.MakeClient().OpenPipeline({.max_message_operations = 4});
  std::vector<OperationFuture> futures;
  for (int i = 0; i < 12; ++i) {
    futures.push_back(pipeline.Add(Operation::Get(std::to_string(i))));
  }
  gate.Open();
  CHECK(pipeline.Flush().ok());
  for (int i = 0; i < 12; ++i) CHECK(ValueOf(futures[static_cast<size_t>(i)]) == std::to_string(i));
  std::vector<std::string> expected;
  for (int i = 0; i < 12; ++i) expected.push_back(std::to_string(i));
  CHECK(log.keys() == expected);
  CHECK(log.messages().size() < 12);
  for (const auto& message : log.messages()) CHECK(message.size() <= 4);
}

TEST_CASE("a batch travels as one message, in line with the operations around it") {
  Fixture f;
  Log log;
  v1::PipelineRequest seen;
  f.server.pipelines = {[&](grpc::ServerContext&, Stream& stream) {
    v1::PipelineRequest request;
    while (stream.Read(&request)) {
      log.Add(request);
      if (request.mode() == v1::BATCH_MODE_ATOMIC) seen = request;
      v1::PipelineResponse response = AnswerTo(request);
      response.set_revision(77);
      stream.Write(response);
    }
    return grpc::Status::OK;
  }};
  Pipeline pipeline = f.MakeClient("app").OpenPipeline();
  auto before = pipeline.Add(Operation::Put("a", "1"));
  auto batch = pipeline.Add(Batch::Atomic().Put("b", "2").Delete("c"));
  auto after = pipeline.Add(Operation::Put("d", "3"));
  const auto result = batch.get();
  REQUIRE(result.ok());
  CHECK(result->revision == 77);
  CHECK(result->results.size() == 2);
  CHECK(pipeline.Close().ok());
  CHECK(log.keys() == std::vector<std::string>{"a", "b", "c", "d"});
  CHECK(seen.operations_size() == 2);
  CHECK(seen.namespace_() == "app");
}

TEST_CASE("answers may come in any order") {
  Fixture f;
  f.server.pipelines = {[](grpc::ServerContext&, Stream& stream) {
    v1::PipelineRequest first;
    v1::PipelineRequest second;
    stream.Read(&first);
    stream.Read(&second);
    stream.Write(AnswerTo(second));
    stream.Write(AnswerTo(first));
    v1::PipelineRequest none;
    stream.Read(&none);
    return grpc::Status::OK;
  }};
  Pipeline pipeline = f.MakeClient().OpenPipeline();
  auto one = pipeline.Add(Batch::Independent().Get("one"));
  auto two = pipeline.Add(Batch::Independent().Get("two"));
  CHECK(one.get()->results.at(0).value == "one");
  CHECK(two.get()->results.at(0).value == "two");
  CHECK(pipeline.Close().ok());
}

TEST_CASE("an operation that is refused does not stop the ones behind it") {
  Fixture f;
  f.server.pipelines = {[](grpc::ServerContext&, Stream& stream) {
    v1::PipelineRequest request;
    while (stream.Read(&request)) {
      v1::PipelineResponse response = AnswerTo(request);
      for (int i = 0; i < request.operations_size(); ++i) {
        if (request.operations(i).key() != "bad") continue;
        *response.mutable_results(i)->mutable_status() =
            TarnErrorProto(StatusCode::ABORTED, "REVISION_MISMATCH");
      }
      stream.Write(response);
    }
    return grpc::Status::OK;
  }};
  Pipeline pipeline = f.MakeClient().OpenPipeline();
  auto bad = pipeline.Add(Operation::Put("bad", "1"));
  auto good = pipeline.Add(Operation::Put("good", "1"));
  auto mixed = pipeline.Add(Batch::Independent().Put("bad", "1").Put("fine", "2"));
  CHECK(ReasonOf(bad) == Reason::kRevisionMismatch);
  CHECK(ValueOf(good) == "good");
  const auto result = mixed.get();
  REQUIRE(result.ok());
  CHECK(tarn::ReasonOf(result->results.at(0).status) == Reason::kRevisionMismatch);
  CHECK(result->results.at(1).value == "fine");
}

TEST_CASE("a message that is refused as a whole fails all that it carried") {
  Fixture f;
  f.server.pipelines = {[](grpc::ServerContext&, Stream& stream) {
    v1::PipelineRequest request;
    while (stream.Read(&request)) {
      v1::PipelineResponse response;
      response.set_batch_id(request.batch_id());
      *response.mutable_status() =
          TarnErrorProto(StatusCode::FAILED_PRECONDITION, "NAMESPACE_NOT_FOUND");
      stream.Write(response);
    }
    return grpc::Status::OK;
  }};
  Pipeline pipeline = f.MakeClient().OpenPipeline();
  auto one = pipeline.Add(Operation::Put("a", "1"));
  auto batch = pipeline.Add(Batch::Atomic().Put("b", "1"));
  CHECK(ReasonOf(one) == Reason::kNamespaceNotFound);
  CHECK(tarn::ReasonOf(batch.get().status()) == Reason::kNamespaceNotFound);
}

TEST_CASE("an answer that lacks a result leaves the outcome unknown") {
  Fixture f;
  f.server.pipelines = {[](grpc::ServerContext&, Stream& stream) {
    v1::PipelineRequest request;
    while (stream.Read(&request)) {
      v1::PipelineResponse response;
      response.set_batch_id(request.batch_id() + 1000);  // Nobody asked: ignored.
      stream.Write(response);
      response.set_batch_id(request.batch_id());
      stream.Write(response);
    }
    return grpc::Status::OK;
  }};
  Pipeline pipeline = f.MakeClient().OpenPipeline();
  auto one = pipeline.Add(Operation::Put("a", "1"));
  auto batch = pipeline.Add(Batch::Atomic().Put("b", "1"));
  CHECK(ReasonOf(one) == Reason::kOutcomeUnknown);
  CHECK(tarn::ReasonOf(batch.get().status()) == Reason::kOutcomeUnknown);
}

// --- a stream that breaks
// ---------------------------------------------------------------------------------------

// Waits for an outcome, and lets pauses pass meanwhile.
template <typename Result>
Result GetPassingTime(Fixture& f, std::future<Result>& future) {
  while (future.wait_for(milliseconds(1)) != std::future_status::ready) {
    f.fake.timers->Advance(milliseconds(100));
  }
  return future.get();
}

TEST_CASE(
    "when the stream breaks, an unanswered batch that writes is unknown, and later ones go on") {
  Fixture f;
  Log first;
  Log second;
  f.server.pipelines = {ReadAndEnd(first, 1, Broken()), AnswerAll(second)};
  Pipeline pipeline = f.MakeClient().OpenPipeline();
  auto write = pipeline.Add(Batch::Independent().Put("w", "1").Get("w2"));
  CHECK(tarn::ReasonOf(write.get().status()) == Reason::kOutcomeUnknown);
  CHECK(first.keys() == std::vector<std::string>{"w", "w2"});
  auto later = pipeline.Add(Operation::Put("later", "1"));
  CHECK(GetPassingTime(f, later).ok());
  CHECK(second.keys() == std::vector<std::string>{"later"});
}

TEST_CASE("when the stream breaks, an unanswered batch that only reads is repeated") {
  Fixture f;
  Log first;
  Log second;
  f.server.pipelines = {ReadAndEnd(first, 1, Broken()), AnswerAll(second)};
  Pipeline pipeline = f.MakeClient().OpenPipeline();
  auto read = pipeline.Add(Batch::Atomic().Get("r"));
  CHECK(GetPassingTime(f, read).ok());
  CHECK(first.keys() == std::vector<std::string>{"r"});
  CHECK(second.keys() == std::vector<std::string>{"r"});
}

TEST_CASE("of a gathered message that breaks, the reads are repeated and the writes are unknown") {
  Fixture f;
  Log log;
  Gate gate;
  // The first two messages are answered only with the gate; the third is gathered meanwhile, and
  // breaks.
  f.server.pipelines = {[&](grpc::ServerContext&, Stream& stream) {
                          v1::PipelineRequest request;
                          stream.Read(&request);
                          gate.opened.wait();
                          stream.Write(AnswerTo(request));
                          for (size_t seen = request.operations_size(); seen < 4;
                               seen += request.operations_size()) {
                            stream.Read(&request);
                          }
                          return Broken();
                        },
                        AnswerAll(log)};
  Pipeline pipeline = f.MakeClient().OpenPipeline({.max_unanswered_messages = 1});
  auto first = pipeline.Add(Operation::Get("first"));
  auto read1 = pipeline.Add(Operation::Get("read1"));
  auto write = pipeline.Add(Operation::Put("write", "1"));
  auto read2 = pipeline.Add(Operation::Get("read2"));
  gate.Open();
  CHECK(ReasonOf(write) == Reason::kOutcomeUnknown);
  f.fake.timers->AwaitSet(2);  // The watch for answers, and the pause.
  f.fake.timers->Advance(milliseconds(10));
  CHECK(ValueOf(first) == "first");
  CHECK(ValueOf(read1) == "read1");
  CHECK(ValueOf(read2) == "read2");
  CHECK(log.keys() == std::vector<std::string>{"read1", "read2"});
}

// Reads one message, and ends the stream like this once it is told to.
FakeServer::PipelineHandler EndAtGate(Gate& gate, grpc::Status status) {
  return [opened = gate.opened, status](grpc::ServerContext&, Stream& stream) {
    v1::PipelineRequest request;
    stream.Read(&request);
    opened.wait();
    return status;
  };
}

TEST_CASE("what was not sent before the stream broke is sent on the next") {
  Fixture f;
  Gate gate;
  Log second;
  f.server.pipelines = {EndAtGate(gate, Broken()), AnswerAll(second)};
  Pipeline pipeline = f.MakeClient().OpenPipeline({.max_unanswered_messages = 1});
  auto lost = pipeline.Add(Batch::Independent().Put("lost", "1"));
  auto kept = pipeline.Add(Batch::Independent().Put("kept", "1"));
  gate.Open();
  CHECK(tarn::ReasonOf(lost.get().status()) == Reason::kOutcomeUnknown);
  f.fake.timers->AwaitSet(2);
  f.fake.timers->Advance(milliseconds(10));
  CHECK(kept.get().ok());
  CHECK(second.keys() == std::vector<std::string>{"kept"});
}

TEST_CASE("what a draining server did not run is sent again, in order, writes too") {
  Fixture f;
  Log first;
  Log second;
  f.server.pipelines = {
      ReadAndEnd(first, 3, TarnError(StatusCode::UNAVAILABLE, "DRAINING", milliseconds(500))),
      AnswerAll(second)};
  Pipeline pipeline = f.MakeClient().OpenPipeline();
  std::vector<BatchFuture> futures;
  for (const std::string key : {"a", "b", "c"}) {
    futures.push_back(pipeline.Add(Batch::Atomic().Increment(key, 1)));
  }
  f.fake.timers->AwaitSet(2);
  CHECK(f.fake.timers->delays().at(1) == milliseconds(500));
  f.fake.timers->Advance(milliseconds(500));
  for (auto& future : futures) CHECK(future.get().ok());
  CHECK(second.keys() == std::vector<std::string>{"a", "b", "c"});
}

TEST_CASE("without a server the pipeline tries again, and then gives up without doubt") {
  Fixture f;
  f.server.Stop();
  Pipeline pipeline = f.MakeClient().OpenPipeline();
  const auto add = [&] {
    auto future = pipeline.Add(Operation::Increment("k", 1));
    return GetPassingTime(f, future);
  };
  CHECK(tarn::ReasonOf(add().status()) == Reason::kNotConnected);
  const auto delays = f.fake.timers->delays();
  for (const int pause : {10, 20, 40}) {
    CHECK(std::count(delays.begin(), delays.end(), milliseconds(pause)) == 1);
  }

  // The next begins anew; gRPC itself takes a moment until it looks for the server again.
  Log log;
  f.server.pipelines = {AnswerAll(log)};
  f.server.Start();
  absl::StatusOr<OperationResult> again = add();
  while (tarn::ReasonOf(again.status()) == Reason::kNotConnected) again = add();
  REQUIRE(again.ok());
  CHECK(again->value == "k");
}

TEST_CASE("an error that trying again cannot help ends all at once") {
  Fixture f;
  Gate gate;
  f.server.pipelines = {
      EndAtGate(gate, TarnError(StatusCode::PERMISSION_DENIED, "PERMISSION_DENIED"))};
  Pipeline pipeline = f.MakeClient().OpenPipeline({.max_unanswered_messages = 1});
  auto sent = pipeline.Add(Batch::Independent().Put("a", "1"));
  auto waiting = pipeline.Add(Batch::Independent().Put("b", "1"));
  gate.Open();
  CHECK(tarn::ReasonOf(sent.get().status()) == Reason::kOutcomeUnknown);
  CHECK(tarn::ReasonOf(waiting.get().status()) == Reason::kPermissionDenied);
}

TEST_CASE("a server that goes silent is given up") {
  Fixture f;
  Log log;
  f.server.pipelines = {[&](grpc::ServerContext& context, Stream& stream) {
    v1::PipelineRequest request;
    while (stream.Read(&request)) log.Add(request);
    return context.IsCancelled() ? grpc::Status::CANCELLED : grpc::Status::OK;
  }};
  f.options.retry_policy = std::make_shared<LimitedRetryPolicy>(0);
  Pipeline pipeline = f.MakeClient().OpenPipeline({.answer_timeout = seconds(30)});
  auto write = pipeline.Add(Operation::Put("k", "v"));
  f.fake.timers->AwaitSet(1);
  CHECK(f.fake.timers->delays().at(0) == seconds(30));
  f.fake.timers->Advance(seconds(30));
  const auto result = write.get();
  CHECK(tarn::ReasonOf(result.status()) == Reason::kOutcomeUnknown);
  CHECK(std::string(result.status().message()).find("nothing for 30s") != std::string::npos);
}

TEST_CASE("a slow server is not taken for a silent one") {
  Fixture f;
  std::promise<void> second_read;
  Gate gate;
  f.server.pipelines = {[&](grpc::ServerContext&, Stream& stream) {
    v1::PipelineRequest request;
    stream.Read(&request);
    stream.Write(AnswerTo(request));
    stream.Read(&request);
    second_read.set_value();
    gate.opened.wait();
    stream.Write(AnswerTo(request));
    stream.Read(&request);
    return grpc::Status::OK;
  }};
  Pipeline pipeline = f.MakeClient().OpenPipeline({.answer_timeout = seconds(30)});
  auto one = pipeline.Add(Operation::Put("one", "v"));
  CHECK(ValueOf(one) == "one");
  f.fake.timers->Advance(seconds(20));
  auto two = pipeline.Add(Operation::Put("two", "v"));
  second_read.get_future().wait();
  f.fake.timers->Advance(
      seconds(20));  // The watch ends here, but only 20 s of it without an answer.
  gate.Open();
  CHECK(ValueOf(two) == "two");
  CHECK(pipeline.Close().ok());
}

// --- answers that are too large together
// ------------------------------------------------------------------------

// Refuses gets that do not come alone, as a server whose values are large does.
FakeServer::PipelineHandler OnlyAlone(Log& log, Gate& gate) {
  return [&](grpc::ServerContext&, Stream& stream) {
    v1::PipelineRequest request;
    while (stream.Read(&request)) {
      log.Add(request);
      gate.opened.wait();
      v1::PipelineResponse response = AnswerTo(request);
      for (int i = 1; i < request.operations_size(); ++i) {
        if (!request.operations(i).has_get()) continue;
        *response.mutable_results(i)->mutable_status() =
            TarnErrorProto(StatusCode::INVALID_ARGUMENT, "RESPONSE_TOO_LARGE");
      }
      stream.Write(response);
    }
    return grpc::Status::OK;
  };
}

TEST_CASE("reads whose answers are too large together are asked for one by one") {
  Fixture f;
  Log log;
  Gate gate;
  f.server.pipelines = {OnlyAlone(log, gate)};
  Pipeline pipeline = f.MakeClient().OpenPipeline({.max_unanswered_messages = 1});
  std::vector<OperationFuture> futures;
  for (int i = 0; i < 5; ++i) futures.push_back(pipeline.Add(Operation::Get(std::to_string(i))));
  gate.Open();
  for (int i = 0; i < 5; ++i) CHECK(ValueOf(futures[static_cast<size_t>(i)]) == std::to_string(i));
  CHECK(pipeline.Flush().ok());
  CHECK(log.keys().size() > 5);
}

TEST_CASE("a read is not asked for again when that would break the order on its key") {
  Fixture f;
  Log log;
  Gate gate;
  f.server.pipelines = {OnlyAlone(log, gate)};
  Pipeline pipeline = f.MakeClient().OpenPipeline({.max_unanswered_messages = 1});
  auto first = pipeline.Add(Operation::Get("first"));
  auto head = pipeline.Add(Operation::Get("head"));
  auto read = pipeline.Add(Operation::Get("k"));
  auto write = pipeline.Add(Operation::Put("k", "newer"));
  gate.Open();
  CHECK(ReasonOf(read) == Reason::kResponseTooLarge);
  CHECK(ValueOf(write) == "k");
  CHECK(pipeline.Flush().ok());
}

// --- limits
// -----------------------------------------------------------------------------------------------------

TEST_CASE("a full pipeline refuses when it is told to") {
  Fixture f;
  Log log;
  Gate gate;
  f.server.pipelines = {gate.AnswerAll(log)};
  Pipeline pipeline =
      f.MakeClient().OpenPipeline({.max_pending_operations = 2, .when_full = WhenFull::kRefuse});
  auto one = pipeline.Add(Operation::Put("1", "v"));
  auto two = pipeline.Add(Operation::Put("2", "v"));
  const absl::Status refused =
      pipeline.Add(Operation::Put("3", "v"), [](absl::StatusOr<OperationResult>) { FAIL(); });
  CHECK(refused.code() == absl::StatusCode::kResourceExhausted);
  CHECK(tarn::ReasonOf(refused) == Reason::kPipelineFull);
  gate.Open();
  CHECK(pipeline.Flush().ok());
  auto three = pipeline.Add(Operation::Put("3", "v"));
  CHECK(ValueOf(three) == "3");
}

TEST_CASE("bytes fill a pipeline too, and what is larger than all of it is let in alone") {
  Fixture f;
  Log log;
  Gate gate;
  f.server.pipelines = {gate.AnswerAll(log)};
  Pipeline pipeline =
      f.MakeClient().OpenPipeline({.max_pending_bytes = 100, .when_full = WhenFull::kRefuse});
  auto large = pipeline.Add(Operation::Put("large", std::string(1000, 'x')));
  auto refused = pipeline.Add(Operation::Put("k", "v"));
  CHECK(ReasonOf(refused) == Reason::kPipelineFull);
  gate.Open();
  CHECK(ValueOf(large) == "large");
}

TEST_CASE("a full pipeline makes its callers wait for room") {
  Fixture f;
  Log log;
  Gate gate;
  f.server.pipelines = {gate.AnswerAll(log)};
  Pipeline pipeline = f.MakeClient().OpenPipeline({.max_pending_operations = 1});
  auto one = pipeline.Add(Operation::Put("1", "v"));
  std::promise<void> added;
  OperationFuture two;
  std::thread adder([&] {
    two = pipeline.Add(Operation::Put("2", "v"));
    added.set_value();
  });
  auto waiting = added.get_future();
  CHECK(waiting.wait_for(milliseconds(20)) == std::future_status::timeout);
  gate.Open();
  waiting.wait();
  adder.join();
  CHECK(ValueOf(one) == "1");
  CHECK(ValueOf(two) == "2");
}

TEST_CASE("a callback may add, and is refused instead of waiting") {
  Fixture f;
  Log log;
  f.server.pipelines = {AnswerAll(log)};
  Pipeline pipeline = f.MakeClient().OpenPipeline({.max_pending_operations = 1});
  std::promise<std::pair<absl::Status, absl::Status>> refused;
  CHECK(pipeline
            .Add(Operation::Put("1", "v"),
                 [&](absl::StatusOr<OperationResult>) {
                   refused.set_value({pipeline.Add(Operation::Put("2", "v"), [](const auto&) {}),
                                      pipeline.Flush()});
                 })
            .ok());
  const auto [add, flush] = refused.get_future().get();
  CHECK(tarn::ReasonOf(add) == Reason::kPipelineFull);
  CHECK(flush.code() == absl::StatusCode::kFailedPrecondition);
}

TEST_CASE("a message that the server would not take is refused here") {
  Fixture f;
  Pipeline pipeline = f.MakeClient().OpenPipeline({.max_request_bytes = 1000});
  auto value = pipeline.Add(Operation::Put("k", std::string(1000, 'x')));
  CHECK(ReasonOf(value) == Reason::kBatchTooLarge);
  auto batch =
      pipeline.Add(Batch::Atomic().Put("a", std::string(500, 'x')).Put("b", std::string(500, 'x')));
  CHECK(tarn::ReasonOf(batch.get().status()) == Reason::kBatchTooLarge);
  auto empty = pipeline.Add(Batch::Atomic());
  CHECK(tarn::ReasonOf(empty.get().status()) == Reason::kInvalidRequest);
  CHECK(f.server.pipeline_calls == 0);
}

// --- the end
// ----------------------------------------------------------------------------------------------------

TEST_CASE("closing waits for all answers, ends the stream, and takes nothing more") {
  Fixture f;
  std::promise<bool> ended;
  Log log;
  f.server.pipelines = {[&](grpc::ServerContext& context, Stream& stream) {
    const grpc::Status status = AnswerAll(log)(context, stream);
    ended.set_value(context.IsCancelled());
    return status;
  }};
  Pipeline pipeline = f.MakeClient().OpenPipeline();
  std::atomic<int> answered{0};
  for (int i = 0; i < 100; ++i) {
    REQUIRE(pipeline.Add(Operation::Put("k", "v"), [&](const auto&) { ++answered; }).ok());
  }
  CHECK(pipeline.Close().ok());
  CHECK(answered == 100);
  CHECK_FALSE(ended.get_future().get());  // Half-closed, not cancelled.
  auto late = pipeline.Add(Operation::Put("k", "v"));
  CHECK(ReasonOf(late) == Reason::kPipelineClosed);
  CHECK(pipeline.Close().ok());
}

TEST_CASE("closing a pipeline that was never used needs no server") {
  Fixture f;
  Pipeline pipeline = f.MakeClient().OpenPipeline();
  CHECK(pipeline.Flush().ok());
  CHECK(pipeline.Close().ok());
  CHECK(f.server.pipeline_calls == 0);
}

TEST_CASE("waiting for answers ends at its timeout") {
  Fixture f;
  Log log;
  Gate gate;
  f.server.pipelines = {gate.AnswerAll(log)};
  Pipeline pipeline = f.MakeClient().OpenPipeline();
  auto write = pipeline.Add(Operation::Put("k", "v"));
  CHECK(pipeline.Flush(milliseconds(1)).code() == absl::StatusCode::kDeadlineExceeded);
  CHECK(pipeline.Close(milliseconds(1)).code() == absl::StatusCode::kDeadlineExceeded);
  gate.Open();
  CHECK(pipeline.Close().ok());
  CHECK(ValueOf(write) == "k");
}

TEST_CASE("cancelling tells what was not sent from what may have been done") {
  Fixture f;
  Log log;
  std::promise<void> read;
  f.server.pipelines = {[&](grpc::ServerContext&, Stream& stream) {
    v1::PipelineRequest request;
    stream.Read(&request);
    read.set_value();
    while (stream.Read(&request)) log.Add(request);
    return grpc::Status::CANCELLED;
  }};
  Pipeline pipeline = f.MakeClient().OpenPipeline({.max_unanswered_messages = 1});
  auto sent = pipeline.Add(Batch::Atomic().Put("sent", "1"));
  auto waiting = pipeline.Add(Batch::Atomic().Put("waiting", "1"));
  read.get_future().wait();
  pipeline.Cancel();
  CHECK(tarn::ReasonOf(sent.get().status()) == Reason::kOutcomeUnknown);
  CHECK(tarn::ReasonOf(waiting.get().status()) == Reason::kPipelineClosed);
  CHECK(log.keys().empty());
}

TEST_CASE("cancelling ends the wait for a server that is not there") {
  Fixture f;
  f.server.Stop();
  std::promise<absl::Status> failed;
  {
    Pipeline pipeline = f.MakeClient().OpenPipeline({.answer_timeout = kNoTimeout});
    REQUIRE(pipeline
                .Add(Operation::Put("k", "v"),
                     [&](const auto& result) { failed.set_value(result.status()); })
                .ok());
    f.fake.timers->AwaitSet(1);
  }  // Destroyed while it pauses.
  CHECK(tarn::ReasonOf(failed.get_future().get()) == Reason::kPipelineClosed);
}

TEST_CASE("a pipeline that is destroyed has called every callback") {
  Fixture f;
  Log log;
  f.server.pipelines = {AnswerAll(log)};
  std::atomic<int> called{0};
  for (int round = 0; round < 20; ++round) {
    Pipeline pipeline = f.MakeClient().OpenPipeline();
    for (int i = 0; i < 50; ++i) {
      REQUIRE(pipeline.Add(Operation::Put("k", "v"), [&](const auto&) { ++called; }).ok());
    }
  }
  CHECK(called == 1000);
}

// --- threads
// ----------------------------------------------------------------------------------------------------

TEST_CASE("operations on a key arrive in the order added, whatever other threads do") {
  constexpr int kThreads = 4;
  constexpr int kOperations = 2000;
  Fixture f;
  Log log;
  f.server.pipelines = {AnswerAll(log)};
  Pipeline pipeline =
      f.MakeClient().OpenPipeline({.max_message_operations = 16, .max_pending_operations = 64});
  std::atomic<int> answered{0};
  std::atomic<int> inside{0};
  std::atomic<bool> overlapped{false};
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kOperations; ++i) {
        const std::string key = std::to_string(t) + "/" + std::to_string(i);
        const auto count = [&](const auto& result) {
          if (inside++ > 0) overlapped = true;
          if (result.ok()) ++answered;
          --inside;
        };
        const absl::Status added = i % 10 == 0
                                       ? pipeline.Add(Batch::Independent().Put(key, "v"), count)
                                       : pipeline.Add(Operation::Put(key, "v"), count);
        if (!added.ok()) std::abort();
      }
    });
  }
  for (auto& thread : threads) thread.join();
  CHECK(pipeline.Close().ok());
  CHECK(answered == kThreads * kOperations);
  CHECK_FALSE(overlapped);
  std::map<std::string, int> next;
  for (const std::string& key : log.keys()) {
    const size_t slash = key.find('/');
    REQUIRE(std::stoi(key.substr(slash + 1)) == next[key.substr(0, slash)]++);
  }
}

}  // namespace
}  // namespace tarn::testing
