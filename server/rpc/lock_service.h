// LockService: what each call of tarn/v1/lock.proto does.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "server/rpc/admin_policy.h"
#include "server/rpc/call.h"
#include "server/rpc/gate.h"
#include "storage/store.h"
#include "tarn/v1/lock.pb.h"

namespace tarn::server {

// Thread-safe, as StateService is.
class LockService {
 public:
  LockService(Gate& gate, const AdminPolicy& policy, size_t max_page_size)
      : gate_(gate), policy_(policy), max_page_size_(max_page_size) {}

  void AcquireLock(WaitingCall<tarn::v1::AcquireLockRequest, tarn::v1::AcquireLockResponse>& call);
  void RenewLock(UnaryCall<tarn::v1::RenewLockRequest, tarn::v1::RenewLockResponse>& call);
  void ReleaseLock(UnaryCall<tarn::v1::ReleaseLockRequest, tarn::v1::ReleaseLockResponse>& call);
  void GetLock(UnaryCall<tarn::v1::GetLockRequest, tarn::v1::GetLockResponse>& call);
  void ListLocks(UnaryCall<tarn::v1::ListLocksRequest, tarn::v1::ListLocksResponse>& call);
  void ForceReleaseLock(
      UnaryCall<tarn::v1::ForceReleaseLockRequest, tarn::v1::ForceReleaseLockResponse>& call);

  void JoinGroup(UnaryCall<tarn::v1::JoinGroupRequest, tarn::v1::JoinGroupResponse>& call);
  void GetGroup(UnaryCall<tarn::v1::GetGroupRequest, tarn::v1::GetGroupResponse>& call);
  void ListGroups(UnaryCall<tarn::v1::ListGroupsRequest, tarn::v1::ListGroupsResponse>& call);
  void DeleteGroup(UnaryCall<tarn::v1::DeleteGroupRequest, tarn::v1::DeleteGroupResponse>& call);

  // Ends the calls that wait for locks: they would keep the server from stopping. Once the gate
  // drains.
  void Drain();

 private:
  // The locks; null when the call has been refused.
  template <typename AnyCall>
  storage::Locks* Admit(AnyCall& call) const;
  template <typename AnyCall>
  storage::Locks* AdmitAdmin(AnyCall& call) const;

  Gate& gate_;
  const AdminPolicy& policy_;
  const size_t max_page_size_;
  std::atomic<storage::WaitId> last_wait_{0};
};

}  // namespace tarn::server
