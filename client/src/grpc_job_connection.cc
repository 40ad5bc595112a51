#include "client/src/grpc_job_connection.h"

#include <utility>

#include "client/src/channel.h"
#include "client/src/convert_job.h"
#include "client/src/server_stream.h"
#include "tarn/error.h"

namespace tarn {
namespace internal {
namespace {

using Stub = v1::JobService::Stub;
using GetMethod = StubMethod<Stub, v1::GetJobRequest, v1::GetJobResponse, &Stub::GetJob>;
using ListMethod = StubMethod<Stub, v1::ListJobsRequest, v1::ListJobsResponse, &Stub::ListJobs>;
using CancelMethod =
    StubMethod<Stub, v1::CancelJobRequest, v1::CancelJobResponse, &Stub::CancelJob>;

class GrpcJobWatch : public JobWatchSource {
 public:
  GrpcJobWatch(std::shared_ptr<Stub> stub, const WatchJobParams& params,
               std::shared_ptr<const Caller> caller)
      : settings_(caller->StreamSettings(params.timeout)),
        stream_([stub = std::move(stub), request = ToRequest(params)](
                    grpc::ClientContext* context) { return stub->WatchJob(context, request); },
                settings_,
                [caller, deadline = settings_.deadline] {
                  return caller->MakeRetrier(ReadCall("WatchJob"), deadline);
                },
                Reopening::kAlways) {}

  absl::StatusOr<std::optional<Job>> Next() override {
    if (ended_) return std::nullopt;
    const auto response = stream_.Next();
    if (!response.ok()) return response.status();
    if (!response->has_value()) return std::nullopt;
    Job job = FromProto((*response)->job());
    // A restarted server counts its jobs from 1 again.
    if (seen_.has_value() && *seen_ != job.create_time) {
      return MakeError(absl::StatusCode::kNotFound, Reason::kJobNotFound,
                       "WatchJob: the server was restarted, and the job ended with it");
    }
    seen_ = job.create_time;
    ended_ = job.ended();
    return std::optional<Job>(std::move(job));
  }

 private:
  const CallSettings settings_;
  ServerStream<v1::WatchJobResponse> stream_;
  std::optional<Timestamp> seen_;  // When the job was created.
  bool ended_ = false;
};

}  // namespace

GrpcJobConnection::GrpcJobConnection(const std::shared_ptr<grpc::ChannelInterface>& channel,
                                     const ClientOptions& options, World world)
    : stub_(v1::JobService::NewStub(channel)),
      caller_(std::make_shared<Caller>(options, std::move(world))) {}

absl::StatusOr<Job> GrpcJobConnection::GetJob(uint64_t id, Timeout timeout) {
  v1::GetJobRequest request;
  request.set_id(id);
  const auto response =
      caller_->Run<GetMethod>(*stub_, request, ReadCall("GetJob"), caller_->DeadlineOf(timeout));
  if (!response.ok()) return response.status();
  return FromProto(response->job());
}

absl::StatusOr<std::vector<Job>> GrpcJobConnection::ListJobs(Timeout timeout) {
  const auto response =
      caller_->Run<ListMethod>(*stub_, {}, ReadCall("ListJobs"), caller_->DeadlineOf(timeout));
  if (!response.ok()) return response.status();
  std::vector<Job> jobs;
  for (const v1::Job& job : response->jobs()) jobs.push_back(FromProto(job));
  return jobs;
}

absl::StatusOr<Job> GrpcJobConnection::CancelJob(uint64_t id, Timeout timeout) {
  v1::CancelJobRequest request;
  request.set_id(id);
  const auto response =
      caller_->Run<CancelMethod>(*stub_, request, WriteCall("CancelJob", Idempotency::kIdempotent),
                                 caller_->DeadlineOf(timeout));
  if (!response.ok()) return response.status();
  return FromProto(response->job());
}

std::unique_ptr<JobWatchSource> GrpcJobConnection::WatchJob(WatchJobParams params) {
  return std::make_unique<GrpcJobWatch>(stub_, params, caller_);
}

}  // namespace internal

absl::StatusOr<std::shared_ptr<JobConnection>> MakeJobConnection(const ClientOptions& options) {
  auto channel = internal::MakeChannel(options);
  if (!channel.ok()) return channel.status();
  return std::make_shared<internal::GrpcJobConnection>(*std::move(channel), options,
                                                       internal::RealWorld());
}

}  // namespace tarn
