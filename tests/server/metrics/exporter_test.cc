#include "server/metrics/exporter.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "tests/catch.h"

namespace tarn::server {
namespace {

bool HasLine(const std::string& text, const std::string& line) {
  for (const absl::string_view one : absl::StrSplit(text, '\n')) {
    if (one == line) return true;
  }
  return false;
}

storage::NamespaceInfo Namespace(const std::string& name, int64_t bytes) {
  storage::NamespaceInfo info;
  info.name = name;
  info.usage = {.entries = 1, .bytes = bytes};
  return info;
}

TEST_CASE("a server that is starting says so, and has no figures of a store") {
  const std::string text = RenderMetrics({.version = "1", .commit = "abc", .engine = "memory"});
  CHECK(HasLine(text, "tarn_ready 0"));
  CHECK(HasLine(text, "tarn_build_info{version=\"1\",commit=\"abc\",engine=\"memory\"} 1"));
  CHECK(text.find("tarn_revisions_total") == std::string::npos);
}

TEST_CASE("locks appear once the store is open") {
  MetricsSnapshot snapshot;
  CHECK(RenderMetrics(snapshot).find("tarn_locks_held") == std::string::npos);
  snapshot.locks = storage::LockStats{.held = 1,
                                      .waiting = 2,
                                      .groups = 3,
                                      .acquired = 4,
                                      .timed_out = 5,
                                      .given_up = 6,
                                      .expired = 7,
                                      .released = 8,
                                      .forced = 9,
                                      .joined = 10,
                                      .fenced_writes = 11};
  const std::string text = RenderMetrics(snapshot);
  for (const char* line : {"tarn_locks_held 1", "tarn_lock_waiters 2", "tarn_lock_groups 3",
                           "tarn_locks_acquired_total 4", "tarn_lock_waits_timed_out_total 5",
                           "tarn_lock_waits_given_up_total 6", "tarn_locks_expired_total 7",
                           "tarn_locks_released_total 8", "tarn_locks_forced_total 9",
                           "tarn_group_joins_total 10", "tarn_fenced_writes_total 11"})
    CHECK(HasLine(text, line));
}

TEST_CASE("calls appear by method and code, successes from the start") {
  MetricsSnapshot snapshot;
  snapshot.counters.calls[static_cast<size_t>(Rpc::kPut)][14] = 3;
  const std::string text = RenderMetrics(snapshot);
  CHECK(HasLine(text, "tarn_grpc_calls_total{method=\"Get\",code=\"OK\"} 0"));
  CHECK(HasLine(text, "tarn_grpc_calls_total{method=\"Put\",code=\"UNAVAILABLE\"} 3"));
  CHECK(text.find("code=\"ABORTED\"") == std::string::npos);
}

TEST_CASE("errors appear by reason, those that have happened") {
  MetricsSnapshot snapshot;
  snapshot.counters.errors[static_cast<size_t>(base::Reason::kMemoryLimit)] = 3;
  snapshot.counters.errors[static_cast<size_t>(base::Reason::kNone)] = 4;
  const std::string text = RenderMetrics(snapshot);
  CHECK(HasLine(text, "tarn_errors_total{reason=\"MEMORY_LIMIT\"} 3"));
  CHECK(text.find("QUOTA_EXCEEDED") == std::string::npos);
  CHECK(text.find("reason=\"\"") == std::string::npos);
}

TEST_CASE("latencies are a cumulative histogram in seconds") {
  MetricsSnapshot snapshot;
  auto& latency = snapshot.counters.latency[static_cast<size_t>(Rpc::kGet)];
  latency[0] = 2;
  latency[1] = 3;
  latency[kLatencyBuckets - 1] = 1;
  snapshot.counters.latency_sum_ns[static_cast<size_t>(Rpc::kGet)] = 2'500'000'000;
  const std::string text = RenderMetrics(snapshot);
  CHECK(HasLine(text, "tarn_grpc_call_duration_seconds_bucket{method=\"Get\",le=\"2.5e-05\"} 2"));
  CHECK(HasLine(text, "tarn_grpc_call_duration_seconds_bucket{method=\"Get\",le=\"5e-05\"} 5"));
  CHECK(HasLine(text, "tarn_grpc_call_duration_seconds_bucket{method=\"Get\",le=\"60\"} 5"));
  CHECK(HasLine(text, "tarn_grpc_call_duration_seconds_bucket{method=\"Get\",le=\"+Inf\"} 6"));
  CHECK(HasLine(text, "tarn_grpc_call_duration_seconds_sum{method=\"Get\"} 2.5"));
  CHECK(HasLine(text, "tarn_grpc_call_duration_seconds_count{method=\"Get\"} 6"));
}

TEST_CASE("operations appear by kind and result") {
  MetricsSnapshot snapshot;
  snapshot.counters.operations[0] = {5, 4, 3, 2};
  const std::string text = RenderMetrics(snapshot);
  CHECK(HasLine(text, "tarn_operations_total{kind=\"get\",result=\"hit\"} 5"));
  CHECK(HasLine(text, "tarn_operations_total{kind=\"get\",result=\"miss\"} 4"));
  CHECK(HasLine(text, "tarn_operations_total{kind=\"get\",result=\"precondition\"} 3"));
  CHECK(HasLine(text, "tarn_operations_total{kind=\"get\",result=\"error\"} 2"));
  CHECK(HasLine(text, "tarn_operations_total{kind=\"touch\",result=\"hit\"} 0"));
}

TEST_CASE("the figures of the store and its engine appear") {
  MetricsSnapshot snapshot;
  snapshot.store = storage::StoreStats{.store_id = "id",
                                       .incarnation = 3,
                                       .engine = {.revision = storage::FirstRevision(3) + 77,
                                                  .memory_bytes = 1000,
                                                  .writable = false},
                                       .swept_entries = 5};
  const std::string text = RenderMetrics(snapshot);
  CHECK(HasLine(text, "tarn_store_info{store_id=\"id\"} 1"));
  CHECK(HasLine(text, "tarn_store_incarnation 3"));
  CHECK(HasLine(text, "tarn_revisions_total 77"));
  CHECK(HasLine(text, "tarn_swept_entries_total 5"));
  CHECK(HasLine(text, "tarn_engine_memory_bytes 1000"));
  CHECK(HasLine(text, "tarn_engine_writable 0"));
}

TEST_CASE("only the largest namespaces have metrics of their own") {
  MetricsSnapshot snapshot;
  for (int i = 0; i < 150; ++i) snapshot.namespaces.push_back(Namespace(absl::StrCat("n", i), i));
  const std::string text = RenderMetrics(snapshot);
  CHECK(HasLine(text, "tarn_namespace_bytes{namespace=\"n149\"} 149"));
  CHECK(HasLine(text, "tarn_namespace_bytes{namespace=\"n50\"} 50"));
  CHECK(text.find("namespace=\"n49\"") == std::string::npos);
  CHECK(HasLine(text, "tarn_namespace_bytes{namespace=\"(other)\"} 1225"));
  CHECK(HasLine(text, "tarn_namespace_entries{namespace=\"(other)\"} 50"));
  snapshot.namespaces.resize(kMaxNamespaceLabels);
  CHECK(RenderMetrics(snapshot).find("(other)") == std::string::npos);
}

TEST_CASE("a namespace's quotas appear, where it has some") {
  MetricsSnapshot snapshot;
  snapshot.namespaces = {Namespace("free", 1), Namespace("limited", 1)};
  snapshot.namespaces[1].settings.quota = {.max_entries = 5, .max_bytes = 70};
  const std::string text = RenderMetrics(snapshot);
  CHECK(HasLine(text, "tarn_namespace_quota_entries{namespace=\"limited\"} 5"));
  CHECK(HasLine(text, "tarn_namespace_quota_bytes{namespace=\"limited\"} 70"));
  CHECK(text.find("quota_entries{namespace=\"free\"}") == std::string::npos);
  CHECK(text.find("quota_bytes{namespace=\"free\"}") == std::string::npos);
}

TEST_CASE("the disks of the daemon appear") {
  MetricsSnapshot snapshot;
  snapshot.disks = {{.directory = "data", .free_bytes = 5, .size_bytes = 10}};
  const std::string text = RenderMetrics(snapshot);
  CHECK(HasLine(text, "tarn_disk_free_bytes{directory=\"data\"} 5"));
  CHECK(HasLine(text, "tarn_disk_size_bytes{directory=\"data\"} 10"));
}

TEST_CASE("checkpoints have their counts, and the newest one its figures") {
  MetricsSnapshot snapshot;
  CheckpointFigures& figures = snapshot.checkpoints.emplace();
  figures.status.created = 7;
  figures.status.skipped = 3;
  figures.status.last_success_time = 1'700'000'000'500;
  figures.status.last_error = absl::InternalError("no");
  figures.status.newest.emplace();
  figures.status.newest->file_bytes = 100;
  figures.status.newest->header.data_bytes = 250;
  figures.age = absl::Seconds(12);
  figures.interval = absl::Seconds(10);
  figures.restore_failures = 2;
  const std::string text = RenderMetrics(snapshot);
  CHECK(HasLine(text, "tarn_checkpoints_created_total 7"));
  CHECK(HasLine(text, "tarn_checkpoints_skipped_total 3"));
  CHECK(HasLine(text, "tarn_checkpoint_last_success_timestamp_seconds 1700000000.5"));
  CHECK(HasLine(text, "tarn_checkpoint_last_attempt_failed 1"));
  CHECK(HasLine(text, "tarn_checkpoint_newest_file_bytes 100"));
  CHECK(HasLine(text, "tarn_checkpoint_compression_ratio 2.5"));
  CHECK(HasLine(text, "tarn_checkpoint_age_seconds 12"));
  CHECK(HasLine(text, "tarn_checkpoint_interval_seconds 10"));
  CHECK(HasLine(text, "tarn_restore_failures_total 2"));
}

TEST_CASE("jobs that run are summed up by kind, and those that ended are not") {
  using checkpoint::JobKind;
  using checkpoint::JobState;
  MetricsSnapshot snapshot;
  snapshot.checkpoints.emplace().jobs = {
      {.kind = JobKind::kVerify, .state = JobState::kRunning, .entries = 5, .total_entries = 10},
      {.kind = JobKind::kVerify, .state = JobState::kQueued},
      {.kind = JobKind::kVerify, .state = JobState::kSucceeded, .entries = 100},
      {.kind = JobKind::kRestore, .state = JobState::kRunning, .entries = 1}};
  const std::string text = RenderMetrics(snapshot);
  CHECK(HasLine(text, "tarn_jobs_running{kind=\"verify\"} 2"));
  CHECK(HasLine(text, "tarn_job_done_entries{kind=\"verify\"} 5"));
  CHECK(HasLine(text, "tarn_job_expected_entries{kind=\"verify\"} 10"));
  CHECK(HasLine(text, "tarn_jobs_running{kind=\"restore\"} 1"));
  CHECK(HasLine(text, "tarn_jobs_running{kind=\"diff\"} 0"));
}

TEST_CASE("every family has a help text and a type") {
  MetricsSnapshot snapshot;
  snapshot.store.emplace();
  snapshot.checkpoints.emplace();
  std::string family;
  for (const absl::string_view line :
       absl::StrSplit(RenderMetrics(snapshot), '\n', absl::SkipEmpty())) {
    const std::vector<std::string> words = absl::StrSplit(line, ' ');
    if (words[0] == "#" && words[1] == "HELP") {
      family = words[2];
      CHECK(words.size() > 3);
    } else if (words[0] == "#") {
      CHECK(words[2] == family);
    } else {
      CHECK(words[0].rfind(family, 0) == 0);
    }
  }
}

}  // namespace
}  // namespace tarn::server
