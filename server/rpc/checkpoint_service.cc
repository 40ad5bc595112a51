#include "server/rpc/checkpoint_service.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/rpc/checkpoint_messages.h"
#include "server/rpc/diff_handler.h"
#include "server/rpc/errors.h"
#include "server/rpc/export_handler.h"
#include "server/rpc/import_handler.h"
#include "server/rpc/job_stream.h"
#include "server/rpc/refused_stream.h"
#include "storage/base/error.h"
#include "storage/base/status.h"

namespace tarn::server {
namespace {

using checkpoint::CheckpointId;
using checkpoint::CheckpointInfo;
using checkpoint::ListedCheckpoint;

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

void CheckpointService::GetCheckpointEntry(
    UnaryCall<tarn::v1::GetCheckpointEntryRequest, tarn::v1::GetCheckpointEntryResponse>& call) {
  CheckpointControl* const control = Admit(call);
  if (control == nullptr) return;
  if (const absl::Status fit = CheckEntryRequest(call.request(), limits_); !fit.ok())
    return call.Fail(ToCheckpointError(fit));
  const absl::StatusOr<CheckpointInfo> info =
      FindCheckpoint(control->catalog(), call.request().id(), "id");
  if (!info.ok()) return call.Fail(ToCheckpointError(info.status()));
  RunBlocking(*control, call, [this, control, &call, id = info->id] {
    call.response().set_checkpoint_id(checkpoint::ToString(id));
    const absl::Status read = ReadEntry(control->catalog(), id, call);
    read.ok() ? call.Finish() : call.Fail(ToCheckpointError(read));
  });
}

absl::Status CheckpointService::ReadEntry(checkpoint::Catalog& catalog, const CheckpointId& id,
                                          EntryCall& call) const {
  const std::string& ns = call.request().namespace_();
  const std::string& key = call.request().key();
  const std::string behind = key + '\0';
  TARN_ASSIGN_OR_RETURN(const auto reader, OpenCheckpoint(catalog, id));
  return reader->ReadRange(
      ns.empty() ? storage::kDefaultNamespace : absl::string_view(ns), key, behind,
      [&](const checkpoint::BlockInfo&, absl::Span<const storage::EntryView> entries) {
        return FillEntry(entries.front(), call.response());
      });
}

// Another store may have had other limits.
absl::Status CheckpointService::FillEntry(const storage::EntryView& entry,
                                          tarn::v1::GetCheckpointEntryResponse& response) const {
  if (entry.key.size() + entry.value.size() + storage::kResultOverheadBytes >
      limits_.max_response_bytes) {
    return InvalidField(base::Reason::kResponseTooLarge, "key",
                        "the entry is larger than an answer may be");
  }
  Fill(entry, *response.mutable_entry());
  return absl::OkStatus();
}

std::unique_ptr<StreamHandler> CheckpointService::DiffCheckpoints(
    const tarn::v1::DiffCheckpointsRequest& request,
    ResponseStream<tarn::v1::DiffCheckpointsResponse>& stream) {
  const absl::StatusOr<CheckpointControl*> control = door_.Enter();
  if (!control.ok()) return Refused(stream, control.status());
  const absl::StatusOr<checkpoint::DiffOptions> options = ToDiffOptions(request);
  if (!options.ok()) return Refused(stream, options.status());
  const checkpoint::Catalog& catalog = (*control)->catalog();
  const absl::StatusOr<CheckpointInfo> from = FindCheckpoint(catalog, request.from_id(), "from_id");
  if (!from.ok()) return Refused(stream, from.status());
  const absl::StatusOr<CheckpointInfo> to = FindCheckpoint(catalog, request.to_id(), "to_id");
  if (!to.ok()) return Refused(stream, to.status());
  absl::StatusOr<checkpoint::Job> job = (*control)->jobs().Begin(
      checkpoint::JobKind::kDiff,
      absl::StrCat(checkpoint::ToString(from->id), " to ", checkpoint::ToString(to->id)));
  if (!job.ok()) return Refused(stream, job.status());
  return std::make_unique<DiffHandler>(**control, *std::move(job),
                                       DiffHandler::Plan{from->id, to->id, *options}, stream);
}

std::unique_ptr<StreamHandler> CheckpointService::ExportCheckpoint(
    const tarn::v1::ExportCheckpointRequest& request,
    ResponseStream<tarn::v1::ExportCheckpointResponse>& stream) {
  const absl::StatusOr<CheckpointControl*> control = door_.Enter();
  if (!control.ok()) return Refused(stream, control.status());
  absl::StatusOr<CheckpointInfo> info = FindCheckpoint((*control)->catalog(), request.id(), "id");
  if (!info.ok()) return Refused(stream, info.status());
  absl::StatusOr<checkpoint::Job> job =
      (*control)->jobs().Begin(checkpoint::JobKind::kExport, checkpoint::ToString(info->id));
  if (!job.ok()) return Refused(stream, job.status());
  return std::make_unique<ExportHandler>(**control, *std::move(job), *std::move(info), stream);
}

std::unique_ptr<StreamHandler> CheckpointService::ImportCheckpoint(
    RequestStream<tarn::v1::ImportCheckpointRequest, tarn::v1::ImportCheckpointResponse>& stream) {
  const absl::Status allowed = policy_.Check(stream.peer());
  if (!allowed.ok()) return Refused(stream, allowed);
  const absl::StatusOr<CheckpointControl*> control = door_.Enter();
  if (!control.ok()) return Refused(stream, control.status());
  absl::StatusOr<checkpoint::Job> job =
      (*control)->jobs().Begin(checkpoint::JobKind::kImport, "a file from a client");
  if (!job.ok()) return Refused(stream, job.status());
  return std::make_unique<ImportHandler>(**control, *std::move(job), stream);
}

}  // namespace tarn::server
