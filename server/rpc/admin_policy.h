// Who may change what belongs to all.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "server/rpc/call.h"

namespace tarn::server {

// Loopback peers and callers whose verified certificate bears a name on the list. Thread-safe.
class AdminPolicy {
 public:
  explicit AdminPolicy(std::vector<std::string> names) : names_(std::move(names)) {}

  // PERMISSION_DENIED for everyone else.
  absl::Status Check(const Peer& peer) const;

  void SetNames(std::vector<std::string> names);

 private:
  mutable absl::Mutex mutex_;
  std::vector<std::string> names_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace tarn::server
