// A LockConnection to a FakeStore.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tarn/lock.h"
#include "tarn/testing/fake_store.h"

namespace tarn::testing {

// The locks and groups whose tokens and epochs the store's writes are checked against. Grants end
// by the store's time, which the test moves. Nobody waits: a lock that is not free is
// LOCK_HELD_BY_ANOTHER at once, however long the request would wait. Thread-safe.
//
//   tarn::LockClient locks(std::make_shared<tarn::testing::FakeLockConnection>(store));
class FakeLockConnection : public LockConnection {
 public:
  explicit FakeLockConnection(std::shared_ptr<FakeStore> store) : store_(std::move(store)) {}

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
  const std::shared_ptr<FakeStore> store_;
};

}  // namespace tarn::testing
