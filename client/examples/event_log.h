// The log of events that the window worker reads: a text file, one event a line, in time order:
//
//   TIME KEY VALUE        such as   1279144800 seattle 716
//
// TIME is seconds since 1970 (UTC), KEY any text without blanks, VALUE an integer. A last line
// without an end does not count: it is still being written.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace window_demo {

struct Event {
  int64_t time = 0;
  std::string key;
  int64_t value = 0;
};

// Events that follow each other in the log.
struct EventChunk {
  std::vector<Event> events;
  uint64_t end_offset = 0;  // Of the first byte after them.
};

class EventLog {
 public:
  // NOT_FOUND when the file cannot be read.
  static absl::StatusOr<EventLog> Open(std::string path);

  // The next events from `offset` on, which must be 0 or an earlier chunk's end; none at the end of
  // the log. INVALID_ARGUMENT for a line that is no event, OUT_OF_RANGE when the file is shorter.
  absl::StatusOr<EventChunk> Read(uint64_t offset, size_t max_events) const;

  uint64_t size_bytes() const { return size_bytes_; }

 private:
  EventLog(std::string path, uint64_t size_bytes)
      : path_(std::move(path)), size_bytes_(size_bytes) {}

  std::string path_;
  uint64_t size_bytes_;  // When it was opened.
};

}  // namespace window_demo
