#include "server/metrics/checkpoint_figures.h"

#include <algorithm>
#include <string>
#include <utility>

#include "server/metrics/families.h"

namespace tarn::server {
namespace {

using checkpoint::JobKind;
using prometheus::MetricFamily;
using prometheus::MetricType;

constexpr JobKind kJobKinds[] = {JobKind::kCheckpoint, JobKind::kVerify, JobKind::kRestore,
                                 JobKind::kImport,     JobKind::kExport, JobKind::kDiff};

void AddCounts(const CheckpointFigures& figures, Families* families) {
  const checkpoint::CheckpointerStatus& status = figures.status;
  families->Counter("tarn_checkpoints_created_total", "Checkpoints that were published.",
                    AsDouble(status.created));
  families->Counter("tarn_checkpoints_failed_total", "Checkpoints that failed.",
                    AsDouble(status.failed));
  families->Counter("tarn_checkpoints_cancelled_total", "Checkpoints that were cancelled.",
                    AsDouble(status.cancelled));
  families->Counter("tarn_checkpoints_skipped_total",
                    "Checkpoints that were not needed: the newest one holds the current state.",
                    AsDouble(status.skipped));
  families->Counter("tarn_checkpoints_deleted_total", "Checkpoints that retention deleted.",
                    AsDouble(status.deleted));
  families->Counter("tarn_checkpoints_quarantined_total",
                    "Checkpoints that were found damaged and set aside.",
                    AsDouble(figures.quarantined));
}

void AddLast(const CheckpointFigures& figures, Families* families) {
  const checkpoint::CheckpointerStatus& status = figures.status;
  families->Gauge("tarn_checkpoint_last_attempt_failed",
                  "1 when the last checkpoint failed, else 0.", status.last_error.ok() ? 0 : 1);
  families->Gauge("tarn_checkpoint_last_success_timestamp_seconds",
                  "When the last checkpoint was published, since the Unix epoch; 0: none yet.",
                  static_cast<double>(status.last_success_time) / 1e3);
  families->Gauge("tarn_checkpoint_last_duration_seconds", "How long that took.",
                  absl::ToDoubleSeconds(status.last_duration));
  const checkpoint::CheckpointInfo none;
  const checkpoint::CheckpointInfo& newest = status.newest ? *status.newest : none;
  families->Gauge("tarn_checkpoint_newest_entries", "Entries in the newest valid checkpoint.",
                  AsDouble(newest.header.entries));
  families->Gauge("tarn_checkpoint_newest_data_bytes", "Bytes of keys and values in it.",
                  AsDouble(newest.header.data_bytes));
  families->Gauge("tarn_checkpoint_newest_file_bytes", "Size of its file.",
                  AsDouble(newest.file_bytes));
  families->Gauge("tarn_checkpoint_compression_ratio",
                  "Bytes of its keys and values to the size of its file.",
                  status.compression_ratio());
}

void AddCatalog(const CheckpointFigures& figures, Families* families) {
  families->Gauge("tarn_checkpoint_interval_seconds",
                  "How often a checkpoint is to be made; 0: only on demand.",
                  absl::ToDoubleSeconds(figures.interval));
  families->Gauge("tarn_checkpoint_age_seconds",
                  "Since the newest valid checkpoint was known to hold the current state; without "
                  "one, since the start.",
                  absl::ToDoubleSeconds(figures.age));
  families->Gauge("tarn_checkpoint_files", "Checkpoints in the catalog.", AsDouble(figures.files));
  families->Gauge("tarn_checkpoint_files_bytes", "Their size.", AsDouble(figures.file_bytes));
}

void AddRestores(const CheckpointFigures& figures, Families* families) {
  families->Counter("tarn_restores_total",
                    "Checkpoints, and ranges of them, that were restored, at the start included.",
                    AsDouble(figures.restores));
  families->Counter("tarn_restore_failures_total", "Restores that failed or were cancelled.",
                    AsDouble(figures.restore_failures));
  families->Gauge("tarn_restore_last_duration_seconds",
                  "How long the last restore took that succeeded; 0: none yet.",
                  absl::ToDoubleSeconds(figures.last_restore));
}

void AddJobs(const std::vector<checkpoint::JobInfo>& jobs, Families* families) {
  MetricFamily running{
      "tarn_jobs_running", "Jobs that run or wait for their turn.", MetricType::Gauge, {}};
  MetricFamily done{"tarn_job_done_entries",
                    "Entries that running jobs have done in their phase.",
                    MetricType::Gauge,
                    {}};
  MetricFamily expected{"tarn_job_expected_entries",
                        "Entries that they will have done in the end, as far as that is known.",
                        MetricType::Gauge,
                        {}};
  for (const JobKind kind : kJobKinds) {
    uint64_t count = 0;
    uint64_t entries = 0;
    uint64_t total = 0;
    for (const checkpoint::JobInfo& job : jobs) {
      if (job.kind != kind || checkpoint::HasEnded(job.state)) continue;
      ++count;
      entries += job.entries;
      total += job.total_entries;
    }
    const absl::string_view name = checkpoint::JobKindName(kind);
    const Labels labels = {{"kind", std::string(name.data(), name.size())}};
    Families::AddGauge(running, AsDouble(count), labels);
    Families::AddGauge(done, AsDouble(entries), labels);
    Families::AddGauge(expected, AsDouble(total), labels);
  }
  for (MetricFamily* const family : {&running, &done, &expected}) families->Add(std::move(*family));
}

}  // namespace

void AddCheckpoints(const CheckpointFigures& figures, Families* families) {
  AddCounts(figures, families);
  AddLast(figures, families);
  AddCatalog(figures, families);
  AddRestores(figures, families);
  AddJobs(figures.jobs, families);
}

}  // namespace tarn::server
