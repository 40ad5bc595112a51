#include "server/rpc/job_service.h"

#include "absl/strings/str_cat.h"
#include "server/rpc/checkpoint_messages.h"
#include "server/rpc/errors.h"
#include "server/rpc/refused_stream.h"
#include "storage/base/error.h"
#include "storage/base/status.h"

namespace tarn::server {
namespace {

using checkpoint::JobInfo;
using checkpoint::JobRegistry;

template <typename AnyUnaryCall>
void Answer(const absl::StatusOr<JobInfo>& job, AnyUnaryCall& call) {
  if (!job.ok()) return call.Fail(ToWire(job.status()));
  Fill(*job, *call.response().mutable_job());
  call.Finish();
}

}  // namespace

absl::StatusOr<JobRegistry*> JobService::Jobs(checkpoint::JobId id) const {
  TARN_ASSIGN_OR_RETURN(CheckpointControl* const control, door_.Look());
  if (control != nullptr) return &control->jobs();
  return base::MakeError(absl::StatusCode::kNotFound, base::Reason::kJobNotFound,
                         absl::StrCat("there is no job ", id));
}

void JobService::GetJob(UnaryCall<tarn::v1::GetJobRequest, tarn::v1::GetJobResponse>& call) {
  const absl::StatusOr<JobRegistry*> jobs = Jobs(call.request().id());
  Answer(jobs.ok() ? (*jobs)->Get(call.request().id()) : jobs.status(), call);
}

void JobService::ListJobs(UnaryCall<tarn::v1::ListJobsRequest, tarn::v1::ListJobsResponse>& call) {
  const absl::StatusOr<CheckpointControl*> control = door_.Look();
  if (!control.ok()) return call.Fail(ToWire(control.status()));
  if (*control == nullptr) return call.Finish();
  for (const JobInfo& job : (*control)->jobs().List()) Fill(job, *call.response().add_jobs());
  call.Finish();
}

void JobService::CancelJob(
    UnaryCall<tarn::v1::CancelJobRequest, tarn::v1::CancelJobResponse>& call) {
  const absl::Status allowed = policy_.Check(call.peer());
  if (!allowed.ok()) return call.Fail(ToWire(allowed));
  const uint64_t id = call.request().id();
  const absl::StatusOr<JobRegistry*> jobs = Jobs(id);
  const absl::Status cancelled = jobs.ok() ? (*jobs)->Cancel(id) : jobs.status();
  Answer(cancelled.ok() ? (*jobs)->Get(id) : cancelled, call);
}

std::unique_ptr<StreamHandler> JobService::WatchJob(
    const tarn::v1::WatchJobRequest& request, ResponseStream<tarn::v1::WatchJobResponse>& stream) {
  const absl::StatusOr<absl::Duration> interval = ToInterval(request);
  if (!interval.ok()) return Refused(stream, interval.status());
  const absl::StatusOr<JobRegistry*> jobs = Jobs(request.id());
  if (!jobs.ok()) return Refused(stream, jobs.status());
  return watches_.Watch(**jobs, {request.id(), *interval}, stream);
}

}  // namespace tarn::server
