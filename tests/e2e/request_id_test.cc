// Request ids over the wire: what a repetition is answered, by every call that takes them.
#include <memory>
#include <string>
#include <vector>

#include "tarn/v1/state.grpc.pb.h"
#include "tests/catch.h"
#include "tests/e2e/checkpoint_client.h"
#include "tests/e2e/raw_client.h"
#include "tests/support/daemon.h"
#include "tests/support/http_get.h"
#include "tests/support/temp_dir.h"

namespace tarn::testing {
namespace {

using Stub = v1::StateService::Stub;

struct World {
  explicit World(const std::string& engine = "memory")
      : daemon({.directory = dir.path(), .arguments = {"--engine", engine}}) {
    Connect();
  }
  void Connect() { raw = std::make_unique<RawClient>(daemon.grpc()); }
  void Restart() {
    daemon.Kill();
    daemon.Start();
    Connect();
  }

  uint64_t Register() {
    v1::RegisterClientResponse response;
    REQUIRE(raw->Call(raw->state(), &Stub::RegisterClient, v1::RegisterClientRequest(),
                      &response) == "OK");
    return response.client_id();
  }
  // "1", "1 replayed", or the error in brief.
  std::string Increment(uint64_t client, uint64_t request, int64_t delta = 1) {
    v1::IncrementRequest message;
    message.set_key("n");
    message.set_delta(delta);
    message.set_client_id(client);
    message.set_request_id(request);
    v1::IncrementResponse response;
    const std::string status = raw->Call(raw->state(), &Stub::Increment, message, &response);
    if (status != "OK") return status;
    return std::to_string(response.number()) + (response.replayed() ? " replayed" : "");
  }
  std::string Metrics() { return HttpGet(daemon.http(), "/metrics").body; }

