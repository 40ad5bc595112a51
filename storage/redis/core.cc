#include "storage/redis/core.h"

#include <algorithm>
#include <chrono>
#include <limits>
#include <optional>
#include <system_error>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "storage/base/checksum.h"
#include "storage/base/error.h"
#include "storage/receipts.h"
#include "storage/redis/record.h"
#include <asio/post.hpp>
#include <asio/steady_timer.hpp>

namespace tarn::storage::redis {

void Placements::Set(NamespaceId ns, Placement placement) {
  together_[ns].store(placement == Placement::kTogether, std::memory_order_relaxed);
}

Location Placements::Locate(NamespaceId ns, absl::string_view key) const {
  const uint64_t hash = base::Checksum64(key, ns);
  if (ns == kSystemNamespace) {
    const std::optional<ReceiptRoute> route = RouteInReceiptKey(key);
    if (route) return {hash, static_cast<Partition>(*route % kPartitions)};
    return {hash, PartitionOf(Placement::kTogether, ns, key)};
  }
  if (together_[ns].load(std::memory_order_relaxed)) {
    return {hash, PartitionOf(Placement::kTogether, ns, key)};
  }
  return {hash, static_cast<Partition>(hash % kPartitions)};
}

void Core::NoteCommit(Revision revision) {
  // The loop's thread alone writes it.
  if (revision > counters.committed.load(std::memory_order_relaxed)) {
    counters.committed.store(revision, std::memory_order_release);
  }
}

void Core::NoteRights(const Outcome& outcome) {
  const bool forbidden = outcome.action == Action::kNotReady;
  if (!forbidden && outcome.code != absl::StatusCode::kOk) return;
  counters.forbidden.store(forbidden, std::memory_order_relaxed);
}

void Core::BeginClosing() {
  closing = true;
  for (asio::steady_timer* const timer : timers) timer->cancel();
}

std::string GarbagePx(base::UnixMs deadline, base::UnixMs now) {
  if (deadline == base::kNever) return "";
  // Redis adds its own time; 200 years are far from where that ends.
  constexpr int64_t kLongest = int64_t{200} * 365 * 24 * 3600 * 1000;
  if (deadline > now && deadline - now > kLongest) return "";
  return absl::StrCat(std::max<int64_t>(deadline - now, 0) + kGarbageDelayMs);
}

void After(Core& core, int64_t ms, absl::AnyInvocable<void() &&> then) {
  auto timer = std::make_shared<asio::steady_timer>(
      core.context, std::chrono::milliseconds(core.closing ? 0 : ms));
  auto shared = std::make_shared<absl::AnyInvocable<void() &&>>(std::move(then));
  core.timers.insert(timer.get());
  timer->async_wait([&core, timer, shared](std::error_code) {
    core.timers.erase(timer.get());
    std::move (*shared)();
  });
}

absl::Status OnLoop(Core& core, absl::AnyInvocable<void(Told) &&> work) {
  struct Waiter {
    absl::Mutex mutex;
    std::optional<absl::Status> status ABSL_GUARDED_BY(mutex);
  };
  auto waiter = std::make_shared<Waiter>();
  asio::post(core.context, [work = std::move(work), waiter]() mutable {
    std::move(work)([waiter](const absl::Status& status) {
      const absl::MutexLock lock(&waiter->mutex);
      waiter->status = status;
    });
  });
  const absl::MutexLock lock(&waiter->mutex);
  const auto given = [&waiter]()
                         ABSL_NO_THREAD_SAFETY_ANALYSIS { return waiter->status.has_value(); };
  waiter->mutex.Await(absl::Condition(&given));
  return *waiter->status;
}

absl::Status NotOwner() {
  return base::MakeError(absl::StatusCode::kUnavailable, base::Reason::kNotOwner,
                         "another daemon has taken the store; nothing was done");
}

Outcome NoConnection(Leased::Result result, CommandKind kind) {
  Outcome outcome = ClassifyLoss(Sent::kNothing, kind);
  if (result == Leased::Result::kRefused) outcome.action = Action::kReturn;
  return outcome;
}

}  // namespace tarn::storage::redis
