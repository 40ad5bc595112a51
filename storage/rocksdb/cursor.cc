#include "storage/rocksdb/cursor.h"

#include <limits>
#include <optional>
#include <utility>

#include "storage/rocksdb/layout.h"
#include "storage/rocksdb/rocksdb_status.h"
#include "storage/rocksdb/slice.h"

namespace tarn::storage::rocks {
namespace {

std::string LowerBound(const KeyRange& range) {
  return std::string(EntryKey(range.ns, range.start).view());
}

std::string UpperBound(const KeyRange& range) {
  if (!range.end.empty()) return std::string(EntryKey(range.ns, range.end).view());
  return std::string(EntryKey(range.ns + 1, "").view());
}

}  // namespace

// One Next on its way.
struct RocksDbCursor::Request {
  PageBudget budget;
  base::UnixMs now = 0;
  PageCompletion done;
  Page page;
  size_t bytes = 0;  // Of the page so far.
  absl::Status status;
  IteratorPtr iterator;
  std::string begin;  // The cursor's position before it.
};

RocksDbCursor::RocksDbCursor(std::shared_ptr<SnapshotView> view, const KeyRange& range,
                             const ScanOptions& options, base::Executor& executor,
                             InFlight& in_flight)
    : view_(std::move(view)),
      executor_(executor),
      in_flight_(in_flight),
      options_(options),
      lower_(LowerBound(range)),
      upper_(UpperBound(range)),
      lower_slice_(ToSlice(lower_)),
      upper_slice_(ToSlice(upper_)),
      parking_(view_->NewParking()) {}

RocksDbCursor::~RocksDbCursor() { view_->RemoveParking(parking_); }

rocksdb::ReadOptions RocksDbCursor::MakeReadOptions() const {
  rocksdb::ReadOptions options;
  options.snapshot = view_->snapshot();
  options.iterate_lower_bound = &lower_slice_;
  options.iterate_upper_bound = &upper_slice_;
  if (in_memory_) {
    options.read_tier = rocksdb::kBlockCacheTier;
  } else {
    // A checkpoint reads everything once: it would push out what is read often.
    options.fill_cache = view_->identity().purpose == SnapshotPurpose::kScan;
  }
  return options;
}

void RocksDbCursor::Position(rocksdb::Iterator& it) const {
  const bool ascending = options_.direction == ScanDirection::kAscending;
  if (position_.empty()) {
    if (ascending) return it.SeekToFirst();
    return it.SeekToLast();
  }
  if (ascending) {
    it.Seek(ToSlice(position_));
  } else {
    it.SeekForPrev(ToSlice(position_));
  }
  if (it.Valid() && ToView(it.key()) == position_) Step(it);
}

void RocksDbCursor::Step(rocksdb::Iterator& it) const {
  if (options_.direction == ScanDirection::kAscending) {
    it.Next();
  } else {
    it.Prev();
  }
}

void RocksDbCursor::Next(const PageBudget& budget, base::UnixMs now, PageCompletion done) {
  auto request = std::make_shared<Request>();
  request->budget = budget;
  request->now = now;
  request->done = std::move(done);
  request->begin = position_;
  const bool at_once = in_memory_ && pages_at_once_ < kMaxPagesAtOnce;
  if (at_once && Work(*request) == Progress::kComplete) {
    ++pages_at_once_;
    return std::move(request->done)(request->status, request->page);
  }
  pages_at_once_ = 0;
  HandOver(std::move(request));
}

void RocksDbCursor::HandOver(std::shared_ptr<Request> request) {
  const absl::Status status =
      executor_.Submit([this, request, token = InFlight::Token(in_flight_)] {
        while (Work(*request) == Progress::kNeedsExecutor) {
        }
        // From here on the cursor may be gone whenever the completion says so.
        std::move(request->done)(request->status, request->page);
      });
  if (status.ok()) return;
  if (auto iterator = view_->BeginPage(parking_); iterator.ok()) {
    request->iterator = *std::move(iterator);
    TakeBack(*request);
    view_->EndPage(parking_, nullptr);
  }
  std::move(request->done)(status, request->page);
}

// What failed has given nothing out.
void RocksDbCursor::TakeBack(Request& request) {
  request.page.entries.clear();
  request.iterator.reset();
  position_ = request.begin;
}

RocksDbCursor::Progress RocksDbCursor::Work(Request& request) {
  absl::StatusOr<IteratorPtr> iterator = view_->BeginPage(parking_);
  if (!iterator.ok()) {
    request.status = std::move(iterator).status();
    TakeBack(request);
    return Progress::kComplete;
  }
  request.iterator = *std::move(iterator);
  const Progress progress = Fill(request);
  if (!request.status.ok()) {
    TakeBack(request);
  } else if (progress == Progress::kComplete) {
    RememberPosition(request.page);
  }
  if (request.page.at_end) request.iterator.reset();
  view_->EndPage(parking_, std::move(request.iterator));
  return progress;
}

void RocksDbCursor::RememberPosition(const Page& page) {
  if (page.entries.empty()) return;
  const EntryView& last = page.entries.back();
  position_ = std::string(EntryKey(last.ns, last.key).view());
}

RocksDbCursor::Progress RocksDbCursor::Fill(Request& request) {
  if (request.iterator == nullptr) {
    const Database& database = view_->database();
    request.iterator.reset(database.db().NewIterator(MakeReadOptions(), database.entries()));
    Position(*request.iterator);
  }
  return AddEntries(request, in_memory_ ? kMaxSkippedAtOnce : std::numeric_limits<size_t>::max());
}

RocksDbCursor::Progress RocksDbCursor::AddEntries(Request& request, size_t max_skipped) {
  rocksdb::Iterator& it = *request.iterator;
  Page& page = request.page;
  for (; it.Valid(); Step(it)) {
    const std::optional<NamespacedKey> key = DecodeEntryKey(ToView(it.key()));
    const std::optional<StoredEntry> entry = DecodeEntry(ToView(it.value()));
    if (!key || !entry) {
      request.status = Undecodable("entry");
      return Progress::kComplete;
    }
    if (base::HasExpired(entry->deadline, request.now)) {
      if (max_skipped-- == 0) return Progress::kNeedsExecutor;
      continue;
    }
    const bool with_value = options_.content == ScanContent::kEntries;
    const absl::string_view value = with_value ? entry->value : absl::string_view();
    request.bytes += key->key.size() + value.size();
    const bool full = page.entries.size() >= request.budget.max_entries ||
                      request.bytes > request.budget.max_bytes;
    if (full && !page.entries.empty()) return Progress::kComplete;
    page.entries.push_back({key->ns, entry->revision, entry->deadline, page.arena.Copy(key->key),
                            page.arena.Copy(value)});
  }
  return AtEnd(request);
}

// The iterator stands nowhere: the range has ended, or the next block is not in memory, or reading
// failed.
RocksDbCursor::Progress RocksDbCursor::AtEnd(Request& request) {
  const rocksdb::Status status = request.iterator->status();
  if (status.ok()) {
    request.page.at_end = true;
    return Progress::kComplete;
  }
  if (!status.IsIncomplete() || !in_memory_) {
    request.status = ToStatus(status, "scanning");
    return Progress::kComplete;
  }
  in_memory_ = false;
  request.iterator.reset();
  RememberPosition(request.page);
  return Progress::kNeedsExecutor;
}

}  // namespace tarn::storage::rocks
