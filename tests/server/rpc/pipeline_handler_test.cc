#include "server/rpc/pipeline_handler.h"

#include <memory>
#include <string>

#include "tests/catch.h"
#include "tests/server/rpc/fakes.h"

namespace tarn::server {
namespace {

using Outcome = StreamHandler::Outcome;
using Request = tarn::v1::PipelineRequest;
using Response = tarn::v1::PipelineResponse;

Request Batch(uint64_t id) {
  Request request;
  request.set_batch_id(id);
  request.set_mode(tarn::v1::BATCH_MODE_INDEPENDENT);
  return request;
}

Request Read(uint64_t id) {
  Request request = Batch(id);
  auto* operation = request.add_operations();
  operation->set_key("k" + std::to_string(id));
  operation->mutable_get();
  return request;
}

Request Write(uint64_t id, size_t value_bytes = 1) {
  Request request = Batch(id);
  auto* operation = request.add_operations();
  operation->set_key("k");
  operation->mutable_put()->set_value(std::string(value_bytes, 'v'));
  return request;
}

// One pipeline, from both of its ends.
class Pipeline {
 public:
  explicit Pipeline(const ServerLimits& limits = {})
      : handler_(std::make_unique<PipelineHandler>(gate_, counters_, limits, stream_)) {
    gate_.Open(store_);
  }

  Pipeline& Start() {
    handler_->Start();
    return *this;
  }

  // The client sends a batch, which the server must have asked for.
  void Send(const Request& request) {
    REQUIRE(stream_.reading != nullptr);
    SendBytes(Encode(request));
  }
  void SendBytes(EncodedMessage bytes) {
    REQUIRE(stream_.reading != nullptr);
    *stream_.reading = std::move(bytes);
    stream_.reading = nullptr;
    handler_->OnRead(Outcome::kDone);
  }
  void HalfClose() { handler_->OnRead(Outcome::kFailed); }

  // The batch whose answer is being written now; 0 when none is.
  uint64_t Writing() const {
    return stream_.writing ? testing::Decode<Response>(*stream_.writing).batch_id() : 0;
  }
  // That answer has gone out.
  Response Written() {
    REQUIRE(stream_.writing);
    Response response = testing::Decode<Response>(*std::exchange(stream_.writing, std::nullopt));
    handler_->OnWritten(Outcome::kDone);
    return response;
  }
  void WriteFails() {
    stream_.writing.reset();
    handler_->OnWritten(Outcome::kFailed);
  }

  bool Reads() const { return stream_.reading != nullptr; }
  // "" while it goes on, else the code and the reason it ended with.
  std::string End() const {
    if (!stream_.finished) return "";
    return stream_.finished->code() == 0 ? "OK" : stream_.finished->message();
  }

  void Drain() {
    gate_.Drain();
    handler_->OnDrain();
  }
  void Cancel() { handler_->OnCancelled(); }

  testing::FakeStore& store() { return store_; }
  Counters& counters() { return counters_; }

