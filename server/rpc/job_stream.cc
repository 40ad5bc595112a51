#include "server/rpc/job_stream.h"

#include <utility>

#include "server/rpc/checkpoint_messages.h"
#include "storage/base/error.h"
#include "storage/base/status.h"

namespace tarn::server {

void JobStream::RunStep(absl::AnyInvocable<void() &&> step) {
  const absl::Status accepted = control_.executor().Submit(std::move(step));
  if (!accepted.ok()) End(accepted);
}

void JobStream::End(const absl::StatusOr<std::string>& result) {
  StreamCall& call = call_;
  const bool drained = draining_.load() && absl::IsCancelled(result.status());
  std::move(job_).End(result);
  if (result.ok()) return call.Finish();
  if (!drained) return call.Fail(ToCheckpointError(result.status()));
  call.Fail(
      ToCheckpointError(base::MakeError(absl::StatusCode::kUnavailable, base::Reason::kDraining,
                                        "the server is shutting down; nothing was done")));
}

absl::StatusOr<std::unique_ptr<checkpoint::CheckpointReader>> OpenCheckpoint(
    checkpoint::Catalog& catalog, const checkpoint::CheckpointId& id) {
  TARN_ASSIGN_OR_RETURN(const checkpoint::CheckpointInfo info, catalog.Refresh(id));
  TARN_RETURN_IF_ERROR(info.problem);
  return checkpoint::CheckpointReader::Open(catalog.directory().files(), info.path,
                                            catalog.directory().reader_options());
}

}  // namespace tarn::server
