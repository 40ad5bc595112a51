// A stream worker whose state is in tarnd: it reads a log of events and keeps tumbling windows and
// sessions for each key.
//
// It counts each event exactly once, however often it, or tarnd, is killed: what a chunk of events
// changes and how far the log was read are one atomic batch. The batch lands only if the progress
// entry still has the revision that this worker gave it. A worker takes over by writing its name
// into that entry; from then on nothing that its predecessor sends can land, even if that one was
// only frozen and wakes up.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/examples/event_log.h"
#include "client/examples/window.h"
#include "client/examples/window_update.h"
#include "tarn/client.h"

namespace window_demo {

struct WorkerOptions {
  WindowRules rules;
  std::string owner;  // Like no other worker's; without blanks.
  // Closed windows are kept this long for those who read them.
  std::chrono::milliseconds keep_closed = std::chrono::hours(1);
  // Events in one commit. At most kMaxChunkEvents.
  size_t chunk_events = 100;
};

// Used by one thread at a time.
class WindowWorker {
 public:
  // An event changes up to 5 entries, and a batch has up to 4,096 operations.
  static constexpr size_t kMaxChunkEvents = 800;
  // Open windows closed in one commit at the end of the log.
  static constexpr size_t kMaxClosedAtOnce = 1000;
  // How often it is tried to take over from a worker that goes on committing.
  static constexpr int kMaxClaims = 100;
  // How often a chunk is begun anew. Each attempt is itself repeated by libtarn for its timeout.
  static constexpr int kMaxAttempts = 10;

  // Goes on where the last worker was, whom it shuts out.
  static absl::StatusOr<WindowWorker> TakeOver(tarn::Client client, EventLog log,
                                               WorkerOptions options);

  // Counts the next chunk of events; after the last one, closes what is open. Call it until
  // progress() is finished. Errors: ABORTED (REVISION_MISMATCH) when another worker has taken over,
  // INVALID_ARGUMENT when the log is not in time order; those of libtarn.
  absl::Status Advance();

  const Progress& progress() const { return progress_; }

 private:
  WindowWorker(tarn::Client client, EventLog log, WorkerOptions options);

  absl::Status Claim();
  absl::Status Resume();
  absl::Status Step();
  absl::Status Process(const EventChunk& chunk);
  absl::Status CloseRest();
  absl::StatusOr<WindowUpdate> ReadWindows(const std::vector<Event>& events) const;
  absl::Status Commit(tarn::Batch batch, Progress next);

  tarn::Client client_;
  EventLog log_;
  WorkerOptions options_;
  Progress progress_;            // As stored,
  tarn::Revision revision_ = 0;  // at this revision; 0 = not yet stored.
};

}  // namespace window_demo
