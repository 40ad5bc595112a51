#include "client/examples/event_log.h"

#include <fstream>
#include <string>

#include "tests/catch.h"
#include "tests/support/temp_dir.h"

namespace window_demo {
namespace {

struct Log {
  tarn::testing::TempDir dir;
  std::string path = dir / "log";

  explicit Log(const std::string& text) { std::ofstream(path, std::ios::binary) << text; }

  absl::StatusOr<EventChunk> Read(uint64_t offset, size_t max_events) const {
    return EventLog::Open(path)->Read(offset, max_events);
  }
};

TEST_CASE("a log is read in chunks, each from where the last one ended") {
  const Log log("10 a 1\n11 bb -2\n12 a 3\n");
  const EventChunk first = *log.Read(0, 2);
  REQUIRE(first.events.size() == 2);
  CHECK(first.events[1].time == 11);
  CHECK(first.events[1].key == "bb");
  CHECK(first.events[1].value == -2);
  const EventChunk second = *log.Read(first.end_offset, 2);
  REQUIRE(second.events.size() == 1);
  CHECK(second.events[0].value == 3);
  CHECK(second.end_offset == EventLog::Open(log.path)->size_bytes());
  CHECK(log.Read(second.end_offset, 2)->events.empty());
}

TEST_CASE("a last line that has no end yet is not read") {
  const Log log("10 a 1\n11 a 2");
  const EventChunk chunk = *log.Read(0, 10);
  CHECK(chunk.events.size() == 1);
  CHECK(chunk.end_offset == 7);
}

TEST_CASE("a line that is no event is named") {
  for (const std::string line : {"", "10 a", "10 a 1 2", "x a 1", "10 a x", "10  1", "10 a 1.5"}) {
    const absl::Status status = Log("9 a 1\n" + line + "\n").Read(0, 10).status();
    INFO(line);
    CHECK(status.code() == absl::StatusCode::kInvalidArgument);
    CHECK(status.message() == "not an event: " + line);
  }
}

TEST_CASE("a log shorter than what was read of it is another log") {
  CHECK(Log("10 a 1\n").Read(8, 1).status().code() == absl::StatusCode::kOutOfRange);
}

TEST_CASE("a log that cannot be read is named") {
  const absl::Status status = EventLog::Open("/nowhere/log").status();
  CHECK(status.code() == absl::StatusCode::kNotFound);
  CHECK(status.message() == "cannot read /nowhere/log");
}

}  // namespace
}  // namespace window_demo
