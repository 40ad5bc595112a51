#include "tarn/job.h"

#include <utility>

#include "tarn/error.h"

namespace tarn {
namespace {

absl::Status NotOverridden() {
  return absl::UnimplementedError("this connection does not offer the call");
}

class FailedWatch : public JobWatchSource {
 public:
  absl::StatusOr<std::optional<Job>> Next() override { return NotOverridden(); }
};

}  // namespace

absl::StatusOr<std::optional<Job>> JobWatch::Next() {
  if (source_ == nullptr) return std::nullopt;
  auto job = source_->Next();
  if (!job.ok() || !job->has_value()) source_.reset();
  return job;
}

absl::StatusOr<Job> JobConnection::GetJob(uint64_t, Timeout) { return NotOverridden(); }
absl::StatusOr<std::vector<Job>> JobConnection::ListJobs(Timeout) { return NotOverridden(); }
absl::StatusOr<Job> JobConnection::CancelJob(uint64_t, Timeout) { return NotOverridden(); }
std::unique_ptr<JobWatchSource> JobConnection::WatchJob(WatchJobParams) {
  return std::make_unique<FailedWatch>();
}

absl::StatusOr<JobClient> JobClient::Connect(const ClientOptions& options) {
  auto connection = MakeJobConnection(options);
  if (!connection.ok()) return connection.status();
  return JobClient(*std::move(connection));
}

absl::StatusOr<Job> JobClient::Get(uint64_t id, Timeout timeout) const {
  return connection_->GetJob(id, timeout);
}
absl::StatusOr<std::vector<Job>> JobClient::List(Timeout timeout) const {
  return connection_->ListJobs(timeout);
}
JobWatch JobClient::Watch(WatchJobParams params) const {
  return JobWatch(connection_->WatchJob(params));
}
absl::StatusOr<Job> JobClient::Cancel(uint64_t id, Timeout timeout) const {
  return connection_->CancelJob(id, timeout);
}

absl::StatusOr<Job> JobClient::Wait(uint64_t id, Timeout timeout) const {
  JobWatch watch = Watch({.id = id, .interval = {}, .timeout = timeout});
  Job last;
  while (true) {
    auto job = watch.Next();
    if (!job.ok()) return job.status();
    if (!job->has_value()) break;
    last = **std::move(job);
  }
  if (last.ended()) return last;
  return MakeError(absl::StatusCode::kInternal, Reason::kInternal,
                   "the watch ended before its job did");
}

}  // namespace tarn
