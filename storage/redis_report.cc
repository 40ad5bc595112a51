#include "storage/redis_report.h"

#include <array>

namespace tarn::storage::redis {
namespace {

struct Named {
  Event event;
  absl::string_view name;
};
constexpr std::array kNames = {
    Named{Event::kReply, "reply"},
    Named{Event::kMoved, "MOVED"},
    Named{Event::kAsk, "ASK"},
    Named{Event::kTryAgain, "TRYAGAIN"},
    Named{Event::kClusterDown, "CLUSTERDOWN"},
    Named{Event::kMasterDown, "MASTERDOWN"},
    Named{Event::kLoading, "LOADING"},
    Named{Event::kBusy, "BUSY"},
    Named{Event::kMaxClients, "max clients"},
    Named{Event::kReadOnly, "READONLY"},
    Named{Event::kNoReplicas, "NOREPLICAS"},
    Named{Event::kMisconfigured, "MISCONF"},
    Named{Event::kOutOfMemory, "OOM"},
    Named{Event::kNoScript, "NOSCRIPT"},
    Named{Event::kCrossSlot, "CROSSSLOT"},
    Named{Event::kNoAuth, "NOAUTH"},
    Named{Event::kWrongPassword, "WRONGPASS"},
    Named{Event::kNoPermission, "NOPERM"},
    Named{Event::kScriptError, "script error"},
    Named{Event::kNotReplicated, "not replicated"},
    Named{Event::kQueueFull, "too many requests wait"},
    Named{Event::kLostUnsent, "no connection"},
    Named{Event::kLostSent, "connection lost"},
    Named{Event::kUnexpected, "unexpected reply"},
};

constexpr std::array<absl::string_view, kSnapshotEnds> kEndNames = {
    "made_room", "too_old", "node_changed", "answer_lost", "untold", "closing"};

}  // namespace

absl::string_view EventName(Event event) {
  for (const Named& named : kNames) {
    if (named.event == event) return named.name;
  }
  return "";
}

absl::string_view SnapshotEndName(SnapshotEnd end) { return kEndNames[static_cast<size_t>(end)]; }

}  // namespace tarn::storage::redis

namespace tarn::storage {

absl::string_view Name(redis::Topology topology) {
  switch (topology) {
    case redis::Topology::kStandalone:
      return "standalone";
    case redis::Topology::kSentinel:
      return "sentinel";
    case redis::Topology::kCluster:
      return "cluster";
  }
  return "";
}

absl::string_view Name(RedisOwnership ownership) {
  switch (ownership) {
    case RedisOwnership::kConnecting:
      return "connecting";
    case RedisOwnership::kStandby:
      return "standby";
    case RedisOwnership::kOwner:
      return "owner";
    case RedisOwnership::kDeposed:
      return "deposed";
    case RedisOwnership::kStoreLost:
      return "store_lost";
  }
  return "";
}

absl::string_view Name(redis::BreakerState state) {
  switch (state) {
    case redis::BreakerState::kClosed:
      return "closed";
    case redis::BreakerState::kOpen:
      return "open";
    case redis::BreakerState::kHalfOpen:
      return "half_open";
  }
  return "";
}

absl::string_view WhyUnusable(const RedisReport& report) {
  if (report.ownership == RedisOwnership::kDeposed) return "another tarnd has taken the store";
  if (report.ownership == RedisOwnership::kStoreLost) return "Redis came back without the store";
  if (report.forbidden) return "Redis refuses this tarnd's user a command that it needs";
  for (const RedisNodeReport& node : report.nodes) {
    if (node.stats.partitions > 0 && node.stats.pool.open == 0) return "Redis cannot be reached";
  }
  return "";
}

std::optional<RedisReport> RedisMonitor::Read() const {
  absl::MutexLock lock(&mutex_);
  if (!read_) return std::nullopt;
  return read_();
}

void RedisMonitor::Attach(std::function<RedisReport()> read) {
  absl::MutexLock lock(&mutex_);
  read_ = std::move(read);
}

void RedisMonitor::Detach() {
  absl::MutexLock lock(&mutex_);
  read_ = nullptr;
}

}  // namespace tarn::storage
