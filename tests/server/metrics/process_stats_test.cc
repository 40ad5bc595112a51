#include "server/metrics/process_stats.h"

#include "tests/catch.h"
#include "tests/support/status.h"

namespace tarn::server {
namespace {

// Fields 3 and following as the kernel writes them; utime 250, stime 50, 7 threads, started at tick
// 4000.
constexpr char kRest[] =
    " S 1 1 1 0 -1 4194560 100 0 0 0 250 50 0 0 20 0 7 0 4000 123456789 2000 18446744073709551615 "
    "1 1 0";

TEST_CASE("the kernel's figures of a process are understood, whatever its name") {
  for (const char* name : {"(tarnd)", "(a b) c)", "()"}) {
    INFO(name);
    const ProcessStats stats =
        testing::Value(ParseProcessStat(std::string("42 ") + name + kRest, 100, 4096, 1'000'000));
    CHECK(stats.cpu_seconds == 3.0);
    CHECK(stats.start_time_seconds == 1'000'040);
    CHECK(stats.threads == 7);
    CHECK(stats.virtual_bytes == 123'456'789);
    CHECK(stats.resident_bytes == 2000 * 4096);
  }
}

TEST_CASE("what is not the figures of a process is an error") {
  CHECK(testing::Brief(ParseProcessStat("", 100, 4096, 0)) == "INVALID_ARGUMENT");
  CHECK(testing::Brief(ParseProcessStat("42 (tarnd) S 1 1", 100, 4096, 0)) == "INVALID_ARGUMENT");
}

TEST_CASE("this process has figures") {
  const ProcessStats stats = ReadProcessStats();
  CHECK(stats.start_time_seconds > 1'600'000'000);
  CHECK(stats.resident_bytes > 1 << 20);
  CHECK(stats.threads >= 1);
  CHECK(stats.open_files >= 3);
  CHECK(stats.max_files > 0);
}

}  // namespace
}  // namespace tarn::server
