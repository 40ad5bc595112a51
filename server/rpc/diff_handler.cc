#include "server/rpc/diff_handler.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "server/rpc/checkpoint_messages.h"
#include "storage/base/status.h"

namespace tarn::server {
namespace {

std::string Summary(const checkpoint::DiffTotals& totals) {
  return absl::StrCat(totals.added, " added, ", totals.removed, " removed, ", totals.changed,
                      " changed, ", totals.same, " the same");
}

}  // namespace

void DiffHandler::Start() {
  RunStep([this] { Begin(); });
}

void DiffHandler::Begin() {
  StartJob();
  progress().phase = "comparing";
  if (absl::Status opened = Open(); !opened.ok()) return End(opened);
  GoOn();
}

absl::Status DiffHandler::Open() {
  checkpoint::Catalog& catalog = control().catalog();
  TARN_ASSIGN_OR_RETURN(from_, OpenCheckpoint(catalog, plan_.from));
  TARN_ASSIGN_OR_RETURN(to_, OpenCheckpoint(catalog, plan_.to));
  diff_.emplace(*from_, *to_, plan_.options, progress());
  return absl::OkStatus();
}

void DiffHandler::GoOn() {
  const absl::StatusOr<checkpoint::CheckpointDiff::Step> step = diff_->Next();
  if (!step.ok()) return End(step.status());
  // Nothing to tell yet: others have their turn.
  if (step->changes.empty() && !step->at_end) return RunStep([this] { GoOn(); });
  response_.Clear();
  for (const checkpoint::KeyChange& change : step->changes) Fill(change, *response_.add_changes());
  if (step->at_end) Fill(diff_->totals(), *response_.mutable_totals());
  stream_.Write(response_);
}

void DiffHandler::OnWritten(Outcome outcome) {
  if (outcome == Outcome::kFailed) return End(absl::CancelledError("the caller has gone"));
  if (response_.has_totals()) return End(Summary(diff_->totals()));
  RunStep([this] { GoOn(); });
}

}  // namespace tarn::server
