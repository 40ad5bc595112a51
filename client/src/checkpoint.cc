#include "tarn/checkpoint.h"

#include <utility>

namespace tarn {
namespace {

absl::Status NotOverridden() {
  return absl::UnimplementedError("this connection does not offer the call");
}

class FailedDiff : public CheckpointDiffSource {
 public:
  absl::StatusOr<std::optional<CheckpointDiffChunk>> Next() override { return NotOverridden(); }
};

class FailedExport : public CheckpointExport {
 public:
  absl::StatusOr<std::optional<CheckpointFileChunk>> Next() override { return NotOverridden(); }
};

}  // namespace

absl::StatusOr<std::optional<CheckpointChange>> CheckpointDiff::Next() {
  while (next_ == changes_.size()) {
    if (source_ == nullptr) return std::nullopt;
    auto chunk = source_->Next();
    if (!chunk.ok() || !chunk->has_value()) source_.reset();
    if (!chunk.ok()) return chunk.status();
    if (!chunk->has_value()) return std::nullopt;
    changes_ = std::move((*chunk)->changes);
    next_ = 0;
    if ((*chunk)->totals.has_value()) totals_ = (*chunk)->totals;
  }
  return std::optional<CheckpointChange>(std::move(changes_[next_++]));
}

absl::StatusOr<Job> CheckpointConnection::CreateCheckpoint(CreateCheckpointParams) {
  return NotOverridden();
}
absl::StatusOr<Checkpoint> CheckpointConnection::GetCheckpoint(std::string, Timeout) {
  return NotOverridden();
}
absl::StatusOr<CheckpointList> CheckpointConnection::ListCheckpoints(Timeout) {
  return NotOverridden();
}
absl::StatusOr<Job> CheckpointConnection::VerifyCheckpoint(std::string, Timeout) {
  return NotOverridden();
}
absl::Status CheckpointConnection::DeleteCheckpoint(std::string, Timeout) {
  return NotOverridden();
}
absl::StatusOr<Checkpoint> CheckpointConnection::PinCheckpoint(std::string, std::string, Timeout) {
  return NotOverridden();
}
absl::StatusOr<Checkpoint> CheckpointConnection::UnpinCheckpoint(std::string, Timeout) {
  return NotOverridden();
}
absl::StatusOr<Job> CheckpointConnection::RestoreCheckpoint(RestoreCheckpointParams) {
  return NotOverridden();
}
absl::StatusOr<CheckpointEntryResult> CheckpointConnection::GetCheckpointEntry(
    GetCheckpointEntryParams) {
  return NotOverridden();
}
std::unique_ptr<CheckpointDiffSource> CheckpointConnection::DiffCheckpoints(DiffCheckpointsParams) {
  return std::make_unique<FailedDiff>();
}
std::unique_ptr<CheckpointExport> CheckpointConnection::ExportCheckpoint(ExportCheckpointParams) {
  return std::make_unique<FailedExport>();
}
absl::StatusOr<Checkpoint> CheckpointConnection::ImportCheckpoint(ImportCheckpointParams) {
  return NotOverridden();
}

absl::StatusOr<CheckpointClient> CheckpointClient::Connect(const ClientOptions& options) {
  auto connection = MakeCheckpointConnection(options);
  if (!connection.ok()) return connection.status();
  return CheckpointClient(*std::move(connection));
}

absl::StatusOr<Job> CheckpointClient::Create(CreateCheckpointParams params) const {
  return connection_->CreateCheckpoint(std::move(params));
}
absl::StatusOr<Checkpoint> CheckpointClient::Get(std::string id, Timeout timeout) const {
  return connection_->GetCheckpoint(std::move(id), timeout);
}
absl::StatusOr<CheckpointList> CheckpointClient::List(Timeout timeout) const {
  return connection_->ListCheckpoints(timeout);
}
absl::StatusOr<Job> CheckpointClient::Verify(std::string id, Timeout timeout) const {
  return connection_->VerifyCheckpoint(std::move(id), timeout);
}
absl::Status CheckpointClient::Delete(std::string id, Timeout timeout) const {
  return connection_->DeleteCheckpoint(std::move(id), timeout);
}
absl::StatusOr<Checkpoint> CheckpointClient::Pin(std::string id, std::string reason,
                                                 Timeout timeout) const {
  return connection_->PinCheckpoint(std::move(id), std::move(reason), timeout);
}
absl::StatusOr<Checkpoint> CheckpointClient::Unpin(std::string id, Timeout timeout) const {
  return connection_->UnpinCheckpoint(std::move(id), timeout);
}
absl::StatusOr<Job> CheckpointClient::Restore(RestoreCheckpointParams params) const {
  return connection_->RestoreCheckpoint(std::move(params));
}
absl::StatusOr<CheckpointEntryResult> CheckpointClient::GetEntry(
    GetCheckpointEntryParams params) const {
  return connection_->GetCheckpointEntry(std::move(params));
}
CheckpointDiff CheckpointClient::Diff(DiffCheckpointsParams params) const {
  return CheckpointDiff(connection_->DiffCheckpoints(std::move(params)));
}
std::unique_ptr<CheckpointExport> CheckpointClient::Export(ExportCheckpointParams params) const {
  return connection_->ExportCheckpoint(std::move(params));
}
absl::StatusOr<Checkpoint> CheckpointClient::Import(ImportCheckpointParams params) const {
  return connection_->ImportCheckpoint(std::move(params));
}

}  // namespace tarn
