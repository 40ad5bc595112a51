// JobService: what each call of tarn/v1/job.proto does.
#pragma once

#include <memory>

#include "server/rpc/admin_policy.h"
#include "server/rpc/call.h"
#include "server/rpc/checkpoint_door.h"
#include "server/rpc/job_watches.h"
#include "storage/base/clock.h"
#include "tarn/v1/job.pb.h"

namespace tarn::server {

// Thread-safe, as StateService is. Answers while the server drains too.
class JobService {
 public:
  JobService(const CheckpointDoor& door, const AdminPolicy& policy, const base::Clock& clock)
      : door_(door), policy_(policy), watches_({}, clock) {}

  void GetJob(UnaryCall<tarn::v1::GetJobRequest, tarn::v1::GetJobResponse>& call);
  void ListJobs(UnaryCall<tarn::v1::ListJobsRequest, tarn::v1::ListJobsResponse>& call);
  void CancelJob(UnaryCall<tarn::v1::CancelJobRequest, tarn::v1::CancelJobResponse>& call);

  std::unique_ptr<StreamHandler> WatchJob(const tarn::v1::WatchJobRequest& request,
                                          ResponseStream<tarn::v1::WatchJobResponse>& stream);

 private:
  // UNAVAILABLE; JOB_NOT_FOUND where there are no jobs at all.
  absl::StatusOr<checkpoint::JobRegistry*> Jobs(checkpoint::JobId id) const;

  const CheckpointDoor& door_;
  const AdminPolicy& policy_;
  JobWatches watches_;
};

}  // namespace tarn::server
