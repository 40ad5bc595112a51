// The LockConnection to a server.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "client/src/caller.h"
#include "client/src/world.h"
#include "tarn/lock.h"
#include "tarn/v1/lock.grpc.pb.h"

namespace tarn::internal {

// Thread-safe; constant after construction.
class GrpcLockConnection : public LockConnection {
 public:
  GrpcLockConnection(const std::shared_ptr<grpc::ChannelInterface>& channel,
                     const ClientOptions& options, World world);

  absl::StatusOr<LockGrant> Acquire(const AcquireLockParams& params) override;
  absl::StatusOr<LockGrant> Renew(const std::string& ns, const std::string& name, Revision token,
                                  std::chrono::milliseconds ttl, Timeout timeout) override;
  absl::Status Release(const std::string& ns, const std::string& name, Revision token,
                       Timeout timeout) override;
  absl::StatusOr<LockState> Get(const std::string& ns, const std::string& name) override;
  absl::StatusOr<std::vector<LockState>> List(const std::string& ns) override;
  absl::StatusOr<FormerHolder> ForceRelease(const std::string& ns, const std::string& name,
                                            Revision token) override;
  absl::StatusOr<Revision> JoinGroup(const std::string& ns, const std::string& group,
                                     const std::string& member) override;
  absl::StatusOr<std::optional<GroupState>> GetGroup(const std::string& ns,
                                                     const std::string& group) override;
  absl::StatusOr<std::vector<GroupState>> ListGroups(const std::string& ns) override;
  absl::StatusOr<bool> DeleteGroup(const std::string& ns, const std::string& group) override;

 private:
  template <typename Method>
  absl::StatusOr<typename Method::Response> Read(const char* name,
                                                 const typename Method::Request& request) const;
  template <typename Method>
  absl::StatusOr<typename Method::Response> Write(const char* name,
                                                  const typename Method::Request& request,
                                                  Timeout timeout = {}) const;

  const std::unique_ptr<v1::LockService::Stub> stub_;
  const Caller caller_;
};

}  // namespace tarn::internal
