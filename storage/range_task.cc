#include "storage/range_task.h"

#include <utility>

#include "storage/base/status.h"

namespace tarn::storage {

RangeTask::RangeTask(const RangeTaskContext& context, KeyRange range, ScanContent content,
                     const PageBudget& budget, StopRequested stop)
    : context_(context),
      range_(std::move(range)),
      content_(content),
      budget_(budget),
      stop_(std::move(stop)),
      token_(context.tasks) {}

void RangeTask::Schedule() {
  const absl::Status status =
      context_.executor.Submit([self = shared_from_this()] { self->Step(); });
  if (!status.ok()) Finish(status);
}

absl::Status RangeTask::Open() {
  TARN_ASSIGN_OR_RETURN(snapshot_, context_.engine.OpenSnapshot(SnapshotPurpose::kScan));
  cursor_ = snapshot_->NewCursor(range_, {.content = content_});
  return absl::OkStatus();
}

void RangeTask::Step() {
  if (stop_ && stop_()) return Finish(absl::CancelledError("stopped on request"));
  if (cursor_ == nullptr) {
    const absl::Status status = Open();
    if (!status.ok()) return Finish(status);
  }
  met_.store(0, std::memory_order_relaxed);
  cursor_->Next(budget_, context_.clock.Now(),
                [self = shared_from_this()](const absl::Status& status, Page& page) {
                  self->page_status_ = status;
                  self->at_end_ = page.at_end;
                  if (status.ok()) self->Take(page);
                  self->Meet();
                });
  Meet();
}

void RangeTask::Meet() {
  if (met_.fetch_add(1, std::memory_order_acq_rel) == 0) return;
  if (!page_status_.ok()) return Finish(page_status_);
  Act();
}

void RangeTask::Proceed(const absl::Status& status) {
  if (!status.ok() || at_end_) return Finish(status);
  Schedule();
}

void RangeTask::Finish(const absl::Status& status) {
  cursor_.reset();
  Finished(status);
  snapshot_.reset();
}

}  // namespace tarn::storage
