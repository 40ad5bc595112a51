// Reading out of checkpoints: entries, differences, whole files.
#include <string>

#include "absl/strings/str_cat.h"
#include "server/rpc/checkpoint_service.h"
#include "storage/base/error.h"
#include "tests/catch.h"
#include "tests/server/rpc/checkpoint_world.h"
#include "tests/server/rpc/fakes.h"

namespace tarn::server {
namespace {

using checkpoint::CheckpointInfo;
using testing::Brief;
using testing::CheckpointWorld;
using testing::FakeStream;
using testing::kStart;
using testing::Put;
using Outcome = StreamHandler::Outcome;

using GetEntry =
    testing::FakeCall<tarn::v1::GetCheckpointEntryRequest, tarn::v1::GetCheckpointEntryResponse>;

tarn::v1::GetCheckpointEntryRequest EntryRequest(const std::string& id, const std::string& key) {
  tarn::v1::GetCheckpointEntryRequest request;
  request.set_id(id);
  request.set_key(key);
  return request;
}

std::string End(CheckpointWorld& world, const tarn::v1::GetCheckpointEntryRequest& request) {
  GetEntry call(request);
  return world.Run(&CheckpointService::GetCheckpointEntry, call);
}

constexpr char kFirst[] = "00000007-0000000001";

TEST_CASE("an entry of the past is read as it was") {
  CheckpointWorld world;
  const storage::Revision revision = world.engine.Do(Put("k", "old").Until(kStart + 5000));
  world.Publish();
  world.engine.Do(Put("k", "new"));
  world.clock.Advance(10'000);  // It would have expired by now.
  GetEntry call(EntryRequest(kFirst, "k"));
  CHECK(world.Run(&CheckpointService::GetCheckpointEntry, call) == "OK");
  CHECK(call.response().checkpoint_id() == kFirst);
  CHECK(call.response().entry().key() == "k");
  CHECK(call.response().entry().value() == "old");
  CHECK(call.response().entry().revision() == revision);
  CHECK(call.response().entry().expire_time_ms() == kStart + 5000);
}

TEST_CASE("an entry is read from its namespace, and the latest checkpoint is named") {
  CheckpointWorld world;
  world.engine.AddNamespace("orders", 2);
  world.engine.Do(Put("k", "order").In(2));
  world.Publish();
  tarn::v1::GetCheckpointEntryRequest request = EntryRequest("latest", "k");
  request.set_namespace_("orders");
  GetEntry call(request);
  CHECK(world.Run(&CheckpointService::GetCheckpointEntry, call) == "OK");
  CHECK(call.response().checkpoint_id() == kFirst);
  CHECK(call.response().entry().value() == "order");
}

TEST_CASE("a missing key is an answer") {
  CheckpointWorld world;
  world.Publish();
  for (const char* const key : {"j", "kk", "z"}) {
    GetEntry call(EntryRequest(kFirst, key));
    CHECK(world.Run(&CheckpointService::GetCheckpointEntry, call) == "OK");
    CHECK_FALSE(call.response().has_entry());
  }
}

TEST_CASE("an entry that cannot be asked for is refused") {
  CheckpointWorld world;
  world.Publish();
  CHECK(End(world, EntryRequest(kFirst, "")) == "INVALID_ARGUMENT INVALID_KEY at key");
  CHECK(End(world, EntryRequest(kFirst, std::string(5000, 'x'))) ==
        "INVALID_ARGUMENT KEY_TOO_LARGE at key");
  tarn::v1::GetCheckpointEntryRequest request = EntryRequest(kFirst, "k");
  request.set_namespace_("No Such");
  CHECK(End(world, request) == "INVALID_ARGUMENT INVALID_NAMESPACE_NAME at namespace");
  CHECK(End(world, EntryRequest("x", "k")) == "INVALID_ARGUMENT INVALID_CHECKPOINT_ID at id");
  CHECK(End(world, EntryRequest("00000007-0000000009", "k")) == "NOT_FOUND CHECKPOINT_NOT_FOUND");
}

TEST_CASE("an entry larger than an answer may be is refused") {
  CheckpointWorld world;
  storage::Limits limits;
  limits.max_response_bytes = 100;
  CheckpointService narrow(world.door, world.policy, limits);
  world.engine.Do(Put("k", std::string(100, 'v')));
  world.Publish();
  GetEntry call(EntryRequest(kFirst, "k"));
  narrow.GetCheckpointEntry(call);
  world.control->executor().RunAll();
  CHECK(call.end == "INVALID_ARGUMENT RESPONSE_TOO_LARGE at key");
}

TEST_CASE("what is damaged is not read from") {
  CheckpointWorld world;
  const CheckpointInfo info = world.Publish();
  SECTION("in the block") { world.DamageBlock(info); }
  SECTION("in the head") { world.DamageHead(info); }
  CHECK(End(world, EntryRequest(kFirst, "k")) == "DATA_LOSS DATA_LOSS");
}

TEST_CASE("a checkpoint that somebody removed is not found") {
  CheckpointWorld world;
  const CheckpointInfo info = world.Publish();
  REQUIRE(world.files.Remove(info.path).ok());
  CHECK(End(world, EntryRequest(kFirst, "k")) == "NOT_FOUND CHECKPOINT_NOT_FOUND");
}

TEST_CASE("reading that finds no room is refused") {
  CheckpointWorld world;
  world.Publish();
  world.control->executor().Refuse(
      base::MakeError(absl::StatusCode::kResourceExhausted, base::Reason::kQueueFull, "full"));
  CHECK(End(world, EntryRequest(kFirst, "k")) == "RESOURCE_EXHAUSTED QUEUE_FULL");
}

// One streaming call, whose messages the test lets out one by one.
template <typename Request, typename Response>
class Reading {
 public:
  using Method = std::unique_ptr<StreamHandler> (CheckpointService::*)(const Request&,
                                                                       ResponseStream<Response>&);

  Reading(CheckpointWorld& world, Method method, Request request)
      : world_(world),
        request_(std::move(request)),
        handler_((world.service.*method)(request_, stream_)) {
    handler_->Start();
  }

  // The message that is being sent once nothing else is left to do; null when there is none.
  const Response* Sent() {
    world_.control->executor().RunAll();
    return stream_.writing ? &*stream_.writing : nullptr;
  }
  void Written(Outcome outcome = Outcome::kDone) {
    stream_.writing.reset();
    handler_->OnWritten(outcome);
  }
  StreamHandler& handler() { return *handler_; }
  std::string End() {
    world_.control->executor().RunAll();
    return stream_.finished ? Brief(*stream_.finished) : "";
  }

  // "SUCCEEDED result", "FAILED".
  std::string Job() const {
    const checkpoint::JobInfo job = testing::Value(world_.control->jobs().Get(1));
    std::string text(checkpoint::JobStateName(job.state));
    return job.result.empty() ? text : text + " " + job.result;
  }

 private:
  CheckpointWorld& world_;
  const Request request_;
  FakeStream<Request, Response> stream_;
  std::unique_ptr<StreamHandler> handler_;
};

struct Exporting : Reading<tarn::v1::ExportCheckpointRequest, tarn::v1::ExportCheckpointResponse> {
  explicit Exporting(CheckpointWorld& world, const std::string& id = kFirst)
      : Reading(world, &CheckpointService::ExportCheckpoint, Named(id)) {}

  static tarn::v1::ExportCheckpointRequest Named(const std::string& id) {
    tarn::v1::ExportCheckpointRequest request;
    request.set_id(id);
    return request;
  }
};

// More than one piece, whatever the codec.
void PutMuch(CheckpointWorld& world) {
  std::string noise(4000, 0);
  uint64_t state = 1;
  for (int i = 0; i < 600; ++i) {
    for (char& byte : noise)
      byte = static_cast<char>((state = state * 6364136223846793005 + 1442695040888963407) >> 56);
    world.engine.Do(Put(absl::StrCat("noise", i), noise));
  }
}

TEST_CASE("a file is exported byte for byte, in pieces of 1 MiB") {
  CheckpointWorld world;
  PutMuch(world);
  const CheckpointInfo info = world.Publish();
  Exporting exporting(world, "latest");
  std::string bytes;
  int pieces = 0;
  while (const auto* const sent = exporting.Sent()) {
    CHECK(sent->has_checkpoint() == (pieces == 0));
    CHECK(sent->data().size() <= 1 << 20);
    if (pieces++ == 0) CHECK(sent->checkpoint().id() == kFirst);
    bytes += sent->data();
    exporting.Written();
  }
  CHECK(exporting.End() == "OK");
  CHECK(pieces == 3);
  CHECK((bytes == testing::Load(world.files, info.path)));
  CHECK(exporting.Job() == absl::StrCat("succeeded ", kFirst));
}

TEST_CASE("an export is a job that shows how far it has come") {
  CheckpointWorld world;
  PutMuch(world);
  world.Publish();
  Exporting exporting(world);
  CHECK(testing::Value(world.control->jobs().Get(1)).state == checkpoint::JobState::kQueued);
  exporting.Sent();
  const checkpoint::JobInfo job = testing::Value(world.control->jobs().Get(1));
  CHECK(job.kind == checkpoint::JobKind::kExport);
  CHECK(job.subject == kFirst);
  CHECK(job.phase == "sending");
  CHECK(job.total_entries == 601);
  CHECK(job.entries > 200);
  CHECK(job.entries < 400);
}

TEST_CASE("nothing of a damaged checkpoint is exported") {
  CheckpointWorld world;
  PutMuch(world);
  world.DamageBlock(world.Publish());
  Exporting exporting(world);
  CHECK(exporting.Sent() == nullptr);
  CHECK(exporting.End() == "DATA_LOSS DATA_LOSS");
  CHECK(exporting.Job() == "failed");
}

TEST_CASE("an export that is cancelled, drained or abandoned ends") {
  CheckpointWorld world;
  PutMuch(world);
  world.Publish();
  Exporting exporting(world);
  exporting.Sent();
  SECTION("as a job") {
    REQUIRE(world.control->jobs().Cancel(1).ok());
    exporting.Written();
    CHECK(exporting.End() == "CANCELLED");
  }
  SECTION("as a call") {
    exporting.handler().OnCancelled();
    exporting.Written();
    CHECK(exporting.End() == "CANCELLED");
  }
  SECTION("with the server") {
    exporting.handler().OnDrain();
    exporting.Written();
    CHECK(exporting.End() == "UNAVAILABLE DRAINING");
  }
  SECTION("by a broken connection") {
    exporting.Written(Outcome::kFailed);
    CHECK(exporting.End() == "CANCELLED");
  }
  CHECK(exporting.Job() == "cancelled");
}

TEST_CASE("an export that is cancelled while it is proved ends") {
  CheckpointWorld world;
  world.Publish();
  Exporting exporting(world);
  REQUIRE(world.control->jobs().Cancel(1).ok());
  CHECK(exporting.End() == "CANCELLED");
}

TEST_CASE("a file system that fails in mid-export is said") {
  CheckpointWorld world;
  PutMuch(world);
  world.Publish();
  Exporting exporting(world);
  exporting.Sent();
  world.files.FailAt(world.files.operations(), testing::FaultKind::kIoError,
                     testing::FaultDuration::kOnce);
  exporting.Written();
  CHECK(exporting.End() == "INTERNAL ENGINE_ERROR");
  CHECK(exporting.Job() == "failed");
}

TEST_CASE("an export that cannot begin says why, and is no job") {
  CheckpointWorld world;
  CHECK(Exporting(world, "latest").End() == "NOT_FOUND CHECKPOINT_NOT_FOUND");
  CHECK(Exporting(world, "x").End() == "INVALID_ARGUMENT INVALID_CHECKPOINT_ID at id");
  CHECK(world.control->jobs().List().empty());
  world.Publish();
  std::vector<checkpoint::Job> others;
  for (int i = 0; i < 4; ++i)
    others.push_back(testing::Value(world.control->jobs().Begin(checkpoint::JobKind::kDiff, "x")));
  CHECK(Exporting(world).End() == "RESOURCE_EXHAUSTED QUEUE_FULL");
  others.clear();
  world.control->executor().Refuse(
      base::MakeError(absl::StatusCode::kResourceExhausted, base::Reason::kQueueFull, "full"));
  CHECK(Exporting(world).End() == "RESOURCE_EXHAUSTED QUEUE_FULL");
  world.gate.Drain();
  CHECK(Exporting(world).End() == "UNAVAILABLE DRAINING");
}

struct Diffing : Reading<tarn::v1::DiffCheckpointsRequest, tarn::v1::DiffCheckpointsResponse> {
  Diffing(CheckpointWorld& world, const tarn::v1::DiffCheckpointsRequest& request)
      : Reading(world, &CheckpointService::DiffCheckpoints, request) {}

  // "+orders/new -default/gone *default/k" and at last "1 1 1 1": added, removed, changed, same.
  std::string All() {
    std::string text;
    while (const auto* const sent = Sent()) {
      for (const tarn::v1::CheckpointChange& change : sent->changes()) {
        text += std::string(1, "?+-*"[change.kind()]) + change.namespace_() + "/" + change.key();
        text += " ";
      }
      if (sent->has_totals()) {
        const tarn::v1::CheckpointDiffTotals& totals = sent->totals();
        absl::StrAppend(&text, totals.added_count(), " ", totals.removed_count(), " ",
                        totals.changed_count(), " ", totals.same_count());
      }
      Written();
    }
    return text;
  }
};

tarn::v1::DiffCheckpointsRequest Between(const std::string& from, const std::string& to) {
  tarn::v1::DiffCheckpointsRequest request;
  request.set_from_id(from);
  request.set_to_id(to);
  return request;
}

// Two checkpoints that differ in every way.
void PublishTwo(CheckpointWorld& world) {
  world.engine.AddNamespace("orders", 2);
  world.engine.Do(Put("gone", "v"));
  world.engine.Do(Put("stays", "v"));
  world.Publish();
  world.engine.Do(testing::Delete("gone"));
  world.engine.Do(Put("k", "other"));
  world.engine.Do(Put("new", "v").In(2));
  world.Publish();
}

TEST_CASE("a diff names the keys that differ and counts all") {
  CheckpointWorld world;
  PublishTwo(world);
  Diffing diffing(world, Between(kFirst, "latest"));
  CHECK(diffing.All() == "-default/gone *default/k +orders/new 1 1 1 1");
  CHECK(diffing.End() == "OK");
  CHECK(diffing.Job() == "succeeded 1 added, 1 removed, 1 changed, 1 the same");
  const checkpoint::JobInfo job = testing::Value(world.control->jobs().Get(1));
  CHECK(job.kind == checkpoint::JobKind::kDiff);
  CHECK(job.subject == "00000007-0000000001 to 00000007-0000000002");
  CHECK(job.entries == 6);
  CHECK(job.total_entries == 6);
}

TEST_CASE("a diff of counts, and of one namespace") {
  CheckpointWorld world;
  PublishTwo(world);
  tarn::v1::DiffCheckpointsRequest counts = Between(kFirst, "latest");
  counts.set_counts_only(true);
  CHECK(Diffing(world, counts).All() == "1 1 1 1");
  tarn::v1::DiffCheckpointsRequest orders = Between(kFirst, "latest");
  orders.set_namespace_("orders");
  CHECK(Diffing(world, orders).All() == "+orders/new 1 0 0 0");
}

TEST_CASE("a long diff goes out in chunks, at the caller's pace") {
  CheckpointWorld world;
  world.Publish();
  for (int i = 0; i < 1000; ++i)
    world.engine.Do(Put(absl::StrCat("key-", i, std::string(200, 'x')), "v"));
  world.Publish();
  Diffing diffing(world, Between(kFirst, "latest"));
  int chunks = 0;
  int changes = 0;
  for (; const auto* const sent = diffing.Sent(); ++chunks) {
    CHECK(sent->ByteSizeLong() < 80'000);
    CHECK(world.control->executor().waiting() == 0);
    changes += sent->changes_size();
    diffing.Written();
  }
  CHECK(chunks >= 3);
  CHECK(changes == 1000);
}

TEST_CASE("a long stretch without differences sends nothing, and lets others have their turn") {
  CheckpointWorld world;
  PutMuch(world);
  world.Publish();
  world.Publish();
  Diffing diffing(world, Between(kFirst, "latest"));
  REQUIRE(world.control->executor().RunOne());
  CHECK(world.control->executor().waiting() == 1);
  CHECK(diffing.All() == "0 0 0 601");
}

TEST_CASE("a diff that is cancelled, drained or abandoned ends") {
  CheckpointWorld world;
  PublishTwo(world);
  Diffing diffing(world, Between(kFirst, "latest"));
  SECTION("as a job") {
    REQUIRE(world.control->jobs().Cancel(1).ok());
    CHECK(diffing.End() == "CANCELLED");
  }
  SECTION("with the server") {
    diffing.handler().OnDrain();
    CHECK(diffing.End() == "UNAVAILABLE DRAINING");
  }
  SECTION("by a broken connection") {
    diffing.Sent();
    diffing.Written(Outcome::kFailed);
    CHECK(diffing.End() == "CANCELLED");
  }
  CHECK(diffing.Job() == "cancelled");
}

TEST_CASE("a diff with what is damaged or missing says so") {
  CheckpointWorld world;
  PublishTwo(world);
  CHECK(Diffing(world, Between("x", "latest")).End() ==
        "INVALID_ARGUMENT INVALID_CHECKPOINT_ID at from_id");
  CHECK(Diffing(world, Between("latest", "x")).End() ==
        "INVALID_ARGUMENT INVALID_CHECKPOINT_ID at to_id");
  CHECK(Diffing(world, Between(kFirst, "00000007-0000000009")).End() ==
        "NOT_FOUND CHECKPOINT_NOT_FOUND");
  tarn::v1::DiffCheckpointsRequest elsewhere = Between(kFirst, "latest");
  elsewhere.set_namespace_("No Such");
  CHECK(Diffing(world, elsewhere).End() == "INVALID_ARGUMENT INVALID_NAMESPACE_NAME at namespace");
  CHECK(world.control->jobs().List().empty());
  world.DamageBlock(*world.catalog->Newest());
  CHECK(Diffing(world, Between(kFirst, "latest")).End() == "DATA_LOSS DATA_LOSS");
  world.gate.Drain();
  CHECK(Diffing(world, Between(kFirst, "latest")).End() == "UNAVAILABLE DRAINING");
}

TEST_CASE("a diff that finds no room is refused") {
  CheckpointWorld world;
  PublishTwo(world);
  std::vector<checkpoint::Job> others;
  for (int i = 0; i < 4; ++i)
    others.push_back(testing::Value(world.control->jobs().Begin(checkpoint::JobKind::kDiff, "x")));
  CHECK(Diffing(world, Between(kFirst, "latest")).End() == "RESOURCE_EXHAUSTED QUEUE_FULL");
}

}  // namespace
}  // namespace tarn::server