  TempDir dir;
  DaemonProcess daemon;
  std::unique_ptr<RawClient> raw;
};

// Calls twice; the second answer is the first one's, and says so.
template <typename Request, typename Response>
void CheckRepeats(World& w,
                  grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
                  Request request, uint64_t client, uint64_t number) {
  request.set_key("k");
  request.set_client_id(client);
  request.set_request_id(number);
  Response first;
  REQUIRE(w.raw->Call(w.raw->state(), method, request, &first) == "OK");
  CHECK_FALSE(first.replayed());
  const std::string before = w.raw->All();
  Response second;
  REQUIRE(w.raw->Call(w.raw->state(), method, request, &second) == "OK");
  CHECK(second.replayed());
  CHECK(w.raw->All() == before);
  second.clear_replayed();
  CHECK(second.SerializeAsString() == first.SerializeAsString());
}

TEST_CASE("the repetition of every kind of write gets the same answer, marked") {
  World w(GENERATE(std::string("memory"), std::string("rocksdb")));
  const uint64_t client = w.Register();
  v1::PutRequest put;
  put.set_value("7");
  CheckRepeats(w, &Stub::Put, put, client, 1);
  v1::IncrementRequest increment;
  increment.set_delta(3);
  CheckRepeats(w, &Stub::Increment, increment, client, 2);
  v1::AppendRequest append;
  append.set_suffix("5");
  CheckRepeats(w, &Stub::Append, append, client, 3);
  v1::TouchRequest touch;
  touch.mutable_ttl()->set_milliseconds(1'000'000);
  CheckRepeats(w, &Stub::Touch, touch, client, 4);
  CheckRepeats(w, &Stub::Take, v1::TakeRequest(), client, 5);
  CheckRepeats(w, &Stub::Delete, v1::DeleteRequest(), client, 6);
}

TEST_CASE("the repetition of a batch gets the same answer, each result marked") {
  World w;
  v1::BatchRequest request;
  request.set_mode(GENERATE(v1::BATCH_MODE_ATOMIC, v1::BATCH_MODE_INDEPENDENT));
  request.set_client_id(w.Register());
  request.set_request_id(1);
  *request.add_operations() = IncrementOp("n", 1);
  *request.add_operations() = PutOp("k", "v");
  v1::BatchResponse first;
  REQUIRE(w.raw->Call(w.raw->state(), &Stub::Batch, request, &first) == "OK");
  v1::BatchResponse second;
  REQUIRE(w.raw->Call(w.raw->state(), &Stub::Batch, request, &second) == "OK");
  CHECK(w.raw->Get("n") == "1");
  REQUIRE(second.results_size() == 2);
  for (auto& result : *second.mutable_results()) {
    CHECK(result.replayed());
    result.clear_replayed();
  }
  CHECK(second.SerializeAsString() == first.SerializeAsString());
}

TEST_CASE("each message of a pipeline may carry an id, and says whether it was done before") {
  World w;
  const uint64_t client = w.Register();
  const auto context = w.raw->NewContext();
  const auto stream = w.raw->state().Pipeline(context.get());
  const auto send = [&](uint64_t batch, uint64_t request_id, v1::BatchMode mode) {
    v1::PipelineRequest request;
    request.set_batch_id(batch);
    request.set_mode(mode);
    request.set_client_id(request_id == 0 ? 0 : client);
    request.set_request_id(request_id);
    *request.add_operations() = IncrementOp("n", 1);
    v1::PipelineResponse response;
    REQUIRE(stream->Write(request));
    REQUIRE(stream->Read(&response));
    CHECK(response.batch_id() == batch);
    return response;
  };
  for (const auto mode : {v1::BATCH_MODE_ATOMIC, v1::BATCH_MODE_INDEPENDENT}) {
    const uint64_t id = mode;
    const v1::PipelineResponse first = send(1, id, mode);
    CHECK_FALSE(first.results(0).replayed());
    const v1::PipelineResponse again = send(2, id, mode);
    CHECK(again.results(0).replayed());
    CHECK(again.results(0).number() == first.results(0).number());
    CHECK(again.results(0).revision() == first.results(0).revision());
    CHECK(again.revision() == first.revision());
  }
  CHECK_FALSE(send(3, 0, v1::BATCH_MODE_INDEPENDENT).results(0).replayed());
  CHECK(w.raw->Get("n") == "3");
  v1::PipelineResponse other = send(4, v1::BATCH_MODE_ATOMIC, v1::BATCH_MODE_INDEPENDENT);
  CHECK(Brief(other.status()) == "INVALID_ARGUMENT REQUEST_MISMATCH");
  stream->WritesDone();
}

TEST_CASE("ids that mean nothing, or something else, are refused") {
  World w;
  const uint64_t client = w.Register();
  CHECK(w.Increment(client, 1) == "1");
  CHECK(w.Increment(client, 1, 5) == "INVALID_ARGUMENT REQUEST_MISMATCH");
  CHECK(w.Increment(client + 1, 1) == "OUT_OF_RANGE UNKNOWN_CLIENT");
  CHECK(w.Increment(client, 0) == "INVALID_ARGUMENT REQUEST_MISMATCH");
  CHECK(w.Increment(0, 1) == "INVALID_ARGUMENT REQUEST_MISMATCH");
  CHECK(w.raw->Get("n") == "1");
}

TEST_CASE("each client that registers gets a larger id, over a crash too") {
  World w("rocksdb");
  const uint64_t first = w.Register();
  const uint64_t second = w.Register();
  CHECK(second > first);
  w.Restart();
  CHECK(w.Register() > second);
}

TEST_CASE("ids are known after kill -9") {
  World w("rocksdb");
  const uint64_t client = w.Register();
  CHECK(w.Increment(client, 1) == "1");
  w.Restart();
  CHECK(w.Increment(client, 1) == "1 replayed");
  CHECK(w.Increment(client, 2) == "2");
}

TEST_CASE("a restore brings back the ids of its checkpoint, and forgets clients that came later") {
  World w(GENERATE(std::string("memory"), std::string("rocksdb")));
  CheckpointClient checkpoints(w.daemon.grpc());
  const uint64_t client = w.Register();
  CHECK(w.Increment(client, 1) == "1");
  const std::string checkpoint = checkpoints.Create();
  CHECK(w.Increment(client, 2) == "2");
  const uint64_t later = w.Register();
  CHECK(w.Increment(later, 1) == "3");
  REQUIRE(checkpoints.Restore(checkpoint) == checkpoint);
  CHECK(w.Increment(client, 1) == "1 replayed");
  // What it did is not in the restored state.
  CHECK(w.Increment(client, 2) == "2");
  CHECK(w.Increment(client, 2) == "2 replayed");
  CHECK(w.Increment(later, 1) == "OUT_OF_RANGE UNKNOWN_CLIENT");
  CHECK(w.Register() > later);
}

TEST_CASE("repetitions, and what is kept for them, are in the metrics") {
  World w;
  const auto has = [&](const char* line) { return w.Metrics().find(line) != std::string::npos; };
  CHECK(has("tarn_replays_total 0"));
  CHECK(has("tarn_receipts 0"));
  const uint64_t client = w.Register();
  w.Increment(client, 1);
  CHECK(has("tarn_replays_total 0"));
  CHECK(has("tarn_receipts 1"));
  CHECK_FALSE(has("tarn_receipts_bytes 0"));
  w.Increment(client, 1);
  w.Increment(client, 1);
  CHECK(has("tarn_replays_total 2"));
  CHECK(has("tarn_receipts 1"));
}

}  // namespace
}  // namespace tarn::testing
