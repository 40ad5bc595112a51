#include "storage/redis/cursor.h"

#include <algorithm>
#include <deque>
#include <optional>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include <asio/post.hpp>

namespace tarn::storage::redis {
namespace {

// How many keys are read from Redis at once: first about a page, then twice as many each time.
constexpr size_t kMinStretch = 64;
constexpr size_t kMaxStretch = 8192;
// Of a caller that goes on, so much is read ahead.
constexpr size_t kMaxStretchBytes = size_t{4} << 20;

}  // namespace

// Outlives the cursor while it reads ahead. Thread-safe.
class RedisCursor::State : public std::enable_shared_from_this<RedisCursor::State> {
 public:
  State(Core& core, base::Executor* executor, std::shared_ptr<ChunkReader> reader,
        SnapshotViewPtr view)
      : core_(core), executor_(executor), reader_(std::move(reader)), view_(std::move(view)) {}

  void Next(const PageBudget& budget, base::UnixMs now, PageCompletion done) {
    auto request = std::make_shared<Request>();
    request->budget = budget;
    request->now = now;
    request->done = std::move(done);
    bool at_once = false;
    {
      const absl::MutexLock lock(&mutex_);
      wanted_ = std::max(wanted_, std::clamp(budget.max_entries, kMinStretch, kMaxStretch));
      ++pages_;
      const bool complete = Serve(*request);
      if (!complete) waiting_ = request;
      if (!complete || pages_ > 1) ReadAhead();
      if (!complete) return;
      at_once = ++at_once_ % kMaxPagesAtOnce != 0;
    }
    if (at_once) return Complete(*request);
    HandOver(std::move(request));
  }

 private:
  // One Next on its way.
  struct Request {
    PageBudget budget;
    base::UnixMs now = 0;
    PageCompletion done;
    Page page;
    size_t bytes = 0;
    absl::Status status;
    std::vector<ChunkPtr> chunks;  // What the page views.
  };
  using RequestPtr = std::shared_ptr<Request>;

  static void Complete(Request& request) {
    if (!request.status.ok()) request.page.entries.clear();
    std::move(request.done)(request.status, request.page);
  }

  // Completes it on a thread that has time for it.
  void HandOver(RequestPtr request) {
    if (executor_ != nullptr && executor_->Submit([request] { Complete(*request); }).ok()) {
      return;
    }
    asio::post(core_.context, [request] { Complete(*request); });
  }

  // Fills the page from what was read. False: more must be read first.
  bool Serve(Request& request) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (absl::Status status = view_->status(); !status.ok()) {
      request.status = status;
      return true;
    }
    while (!chunks_.empty()) {
      const ChunkPtr& chunk = chunks_.front();
      request.chunks.push_back(chunk);
      if (FillFrom(*chunk, request)) return true;
      request.page.at_end = chunk->at_end;
      if (chunk->at_end) return true;  // It stays: the cursor stays at its end.
      chunks_.pop_front();
      served_ = 0;
    }
    if (error_.ok()) return false;
    // Told once; then it is tried again. What the page has is told first.
    if (request.page.entries.empty()) request.status = std::exchange(error_, absl::OkStatus());
    return true;
  }

  // True when the page is full.
  bool FillFrom(const Chunk& chunk, Request& request) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    std::vector<EntryView>& entries = request.page.entries;
    for (; served_ < chunk.entries.size(); ++served_) {
      const EntryView& entry = chunk.entries[served_];
      if (base::HasExpired(entry.deadline, request.now)) continue;
      const size_t bytes = entry.key.size() + entry.value.size();
      const bool full = entries.size() >= request.budget.max_entries ||
                        request.bytes + bytes > request.budget.max_bytes;
      if (full && !entries.empty()) return true;
      request.bytes += bytes;
      entries.push_back(entry);
    }
    return false;
  }

  // Begins to read the next stretch, unless one is being read, or enough has been.
  void ReadAhead() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    const bool enough = waiting_ == nullptr && chunks_.size() > 1;
    const bool at_end = !chunks_.empty() && chunks_.back()->at_end;
    if (reading_ || enough || at_end || !error_.ok() || !view_->status().ok()) return;
    reading_ = true;
    const size_t wanted = wanted_;
    wanted_ = std::min(2 * wanted_, kMaxStretch);
    asio::post(core_.context, [self = shared_from_this(), wanted] { self->Read(wanted); });
  }

  void Read(size_t wanted) {
    reader_->Next(wanted, [self = shared_from_this()](absl::StatusOr<ChunkPtr> chunk) {
      self->Take(std::move(chunk));
    });
  }

  // On the loop's thread.
  void Take(absl::StatusOr<ChunkPtr> chunk) {
    RequestPtr complete;
    {
      const absl::MutexLock lock(&mutex_);
      reading_ = false;
      if (chunk.ok()) {
        NoteSize(**chunk);
        chunks_.push_back(*std::move(chunk));
      } else {
        error_ = chunk.status();
      }
      if (waiting_ != nullptr && Serve(*waiting_)) complete = std::move(waiting_);
      if (waiting_ != nullptr || pages_ > 1) ReadAhead();
    }
    if (complete != nullptr) HandOver(std::move(complete));
  }

  // Large values come in small numbers.
  void NoteSize(const Chunk& chunk) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (chunk.entries.empty()) return;
    const size_t each = chunk.bytes / chunk.entries.size() + 1;
    wanted_ = std::clamp<size_t>(kMaxStretchBytes / each, 1, wanted_);
  }

  Core& core_;
  base::Executor* const executor_;
  const std::shared_ptr<ChunkReader> reader_;
  const SnapshotViewPtr view_;

  absl::Mutex mutex_;
  std::deque<ChunkPtr> chunks_ ABSL_GUARDED_BY(mutex_);
  size_t served_ ABSL_GUARDED_BY(mutex_) = 0;  // Of the first of these.
  size_t wanted_ ABSL_GUARDED_BY(mutex_) = 0;  // Keys of the next stretch.
  bool reading_ ABSL_GUARDED_BY(mutex_) = false;
  RequestPtr waiting_ ABSL_GUARDED_BY(mutex_);
  absl::Status error_ ABSL_GUARDED_BY(mutex_);  // Of the last stretch, until it is told.
  int at_once_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t pages_ ABSL_GUARDED_BY(mutex_) = 0;  // Asked for.
};

RedisCursor::RedisCursor(Core& core, base::Executor* executor, std::shared_ptr<ChunkReader> reader,
                         SnapshotViewPtr view)
    : state_(std::make_shared<State>(core, executor, std::move(reader), std::move(view))) {}

void RedisCursor::Next(const PageBudget& budget, base::UnixMs now, PageCompletion done) {
  state_->Next(budget, now, std::move(done));
}

}  // namespace tarn::storage::redis
