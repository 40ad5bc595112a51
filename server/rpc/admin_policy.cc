#include "server/rpc/admin_policy.h"

#include <algorithm>
#include <utility>

#include "storage/base/error.h"

namespace tarn::server {

absl::Status AdminPolicy::Check(const Peer& peer) const {
  if (peer.locality == Peer::Locality::kLoopback) return absl::OkStatus();
  absl::MutexLock lock(&mutex_);
  const auto listed = [this](const std::string& name) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return std::find(names_.begin(), names_.end(), name) != names_.end();
  };
  if (std::any_of(peer.certificate_names.begin(), peer.certificate_names.end(), listed))
    return absl::OkStatus();
  return base::MakeError(absl::StatusCode::kPermissionDenied, base::Reason::kPermissionDenied,
                         "only loopback peers and certificate names on --admin-names may do this");
}

void AdminPolicy::SetNames(std::vector<std::string> names) {
  absl::MutexLock lock(&mutex_);
  names_ = std::move(names);
}

}  // namespace tarn::server