 private:
  testing::FakeStore store_;
  Gate gate_;
  Counters counters_;
  testing::FakeStream<EncodedMessage, EncodedMessage> stream_;
  std::unique_ptr<PipelineHandler> handler_;
};

constexpr char kDraining[] = "the server is shutting down; nothing was done";

TEST_CASE("a batch is read, run and answered with its id") {
  Pipeline pipeline;
  pipeline.Start().Send(Read(7));
  pipeline.store().Complete();
  const Response response = pipeline.Written();
  CHECK(response.batch_id() == 7);
  REQUIRE(response.results_size() == 1);
  CHECK(response.results(0).value() == "k7");
}

TEST_CASE("the next batch is read before the one before is answered") {
  Pipeline pipeline;
  pipeline.Start().Send(Write(1));
  CHECK(pipeline.Reads());
  pipeline.Send(Write(2));
  CHECK(pipeline.store().batches.size() == 2);
}

TEST_CASE("answers come as batches complete, one write at a time") {
  Pipeline pipeline;
  pipeline.Start().Send(Write(1));
  pipeline.Send(Write(2));
  pipeline.Send(Write(3));
  pipeline.store().CompleteAt(1);
  CHECK(pipeline.Writing() == 2);
  pipeline.store().Complete();
  pipeline.store().Complete();
  CHECK(pipeline.Writing() == 2);
  pipeline.Written();
  CHECK(pipeline.Written().batch_id() == 1);
  CHECK(pipeline.Written().batch_id() == 3);
}

TEST_CASE("a store that answers inline is asked batch after batch") {
  Pipeline pipeline;
  pipeline.store().inline_completion = true;
  pipeline.Start();
  for (uint64_t id = 1; id <= 10; ++id) {
    pipeline.Send(Write(id));
    CHECK(pipeline.Written().batch_id() == id);
  }
}

TEST_CASE("a batch that reads behind an unfinished write sees it") {
  Pipeline pipeline;
  pipeline.Start().Send(Read(1));
  CHECK(pipeline.store().batches.back().read_order == storage::ReadOrder::kCommitted);
  pipeline.store().Complete();
  pipeline.Send(Write(2));
  pipeline.Send(Read(3));
  CHECK(pipeline.store().batches.back().read_order == storage::ReadOrder::kSubmitted);
  pipeline.store().Complete();
  pipeline.store().Complete();
  pipeline.Send(Read(4));
  CHECK(pipeline.store().batches.back().read_order == storage::ReadOrder::kCommitted);
}

TEST_CASE("a batch that writes behind an unfinished read waits for it") {
  Pipeline pipeline;
  pipeline.Start().Send(Read(1));
  pipeline.Send(Read(2));
  pipeline.Send(Write(3));
  CHECK(pipeline.store().batches.size() == 2);
  CHECK_FALSE(pipeline.Reads());
  pipeline.store().CompleteAt(1);
  CHECK(pipeline.store().batches.size() == 1);
  pipeline.store().Complete();
  REQUIRE(pipeline.store().batches.size() == 1);
  CHECK(pipeline.store().batches.front().operations.front().kind == storage::OperationKind::kPut);
  CHECK(pipeline.Reads());
}

TEST_CASE("a batch that is refused is answered, and the stream goes on") {
  Pipeline pipeline;
  pipeline.Start().Send(Batch(1));
  const Response response = pipeline.Written();
  CHECK(response.batch_id() == 1);
  CHECK(response.status().code() == static_cast<int>(absl::StatusCode::kInvalidArgument));
  CHECK(response.results().empty());
  pipeline.Send(Write(2));
  CHECK(pipeline.store().batches.size() == 1);
}

TEST_CASE("bytes that are no batch are answered, and the stream goes on") {
  Pipeline pipeline;
  const Request understood = Batch(7);
  std::string bytes = understood.SerializeAsString() + "\x22\x7f";
  const auto kept = std::make_shared<std::string>(bytes);
  pipeline.Start().SendBytes({std::shared_ptr<const char>(kept, kept->data()), kept->size()});
  const Response response = pipeline.Written();
  CHECK(response.batch_id() == 7);
  CHECK(response.status().message() == "the batch is not a well-formed message");
  CHECK(response.status().code() == static_cast<int>(absl::StatusCode::kInvalidArgument));
  pipeline.Send(Write(2));
  CHECK(pipeline.store().batches.size() == 1);
}

TEST_CASE("the next batch is asked for before the one at hand is run") {
  Pipeline pipeline;
  bool asked = false;
  pipeline.store().on_run = [&] { asked = pipeline.Reads(); };
  pipeline.Start().Send(Read(1));
  CHECK(asked);
}

TEST_CASE("among other pipelines, the next batch is asked for when the answer is out") {
  Pipeline pipeline;
  pipeline.counters().AddPipelines(1);
  pipeline.store().inline_completion = true;
  pipeline.Start().Send(Read(1));
  CHECK(pipeline.Writing() == 1);
  CHECK_FALSE(pipeline.Reads());
  pipeline.Written();
  CHECK(pipeline.Reads());
}

TEST_CASE("among other pipelines too, more is read while the store is at work") {
  Pipeline pipeline;
  pipeline.counters().AddPipelines(1);
  pipeline.Start().Send(Write(1));
  CHECK(pipeline.Reads());
  pipeline.Send(Write(2));
  pipeline.store().Complete();
  CHECK(pipeline.Writing() == 1);
  CHECK(pipeline.Reads());
}

TEST_CASE("a batch of which every operation is refused is answered without the store") {
  Pipeline pipeline;
  Request request = Batch(1);
  request.add_operations()->set_key("no action");
  pipeline.Start().Send(request);
  CHECK(pipeline.store().batches.empty());
  const Response response = pipeline.Written();
  REQUIRE(response.results_size() == 1);
  CHECK(response.results(0).status().code() ==
        static_cast<int>(absl::StatusCode::kInvalidArgument));
}

TEST_CASE("nothing of an answer is left in the next one") {
  Pipeline pipeline;
  pipeline.store().inline_completion = true;
  pipeline.Start().Send(Batch(1));
  CHECK(pipeline.Written().has_status());
  pipeline.Send(Read(2));
  const Response second = pipeline.Written();
  CHECK_FALSE(second.has_status());
  CHECK(second.results_size() == 1);
}

TEST_CASE("no more is read while as many batches as allowed are unanswered") {
  Pipeline pipeline({.max_pipeline_batches = 2});
  pipeline.Start().Send(Write(1));
  pipeline.Send(Write(2));
  CHECK_FALSE(pipeline.Reads());
  pipeline.store().Complete();
  CHECK_FALSE(pipeline.Reads());  // Completed, but not yet sent.
  pipeline.Written();
  CHECK(pipeline.Reads());
}

TEST_CASE("no more is read while as many bytes as allowed are unanswered") {
  Pipeline pipeline({.max_pipeline_bytes = 1000});
  pipeline.Start().Send(Write(1, 999));
  CHECK_FALSE(pipeline.Reads());
  pipeline.store().Complete();
  pipeline.Written();
  CHECK(pipeline.Reads());
}

TEST_CASE("no more is read while as many bytes of answers as allowed wait to be sent") {
  Pipeline pipeline({.max_pipeline_bytes = 100});
  pipeline.store().inline_completion = true;
  pipeline.store().value = std::string(100, 'v');
  pipeline.Start().Send(Read(1));
  pipeline.Send(Read(2));  // Was asked for before the first was run.
  CHECK_FALSE(pipeline.Reads());
  pipeline.Written();
  CHECK_FALSE(pipeline.Reads());
  pipeline.Written();
  CHECK(pipeline.Reads());
}

TEST_CASE("after the half-close what was read is answered, then the stream ends well") {
  Pipeline pipeline;
  pipeline.Start().Send(Write(1));
  pipeline.HalfClose();
  CHECK(pipeline.End().empty());
  pipeline.store().Complete();
  CHECK(pipeline.End().empty());
  pipeline.Written();
  CHECK(pipeline.End() == "OK");
}

TEST_CASE("a half-close with a batch waiting runs and answers it") {
  Pipeline pipeline;
  pipeline.Start().Send(Read(1));
  pipeline.Send(Write(2));
  pipeline.store().Complete();
  pipeline.HalfClose();
  pipeline.Written();
  pipeline.store().Complete();
  CHECK(pipeline.Written().batch_id() == 2);
  CHECK(pipeline.End() == "OK");
}

TEST_CASE("a draining server answers what it runs, and ends the stream") {
  Pipeline pipeline;
  pipeline.Start().Send(Write(1));
  pipeline.Drain();
  CHECK(pipeline.End().empty());
  pipeline.store().Complete();
  CHECK(pipeline.Written().batch_id() == 1);
  CHECK(pipeline.End() == kDraining);
}

TEST_CASE("a batch that arrives while draining is not run") {
  Pipeline pipeline;
  pipeline.Start().Send(Write(1));
  pipeline.Drain();
  pipeline.Send(Write(2));
  CHECK(pipeline.store().batches.size() == 1);
  pipeline.store().Complete();
  pipeline.Written();
  CHECK(pipeline.End() == kDraining);
}

TEST_CASE("a batch that waits when draining begins is not run") {
  Pipeline pipeline;
  pipeline.Start().Send(Read(1));
  pipeline.Send(Write(2));
  pipeline.Drain();
  pipeline.store().Complete();
  CHECK(pipeline.store().batches.empty());
  pipeline.Written();
  CHECK(pipeline.End() == kDraining);
}

TEST_CASE("an idle stream ends as soon as draining begins") {
  Pipeline pipeline;
  pipeline.Start().Drain();
  CHECK(pipeline.End() == kDraining);
  pipeline.HalfClose();  // The read that was under way.
}

TEST_CASE("a stream that begins while draining ends at once") {
  Pipeline pipeline;
  pipeline.Drain();
  pipeline.Start();
  CHECK(pipeline.End() == kDraining);
}

TEST_CASE("a cancelled stream ends when what it began has completed, without writing") {
  Pipeline pipeline;
  pipeline.Start().Send(Write(1));
  pipeline.Send(Write(2));
  pipeline.Cancel();
  CHECK(pipeline.End().empty());
  pipeline.store().Complete();
  pipeline.store().Complete();
  CHECK(pipeline.Writing() == 0);
  CHECK(pipeline.End() == "OK");  // Nobody sees it.
}

TEST_CASE("a stream whose write fails ends when what it began has completed") {
  Pipeline pipeline;
  pipeline.Start().Send(Write(1));
  pipeline.Send(Write(2));
  pipeline.store().Complete();
  pipeline.WriteFails();
  CHECK(pipeline.End().empty());
  pipeline.store().Complete();
  CHECK_FALSE(pipeline.End().empty());
}

TEST_CASE("operations and pipelines are counted") {
  Pipeline pipeline;
  pipeline.store().inline_completion = true;
  CHECK(pipeline.counters().pipelines() == 1);
  pipeline.Start().Send(Read(1));
  const CounterTotals totals = pipeline.counters().Read();
  CHECK(totals.operations[static_cast<size_t>(storage::OperationKind::kGet)][0] == 1);
  CHECK(totals.batches == 1);
}

TEST_CASE("a batch that is refused is counted by its reason") {
  Pipeline pipeline;
  pipeline.Start().Send(Batch(1));  // Without operations.
  const CounterTotals totals = pipeline.counters().Read();
  CHECK(totals.errors[static_cast<size_t>(base::Reason::kInvalidRequest)] == 1);
  CHECK(totals.retries_advised == 0);
}

}  // namespace
}  // namespace tarn::server
