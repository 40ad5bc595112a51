#include "server/checkpoints/safety.h"

#include "storage/base/logging.h"
#include "storage/base/status.h"

namespace tarn::server {

absl::StatusOr<Safety> MakeSafety(checkpoint::Checkpointer& checkpointer,
                                  checkpoint::Catalog& catalog, const std::string& reason,
                                  checkpoint::Progress& progress) {
  TARN_ASSIGN_OR_RETURN(
      const checkpoint::CreateReport report,
      checkpointer.Create({.older_ones = checkpoint::OlderOnes::kKeep}, progress));
  const checkpoint::CheckpointId& id = report.info.id;
  base::LogInfo("the state before is kept as checkpoint ", ToString(id));
  if (report.info.pin) return Safety{.id = id, .pin = Safety::Pin::kEarlier};
  TARN_RETURN_IF_ERROR(catalog.SetPin(id, reason));
  return Safety{.id = id};
}

void UndoSafety(const Safety& safety, checkpoint::Catalog& catalog) {
  if (safety.pin == Safety::Pin::kEarlier) return;
  const absl::Status cleared = catalog.ClearPin(safety.id);
  if (!cleared.ok())
    base::LogWarning("checkpoint ", ToString(safety.id), " stays pinned: ", cleared.message());
}

}  // namespace tarn::server
