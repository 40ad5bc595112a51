#include "checkpoint/entry_source.h"

#include "absl/synchronization/notification.h"

namespace tarn::checkpoint {
namespace {

constexpr storage::PageBudget kPage{.max_entries = 2048, .max_bytes = 256 << 10};

}  // namespace

absl::Status ForEachPage(storage::Snapshot& snapshot, const storage::KeyRange& range,
                         absl::FunctionRef<void(const storage::Page&)> on_page,
                         absl::FunctionRef<absl::Status()> between, storage::ScanReading reading) {
  const std::unique_ptr<storage::Cursor> cursor = snapshot.NewCursor(range, {.reading = reading});
  absl::Status status;
  for (bool at_end = false; status.ok() && !at_end;) {
    absl::Notification arrived;
    cursor->Next(kPage, snapshot.as_of(),
                 [&](const absl::Status& page_status, storage::Page& page) {
                   status = page_status;
                   if (status.ok()) on_page(page);
                   at_end = page.at_end;
                   arrived.Notify();
                 });
    arrived.WaitForNotification();
    if (status.ok()) status = between();
  }
  return status;
}

}  // namespace tarn::checkpoint
