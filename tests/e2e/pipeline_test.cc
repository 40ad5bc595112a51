// Pipeline over the wire. What it does with completions that come late is in tests/server/rpc.
#include <signal.h>

#include <future>
#include <map>
#include <thread>

#include "tests/catch.h"
#include "tests/e2e/raw_client.h"
#include "tests/support/daemon.h"
#include "tests/support/temp_dir.h"

namespace tarn::testing {
namespace {

// One stream, used as a client would.
class Pipeline {
 public:
  explicit Pipeline(RawClient& client)
      : context_(client.NewContext()), stream_(client.state().Pipeline(context_.get())) {}

  bool Send(uint64_t id, const std::vector<v1::Operation>& operations,
            v1::BatchMode mode = v1::BATCH_MODE_INDEPENDENT) {
    v1::PipelineRequest request;
    request.set_batch_id(id);
    request.set_mode(mode);
    for (const auto& operation : operations) *request.add_operations() = operation;
    return stream_->Write(request);
  }

  bool Receive(v1::PipelineResponse* response) { return stream_->Read(response); }

  v1::PipelineResponse Receive() {
    v1::PipelineResponse response;
    REQUIRE(Receive(&response));
    return response;
  }

  void HalfClose() { stream_->WritesDone(); }
  std::string End() {
    v1::PipelineResponse response;
    while (stream_->Read(&response)) continue;
    return Brief(stream_->Finish());
  }
  void Cancel() { context_->TryCancel(); }

 private:
  std::unique_ptr<grpc::ClientContext> context_;
  std::unique_ptr<grpc::ClientReaderWriter<v1::PipelineRequest, v1::PipelineResponse>> stream_;
};

class Subject {
 public:
  explicit Subject(std::vector<std::string> arguments)
      : daemon({.directory = dir_.path(), .arguments = std::move(arguments)}),
        client(daemon.grpc()) {}

 private:
  const TempDir dir_;

 public:
  DaemonProcess daemon;
  RawClient client;
};

Subject AnyEngine() {
  return Subject({"--engine", GENERATE(std::string("memory"), std::string("rocksdb"))});
}

TEST_CASE("every batch is answered under its id") {
  Subject subject = AnyEngine();
  Pipeline pipeline(subject.client);
  for (uint64_t id = 100; id < 120; ++id)
    REQUIRE(pipeline.Send(id, {PutOp("k" + std::to_string(id), "v")}));
  std::map<uint64_t, int> answers;
  for (int i = 0; i < 20; ++i) {
    const auto response = pipeline.Receive();
    CHECK(response.results_size() == 1);
    ++answers[response.batch_id()];
  }
  CHECK(answers.size() == 20);
  pipeline.HalfClose();
  CHECK(pipeline.End() == "OK");
}

TEST_CASE("operations on one key take effect in the order sent, reads included") {
  Subject subject = AnyEngine();
  Pipeline pipeline(subject.client);
  constexpr int kRounds = 500;
  std::thread sender([&] {
    for (int i = 0; i < kRounds; ++i) {
      const std::string value = std::to_string(i);
      pipeline.Send(2 * i, {PutOp("k", value)});
      pipeline.Send(2 * i + 1, {GetOp("k")});
    }
    pipeline.HalfClose();
  });
  int wrong = 0;
  v1::PipelineResponse response;
  int answers = 0;
  while (pipeline.Receive(&response)) {
    ++answers;
    if (response.batch_id() % 2 == 1 &&
        response.results(0).value() != std::to_string(response.batch_id() / 2))
      ++wrong;
  }
  sender.join();
  CHECK(answers == 2 * kRounds);
  CHECK(wrong == 0);
  CHECK(pipeline.End() == "OK");
}

TEST_CASE("a refused batch does not stop the ones behind it") {
  Subject subject = AnyEngine();
  Pipeline pipeline(subject.client);
  pipeline.Send(1, {PutOp("a", "1"), PutOp("a", "2")}, v1::BATCH_MODE_ATOMIC);
  pipeline.Send(2, {PutOp("a", "3")});
  pipeline.Send(3, {});
  std::map<uint64_t, v1::PipelineResponse> answers;
  for (int i = 0; i < 3; ++i) {
    const auto response = pipeline.Receive();
    answers[response.batch_id()] = response;
  }
  CHECK(Brief(answers[1].status()) == "INVALID_ARGUMENT DUPLICATE_KEY operations[1].key");
  CHECK(answers[1].results().empty());
  CHECK_FALSE(answers[2].has_status());
  CHECK(Brief(answers[3].status()) == "INVALID_ARGUMENT INVALID_REQUEST operations");
  CHECK(subject.client.Get("a") == "3");
}

TEST_CASE("a client that does not read stops being read, and loses nothing when it goes on") {
  Subject subject(
      {"--engine", "memory", "--max-pipeline-batches", "4", "--max-pipeline-size", "64KiB"});
  Pipeline pipeline(subject.client);
  constexpr uint64_t kBatches = 1000;
  const std::string value(32 << 10, 'v');  // 31 MiB each way: more than sockets and windows hold.
  REQUIRE(subject.client.Put("k", value) == "OK");
  auto sending = std::async(std::launch::async, [&] {
    for (uint64_t id = 1; id <= kBatches; ++id) pipeline.Send(id, {PutOp("x", value), GetOp("k")});
    pipeline.HalfClose();
  });
  CHECK(sending.wait_for(std::chrono::milliseconds(500)) == std::future_status::timeout);
  std::map<uint64_t, int> answers;
  v1::PipelineResponse response;
  while (pipeline.Receive(&response)) {
    CHECK(response.results(1).value().size() == value.size());
    ++answers[response.batch_id()];
  }
  CHECK(answers.size() == kBatches);
  CHECK(pipeline.End() == "OK");
}

TEST_CASE("a cancelled pipeline leaves the server as it was") {
  Subject subject = AnyEngine();
  for (int i = 0; i < 20; ++i) {
    Pipeline pipeline(subject.client);
    for (uint64_t id = 1; id <= 50; ++id) pipeline.Send(id, {PutOp("k" + std::to_string(id), "v")});
    pipeline.Cancel();
    CHECK(pipeline.End() == "CANCELLED");
  }
  CHECK(subject.client.Put("after", "1") == "OK");
  CHECK(subject.daemon.Stop() == 0);
}

TEST_CASE("a draining server answers what it has read and ends the stream with DRAINING") {
  Subject subject = AnyEngine();
  Pipeline pipeline(subject.client);
  pipeline.Send(1, {PutOp("k", "v")});
  CHECK(pipeline.Receive().batch_id() == 1);
  subject.daemon.Signal(SIGTERM);
  CHECK(pipeline.End() == "UNAVAILABLE DRAINING");
  CHECK(subject.daemon.Wait() == 0);
}

}  // namespace
}  // namespace tarn::testing
