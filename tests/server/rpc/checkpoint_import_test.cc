#include <string>
#include <vector>

#include "server/rpc/checkpoint_service.h"
#include "storage/base/error.h"
#include "tests/catch.h"
#include "tests/server/rpc/checkpoint_world.h"

namespace tarn::server {
namespace {

using checkpoint::CheckpointInfo;
using tarn::v1::ImportCheckpointRequest;
using tarn::v1::ImportCheckpointResponse;
using testing::kStoreB;
using testing::Put;
using Outcome = StreamHandler::Outcome;

class Stream final : public RequestStream<ImportCheckpointRequest, ImportCheckpointResponse> {
 public:
  Peer peer() const override { return caller; }
  bool Cancelled() const override { return cancelled; }
  void Read(ImportCheckpointRequest& request) override { reading = &request; }
  ImportCheckpointResponse& response() override { return answer; }
  void Finish() override { end += "OK"; }
  void Fail(const google::rpc::Status& error) override { end += testing::Brief(error); }

  Peer caller = testing::Loopback();
  bool cancelled = false;
  ImportCheckpointRequest* reading = nullptr;  // Where the next part is wanted.
  ImportCheckpointResponse answer;
  std::string end;
};

struct World : testing::CheckpointWorld {
  // The file of a checkpoint that is not in the catalog.
  std::string File(const checkpoint::CheckpointNumber& number = {7, 5},
                   const std::string& store = testing::kStoreA) {
    testing::Write(*engine, files, "f", {.threads = 1}, number, store);
    return testing::Load(files, "f");
  }
};

// One call. Parts are given only when they are wanted.
class Importing {
 public:
  explicit Importing(World& world, const Peer& caller = testing::Loopback()) : world_(world) {
    stream_.caller = caller;
    handler_ = world.service.ImportCheckpoint(stream_);
    handler_->Start();
  }

  Importing& Options(bool allow_other_store = false) {
    ImportCheckpointRequest part;
    part.mutable_options()->set_allow_other_store(allow_other_store);
    return Give(part);
  }
  Importing& Data(const std::string& bytes) {
    ImportCheckpointRequest part;
    part.set_data(bytes);
    return Give(part);
  }
  Importing& Nothing() { return Give({}); }
  // In pieces, so that the header comes in two.
  Importing& File(const std::string& bytes) {
    Data(bytes.substr(0, 100));
    return stream_.reading == nullptr ? *this : Data(bytes.substr(100));
  }
  std::string Done() {
    if (stream_.reading != nullptr) handler_->OnRead(Outcome::kFailed);
    stream_.reading = nullptr;
    return End();
  }
  std::string End() {
    world_.control->executor().RunAll();
    return stream_.end;
  }
  Stream& stream() { return stream_; }
  StreamHandler& handler() { return *handler_; }
  std::string Job() const {
    const checkpoint::JobInfo job = testing::Value(world_.control->jobs().Get(1));
    std::string text(checkpoint::JobStateName(job.state));
    return job.result.empty() ? text : text + " " + job.result;
  }

 private:
  Importing& Give(const ImportCheckpointRequest& part) {
    if (stream_.reading == nullptr) return *this;  // It has ended.
    *stream_.reading = part;
    stream_.reading = nullptr;
    handler_->OnRead(Outcome::kDone);
    world_.control->executor().RunAll();
    return *this;
  }

