// What becomes of a lock: one record is written at a time, and what follows from it is decided
// here.
#include <algorithm>
#include <deque>
#include <memory>

#include "storage/base/error.h"
#include "storage/base/logging.h"
#include "storage/locks/lock_errors.h"
#include "storage/locks/lock_table.h"
#include "storage/system_records.h"

namespace tarn::storage {
namespace {

// Until a record that could not be written is tried again.
constexpr int64_t kRestMs = 1000;
// Bounds how long the timers keep a shard's locks to themselves.
constexpr int kTimersAtATime = 64;

}  // namespace

void LockAfterwards::Run() && {
  thread_local std::deque<Act>* running = nullptr;
  std::deque<Act> own;
  std::deque<Act>& queue = running != nullptr ? *running : own;
  for (Act& act : acts_) queue.push_back(std::move(act));
  if (running != nullptr) return;
  running = &own;
  while (!own.empty()) {
    Act act = std::move(own.front());
    own.pop_front();
    std::move(act)();
  }
  running = nullptr;
}

// Looks at a lock after anything about it has changed, and begins what is to be done next. May
// forget the lock.
void LockTable::Step(Shard& shard, LockEntry& lock, LockAfterwards& after) {
  if (lock.writing) return;
  const base::UnixMs now = dependencies_.clock.Now();
  RefuseWhatDoesNotFit(lock, now, after);
  const bool raised = lock.kind == LockKind::kGroup && !lock.queue.empty();
  lock.ending = lock.held && (lock.IsOver(now) || !lock.endings.empty() || raised);
  if (lock.held && !lock.ending) {
    const base::UnixMs deadline = lock.grant.deadline;
    if (!lock.timer && deadline != base::kNever) ArmLock(shard, lock, deadline);
    if (!lock.renewals.empty()) BeginRenewal(shard, lock, after);
    return;
  }
  if (lock.inside > 0) return;
  if (!lock.queue.empty() && !lock.resting) return BeginGrant(shard, lock, after);
  const bool has_record = lock.held || lock.stray_record;
  if (has_record && (!lock.resting || !lock.endings.empty()))
    return BeginRemoval(shard, lock, after);
  if (lock.IsIdle()) Forget(shard, lock);
}

void LockTable::RefuseWhatDoesNotFit(LockEntry& lock, base::UnixMs now, LockAfterwards& after) {
  const bool lives = lock.held && !lock.IsOver(now);
  const auto refuse = [&](auto& one) {
    after.Tell(std::move(one.done),
               lives ? LockHeldByAnother(lock.name, lock.grant.holder, " under another token")
                     : LockNotHeld(lock.name));
  };
  const auto drop = [&](auto& all) {
    auto given = std::exchange(all, {});
    for (auto& one : given) {
      const bool fits = lives && (one.token == 0 || one.token == lock.grant.token);
      if (!one.fits && !fits) {
        refuse(one);
        continue;
      }
      one.fits = true;
      all.push_back(std::move(one));
    }
  };
  drop(lock.endings);
  for (LockRenewal& renewal : lock.renewals) renewal.fits = false;  // Judged anew each time.
  drop(lock.renewals);
}

void LockTable::Forget(Shard& shard, LockEntry& lock) {
  DisarmLock(shard, lock);
  (lock.kind == LockKind::kGroup ? counts_.groups : counts_.locks)
      .fetch_sub(1, std::memory_order_relaxed);
  shard.locks.erase(shard.locks.find(NameOf(lock)));
}

// --- the record ---

void LockTable::Write(Shard& shard, LockEntry& lock, std::optional<LockRecord> record, Written then,
                      LockAfterwards& after) {
  lock.writing = true;
  auto done = [this, &shard, &lock, then = std::move(then),
               token = Outstanding::Token(writes_)](absl::StatusOr<Revision> written) mutable {
    if (!absl::IsUnknown(written.status())) return Resume(shard, lock, written, std::move(then));
    dependencies_.engine.WhenSettled(
        [this, &shard, &lock, written, then = std::move(then), token = std::move(token)]() mutable {
          Resume(shard, lock, written, std::move(then));
        });
  };
  std::string key = LockKey(lock.kind, lock.ns, lock.name);
  std::string value = record ? EncodeLockRecord(*record) : "";
  after.Add([this, is_removal = !record.has_value(), key = std::move(key), value = std::move(value),
             done = std::move(done)]() mutable {
    Engine& engine = dependencies_.engine;
    if (is_removal) return DeleteSystemRecord(engine, std::move(key), {}, std::move(done));
    WriteSystemRecord(engine, std::move(key), std::move(value), {}, std::move(done));
  });
}

void LockTable::Resume(Shard& shard, LockEntry& lock, const absl::StatusOr<Revision>& written,
                       Written then) {
  if (!written.ok()) {
    base::LogWarning("the record of a lock could not be written: ", written.status().message());
  }
  LockAfterwards after;
  {
    const absl::MutexLock guard(&shard.mutex);
    lock.writing = false;
    std::move(then)(written, after);
    Step(shard, lock, after);
  }
  std::move(after).Run();
}

void LockTable::Rest(Shard& shard, LockEntry& lock) {
  lock.resting = true;
  ArmLock(shard, lock, dependencies_.clock.Now() + kRestMs);
}

// --- a grant ---

// Its record takes the place of the old grant's, if there was one.
void LockTable::BeginGrant(Shard& shard, LockEntry& lock, LockAfterwards& after) {
  lock.granting.splice(lock.granting.end(), lock.queue, lock.queue.begin());
  LockWaiter& waiter = lock.granting.front();
  if (waiter.timer) shard.timers.erase(*std::exchange(waiter.timer, std::nullopt));
  counts_.waiting.fetch_sub(1, std::memory_order_relaxed);
  LockRecord record{.holder = waiter.holder,
                    .request_id = waiter.request_id,
                    .acquire_time = dependencies_.clock.Now()};
  SetDeadline(record, waiter.ttl_ms);
  lock.answered = std::exchange(lock.endings, {});
  Written then = [this, &shard, &lock, record](const absl::StatusOr<Revision>& written,
                                               LockAfterwards& later) mutable {
    shard.mutex.AssertHeld();
    Granted(shard, lock, std::move(record), written, later);
  };
  Write(shard, lock, std::move(record), std::move(then), after);
}

void LockTable::Granted(Shard& shard, LockEntry& lock, LockRecord record,
                        const absl::StatusOr<Revision>& written, LockAfterwards& after) {
  const auto place = lock.granting.begin();
  LockWaiter waiter = std::move(*place);
  Unlist(shard, waiter);
  lock.granting.clear();
  if (!written.ok()) {
    after.Tell(std::move(waiter.done), written.status());
    if (absl::IsUnknown(written.status())) {
      EndOldGrant(shard, lock, written.status(), after);
      lock.stray_record = true;
    } else {  // The old grant is still to end, by itself.
      std::move(lock.answered.begin(), lock.answered.end(), std::back_inserter(lock.endings));
      lock.answered.clear();
    }
    return Rest(shard, lock);
  }
  EndOldGrant(shard, lock, absl::OkStatus(), after);
  record.token = *written;
  TakeGrant(shard, lock, std::move(record), after);
  if (!waiter.done) {
    lock.endings.push_back({.cause = LockEnding::Cause::kGivenUp, .token = lock.grant.token});
  } else if (lock.IsOver(dependencies_.clock.Now())) {
    after.Tell(std::move(waiter.done), LockNotHeld(lock.name));
  } else {
    after.Tell(std::move(waiter.done), GrantOf(lock.grant));
  }
}

void LockTable::TakeGrant(Shard& shard, LockEntry& lock, LockRecord record,
                          LockAfterwards& /*after*/) {
  const bool group = lock.kind == LockKind::kGroup;
  (group ? counts_.joined : counts_.acquired).fetch_add(1, std::memory_order_relaxed);
  if (!group) counts_.held.fetch_add(1, std::memory_order_relaxed);
  lock.held = true;
  lock.stray_record = false;
  lock.resting = false;
  lock.grant = std::move(record);
  if (lock.grant.deadline != base::kNever) ArmLock(shard, lock, lock.grant.deadline);
}

// --- a renewal ---

void LockTable::BeginRenewal(Shard& shard, LockEntry& lock, LockAfterwards& after) {
  LockRenewal renewal = std::move(lock.renewals.front());
  lock.renewals.erase(lock.renewals.begin());
  LockRecord record = lock.grant;
  SetDeadline(record, renewal.ttl_ms);
  Written then = [this, &shard, &lock, record, done = std::move(renewal.done)](
                     const absl::StatusOr<Revision>& written, LockAfterwards& later) mutable {
    shard.mutex.AssertHeld();
    Renewed(shard, lock, std::move(record), std::move(done), written.status(), later);
  };
  Write(shard, lock, std::move(record), std::move(then), after);
}

void LockTable::Renewed(Shard& shard, LockEntry& lock, LockRecord record, Done<LockGrant> done,
                        const absl::Status& written, LockAfterwards& after) {
  if (!written.ok()) return after.Tell(std::move(done), written);
  lock.grant = std::move(record);
  ArmLock(shard, lock, lock.grant.deadline);
  if (lock.IsOver(dependencies_.clock.Now()))
    after.Tell(std::move(done), LockNotHeld(lock.name));
  else
    after.Tell(std::move(done), GrantOf(lock.grant));
}

// --- the end ---

void LockTable::BeginRemoval(Shard& shard, LockEntry& lock, LockAfterwards& after) {
  lock.answered = std::exchange(lock.endings, {});
  Written then = [this, &shard, &lock](const absl::StatusOr<Revision>& written,
                                       LockAfterwards& later) {
    shard.mutex.AssertHeld();
    Removed(shard, lock, written.status(), later);
  };
  Write(shard, lock, std::nullopt, std::move(then), after);
}

void LockTable::Removed(Shard& shard, LockEntry& lock, const absl::Status& written,
                        LockAfterwards& after) {
  if (written.ok() || absl::IsUnknown(written)) {
    EndOldGrant(shard, lock, written, after);
    lock.stray_record = !written.ok();
  } else {
    AnswerEndings(lock, written, after);
  }
  if (!written.ok()) Rest(shard, lock);
}

void LockTable::EndOldGrant(Shard& shard, LockEntry& lock, const absl::Status& status,
                            LockAfterwards& after) {
  const bool expired = lock.held && lock.answered.empty() && lock.kind == LockKind::kLock;
  AnswerEndings(lock, status, after);
  if (!lock.held) return;
  if (expired) counts_.expired.fetch_add(1, std::memory_order_relaxed);
  if (lock.kind == LockKind::kLock) counts_.held.fetch_sub(1, std::memory_order_relaxed);
  lock.held = false;
  lock.ending = false;
  if (!lock.resting) DisarmLock(shard, lock);
}

void LockTable::AnswerEndings(LockEntry& lock, const absl::Status& status, LockAfterwards& after) {
  for (LockEnding& ending : lock.answered) {
    if (!status.ok()) {
      after.Tell(std::move(ending.done), status);
      continue;
    }
    if (ending.cause == LockEnding::Cause::kReleased) ++counts_.released;
    if (ending.cause == LockEnding::Cause::kForced) ++counts_.forced;
    after.Tell(std::move(ending.done), FormerHolder{lock.grant.holder, lock.grant.token});
  }
  lock.answered.clear();
}

// --- waiters ---

void LockTable::Unlist(Shard& shard, const LockWaiter& waiter) {
  if (waiter.wait_id != 0) shard.waiting.erase(waiter.wait_id);
  if (waiter.request_hash != 0) shard.requests.erase(waiter.request_hash);
}

LockWaiter LockTable::TakeOut(Shard& shard, LockEntry& lock, LockQueue::iterator place) {
  LockWaiter waiter = std::move(*place);
  if (waiter.timer) shard.timers.erase(*waiter.timer);
  Unlist(shard, waiter);
  lock.queue.erase(place);
  counts_.waiting.fetch_sub(1, std::memory_order_relaxed);
  return waiter;
}

LockGrant LockTable::GrantOf(const LockRecord& record) const {
  return {.token = record.token,
          .expire_time = record.deadline,
          .remaining_ms = std::max<int64_t>(record.deadline - dependencies_.clock.Now(), 0)};
}

void LockTable::SetDeadline(LockRecord& record, int64_t ttl_ms) const {
  if (ttl_ms == 0) return;
  record.deadline = dependencies_.clock.Now() + ttl_ms;
  record.boot_id = boot_id_;
  record.deadline_since_boot_ms = dependencies_.boot.SinceBootMs() + ttl_ms;
}

// --- time ---

LockTimer LockTable::Arm(Shard& shard, LockTimer timer, LockQueue::iterator waiter) {
  timer.number = ++shard.last_timer;
  shard.timers.insert({timer, waiter});
  if (timer.when < next_wake_.load(std::memory_order_seq_cst)) alarm_->Ring();
  return timer;
}

void LockTable::ArmLock(Shard& shard, LockEntry& lock, base::UnixMs when) {
  DisarmLock(shard, lock);
  lock.timer = Arm(shard, {.when = when, .lock = &lock}, {});
}

void LockTable::DisarmLock(Shard& shard, LockEntry& lock) {
  if (lock.timer) shard.timers.erase(*std::exchange(lock.timer, std::nullopt));
}

void LockTable::Fire(Shard& shard, const LockTimer& timer, LockQueue::iterator waiter,
                     LockAfterwards& after) {
  LockEntry& lock = *timer.lock;
  if (timer.of_waiter) {
    counts_.timed_out.fetch_add(1, std::memory_order_relaxed);
    const absl::string_view holder = lock.held ? absl::string_view(lock.grant.holder) : "";
    after.Tell(TakeOut(shard, lock, waiter).done,
               LockHeldByAnother(lock.name, holder, "; it was not free in time"));
  } else {
    DisarmLock(shard, lock);
    lock.resting = false;
  }
  Step(shard, lock, after);
}

void LockTable::RunTimers() {
  for (Shard& shard : *shards_) {
    bool more = true;
    while (more) {
      LockAfterwards after;
      {
        const absl::MutexLock guard(&shard.mutex);
        const base::UnixMs now = dependencies_.clock.Now();
        const auto is_due = [&] {
          shard.mutex.AssertHeld();
          return !shard.timers.empty() && shard.timers.begin()->first.when <= now;
        };
        for (int i = 0; i < kTimersAtATime && is_due(); ++i) {
          const auto [timer, waiter] = *shard.timers.begin();
          Fire(shard, timer, waiter, after);
        }
        more = is_due();
      }
      std::move(after).Run();
    }
  }
}

// Whoever arms a timer meanwhile rings: by the old time, or because there is none.
std::optional<int64_t> LockTable::UntilNext() {
  next_wake_.store(kFarAway, std::memory_order_seq_cst);
  base::UnixMs next = kFarAway;
  for (Shard& shard : *shards_) {
    const absl::MutexLock guard(&shard.mutex);
    if (!shard.timers.empty()) next = std::min(next, shard.timers.begin()->first.when);
  }
  next_wake_.store(next, std::memory_order_seq_cst);
  if (next == kFarAway) return std::nullopt;
  return next - dependencies_.clock.Now();
}

void LockTable::WatchTime() {
  while (!stopping_.load()) {
    alarm_->Wait(UntilNext());
    RunTimers();
  }
}

}  // namespace tarn::storage
