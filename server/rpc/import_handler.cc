#include "server/rpc/import_handler.h"

#include <utility>

#include "server/rpc/checkpoint_messages.h"
#include "server/rpc/errors.h"
#include "storage/base/error.h"

namespace tarn::server {
namespace {

using base::Reason;
using tarn::v1::ImportCheckpointRequest;

constexpr size_t kMaxPieceBytes = 1 << 20;

}  // namespace

void ImportHandler::Start() {
  StartJob();
  progress().phase = "receiving";
  stream_.Read(request_);
}

void ImportHandler::OnRead(Outcome outcome) {
  if (outcome == Outcome::kDone) return RunStep([this] { TakePart(); });
  RunStep([this] { ImportAll(); });
}

void ImportHandler::TakePart() {
  absl::Status taken = Take(request_);
  if (taken.ok() && progress().cancel) taken = absl::CancelledError("the import was cancelled");
  if (taken.ok()) return stream_.Read(request_);
  upload_.reset();  // Before anybody hears that it is over.
  End(taken);
}

absl::Status ImportHandler::Take(const ImportCheckpointRequest& request) {
  switch (request.part_case()) {
    case ImportCheckpointRequest::kOptions:
      if (upload_ == nullptr) return Begin(request.options());
      return InvalidField(Reason::kInvalidRequest, "options", "the options came a second time");
    case ImportCheckpointRequest::kData:
      if (upload_ == nullptr)
        return InvalidField(Reason::kInvalidRequest, "options", "the options must come first");
      if (request.data().size() > kMaxPieceBytes)
        return InvalidField(Reason::kInvalidRequest, "data", "a piece has more than 1 MiB");
      progress().bytes += request.data().size();
      return upload_->Append(request.data());
    case ImportCheckpointRequest::PART_NOT_SET:
      break;
  }
  return InvalidField(Reason::kInvalidRequest, "part", "a message has neither options nor data");
}

absl::Status ImportHandler::Begin(const tarn::v1::ImportOptions& options) {
  const auto rule = options.allow_other_store() ? checkpoint::ImportRule::kAnyStore
                                                : checkpoint::ImportRule::kOwnStore;
  auto upload = checkpoint::CheckpointUpload::Begin(
      control().catalog(), {.rule = rule, .running = control().incarnation()});
  if (!upload.ok()) return upload.status();
  upload_ = *std::move(upload);
  return absl::OkStatus();
}

// The caller has no more to send, or is gone.
void ImportHandler::ImportAll() {
  absl::StatusOr<checkpoint::CheckpointInfo> imported;
  if (stream_.Cancelled() || progress().cancel) {
    imported = absl::CancelledError("the import was cancelled");
  } else if (upload_ == nullptr) {
    imported = InvalidField(Reason::kInvalidRequest, "options", "the options must come first");
  } else {
    imported = std::move(*upload_).Import(progress());
  }
  upload_.reset();
  if (!imported.ok()) return End(imported.status());
  Fill(Listed(control(), *imported), *stream_.response().mutable_checkpoint());
  End(checkpoint::ToString(imported->id));
}

}  // namespace tarn::server
