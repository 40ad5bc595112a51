#include "client/examples/window_worker.h"

#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tarn/error.h"

namespace window_demo {
namespace {

using tarn::Batch;
using tarn::Precondition;
using tarn::Ttl;

// Whether to look at what is stored and go on from there.
bool MayGoOn(const absl::Status& status) {
  return tarn::IsOutcomeUnknown(status) || tarn::IsTransient(status);
}

// Somebody else wrote between our read and our write: a worker that is still at it, or another one
// that starts.
bool LostRace(const absl::Status& status) {
  const tarn::Reason reason = tarn::ReasonOf(status);
  return reason == tarn::Reason::kRevisionMismatch || reason == tarn::Reason::kAlreadyExists;
}

absl::Status CheckOrder(const std::vector<Event>& events, int64_t last) {
  for (const Event& event : events) {
    if (event.time < last) {
      return absl::InvalidArgumentError(absl::StrCat("the log is not in time order: ", event.time,
                                                     " ", event.key, " comes after ", last));
    }
    last = event.time;
  }
  return absl::OkStatus();
}

void AddChanges(const WindowUpdate& update, Ttl closed_ttl, Batch& batch) {
  for (const WindowUpdate::Closed& closed : update.closed()) {
    batch.Put(ClosedKey(closed.kind, closed.event_key, closed.window.start), Encode(closed.window),
              closed_ttl);
  }
  for (const auto& [id, open] : update.open()) {
    if (!open.changed) continue;
    const std::string key = OpenKey(id.first, id.second);
    if (open.window) {
      batch.Put(key, Encode(*open.window), Ttl::Never());
    } else {
      batch.Delete(key);
    }
  }
  for (const auto& [event_key, count] : update.event_counts()) {
    batch.Increment(EventsKey(event_key), count, Ttl::Never());
  }
}

}  // namespace

WindowWorker::WindowWorker(tarn::Client client, EventLog log, WorkerOptions options)
    : client_(std::move(client)), log_(std::move(log)), options_(std::move(options)) {}

absl::StatusOr<WindowWorker> WindowWorker::TakeOver(tarn::Client client, EventLog log,
                                                    WorkerOptions options) {
  if (options.chunk_events == 0 || options.chunk_events > kMaxChunkEvents) {
    return absl::InvalidArgumentError(
        absl::StrCat("a chunk has 1 to ", kMaxChunkEvents, " events"));
  }
  WindowWorker worker(std::move(client), std::move(log), std::move(options));
  absl::Status claimed;
  for (int attempt = 0; attempt < kMaxClaims; ++attempt) {
    claimed = worker.Claim();
    if (claimed.ok()) return worker;
    if (!MayGoOn(claimed) && !LostRace(claimed)) break;
  }
  return claimed;
}

absl::Status WindowWorker::Claim() {
  absl::StatusOr<tarn::GetResult> stored = client_.Get(kProgressKey);
  if (!stored.ok()) return stored.status();
  Progress progress;
  if (stored->found) {
    absl::StatusOr<Progress> decoded = DecodeProgress(stored->value);
    if (!decoded.ok()) return decoded.status();
    progress = *std::move(decoded);
  }
  progress.owner = options_.owner;
  absl::StatusOr<tarn::PutResult> written =
      client_.Put(kProgressKey, Encode(progress),
                  {.ttl = Ttl::Never(),
                   .precondition = stored->found ? Precondition::AtRevision(stored->revision)
                                                 : Precondition::Absent()});
  if (!written.ok()) return written.status();
  progress_ = std::move(progress);
  revision_ = written->revision;
  return absl::OkStatus();
}

// After a commit of which nobody knows whether it was done: what is stored tells.
absl::Status WindowWorker::Resume() {
  absl::StatusOr<tarn::GetResult> stored = client_.Get(kProgressKey);
  if (!stored.ok()) return stored.status();
  absl::StatusOr<Progress> progress = DecodeProgress(stored->value);
  if (!progress.ok()) return progress.status();
  if (progress->owner != options_.owner) {
    return tarn::MakeError(absl::StatusCode::kAborted, tarn::Reason::kRevisionMismatch,
                           absl::StrCat("worker ", progress->owner, " has taken over"));
  }
  progress_ = *std::move(progress);
  revision_ = stored->revision;
  return absl::OkStatus();
}

absl::Status WindowWorker::Advance() {
  absl::Status stepped;
  for (int attempt = 0; attempt < kMaxAttempts; ++attempt) {
    stepped = Step();
    if (stepped.ok() || !MayGoOn(stepped)) return stepped;
    const absl::Status resumed = Resume();
    if (!resumed.ok() && !MayGoOn(resumed)) return resumed;
  }
  return stepped;
}

absl::Status WindowWorker::Step() {
  if (progress_.state == Progress::State::kFinished) return absl::OkStatus();
  absl::StatusOr<EventChunk> chunk = log_.Read(progress_.offset, options_.chunk_events);
  if (!chunk.ok()) return chunk.status();
  return chunk->events.empty() ? CloseRest() : Process(*chunk);
}

absl::Status WindowWorker::Process(const EventChunk& chunk) {
  const absl::Status ordered =
      CheckOrder(chunk.events, progress_.events > 0 ? progress_.time : chunk.events.front().time);
  if (!ordered.ok()) return ordered;
  absl::StatusOr<WindowUpdate> update = ReadWindows(chunk.events);
  if (!update.ok()) return update.status();
  for (const Event& event : chunk.events) update->Add(event);

  Batch batch = Batch::Atomic();
  AddChanges(*update, Ttl::Of(options_.keep_closed), batch);
  Progress next = progress_;
  next.offset = chunk.end_offset;
  next.events += chunk.events.size();
  next.time = chunk.events.back().time;
  return Commit(std::move(batch), std::move(next));
}

// The open windows of the events' keys: gets of one atomic batch see one state.
absl::StatusOr<WindowUpdate> WindowWorker::ReadWindows(const std::vector<Event>& events) const {
  std::set<std::string> keys;
  for (const Event& event : events) keys.insert(event.key);
  std::vector<WindowUpdate::Id> ids;
  Batch gets = Batch::Atomic();
  for (const std::string& key : keys) {
    for (const WindowKind kind : {WindowKind::kTumbling, WindowKind::kSession}) {
      gets.Get(OpenKey(kind, key));
      ids.emplace_back(kind, key);
    }
  }
  absl::StatusOr<tarn::BatchResult> read = client_.RunBatch(std::move(gets));
  if (!read.ok()) return read.status();

  WindowUpdate update(options_.rules);
  for (size_t i = 0; i < ids.size(); ++i) {
    if (!read->results[i].found) continue;
    absl::StatusOr<Window> window = DecodeWindow(read->results[i].value);
    if (!window.ok()) return window.status();
    update.Load(ids[i].first, ids[i].second, *window);
  }
  return update;
}

// The log has ended: so do its windows, some in each commit.
absl::Status WindowWorker::CloseRest() {
  Batch batch = Batch::Atomic();
  for (absl::StatusOr<tarn::Entry>& entry :
       client_.Scan(tarn::KeyRange::Prefix(kOpenPrefix), {.limit = kMaxClosedAtOnce})) {
    if (!entry.ok()) return entry.status();
    const absl::StatusOr<WindowName> name = ParseOpenKey(entry->key);
    if (!name.ok()) return name.status();
    const absl::StatusOr<Window> window = DecodeWindow(entry->value);
    if (!window.ok()) return window.status();
    batch.Put(ClosedKey(name->kind, name->event_key, window->start), entry->value,
              Ttl::Of(options_.keep_closed));
    batch.Delete(entry->key);
  }
  Progress next = progress_;
  if (batch.empty()) next.state = Progress::State::kFinished;
  return Commit(std::move(batch), std::move(next));
}

// One precondition guards the whole batch. Its increments make libtarn leave a commit of unknown
// outcome to us, who can tell.
absl::Status WindowWorker::Commit(Batch batch, Progress next) {
  batch.Put(kProgressKey, Encode(next), Ttl::Never(), Precondition::AtRevision(revision_));
  absl::StatusOr<tarn::BatchResult> committed = client_.RunBatch(std::move(batch));
  if (!committed.ok()) return committed.status();
  progress_ = std::move(next);
  revision_ = committed->revision;
  return absl::OkStatus();
}

}  // namespace window_demo
