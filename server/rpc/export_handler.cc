#include "server/rpc/export_handler.h"

#include <algorithm>
#include <utility>

#include "server/rpc/checkpoint_messages.h"
#include "storage/base/status.h"

namespace tarn::server {
namespace {

constexpr uint64_t kPieceBytes = 1 << 20;

// The part of `total` that corresponds to `done` of `all`.
uint64_t Share(uint64_t total, uint64_t done, uint64_t all) {
  return static_cast<uint64_t>(static_cast<double>(total) * static_cast<double>(done) /
                               static_cast<double>(all));
}

}  // namespace

void ExportHandler::Start() {
  RunStep([this] { Begin(); });
}

void ExportHandler::Begin() {
  StartJob();
  if (absl::Status proved = Prove(); !proved.ok()) return End(proved);
  progress().phase = "sending";
  Fill(Listed(control(), info_), *response_.mutable_checkpoint());
  SendNext();
}

absl::Status ExportHandler::Prove() {
  progress().phase = "verifying";
  TARN_ASSIGN_OR_RETURN(reader_, OpenCheckpoint(control().catalog(), info_.id));
  progress().total_entries = reader_->header().entries;
  return reader_->Verify(progress());
}

void ExportHandler::SendNext() {
  if (progress().cancel) return End(absl::CancelledError("the export was cancelled"));
  const uint64_t size = std::min(kPieceBytes, reader_->file_bytes() - sent_bytes_);
  absl::StatusOr<std::string> piece = reader_->ReadBytes(sent_bytes_, size);
  if (!piece.ok()) return End(piece.status());
  sent_bytes_ += size;
  progress().entries = Share(reader_->header().entries, sent_bytes_, reader_->file_bytes());
  progress().bytes = Share(reader_->header().data_bytes, sent_bytes_, reader_->file_bytes());
  response_.set_data(*std::move(piece));
  stream_.Write(response_);
}

void ExportHandler::OnWritten(Outcome outcome) {
  if (outcome == Outcome::kFailed) return End(absl::CancelledError("the caller has gone"));
  if (sent_bytes_ == reader_->file_bytes()) return End(checkpoint::ToString(info_.id));
  response_.clear_checkpoint();
  RunStep([this] { SendNext(); });
}

}  // namespace tarn::server
