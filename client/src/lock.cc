#include "tarn/lock.h"

#include <unistd.h>

#include <array>
#include <atomic>
#include <random>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/src/since_boot.h"
#include "tarn/error.h"

namespace tarn {
namespace {

absl::Status NotOverridden() {
  return absl::UnimplementedError("this connection does not offer the call");
}

// Tells this process from all others, and each request from the one before.
std::string NextRequestId() {
  static const std::string process = [] {
    std::random_device random;
    return absl::StrCat(absl::Hex(random(), absl::kZeroPad8), absl::Hex(random(), absl::kZeroPad8));
  }();
  static std::atomic<uint64_t> last{0};
  return absl::StrCat(process, "-", ++last);
}

std::string DefaultHolder() {
  std::array<char, 256> host{};
  gethostname(host.data(), host.size() - 1);
  return absl::StrCat(host.data(), "/", getpid());
}

AcquireLockParams ParamsOf(const std::string& ns, std::string name, LockOptions options) {
  if (options.holder.empty()) options.holder = DefaultHolder();
  return {ns, std::move(name), std::move(options), NextRequestId()};
}

}  // namespace

absl::StatusOr<LockGrant> LockConnection::Acquire(const AcquireLockParams&) {
  return NotOverridden();
}
absl::StatusOr<LockGrant> LockConnection::Renew(const std::string&, const std::string&, Revision,
                                                std::chrono::milliseconds, Timeout) {
  return NotOverridden();
}
absl::Status LockConnection::Release(const std::string&, const std::string&, Revision, Timeout) {
  return NotOverridden();
}
absl::StatusOr<LockState> LockConnection::Get(const std::string&, const std::string&) {
  return NotOverridden();
}
absl::StatusOr<std::vector<LockState>> LockConnection::List(const std::string&) {
  return NotOverridden();
}
absl::StatusOr<FormerHolder> LockConnection::ForceRelease(const std::string&, const std::string&,
                                                          Revision) {
  return NotOverridden();
}
absl::StatusOr<Revision> LockConnection::JoinGroup(const std::string&, const std::string&,
                                                   const std::string&) {
  return NotOverridden();
}
absl::StatusOr<std::optional<GroupState>> LockConnection::GetGroup(const std::string&,
                                                                   const std::string&) {
  return NotOverridden();
}
absl::StatusOr<std::vector<GroupState>> LockConnection::ListGroups(const std::string&) {
  return NotOverridden();
}
absl::StatusOr<bool> LockConnection::DeleteGroup(const std::string&, const std::string&) {
  return NotOverridden();
}

absl::StatusOr<LockClient> LockClient::Connect(const ClientOptions& options) {
  auto connection = MakeLockConnection(options);
  if (!connection.ok()) return connection.status();
  return LockClient(*std::move(connection), options.ns);
}

absl::StatusOr<LockGuard> LockClient::Lock(std::string name, LockOptions options,
                                           LockGuard::OnLost on_lost) const {
  const std::chrono::milliseconds ttl = options.ttl;
  const AcquireLockParams params = ParamsOf(ns_, std::move(name), std::move(options));
  auto asked = internal::SinceBoot();
  absl::StatusOr<LockGrant> grant = connection_->Acquire(params);
  if (!grant.ok()) return grant.status();
  const Revision token = grant->token;
  // How old the answer is cannot be told; only that it is younger than the question. After a long
  // wait that says nothing, so another question is asked, which is answered at once.
  if (internal::SinceBoot() - asked > ttl / 2) {
    asked = internal::SinceBoot();
    grant = connection_->Renew(ns_, params.name, token, ttl, {});
    if (!grant.ok()) return grant.status();
  }
  return LockGuard(connection_, ns_, params.name, token, ttl,
                   asked + grant->remaining - internal::SinceBoot(), std::move(on_lost));
}

absl::StatusOr<LockGrant> LockClient::Acquire(std::string name, LockOptions options) const {
  return connection_->Acquire(ParamsOf(ns_, std::move(name), std::move(options)));
}
absl::StatusOr<LockGrant> LockClient::Renew(const std::string& name, Revision token,
                                            std::chrono::milliseconds ttl) const {
  return connection_->Renew(ns_, name, token, ttl, {});
}
absl::Status LockClient::Release(const std::string& name, Revision token) const {
  return connection_->Release(ns_, name, token, {});
}
absl::StatusOr<LockState> LockClient::Get(const std::string& name) const {
  return connection_->Get(ns_, name);
}
absl::StatusOr<std::vector<LockState>> LockClient::List() const { return connection_->List(ns_); }
absl::StatusOr<FormerHolder> LockClient::ForceRelease(const std::string& name,
                                                      Revision token) const {
  return connection_->ForceRelease(ns_, name, token);
}
absl::StatusOr<Revision> LockClient::JoinGroup(const std::string& group,
                                               const std::string& member) const {
  return connection_->JoinGroup(ns_, group, member);
}
absl::StatusOr<std::optional<GroupState>> LockClient::GetGroup(const std::string& group) const {
  return connection_->GetGroup(ns_, group);
}
absl::StatusOr<std::vector<GroupState>> LockClient::ListGroups() const {
  return connection_->ListGroups(ns_);
}
absl::StatusOr<bool> LockClient::DeleteGroup(const std::string& group) const {
  return connection_->DeleteGroup(ns_, group);
}

}  // namespace tarn
