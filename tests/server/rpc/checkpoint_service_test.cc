#include "server/rpc/checkpoint_service.h"

#include "storage/base/error.h"
#include "tests/catch.h"
#include "tests/server/rpc/checkpoint_world.h"

namespace tarn::server {
namespace {

using checkpoint::CheckpointInfo;
using checkpoint::IfUnchanged;
using testing::CheckpointWorld;
using testing::FakeCall;
using testing::kStart;
using testing::kStoreA;
using testing::Stranger;

// Each request as a call that may be run once.
#define TARN_CALL(Method) \
  using Method = FakeCall<tarn::v1::Method##CheckpointRequest, tarn::v1::Method##CheckpointResponse>
TARN_CALL(Create);
TARN_CALL(Get);
TARN_CALL(Verify);
TARN_CALL(Delete);
TARN_CALL(Pin);
TARN_CALL(Unpin);
TARN_CALL(Restore);
#undef TARN_CALL
using List = FakeCall<tarn::v1::ListCheckpointsRequest, tarn::v1::ListCheckpointsResponse>;

constexpr char kFirst[] = "00000007-0000000001";
constexpr char kSecond[] = "00000007-0000000002";
constexpr char kNone[] = "00000007-0000000099";

template <typename Call, typename Request>
Request Named(const std::string& id) {
  Request request;
  request.set_id(id);
  return request;
}

tarn::v1::GetCheckpointRequest GetRequest(const std::string& id) {
  return Named<Get, tarn::v1::GetCheckpointRequest>(id);
}
tarn::v1::DeleteCheckpointRequest DeleteRequest(const std::string& id) {
  return Named<Delete, tarn::v1::DeleteCheckpointRequest>(id);
}
tarn::v1::VerifyCheckpointRequest VerifyRequest(const std::string& id) {
  return Named<Verify, tarn::v1::VerifyCheckpointRequest>(id);
}
tarn::v1::UnpinCheckpointRequest UnpinRequest(const std::string& id) {
  return Named<Unpin, tarn::v1::UnpinCheckpointRequest>(id);
}
tarn::v1::RestoreCheckpointRequest RestoreRequestOf(const std::string& id) {
  return Named<Restore, tarn::v1::RestoreCheckpointRequest>(id);
}
tarn::v1::PinCheckpointRequest PinRequest(const std::string& id, const std::string& reason) {
  tarn::v1::PinCheckpointRequest request;
  request.set_id(id);
  request.set_reason(reason);
  return request;
}

struct World : CheckpointWorld {
  std::string Run(Create& call) {
    return CheckpointWorld::Run(&CheckpointService::CreateCheckpoint, call);
  }
  std::string Run(Get& call) {
    return CheckpointWorld::Run(&CheckpointService::GetCheckpoint, call);
  }
  std::string Run(List& call) {
    return CheckpointWorld::Run(&CheckpointService::ListCheckpoints, call);
  }
  std::string Run(Verify& call) {
    return CheckpointWorld::Run(&CheckpointService::VerifyCheckpoint, call);
  }
  std::string Run(Delete& call) {
    return CheckpointWorld::Run(&CheckpointService::DeleteCheckpoint, call);
  }
  std::string Run(Pin& call) {
    return CheckpointWorld::Run(&CheckpointService::PinCheckpoint, call);
  }
  std::string Run(Unpin& call) {
    return CheckpointWorld::Run(&CheckpointService::UnpinCheckpoint, call);
  }
  std::string Run(Restore& call) {
    return CheckpointWorld::Run(&CheckpointService::RestoreCheckpoint, call);
  }

