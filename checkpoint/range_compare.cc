#include "checkpoint/range_compare.h"

#include <memory>
#include <vector>

#include "absl/synchronization/notification.h"
#include "storage/base/status.h"

namespace tarn::checkpoint {
namespace {

struct OwnedEntry {
  std::string key;
  std::string value;
  base::UnixMs deadline = base::kNever;
};

// The entries of a snapshot's range one by one, on a thread that may wait.
class SnapshotEntries {
 public:
  SnapshotEntries(storage::Snapshot& snapshot, const storage::KeyRange& range)
      : now_(snapshot.as_of()), cursor_(snapshot.NewCursor(range, {})) {}

  // The next one, which stays the same until Advance; nullptr at the end.
  absl::StatusOr<const OwnedEntry*> Current() {
    while (at_ == page_.size() && !at_end_) TARN_RETURN_IF_ERROR(ReadPage());
    return at_ == page_.size() ? nullptr : &page_[at_];
  }
  void Advance() { ++at_; }

 private:
  absl::Status ReadPage() {
    absl::Notification given;
    absl::Status result;
    page_.clear();
    at_ = 0;
    cursor_->Next({}, now_, [&](const absl::Status& status, storage::Page& page) {
      result = status;
      at_end_ = page.at_end;
      for (const storage::EntryView& entry : page.entries)
        page_.push_back({std::string(entry.key), std::string(entry.value), entry.deadline});
      given.Notify();
    });
    given.WaitForNotification();
    return result;
  }

  const base::UnixMs now_;
  const std::unique_ptr<storage::Cursor> cursor_;
  std::vector<OwnedEntry> page_;
  size_t at_ = 0;
  bool at_end_ = false;
};

class Comparing {
 public:
  Comparing(storage::Snapshot& snapshot, const storage::KeyRange& range,
            absl::FunctionRef<absl::Status(const RangeChange&)> on_change, Progress& progress)
      : now_(snapshot.as_of()),
        entries_(snapshot, range),
        on_change_(on_change),
        progress_(progress) {}

  absl::Status Take(absl::Span<const storage::EntryView> wanted) {
    if (progress_.cancel) return absl::CancelledError("the restore was cancelled");
    for (const storage::EntryView& entry : wanted) {
      if (base::HasExpired(entry.deadline, now_)) continue;
      TARN_RETURN_IF_ERROR(DeleteBefore(&entry.key));
      TARN_RETURN_IF_ERROR(Meet(entry));
    }
    progress_.entries += wanted.size();
    return absl::OkStatus();
  }

  // What is left has no counterpart.
  absl::Status Finish() { return DeleteBefore(nullptr); }

 private:
  absl::Status DeleteBefore(const absl::string_view* key) {
    while (true) {
      TARN_ASSIGN_OR_RETURN(const OwnedEntry* const there, entries_.Current());
      if (there == nullptr || (key != nullptr && there->key >= *key)) return absl::OkStatus();
      TARN_RETURN_IF_ERROR(on_change_({.kind = RangeChange::Kind::kDelete, .key = there->key}));
      entries_.Advance();
    }
  }

  absl::Status Meet(const storage::EntryView& wanted) {
    TARN_ASSIGN_OR_RETURN(const OwnedEntry* const there, entries_.Current());
    const bool meets = there != nullptr && there->key == wanted.key;
    const bool same = meets && there->value == wanted.value && there->deadline == wanted.deadline;
    if (meets) entries_.Advance();
    if (same) return absl::OkStatus();
    return on_change_({RangeChange::Kind::kPut, wanted.key, wanted.value, wanted.deadline});
  }

  const base::UnixMs now_;
  SnapshotEntries entries_;
  const absl::FunctionRef<absl::Status(const RangeChange&)> on_change_;
  Progress& progress_;
};

}  // namespace

absl::Status CompareRange(storage::Snapshot& snapshot, const storage::KeyRange& range,
                          const CheckpointReader& reader, absl::string_view ns,
                          absl::FunctionRef<absl::Status(const RangeChange&)> on_change,
                          Progress& progress) {
  Comparing comparing(snapshot, range, on_change, progress);
  TARN_RETURN_IF_ERROR(
      reader.ReadRange(ns, range.start, range.end,
                       [&](const BlockInfo&, absl::Span<const storage::EntryView> entries) {
                         return comparing.Take(entries);
                       }));
  return comparing.Finish();
}

}  // namespace tarn::checkpoint
