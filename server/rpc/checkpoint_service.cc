#include "server/rpc/checkpoint_service.h"

#include <utility>

#include "checkpoint/catalog.h"
#include "server/rpc/checkpoint_messages.h"
#include "server/rpc/errors.h"
#include "storage/base/status.h"

namespace tarn::server {
namespace {

using checkpoint::CheckpointId;
using checkpoint::CheckpointInfo;
using checkpoint::ListedCheckpoint;

// With what retention would do with it; with nothing said of that when retention has just taken it.
ListedCheckpoint Listed(const CheckpointControl& control, const CheckpointInfo& info) {
  for (ListedCheckpoint& listed : control.List()) {
    if (listed.info.id == info.id) return std::move(listed);
  }
  return {.info = info};
}

// Ends a call whose answer is one checkpoint.
template <typename AnyUnaryCall>
void Answer(const CheckpointControl& control, const absl::StatusOr<CheckpointInfo>& info,
            AnyUnaryCall& call) {
  if (!info.ok()) return call.Fail(ToCheckpointError(info.status()));
  Fill(Listed(control, *info), *call.response().mutable_checkpoint());
  call.Finish();
}

// Ends a call that has begun a job.
template <typename AnyUnaryCall>
void Answer(CheckpointControl& control, const absl::StatusOr<checkpoint::JobId>& id,
            AnyUnaryCall& call) {
  if (!id.ok()) return call.Fail(ToCheckpointError(id.status()));
  const absl::StatusOr<checkpoint::JobInfo> job = control.jobs().Get(*id);
  if (!job.ok()) return call.Fail(ToCheckpointError(job.status()));
  Fill(*job, *call.response().mutable_job());
  call.Finish();
}

// Runs `work`, which ends the call, where it may block.
template <typename AnyUnaryCall, typename Work>
void RunBlocking(CheckpointControl& control, AnyUnaryCall& call, Work work) {
  const absl::Status accepted = control.executor().Submit(std::move(work));
  if (!accepted.ok()) call.Fail(ToCheckpointError(accepted));
}

}  // namespace

template <typename AnyUnaryCall>
CheckpointControl* CheckpointService::Admit(AnyUnaryCall& call) {
  const absl::StatusOr<CheckpointControl*> control = door_.Enter();
  if (control.ok()) return *control;
  call.Fail(ToWire(control.status()));
  return nullptr;
}

template <typename AnyUnaryCall>
CheckpointControl* CheckpointService::AdmitAdmin(AnyUnaryCall& call) {
  const absl::Status allowed = policy_.Check(call.peer());
  if (allowed.ok()) return Admit(call);
  call.Fail(ToWire(allowed));
  return nullptr;
}

void CheckpointService::CreateCheckpoint(
    UnaryCall<tarn::v1::CreateCheckpointRequest, tarn::v1::CreateCheckpointResponse>& call) {
  CheckpointControl* const control = AdmitAdmin(call);
  if (control == nullptr) return;
  const absl::StatusOr<checkpoint::CreateRequest> request = ToCreateRequest(call.request());
  if (!request.ok()) return call.Fail(ToCheckpointError(request.status()));
  Answer(*control, control->Create(*request), call);
}

void CheckpointService::GetCheckpoint(
    UnaryCall<tarn::v1::GetCheckpointRequest, tarn::v1::GetCheckpointResponse>& call) {
  CheckpointControl* const control = Admit(call);
  if (control == nullptr) return;
  Answer(*control, FindCheckpoint(control->catalog(), call.request().id(), "id"), call);
}

void CheckpointService::ListCheckpoints(
    UnaryCall<tarn::v1::ListCheckpointsRequest, tarn::v1::ListCheckpointsResponse>& call) {
  CheckpointControl* const control = Admit(call);
  if (control == nullptr) return;
  for (const ListedCheckpoint& listed : control->List())
    Fill(listed, *call.response().add_checkpoints());
  for (const CheckpointId& id : control->catalog().Quarantined())
    call.response().add_quarantined_ids(checkpoint::ToString(id));
  call.Finish();
}

void CheckpointService::VerifyCheckpoint(
    UnaryCall<tarn::v1::VerifyCheckpointRequest, tarn::v1::VerifyCheckpointResponse>& call) {
  CheckpointControl* const control = AdmitAdmin(call);
  if (control == nullptr) return;
  const absl::StatusOr<CheckpointInfo> info =
      FindCheckpoint(control->catalog(), call.request().id(), "id");
  if (!info.ok()) return call.Fail(ToCheckpointError(info.status()));
  Answer(*control, control->Verify(info->id), call);
}

void CheckpointService::DeleteCheckpoint(
    UnaryCall<tarn::v1::DeleteCheckpointRequest, tarn::v1::DeleteCheckpointResponse>& call) {
  CheckpointControl* const control = AdmitAdmin(call);
  if (control == nullptr) return;
  const absl::StatusOr<CheckpointId> id = ToCheckpointId(call.request().id(), "id");
  if (!id.ok()) return call.Fail(ToCheckpointError(id.status()));
  RunBlocking(*control, call, [control, &call, id = *id] {
    const absl::Status deleted = control->catalog().Delete(id);
    deleted.ok() ? call.Finish() : call.Fail(ToCheckpointError(deleted));
  });
}

void CheckpointService::PinCheckpoint(
    UnaryCall<tarn::v1::PinCheckpointRequest, tarn::v1::PinCheckpointResponse>& call) {
  CheckpointControl* const control = AdmitAdmin(call);
  if (control == nullptr) return;
  if (const absl::Status fit = CheckPin(call.request()); !fit.ok())
    return call.Fail(ToCheckpointError(fit));
  const absl::StatusOr<CheckpointInfo> info =
      FindCheckpoint(control->catalog(), call.request().id(), "id");
  if (!info.ok()) return call.Fail(ToCheckpointError(info.status()));
  RunBlocking(*control, call, [control, &call, id = info->id] {
    checkpoint::Catalog& catalog = control->catalog();
    const absl::Status pinned = catalog.SetPin(id, call.request().reason());
    Answer(*control, pinned.ok() ? catalog.Get(id) : pinned, call);
  });
}

void CheckpointService::UnpinCheckpoint(
    UnaryCall<tarn::v1::UnpinCheckpointRequest, tarn::v1::UnpinCheckpointResponse>& call) {
  CheckpointControl* const control = AdmitAdmin(call);
  if (control == nullptr) return;
  const absl::StatusOr<CheckpointId> id = ToCheckpointId(call.request().id(), "id");
  if (!id.ok()) return call.Fail(ToCheckpointError(id.status()));
  RunBlocking(*control, call, [control, &call, id = *id] {
    checkpoint::Catalog& catalog = control->catalog();
    const absl::Status unpinned = catalog.ClearPin(id);
    Answer(*control, unpinned.ok() ? catalog.Get(id) : unpinned, call);
  });
}

void CheckpointService::RestoreCheckpoint(
    UnaryCall<tarn::v1::RestoreCheckpointRequest, tarn::v1::RestoreCheckpointResponse>& call) {
  CheckpointControl* const control = AdmitAdmin(call);
  if (control == nullptr) return;
  const absl::StatusOr<RestoreRequest> request = ToRestoreRequest(call.request(), limits_);
  if (!request.ok()) return call.Fail(ToCheckpointError(request.status()));
  const absl::StatusOr<CheckpointInfo> info =
      FindCheckpoint(control->catalog(), call.request().id(), "id");
  if (!info.ok()) return call.Fail(ToCheckpointError(info.status()));
  Answer(*control, control->Restore(*request), call);
}

}  // namespace tarn::server