  // Runs a call of which only its end matters.
  template <typename Call, typename Request>
  std::string End(Request request, Peer peer = testing::Loopback()) {
    Call call(std::move(request), std::move(peer));
    return Run(call);
  }
};

TEST_CASE("creating begins a job and says which") {
  World world;
  tarn::v1::CreateCheckpointRequest request;
  request.set_force(true);
  request.set_pin_reason("before the migration");
  Create call(request);
  CHECK(world.Run(call) == "OK");
  CHECK(call.response().job().id() == 1);
  CHECK(call.response().job().kind() == tarn::v1::JOB_KIND_CHECKPOINT);
  CHECK(call.response().job().state() == tarn::v1::JOB_STATE_QUEUED);
  CHECK(world.control->created->if_unchanged == IfUnchanged::kWriteNew);
  CHECK(world.control->created->pin_reason == "before the migration");
}

TEST_CASE("creating without force confirms what is unchanged") {
  World world;
  CHECK(world.End<Create>(tarn::v1::CreateCheckpointRequest()) == "OK");
  CHECK(world.control->created->if_unchanged == IfUnchanged::kConfirm);
}

TEST_CASE("a bad reason of a pin is refused before anything is created") {
  World world;
  tarn::v1::CreateCheckpointRequest request;
  request.set_pin_reason("two\nlines");
  CHECK(world.End<Create>(request) == "INVALID_ARGUMENT INVALID_PIN at pin_reason");
  CHECK_FALSE(world.control->created);
}

TEST_CASE("what the daemon says to a request for a job is told") {
  World world;
  world.Publish();
  world.control->refusal = base::MakeError(absl::StatusCode::kResourceExhausted,
                                           base::Reason::kQueueFull, "too many jobs");
  CHECK(world.End<Create>(tarn::v1::CreateCheckpointRequest()) == "RESOURCE_EXHAUSTED QUEUE_FULL");
  CHECK(world.End<Verify>(VerifyRequest(kFirst)) == "RESOURCE_EXHAUSTED QUEUE_FULL");
  CHECK(world.End<Restore>(RestoreRequestOf(kFirst)) == "RESOURCE_EXHAUSTED QUEUE_FULL");
}

TEST_CASE("a checkpoint is shown with all that is known of it") {
  World world;
  const CheckpointInfo info = world.Publish();
  Get call(GetRequest(kFirst));
  REQUIRE(world.Run(call) == "OK");
  const tarn::v1::Checkpoint& shown = call.response().checkpoint();
  CHECK(shown.id() == kFirst);
  CHECK(shown.store_id() == kStoreA);
  CHECK(shown.incarnation() == 7);
  CHECK(shown.sequence() == 1);
  CHECK(shown.revision() == info.header.revision);
  CHECK(shown.create_time().seconds() == kStart / 1000);
  CHECK(shown.as_of_time().seconds() == kStart / 1000);
  CHECK(shown.engine() == "memory");
  CHECK(shown.entry_count() == 1);
  CHECK(shown.size_bytes() == 2);
  CHECK(shown.file_bytes() == info.file_bytes);
  CHECK(shown.codec() == "lz4");
  CHECK(shown.root() == base::ToHex(info.header.root));
  CHECK(shown.content_digest().size() == 32);
  CHECK(shown.health() == tarn::v1::CHECKPOINT_HEALTH_INTACT);
  CHECK(shown.problem().empty());
  CHECK(shown.pin_reason().empty());
  CHECK_FALSE(shown.has_pin_time());
  CHECK(shown.fate() == tarn::v1::RETENTION_FATE_KEEP);
  CHECK(shown.why_kept() == "newest, last valid");
}

TEST_CASE("the latest is the newest intact one of this store") {
  World world;
  CHECK(world.End<Get>(GetRequest("latest")) == "NOT_FOUND CHECKPOINT_NOT_FOUND");
  world.Publish();
  world.Publish();
  world.DamageHead(world.Publish());
  Get call(GetRequest("latest"));
  CHECK(world.Run(call) == "OK");
  CHECK(call.response().checkpoint().id() == kSecond);
}

TEST_CASE("ids that are none, or nobody's, are refused") {
  World world;
  const std::string invalid = "INVALID_ARGUMENT INVALID_CHECKPOINT_ID at id";
  CHECK(world.End<Get>(GetRequest("")) == invalid);
  CHECK(world.End<Get>(GetRequest("../7")) == invalid);
  CHECK(world.End<Verify>(VerifyRequest("7-1")) == invalid);
  CHECK(world.End<Pin>(PinRequest("x", "why")) == invalid);
  CHECK(world.End<Restore>(RestoreRequestOf("x")) == invalid);
  // Those may not be "latest", which would mean another one by the time it is done.
  CHECK(world.End<Delete>(DeleteRequest("latest")) == invalid);
  CHECK(world.End<Unpin>(UnpinRequest("latest")) == invalid);

  const std::string missing = "NOT_FOUND CHECKPOINT_NOT_FOUND";
  CHECK(world.End<Get>(GetRequest(kNone)) == missing);
  CHECK(world.End<Verify>(VerifyRequest(kNone)) == missing);
  CHECK(world.End<Pin>(PinRequest(kNone, "why")) == missing);
  CHECK(world.End<Restore>(RestoreRequestOf(kNone)) == missing);
  CHECK(world.End<Delete>(DeleteRequest(kNone)) == missing);
  CHECK(world.End<Unpin>(UnpinRequest(kNone)) == missing);
}

TEST_CASE("a list has every checkpoint in order, and the ids of those set aside") {
  World world;
  const CheckpointInfo first = world.Publish();
  const CheckpointInfo second = world.Publish();
  world.Publish();
  world.DamageHead(second);
  REQUIRE(world.catalog->Quarantine(first.id, absl::DataLossError("bad")).ok());
  List call{{}};
  REQUIRE(world.Run(call) == "OK");
  REQUIRE(call.response().checkpoints_size() == 2);
  const tarn::v1::Checkpoint& damaged = call.response().checkpoints(0);
  CHECK(damaged.id() == kSecond);
  CHECK(damaged.health() == tarn::v1::CHECKPOINT_HEALTH_DAMAGED);
  CHECK(damaged.problem().find("is damaged at byte 0") != std::string::npos);
  CHECK(damaged.root().empty());
  CHECK(call.response().checkpoints(1).id() == "00000007-0000000003");
  REQUIRE(call.response().quarantined_ids_size() == 1);
  CHECK(call.response().quarantined_ids(0) == kFirst);
}

TEST_CASE("the list says what retention would take") {
  World world;
  world.Publish();
  world.Publish();
  List call{{}};
  REQUIRE(world.Run(call) == "OK");
  CHECK(call.response().checkpoints(0).fate() == tarn::v1::RETENTION_FATE_DELETE);
  CHECK(call.response().checkpoints(1).fate() == tarn::v1::RETENTION_FATE_KEEP);
}

TEST_CASE("verifying begins a job for the checkpoint that was named") {
  World world;
  world.Publish();
  world.Publish();
  Verify call(VerifyRequest("latest"));
  CHECK(world.Run(call) == "OK");
  CHECK(call.response().job().kind() == tarn::v1::JOB_KIND_VERIFY);
  CHECK(checkpoint::ToString(*world.control->verified) == kSecond);
}

TEST_CASE("a checkpoint is deleted where it may block") {
  World world;
  world.Publish();
  world.Publish();
  Delete call(DeleteRequest(kFirst));
  world.service.DeleteCheckpoint(call);
  CHECK(call.end.empty());
  world.control->executor().RunAll();
  CHECK(call.end == "OK");
  CHECK(world.catalog->List().size() == 1);
}

TEST_CASE("a pinned checkpoint and the last intact one are not deleted") {
  World world;
  world.Publish();
  CHECK(world.End<Delete>(DeleteRequest(kFirst)) == "FAILED_PRECONDITION LAST_CHECKPOINT");
  world.Publish();
  CHECK(world.End<Pin>(PinRequest(kFirst, "why")) == "OK");
  CHECK(world.End<Delete>(DeleteRequest(kFirst)) == "FAILED_PRECONDITION CHECKPOINT_PINNED");
  CHECK(world.catalog->List().size() == 2);
}

TEST_CASE("a pin is shown, replaced and taken off") {
  World world;
  world.Publish();
  Pin pin(PinRequest("latest", "before the migration"));
  CHECK(world.Run(pin) == "OK");
  CHECK(pin.response().checkpoint().pin_reason() == "before the migration");
  CHECK(pin.response().checkpoint().pin_time().seconds() == kStart / 1000);
  Pin again(PinRequest(kFirst, "audit"));
  CHECK(world.Run(again) == "OK");
  CHECK(again.response().checkpoint().pin_reason() == "audit");
  Unpin unpin(UnpinRequest(kFirst));
  CHECK(world.Run(unpin) == "OK");
  CHECK(unpin.response().checkpoint().pin_reason().empty());
  CHECK(world.End<Unpin>(UnpinRequest(kFirst)) == "OK");
}

TEST_CASE("a pin needs a reason of one line") {
  World world;
  world.Publish();
  const std::string invalid = "INVALID_ARGUMENT INVALID_PIN at reason";
  CHECK(world.End<Pin>(PinRequest(kFirst, "")) == invalid);
  CHECK(world.End<Pin>(PinRequest(kFirst, "a\nb")) == invalid);
  CHECK(world.End<Pin>(PinRequest(kFirst, std::string(257, 'x'))) == invalid);
}

TEST_CASE("a file system that fails is the server's fault, and is said") {
  World world;
  world.Publish();
  world.Publish();
  world.files.FailAt(world.files.operations(), testing::FaultKind::kIoError,
                     testing::FaultDuration::kSticky);
  CHECK(world.End<Delete>(DeleteRequest(kFirst)) == "INTERNAL ENGINE_ERROR");
  CHECK(world.End<Pin>(PinRequest(kFirst, "why")) == "INTERNAL ENGINE_ERROR");
  CHECK(world.End<Unpin>(UnpinRequest(kFirst)) == "INTERNAL ENGINE_ERROR");
  world.files.Heal();
  world.files.FailAt(world.files.operations(), testing::FaultKind::kDiskFull,
                     testing::FaultDuration::kSticky);
  CHECK(world.End<Pin>(PinRequest(kFirst, "why")) == "RESOURCE_EXHAUSTED DISK_FULL");
}

TEST_CASE("blocking work that finds no room is refused") {
  World world;
  world.Publish();
  world.control->executor().Refuse(
      base::MakeError(absl::StatusCode::kResourceExhausted, base::Reason::kQueueFull, "full"));
  CHECK(world.End<Delete>(DeleteRequest(kFirst)) == "RESOURCE_EXHAUSTED QUEUE_FULL");
  CHECK(world.End<Pin>(PinRequest(kFirst, "why")) == "RESOURCE_EXHAUSTED QUEUE_FULL");
  CHECK(world.End<Unpin>(UnpinRequest(kFirst)) == "RESOURCE_EXHAUSTED QUEUE_FULL");
}

TEST_CASE("a restore is asked for as it was requested") {
  World world;
  world.Publish();
  tarn::v1::RestoreCheckpointRequest request = RestoreRequestOf(kFirst);
  request.set_skip_safety_checkpoint(true);
  Restore call(request);
  CHECK(world.Run(call) == "OK");
  CHECK(call.response().job().kind() == tarn::v1::JOB_KIND_RESTORE);
  CHECK(checkpoint::ToString(*world.control->restored->id) == kFirst);
  CHECK(world.control->restored->mode == RestoreMode::kRestore);
  CHECK(world.control->restored->safety == SafetyCheckpoint::kSkip);
  CHECK_FALSE(world.control->restored->range);
}

TEST_CASE("the latest is restored by that name, so that an older one may stand in") {
  World world;
  CHECK(world.End<Restore>(RestoreRequestOf("latest")) == "NOT_FOUND CHECKPOINT_NOT_FOUND");
  world.Publish();
  tarn::v1::RestoreCheckpointRequest request = RestoreRequestOf("latest");
  request.set_validate_only(true);
  CHECK(world.End<Restore>(request) == "OK");
  CHECK_FALSE(world.control->restored->id);
  CHECK(world.control->restored->mode == RestoreMode::kValidateOnly);
  CHECK(world.control->restored->safety == SafetyCheckpoint::kMake);
}

TEST_CASE("a range is restored alone") {
  World world;
  world.Publish();
  tarn::v1::RestoreCheckpointRequest request = RestoreRequestOf(kFirst);
  request.mutable_range()->set_namespace_("orders");
  request.mutable_range()->mutable_range()->set_prefix("p");
  CHECK(world.End<Restore>(request) == "OK");
  CHECK(world.control->restored->range->ns == "orders");
  CHECK(world.control->restored->range->bounds.prefix == "p");
}

TEST_CASE("a range that cannot be restored is refused, with the field") {
  World world;
  world.Publish();
  tarn::v1::RestoreCheckpointRequest request = RestoreRequestOf(kFirst);
  request.mutable_range()->mutable_range()->set_prefix("p");
  request.mutable_range()->mutable_range()->set_start("s");
  CHECK(world.End<Restore>(request) == "INVALID_ARGUMENT INVALID_RANGE at range.range");
  request.mutable_range()->clear_range();
  request.mutable_range()->set_namespace_("No Such");
  CHECK(world.End<Restore>(request) ==
        "INVALID_ARGUMENT INVALID_NAMESPACE_NAME at range.namespace");
  request.mutable_range()->clear_namespace_();
  request.set_validate_only(true);
  CHECK(world.End<Restore>(request) == "INVALID_ARGUMENT INVALID_REQUEST at range");
  request.set_validate_only(false);
  request.set_skip_safety_checkpoint(true);
  CHECK(world.End<Restore>(request) == "INVALID_ARGUMENT INVALID_REQUEST at range");
  CHECK_FALSE(world.control->restored);
}

TEST_CASE("only loopback peers and listed names may change something") {
  World world;
  world.Publish();
  const std::string denied = "PERMISSION_DENIED PERMISSION_DENIED";
  CHECK(world.End<Create>(tarn::v1::CreateCheckpointRequest(), Stranger()) == denied);
  CHECK(world.End<Verify>(VerifyRequest(kFirst), Stranger()) == denied);
  CHECK(world.End<Delete>(DeleteRequest(kFirst), Stranger()) == denied);
  CHECK(world.End<Pin>(PinRequest(kFirst, "why"), Stranger()) == denied);
  CHECK(world.End<Unpin>(UnpinRequest(kFirst), Stranger()) == denied);
  CHECK(world.End<Restore>(RestoreRequestOf(kFirst), Stranger()) == denied);
  // Looking is for everybody.
  CHECK(world.End<Get>(GetRequest(kFirst), Stranger()) == "OK");
  CHECK(world.End<List>(tarn::v1::ListCheckpointsRequest(), Stranger()) == "OK");
  Peer listed = Stranger();
  listed.certificate_names = {"operator"};
  CHECK(world.End<Pin>(PinRequest(kFirst, "why"), listed) == "OK");
}

TEST_CASE("nothing is answered before the catalog is open, while draining, or without one") {
  World world;
  CheckpointDoor shut(world.gate);
  CheckpointService early(shut, world.policy, {});
  Get first(GetRequest(kFirst));
  early.GetCheckpoint(first);
  CHECK(first.end == "UNAVAILABLE NOT_READY");
  shut.Disable();
  Get second(GetRequest(kFirst));
  early.GetCheckpoint(second);
  CHECK(second.end == "FAILED_PRECONDITION CHECKPOINTS_DISABLED");
  world.gate.Drain();
  CHECK(world.End<Get>(GetRequest(kFirst)) == "UNAVAILABLE DRAINING");
}

}  // namespace
}  // namespace tarn::server
