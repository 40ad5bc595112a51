// What bounds a pipeline, and how it ends.
#include "tests/client/pipeline_language.h"

namespace tarn::testing {
namespace {

TEST_CASE("a full pipeline refuses when it is told to") {
  Log log;
  Fixture f;
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
  Log log;
  Fixture f;
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
  Log log;
  Fixture f;
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
  Log log;
  Fixture f;
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
  std::promise<bool> ended;
  Log log;
  Fixture f;
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
  Log log;
  Fixture f;
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
  Log log;
  Fixture f;
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
  Log log;
  Fixture f;
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
  Log log;
  Fixture f;
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
