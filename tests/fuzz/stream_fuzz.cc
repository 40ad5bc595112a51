// Any bytes as the requests of a stream: a scan, or the batches of a pipeline. The first byte
// chooses.
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "server/rpc/pipeline_handler.h"
#include "server/rpc/scan_handler.h"
#include "storage/base/clock.h"
#include "storage/base/executor.h"
#include "storage/base/random.h"
#include "storage/memory/memory_engine.h"
#include "storage/store.h"
#include "tests/server/rpc/fakes.h"

namespace tarn::server {
namespace {

using Outcome = StreamHandler::Outcome;

void Require(bool condition) {
  if (!condition) std::abort();
}

// The memory engine completes batches inline, so that a pipeline's event is over when it returns.
struct Server {
  Server() {
    engine = *storage::MemoryEngine::Open({.memory_limit_bytes = 1 << 20}, clock, ledger);
    const storage::StoreMeta meta{.store_id = std::string(32, '0'), .incarnation = 1};
    Require(engine->WriteMeta(meta).ok());
    store =
        *storage::Store::Open({*engine, ledger, clock, executor, base::SystemRandom()}, meta, {});
    gate.Open(*store);
  }

  base::ManualClock clock{1'700'000'000'000};
  storage::UsageLedger ledger;
  base::ThreadPool executor{{.threads = 1}};
  std::unique_ptr<storage::Engine> engine;
  std::unique_ptr<storage::Store> store;
  Gate gate;
  Counters counters;
};

// A scan is opened by the executor, so what it asks for may come from another thread.
class ScanStream final : public ResponseStream<EncodedMessage> {
 public:
  Peer peer() const override { return {}; }
  bool Cancelled() const override { return false; }
  void Write(const EncodedMessage&) override { Become(State::kWriting); }
  void Finish() override { Become(State::kFinished); }
  void Fail(const google::rpc::Status& error) override {
    Require(error.code() > 0 && !error.details().empty());
    Become(State::kFinished);
  }

  // Waits for the next thing asked for; false when that is the end.
  bool NextIsWrite() {
    absl::MutexLock lock(&mutex_);
    mutex_.Await(absl::Condition(
        +[](State* state) { return *state != State::kIdle; }, &state_));
    return std::exchange(state_, State::kIdle) == State::kWriting;
  }

 private:
  enum class State : uint8_t { kIdle, kWriting, kFinished };

  void Become(State state) {
    absl::MutexLock lock(&mutex_);
    state_ = state;
  }

  absl::Mutex mutex_;
  State state_ = State::kIdle;
};

EncodedMessage Bytes(absl::string_view bytes) {
  const auto kept = std::make_shared<std::string>(bytes);
  return {std::shared_ptr<const char>(kept, kept->data()), kept->size()};
}

void RunScan(absl::string_view bytes, Server& server) {
  ScanStream stream;
  ScanHandler handler(server.gate, server.counters, {}, Bytes(bytes), stream);
  handler.Start();
  while (stream.NextIsWrite()) handler.OnWritten(Outcome::kDone);
}

// Each message is preceded by its length in one byte. What the server makes of it is what Protocol
// Buffers make of it.
void RunPipeline(absl::string_view bytes, Server& server) {
  testing::FakeStream<EncodedMessage, EncodedMessage> stream;
  PipelineHandler handler(server.gate, server.counters, {}, stream);
  handler.Start();
  while (!bytes.empty()) {
    const absl::string_view message = bytes.substr(1, static_cast<uint8_t>(bytes[0]));
    bytes.remove_prefix(1 + message.size());
    Require(stream.reading != nullptr);
    *std::exchange(stream.reading, nullptr) = Bytes(message);
    tarn::v1::PipelineRequest request;
    const bool understood =
        request.ParseFromArray(message.data(), static_cast<int>(message.size()));
    handler.OnRead(Outcome::kDone);
    Require(stream.writing.has_value());
    const auto response = testing::Decode<tarn::v1::PipelineResponse>(*stream.writing);
    Require(!understood || response.batch_id() == request.batch_id());
    Require(response.has_status() || response.results_size() == request.operations_size());
    stream.writing.reset();
    handler.OnWritten(Outcome::kDone);
  }
  handler.OnRead(Outcome::kFailed);
  Require(stream.finished && stream.finished->code() == 0);
}

}  // namespace
}  // namespace tarn::server

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static tarn::server::Server server;
  if (size == 0) return 0;
  const absl::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  data[0] % 2 == 0 ? tarn::server::RunScan(bytes, server)
                   : tarn::server::RunPipeline(bytes, server);
  return 0;
}
