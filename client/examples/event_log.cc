#include "client/examples/event_log.h"

#include <fstream>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace window_demo {
namespace {

absl::StatusOr<Event> ParseEvent(const std::string& line) {
  const std::vector<std::string> words = absl::StrSplit(line, ' ');
  Event event;
  if (words.size() != 3 || words[1].empty() || !absl::SimpleAtoi(words[0], &event.time) ||
      !absl::SimpleAtoi(words[2], &event.value)) {
    return absl::InvalidArgumentError(absl::StrCat("not an event: ", line));
  }
  event.key = words[1];
  return event;
}

}  // namespace

absl::StatusOr<EventLog> EventLog::Open(std::string path) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  if (!file) return absl::NotFoundError(absl::StrCat("cannot read ", path));
  return EventLog(std::move(path), static_cast<uint64_t>(file.tellg()));
}

absl::StatusOr<EventChunk> EventLog::Read(uint64_t offset, size_t max_events) const {
  if (offset > size_bytes_) {
    return absl::OutOfRangeError(
        absl::StrCat(path_, " ends before byte ", offset, ": it is not the log that was begun"));
  }
  std::ifstream file(path_, std::ios::binary);
  file.seekg(static_cast<std::streamoff>(offset));
  EventChunk chunk{{}, offset};
  std::string line;
  while (chunk.events.size() < max_events && std::getline(file, line) && !file.eof()) {
    absl::StatusOr<Event> event = ParseEvent(line);
    if (!event.ok()) return event.status();
    chunk.events.push_back(*std::move(event));
    chunk.end_offset += line.size() + 1;
  }
  return chunk;
}

}  // namespace window_demo
