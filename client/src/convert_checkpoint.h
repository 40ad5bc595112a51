// Between libtarn's structs and the messages of checkpoint.proto: the only place that knows both.
#pragma once

#include "tarn/checkpoint.h"
#include "tarn/v1/checkpoint.pb.h"

namespace tarn::internal {

v1::CreateCheckpointRequest ToRequest(const CreateCheckpointParams& params);
v1::RestoreCheckpointRequest ToRequest(const RestoreCheckpointParams& params);
v1::GetCheckpointEntryRequest ToRequest(const GetCheckpointEntryParams& params);
v1::DiffCheckpointsRequest ToRequest(const DiffCheckpointsParams& params);
v1::ImportOptions ToOptions(const ImportCheckpointParams& params);

Checkpoint FromProto(const v1::Checkpoint& proto);
CheckpointList FromProto(const v1::ListCheckpointsResponse& proto);
CheckpointEntryResult FromProto(v1::GetCheckpointEntryResponse proto);
CheckpointDiffChunk FromProto(v1::DiffCheckpointsResponse proto);
CheckpointFileChunk FromProto(v1::ExportCheckpointResponse proto);

}  // namespace tarn::internal
