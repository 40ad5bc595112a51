#include "client/src/convert_job.h"

#include "client/src/convert_time.h"
#include "client/src/status_mapping.h"

namespace tarn::internal {
namespace {

using google::protobuf::util::TimeUtil;

JobKind FromProto(v1::JobKind kind) {
  switch (kind) {
    case v1::JOB_KIND_CHECKPOINT:
      return JobKind::kCheckpoint;
    case v1::JOB_KIND_VERIFY:
      return JobKind::kVerify;
    case v1::JOB_KIND_RESTORE:
      return JobKind::kRestore;
    case v1::JOB_KIND_IMPORT:
      return JobKind::kImport;
    case v1::JOB_KIND_EXPORT:
      return JobKind::kExport;
    case v1::JOB_KIND_DIFF:
      return JobKind::kDiff;
    default:
      return JobKind::kUnknown;
  }
}

JobState FromProto(v1::JobState state) {
  switch (state) {
    case v1::JOB_STATE_QUEUED:
      return JobState::kQueued;
    case v1::JOB_STATE_RUNNING:
      return JobState::kRunning;
    case v1::JOB_STATE_SUCCEEDED:
      return JobState::kSucceeded;
    case v1::JOB_STATE_FAILED:
      return JobState::kFailed;
    case v1::JOB_STATE_CANCELLED:
      return JobState::kCancelled;
    default:
      return JobState::kUnknown;
  }
}

}  // namespace

Job FromProto(const v1::Job& proto) {
  Job job{.id = proto.id(),
          .kind = FromProto(proto.kind()),
          .subject = proto.subject(),
          .state = FromProto(proto.state()),
          .phase = proto.phase(),
          .entry_count = proto.entry_count(),
          .total_entry_count = proto.total_entry_count(),
          .size_bytes = proto.size_bytes(),
          .entries_per_second = proto.entries_per_second(),
          .bytes_per_second = proto.bytes_per_second(),
          .time_left = {},
          .result = proto.result(),
          .error = FromProto(proto.error()),
          .create_time = ToTimestamp(proto.create_time()),
          .start_time = {},
          .end_time = {}};
  if (proto.has_time_left()) job.time_left = ToMilliseconds(proto.time_left());
  if (proto.has_start_time()) job.start_time = ToTimestamp(proto.start_time());
  if (proto.has_end_time()) job.end_time = ToTimestamp(proto.end_time());
  return job;
}

v1::WatchJobRequest ToRequest(const WatchJobParams& params) {
  v1::WatchJobRequest request;
  request.set_id(params.id);
  if (params.interval.has_value()) {
    *request.mutable_interval() = TimeUtil::MillisecondsToDuration(params.interval->count());
  }
  return request;
}

}  // namespace tarn::internal
