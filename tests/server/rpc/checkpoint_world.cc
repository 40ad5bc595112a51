#include "tests/server/rpc/checkpoint_world.h"

#include "checkpoint/retention.h"
#include "google/rpc/error_details.pb.h"

namespace tarn::testing {

using checkpoint::CheckpointInfo;
using checkpoint::JobId;
using checkpoint::JobKind;

std::string Brief(const google::rpc::Status& error) {
  std::string brief = absl::StatusCodeToString(static_cast<absl::StatusCode>(error.code()));
  google::rpc::ErrorInfo info;
  google::rpc::BadRequest bad;
  for (const auto& detail : error.details()) {
    if (detail.UnpackTo(&info)) brief += " " + info.reason();
    if (detail.UnpackTo(&bad)) brief += " at " + bad.field_violations(0).field();
  }
  return brief;
}

server::Peer Loopback() { return {.locality = server::Peer::Locality::kLoopback}; }
server::Peer Stranger() { return {.locality = server::Peer::Locality::kRemote}; }

std::vector<checkpoint::ListedCheckpoint> FakeControl::List() const {
  const std::vector<CheckpointInfo> infos = catalog_.List();
  const auto verdicts =
      checkpoint::JudgeRetention(infos, {.newest = 1, .hours = 0, .days = 0}, clock_.Now());
  std::vector<checkpoint::ListedCheckpoint> listed;
  for (size_t i = 0; i < infos.size(); ++i) listed.push_back({infos[i], verdicts[i]});
  return listed;
}

absl::StatusOr<JobId> FakeControl::Begin(JobKind kind) {
  if (!refusal.ok()) return refusal;
  begun.push_back(Value(jobs_.Begin(kind, "faked")));
  return begun.back().id();
}

absl::StatusOr<JobId> FakeControl::Create(const checkpoint::CreateRequest& request) {
  created = request;
  return Begin(JobKind::kCheckpoint);
}

absl::StatusOr<JobId> FakeControl::Verify(const checkpoint::CheckpointId& id) {
  verified = id;
  return Begin(JobKind::kVerify);
}

absl::StatusOr<JobId> FakeControl::Restore(const server::RestoreRequest& request) {
  restored = request;
  return Begin(JobKind::kRestore);
}

CheckpointWorld::CheckpointWorld() {
  engine.AddNamespace("default", 1);
  engine.Do(Put("k", "v"));
  catalog = Value(checkpoint::Catalog::Open(files, "c", clock, {.threads = 1}));
  const absl::Status bound = catalog->Bind(kStoreA, "pid 1");
  if (!bound.ok()) throw std::runtime_error(bound.ToString());
  control = std::make_unique<FakeControl>(*catalog, clock);
  door.Open(*control);
}

CheckpointInfo CheckpointWorld::Publish() {
  checkpoint::Catalog::Draft draft = catalog->NewDraft(7);
  Write(*engine, files, draft.path(), {.threads = 1}, draft.id().number);
  return Value(std::move(draft).Publish());
}

void CheckpointWorld::DamageBlock(const CheckpointInfo& info) {
  std::string bytes = Load(files, info.path);
  const auto reader = OpenFile(files, info.path);
  for (const checkpoint::BlockInfo& block : reader->blocks()) {
    if (block.section == checkpoint::Section::kEntries) bytes[block.offset] ^= 1;
  }
  Store(files, info.path, bytes);
}

void CheckpointWorld::DamageHead(const CheckpointInfo& info) {
  std::string bytes = Load(files, info.path);
  bytes[checkpoint::kHeaderBytes - 1] ^= 1;
  Store(files, info.path, bytes);
  catalog->Refresh(info.id).status().IgnoreError();
}

}  // namespace tarn::testing
