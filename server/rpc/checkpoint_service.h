// CheckpointService: what each call of tarn/v1/checkpoint.proto does.
#pragma once

#include <memory>

#include "checkpoint/catalog.h"
#include "server/rpc/admin_policy.h"
#include "server/rpc/call.h"
#include "server/rpc/checkpoint_control.h"
#include "server/rpc/checkpoint_door.h"
#include "storage/limits.h"
#include "storage/snapshot.h"
#include "tarn/v1/checkpoint.pb.h"

namespace tarn::server {

// Thread-safe, as StateService is. What touches files runs on the control's executor.
class CheckpointService {
 public:
  CheckpointService(const CheckpointDoor& door, const AdminPolicy& policy,
                    const storage::Limits& limits)
      : door_(door), policy_(policy), limits_(limits) {}

  void CreateCheckpoint(
      UnaryCall<tarn::v1::CreateCheckpointRequest, tarn::v1::CreateCheckpointResponse>& call);
  void GetCheckpoint(
      UnaryCall<tarn::v1::GetCheckpointRequest, tarn::v1::GetCheckpointResponse>& call);
  void ListCheckpoints(
      UnaryCall<tarn::v1::ListCheckpointsRequest, tarn::v1::ListCheckpointsResponse>& call);
  void VerifyCheckpoint(
      UnaryCall<tarn::v1::VerifyCheckpointRequest, tarn::v1::VerifyCheckpointResponse>& call);
  void DeleteCheckpoint(
      UnaryCall<tarn::v1::DeleteCheckpointRequest, tarn::v1::DeleteCheckpointResponse>& call);
  void PinCheckpoint(
      UnaryCall<tarn::v1::PinCheckpointRequest, tarn::v1::PinCheckpointResponse>& call);
  void UnpinCheckpoint(
      UnaryCall<tarn::v1::UnpinCheckpointRequest, tarn::v1::UnpinCheckpointResponse>& call);
  void RestoreCheckpoint(
      UnaryCall<tarn::v1::RestoreCheckpointRequest, tarn::v1::RestoreCheckpointResponse>& call);
  void GetCheckpointEntry(
      UnaryCall<tarn::v1::GetCheckpointEntryRequest, tarn::v1::GetCheckpointEntryResponse>& call);

  std::unique_ptr<StreamHandler> DiffCheckpoints(
      const tarn::v1::DiffCheckpointsRequest& request,
      ResponseStream<tarn::v1::DiffCheckpointsResponse>& stream);
  std::unique_ptr<StreamHandler> ExportCheckpoint(
      const tarn::v1::ExportCheckpointRequest& request,
      ResponseStream<tarn::v1::ExportCheckpointResponse>& stream);
  std::unique_ptr<StreamHandler> ImportCheckpoint(
      RequestStream<tarn::v1::ImportCheckpointRequest, tarn::v1::ImportCheckpointResponse>& stream);

 private:
  // The control; null when the call has been refused.
  template <typename AnyUnaryCall>
  CheckpointControl* Admit(AnyUnaryCall& call);
  template <typename AnyUnaryCall>
  CheckpointControl* AdmitAdmin(AnyUnaryCall& call);

  using EntryCall =
      UnaryCall<tarn::v1::GetCheckpointEntryRequest, tarn::v1::GetCheckpointEntryResponse>;

  absl::Status ReadEntry(checkpoint::Catalog& catalog, const checkpoint::CheckpointId& id,
                         EntryCall& call) const;
  absl::Status FillEntry(const storage::EntryView& entry,
                         tarn::v1::GetCheckpointEntryResponse& response) const;

  const CheckpointDoor& door_;
  const AdminPolicy& policy_;
  const storage::Limits limits_;
};

}  // namespace tarn::server
