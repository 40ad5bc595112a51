// The pipeline against servers that answer, refuse, stall and break.
#include "tests/client/pipeline_language.h"

namespace tarn::testing {
namespace {

TEST_CASE("each operation gets its own answer") {
  Log log;
  Fixture f;
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
  Log log;
  Fixture f;
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
  Log log;
  Fixture f;
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
  Log log;
  Fixture f;
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
  Log log;
  Fixture f;
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
  Log log;
  Fixture f;
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
  Log log;
  Fixture f;
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

}  // namespace
}  // namespace tarn::testing
