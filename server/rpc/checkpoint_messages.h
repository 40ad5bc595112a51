// Between the messages of CheckpointService and JobService and the types of checkpoint/: the one
// place of the server that knows both.
#pragma once

#include <optional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "checkpoint/catalog.h"
#include "checkpoint/checkpoint_id.h"
#include "checkpoint/checkpointer.h"
#include "checkpoint/diff.h"
#include "checkpoint/jobs.h"
#include "google/rpc/status.pb.h"
#include "server/rpc/checkpoint_control.h"
#include "storage/limits.h"
#include "storage/snapshot.h"
#include "tarn/v1/checkpoint.pb.h"
#include "tarn/v1/entry.pb.h"
#include "tarn/v1/job.pb.h"

namespace tarn::server {

// As ToWire, where an error without a reason is one of the file system or of the engine:
// ENGINE_ERROR.
google::rpc::Status ToCheckpointError(const absl::Status& status);

// INVALID_CHECKPOINT_ID at the request's field `path`.
absl::StatusOr<checkpoint::CheckpointId> ToCheckpointId(absl::string_view text,
                                                        absl::string_view path);
// Nothing for "latest".
absl::StatusOr<std::optional<checkpoint::CheckpointId>> ToIdOrLatest(absl::string_view text,
                                                                     absl::string_view path);

// What a request names, "latest" being the newest intact one of this store.
// INVALID_CHECKPOINT_ID, CHECKPOINT_NOT_FOUND.
absl::StatusOr<checkpoint::CheckpointInfo> FindCheckpoint(const checkpoint::Catalog& catalog,
                                                          absl::string_view text,
                                                          absl::string_view path);

// With what retention would do with it; with nothing said of that when retention has just taken it.
checkpoint::ListedCheckpoint Listed(const CheckpointControl& control,
                                    const checkpoint::CheckpointInfo& info);

// INVALID_PIN.
absl::StatusOr<checkpoint::CreateRequest> ToCreateRequest(
    const tarn::v1::CreateCheckpointRequest& request);
absl::Status CheckPin(const tarn::v1::PinCheckpointRequest& request);

// INVALID_CHECKPOINT_ID, INVALID_REQUEST, INVALID_RANGE, INVALID_NAMESPACE_NAME.
absl::StatusOr<RestoreRequest> ToRestoreRequest(const tarn::v1::RestoreCheckpointRequest& request,
                                                const storage::Limits& limits);

// INVALID_NAMESPACE_NAME, INVALID_KEY, KEY_TOO_LARGE.
absl::Status CheckEntryRequest(const tarn::v1::GetCheckpointEntryRequest& request,
                               const storage::Limits& limits);
// INVALID_NAMESPACE_NAME.
absl::StatusOr<checkpoint::DiffOptions> ToDiffOptions(
    const tarn::v1::DiffCheckpointsRequest& request);

// How long a watch may be silent. INVALID_REQUEST.
absl::StatusOr<absl::Duration> ToInterval(const tarn::v1::WatchJobRequest& request);

void Fill(const checkpoint::ListedCheckpoint& listed, tarn::v1::Checkpoint& message);
void Fill(const checkpoint::JobInfo& info, tarn::v1::Job& message);
void Fill(const storage::EntryView& entry, tarn::v1::Entry& message);
void Fill(const checkpoint::KeyChange& change, tarn::v1::CheckpointChange& message);
void Fill(const checkpoint::DiffTotals& totals, tarn::v1::CheckpointDiffTotals& message);

}  // namespace tarn::server