  World& world_;
  Stream stream_;
  std::unique_ptr<StreamHandler> handler_;
};

// Nothing but what a catalog without checkpoints has.
bool IsClean(World& world) {
  for (const std::string& name : world.Files()) {
    if (name.find(".ckpt") != std::string::npos) return false;
  }
  return world.catalog->List().empty();
}

TEST_CASE("a file is imported under the id in its header") {
  World world;
  const std::string bytes = world.File();
  Importing importing(world);
  CHECK(importing.Options().File(bytes).Done() == "OK");
  CHECK(importing.stream().answer.checkpoint().id() == "00000007-0000000005");
  const CheckpointInfo info = *world.catalog->Newest();
  CHECK((testing::Load(world.files, info.path) == bytes));
  CHECK(importing.Job() == "succeeded 00000007-0000000005");
  for (const std::string& name : world.Files()) CHECK(name.find(".tmp") == std::string::npos);
}

TEST_CASE("importing again what is there gives what is there") {
  World world;
  const std::string bytes = testing::Load(world.files, world.Publish().path);
  Importing importing(world);
  CHECK(importing.Options().File(bytes).Done() == "OK");
  CHECK(importing.stream().answer.checkpoint().id() == "00000007-0000000001");
  CHECK(world.catalog->List().size() == 1);
}

TEST_CASE("an import never takes the place of something else") {
  World world;
  world.Publish();
  world.engine.Do(Put("k", "other"));
  CHECK(Importing(world).Options().File(world.File({7, 1})).Done() ==
        "ALREADY_EXISTS CHECKPOINT_EXISTS");
}

TEST_CASE("a checkpoint of another store is imported only when that is allowed") {
  World world;
  const std::string bytes = world.File({900, 3}, kStoreB);
  CHECK(Importing(world).Options().File(bytes).Done() == "FAILED_PRECONDITION OTHER_STORE");
  CHECK(IsClean(world));
  Importing importing(world);
  CHECK(importing.Options(true).File(bytes).Done() == "OK");
  CHECK(importing.stream().answer.checkpoint().id() == kStoreB + "-00000900-0000000003");
}

TEST_CASE("a checkpoint from the future is not imported") {
  World world;
  CHECK(Importing(world).Options().File(world.File({8, 1})).Done() ==
        "FAILED_PRECONDITION LATER_INCARNATION");
  CHECK(IsClean(world));
}

TEST_CASE("what is no intact checkpoint leaves nothing behind") {
  World world;
  std::string bytes = world.File();
  SECTION("not a byte") { CHECK(Importing(world).Options().Done() == "DATA_LOSS DATA_LOSS"); }
  SECTION("less than a header") {
    CHECK(Importing(world).Options().Data("TARNCKPT").Done() == "DATA_LOSS DATA_LOSS");
  }
  SECTION("something else") {
    // Told at once, not when all of it has come.
    CHECK(Importing(world).Options().Data(std::string(1000, 'x')).End() == "DATA_LOSS DATA_LOSS");
  }
  SECTION("cut short") {
    bytes.pop_back();
    CHECK(Importing(world).Options().File(bytes).Done() == "DATA_LOSS DATA_LOSS");
  }
  SECTION("with more behind it") {
    CHECK(Importing(world).Options().File(bytes + "x").End() == "DATA_LOSS DATA_LOSS");
  }
  SECTION("damaged in a block") {
    bytes[checkpoint::kHeaderBytes] ^= 1;
    CHECK(Importing(world).Options().File(bytes).Done() == "DATA_LOSS DATA_LOSS");
  }
  SECTION("of a newer format") {
    bytes[8] = 9;
    CHECK(Importing(world).Options().File(bytes).End() == "FAILED_PRECONDITION NEWER_FORMAT");
  }
  CHECK(IsClean(world));
}

TEST_CASE("parts that are out of place are refused") {
  World world;
  const std::string invalid = "INVALID_ARGUMENT INVALID_REQUEST at ";
  CHECK(Importing(world).Data("x").End() == invalid + "options");
  CHECK(Importing(world).Done() == invalid + "options");
  CHECK(Importing(world).Options().Options().End() == invalid + "options");
  CHECK(Importing(world).Options().Nothing().End() == invalid + "part");
  CHECK(Importing(world).Options().Data(std::string((1 << 20) + 1, 'x')).End() == invalid + "data");
  CHECK(IsClean(world));
}

TEST_CASE("an import needs room for the file twice, and for everybody else") {
  World world;
  const std::string bytes = world.File();
  const uint64_t wanted = 2 * bytes.size() + (64 << 20);
  world.files.SetSpace({.free_bytes = wanted - 1, .total_bytes = wanted});
  CHECK(Importing(world).Options().File(bytes).End() == "RESOURCE_EXHAUSTED DISK_FULL");
  CHECK(IsClean(world));
  world.files.SetSpace({.free_bytes = wanted, .total_bytes = wanted});
  CHECK(Importing(world).Options().File(bytes).Done() == "OK");
}

TEST_CASE("an import that fails at any file operation leaves nothing behind") {
  World world;
  const std::string bytes = world.File();
  const auto kind = GENERATE(testing::FaultKind::kDiskFull, testing::FaultKind::kIoError);
  for (uint64_t operation = 0;; ++operation) {
    REQUIRE(operation < 100);
    world.files.FailAt(world.files.operations() + operation, kind, testing::FaultDuration::kOnce);
    const std::string end = Importing(world).Options().File(bytes).Done();
    world.files.Heal();
    if (end == "OK") break;
    CAPTURE(operation);
    CHECK((end == "RESOURCE_EXHAUSTED DISK_FULL" || end == "INTERNAL ENGINE_ERROR"));
    REQUIRE(world.catalog->Sweep().ok());
    CHECK(IsClean(world));
  }
}

TEST_CASE("an import that is cancelled, drained or abandoned leaves nothing behind") {
  World world;
  const std::string bytes = world.File();
  Importing importing(world);
  importing.Options().Data(bytes.substr(0, 300));
  SECTION("as a job, between two pieces") {
    REQUIRE(world.control->jobs().Cancel(1).ok());
    CHECK(importing.Data(bytes.substr(300)).End() == "CANCELLED");
  }
  SECTION("as a job, before it is taken in") {
    importing.Data(bytes.substr(300));
    REQUIRE(world.control->jobs().Cancel(1).ok());
    CHECK(importing.Done() == "CANCELLED");
  }
  SECTION("as a call") {
    importing.Data(bytes.substr(300));
    importing.stream().cancelled = true;
    importing.handler().OnCancelled();
    CHECK(importing.Done() == "CANCELLED");
  }
  SECTION("with the server") {
    importing.handler().OnDrain();
    CHECK(importing.Data(bytes.substr(300)).End() == "UNAVAILABLE DRAINING");
  }
  CHECK(importing.Job() == "cancelled");
  CHECK(IsClean(world));
}

TEST_CASE("what a killed server left of an import is swept at the next start") {
  World world;
  const std::string bytes = world.File();
  Importing importing(world);
  importing.Options().Data(bytes.substr(0, 300));
  world.files.Crash(testing::Unsynced::kKept, testing::Unsynced::kKept);
  CHECK(testing::Value(world.files.List("c")).size() > 1);
  auto catalog =
      testing::Value(checkpoint::Catalog::Open(world.files, "c", world.clock, {.threads = 1}));
  REQUIRE(catalog->Bind(testing::kStoreA, "pid 2").ok());
  CHECK(IsClean(world));
}

TEST_CASE("an import shows as a job") {
  World world;
  const std::string bytes = world.File();
  Importing importing(world);
  importing.Options().Data(bytes.substr(0, 300));
  const checkpoint::JobInfo job = testing::Value(world.control->jobs().Get(1));
  CHECK(job.kind == checkpoint::JobKind::kImport);
  CHECK(job.phase == "receiving");
  CHECK(job.bytes == 300);
}

TEST_CASE("an import that may not begin says why") {
  World world;
  CHECK(Importing(world, testing::Stranger()).End() == "PERMISSION_DENIED PERMISSION_DENIED");
  std::vector<checkpoint::Job> others;
  for (int i = 0; i < 4; ++i)
    others.push_back(testing::Value(world.control->jobs().Begin(checkpoint::JobKind::kDiff, "x")));
  CHECK(Importing(world).End() == "RESOURCE_EXHAUSTED QUEUE_FULL");
  others.clear();
  world.gate.Drain();
  CHECK(Importing(world).End() == "UNAVAILABLE DRAINING");
}

}  // namespace
}  // namespace tarn::server
