#include "checkpoint/scheduler.h"

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/synchronization/notification.h"
#include "tests/catch.h"
#include "tests/checkpoint/world.h"
#include "tests/support/status.h"

namespace tarn::checkpoint {
namespace {

using testing::Brief;
using testing::kStart;
using testing::Value;

// --- when they are due ---

constexpr int64_t kSecond = 1'000'000'000;

TEST_CASE("ticks come an interval apart, however long each takes") {
  Pacing pacing({}, 100 * kSecond);
  CHECK(pacing.due() == 110 * kSecond);
  pacing.Ran(110 * kSecond, 113 * kSecond);
  CHECK(pacing.due() == 120 * kSecond);
  pacing.Ran(120 * kSecond + 7, 121 * kSecond);
  CHECK(pacing.due() == 130 * kSecond);
}

TEST_CASE("the pause after one is at least a second") {
  Pacing pacing({.interval = absl::Seconds(1)}, 0);
  pacing.Ran(1 * kSecond, 1 * kSecond + 10);
  CHECK(pacing.due() == 2 * kSecond + 10);
}

TEST_CASE(
    "the pause after one is at least as long as that one took, and a late tick runs when it is "
    "over") {
  Pacing pacing({}, 0);
  pacing.Ran(10 * kSecond, 22 * kSecond);
  CHECK(pacing.due() == 34 * kSecond);
  pacing.Ran(34 * kSecond, 35 * kSecond);
  CHECK(pacing.due() == 40 * kSecond);
  pacing.Ran(40 * kSecond, 46 * kSecond);
  CHECK(pacing.due() == 52 * kSecond);
}

TEST_CASE("ticks that were missed are made up for by one") {
  Pacing pacing({}, 0);
  pacing.Ran(100 * kSecond, 101 * kSecond);
  CHECK(pacing.due() == 110 * kSecond);
}

TEST_CASE("one that was requested between two ticks moves the next only by its pause") {
  Pacing pacing({}, 0);
  pacing.Ran(13 * kSecond, 14 * kSecond);
  CHECK(pacing.due() == 20 * kSecond);
  pacing.Ran(15 * kSecond, 19 * kSecond);
  CHECK(pacing.due() == 23 * kSecond);
}

TEST_CASE("without an interval none is ever due") {
  Pacing pacing({.interval = absl::InfiniteDuration()}, 5);
  CHECK(pacing.due() == INT64_MAX);
  pacing.Ran(10, 20);
  CHECK(pacing.due() == INT64_MAX);
}

// --- that they are made ---

// Lets time pass at once, as far as it is told.
class VirtualWaiter final : public Waiter {
 public:
  explicit VirtualWaiter(base::ManualClock& clock)
      : clock_(clock), limit_(clock.MonotonicNanos()) {}

  void WaitUntil(absl::Mutex& mutex, const absl::Condition& news,
                 int64_t until) override ABSL_NO_THREAD_SAFETY_ANALYSIS {
    mutex.Unlock();
    const bool released = Pass(until);
    mutex.Lock();
    if (released) mutex.Await(news);
  }

  // Returns when it has become `time` and nothing more is to be done.
  void RunUntil(int64_t time) {
    const absl::MutexLock lock(&mutex_);
    limit_ = time;
    mutex_.Await(absl::Condition(this, &VirtualWaiter::IsIdle));
  }

  // News has come.
  void Poke() {
    const absl::MutexLock lock(&mutex_);
    poked_ = true;
  }

  // News has come, and nothing but waiting follows from it.
  void PokeAndSettle() {
    const absl::MutexLock lock(&mutex_);
    poked_ = true;
    mutex_.Await(absl::Condition(this, &VirtualWaiter::IsIdle));
  }

  // From now on only news counts.
  void Release() {
    const absl::MutexLock lock(&mutex_);
    released_ = true;
  }

 private:
  bool Pass(int64_t until) {
    const absl::MutexLock lock(&mutex_);
    waits_until_ = until;
    waiting_ = true;
    if (until > limit_) MoveTo(limit_);
    mutex_.Await(absl::Condition(this, &VirtualWaiter::MayGoOn));
    waiting_ = false;
    poked_ = false;
    if (until <= limit_) MoveTo(until);
    return released_;
  }
  bool MayGoOn() const ABSL_SHARED_LOCKS_REQUIRED(mutex_) {
    return poked_ || released_ || waits_until_ <= limit_;
  }
  bool IsIdle() const ABSL_SHARED_LOCKS_REQUIRED(mutex_) {
    return waiting_ && !poked_ && waits_until_ > limit_;
  }
  void MoveTo(int64_t time) {
    const int64_t milliseconds = (time - clock_.MonotonicNanos()) / 1'000'000;
    if (milliseconds > 0) clock_.Advance(milliseconds);
  }

  base::ManualClock& clock_;
  absl::Mutex mutex_;
  int64_t limit_ ABSL_GUARDED_BY(mutex_);
  int64_t waits_until_ ABSL_GUARDED_BY(mutex_) = 0;
  bool waiting_ ABSL_GUARDED_BY(mutex_) = false;
  bool poked_ ABSL_GUARDED_BY(mutex_) = false;
  bool released_ ABSL_GUARDED_BY(mutex_) = false;
};

// Takes as long as it is told, and remembers what it was asked.
class FakeMaker final : public CheckpointMaker {
 public:
  explicit FakeMaker(base::ManualClock& clock) : clock_(clock) {}

  absl::StatusOr<CreateReport> Create(const CreateRequest& request, Progress& progress) override {
    std::function<void(Progress&)> during;
    absl::Status result;
    {
      const absl::MutexLock lock(&mutex_);
      starts_.push_back((clock_.Now() - kStart) / 1000);
      requests_.push_back(request);
      during = during_;
      result = result_;
      clock_.Advance(seconds_ * 1000);
    }
    if (during) during(progress);
    if (progress.cancel) return absl::CancelledError("cancelled");
    if (!result.ok()) return result;
    CreateReport report;
    const absl::MutexLock lock(&mutex_);
    report.info.id.number = {7, starts_.size()};
    return report;
  }

  void Take(int64_t seconds) {
    const absl::MutexLock lock(&mutex_);
    seconds_ = seconds;
  }
  void During(std::function<void(Progress&)> during) {
    const absl::MutexLock lock(&mutex_);
    during_ = std::move(during);
  }
  void Fail(const absl::Status& result) {
    const absl::MutexLock lock(&mutex_);
    result_ = result;
  }
  // Seconds since the start at which each one began.
  std::vector<int64_t> starts() const {
    const absl::MutexLock lock(&mutex_);
    return starts_;
  }
  std::vector<CreateRequest> requests() const {
    const absl::MutexLock lock(&mutex_);
    return requests_;
  }

 private:
  base::ManualClock& clock_;
  mutable absl::Mutex mutex_;
  std::vector<int64_t> starts_ ABSL_GUARDED_BY(mutex_);
  std::vector<CreateRequest> requests_ ABSL_GUARDED_BY(mutex_);
  std::function<void(Progress&)> during_ ABSL_GUARDED_BY(mutex_);
  absl::Status result_ ABSL_GUARDED_BY(mutex_);
  int64_t seconds_ ABSL_GUARDED_BY(mutex_) = 0;
};

using Seconds = std::vector<int64_t>;

struct World {
  base::ManualClock clock{kStart};
  VirtualWaiter waiter{clock};
  FakeMaker maker{clock};
  JobRegistry jobs{{}, clock};
  std::unique_ptr<Scheduler> scheduler;

  explicit World(const PacingOptions& options = {}) {
    scheduler =
        std::make_unique<Scheduler>(Scheduler::Dependencies{maker, jobs, clock, waiter}, options);
  }
  ~World() { Stop(FinalCheckpoint::kSkip).IgnoreError(); }

  void RunUntil(int64_t seconds) {
    waiter.RunUntil(base::ManualClock(kStart).MonotonicNanos() + seconds * kSecond);
  }
  JobId Request(const CreateRequest& request = {}) {
    const JobId id = Value(scheduler->Request(request));
    waiter.Poke();
    return id;
  }
  JobInfo WaitFor(JobId id) { return Value(jobs.WaitForEnd(id, absl::InfiniteDuration())); }
  absl::Status Stop(FinalCheckpoint final_checkpoint) {
    waiter.Release();
    return scheduler->Stop(final_checkpoint);
  }
};

TEST_CASE("one is made at every tick") {
  World world;
  world.RunUntil(45);
  CHECK(world.maker.starts() == Seconds{10, 20, 30, 40});
  CHECK(world.jobs.List().empty());
}

TEST_CASE(
    "one that takes longer than the interval is followed by a pause as long, and never by two at "
    "once") {
  World world;
  world.maker.Take(12);
  world.RunUntil(100);
  CHECK(world.maker.starts() == Seconds{10, 34, 58, 82});
}

TEST_CASE("one that takes most of the interval makes the next late by its pause") {
  World world;
  world.maker.Take(6);
  world.RunUntil(60);
  // 10 to 16, pause to 22, to 28, pause to 34.
  CHECK(world.maker.starts() == Seconds{10, 22, 34, 46, 58});
}

TEST_CASE("a failing one is tried again at the next tick, and its job tells why") {
  World world;
  world.maker.Fail(absl::ResourceExhaustedError("full"));
  world.RunUntil(25);
  CHECK(world.maker.starts() == Seconds{10, 20});
  REQUIRE(world.jobs.List().size() == 2);
  const JobInfo job = world.jobs.List()[0];
  CHECK(job.state == JobState::kFailed);
  CHECK(job.subject == "scheduled");
  CHECK(job.error.message() == "full");
}

TEST_CASE("a requested one is made at once, and its job's result is its id") {
  World world;
  world.RunUntil(3);
  const JobInfo job = world.WaitFor(world.Request());
  CHECK(job.state == JobState::kSucceeded);
  CHECK(job.result == "00000007-0000000001");
  CHECK(job.subject == "requested");
  CHECK(world.maker.starts() == Seconds{3});
  world.RunUntil(15);
  CHECK(world.maker.starts() == Seconds{3, 10});
}

TEST_CASE("a request does not wait for a pause to be over") {
  World world;
  world.maker.Take(4);
  world.RunUntil(15);
  world.WaitFor(world.Request());
  CHECK(world.maker.starts() == Seconds{10, 15});
}

TEST_CASE("requests that come while one is made share the next one") {
  World world;
  absl::Notification begun;
  absl::Notification go_on;
  world.maker.During([&](Progress&) {
    if (!begun.HasBeenNotified()) begun.Notify();
    go_on.WaitForNotification();
  });
  const JobId first = world.Request();
  begun.WaitForNotification();
  const JobId second = world.Request();
  CHECK(second != first);
  CHECK(world.Request({.if_unchanged = IfUnchanged::kWriteNew}) == second);
  CHECK(world.Request() == second);
  const JobId pinned = world.Request({.pin_reason = "mine"});
  CHECK(pinned != second);
  CHECK(world.Request({.pin_reason = "mine"}) == pinned);
  CHECK(Value(world.jobs.Get(second)).state == JobState::kQueued);
  go_on.Notify();
  world.WaitFor(pinned);
  CHECK(world.WaitFor(first).result == "00000007-0000000001");
  CHECK(world.WaitFor(second).result == "00000007-0000000002");
  const auto requests = world.maker.requests();
  REQUIRE(requests.size() == 3);
  CHECK(requests[0].if_unchanged == IfUnchanged::kConfirm);
  CHECK(requests[1].if_unchanged == IfUnchanged::kWriteNew);
  CHECK(requests[2].pin_reason == "mine");
}

TEST_CASE("a request with a bad reason for its pin is refused at once") {
  World world;
  CHECK(Brief(world.scheduler->Request({.pin_reason = "a\nb"})) == "INVALID_ARGUMENT INVALID_PIN");
}

TEST_CASE("a request that is cancelled before its turn is not made") {
  World world;
  absl::Notification begun;
  absl::Notification go_on;
  world.maker.During([&](Progress&) {
    begun.Notify();
    go_on.WaitForNotification();
  });
  world.Request();
  begun.WaitForNotification();
  const JobId second = world.Request();
  REQUIRE(world.jobs.Cancel(second).ok());
  go_on.Notify();
  CHECK(world.WaitFor(second).state == JobState::kCancelled);
  CHECK(world.maker.starts().size() == 1);
}

TEST_CASE("one that is being made is cancelled through its job") {
  World world;
  world.maker.During([&](Progress&) { REQUIRE(world.jobs.Cancel(1).ok()); });
  CHECK(world.WaitFor(world.Request()).state == JobState::kCancelled);
}

TEST_CASE("none is made while it is held, and what was due or requested is made afterwards") {
  World world;
  {
    const Scheduler::Hold hold = world.scheduler->Suspend();
    const JobId id = world.Request();
    world.clock.Advance(60'000);
    CHECK(Value(world.jobs.WaitForEnd(id, absl::ZeroDuration())).state == JobState::kQueued);
    CHECK(world.maker.starts().empty());
  }
  world.WaitFor(1);
  CHECK(world.maker.starts() == Seconds{60});
  world.RunUntil(75);
  CHECK(world.maker.starts() == Seconds{60, 70});
}

TEST_CASE("holding waits for the one that is being made") {
  World world;
  absl::Notification begun;
  absl::Notification go_on;
  std::atomic<bool> ended{false};
  world.maker.During([&](Progress&) {
    begun.Notify();
    go_on.WaitForNotification();
    ended = true;
  });
  world.Request();
  begun.WaitForNotification();
  std::thread releaser([&go_on] { go_on.Notify(); });
  Scheduler::Hold hold = world.scheduler->Suspend();
  const Scheduler::Hold moved = std::move(hold);
  CHECK(ended);
  releaser.join();
}

TEST_CASE("a new pace counts from when it is set") {
  World world;
  world.RunUntil(12);
  world.scheduler->SetPacing({.interval = absl::Seconds(3)});
  world.waiter.PokeAndSettle();
  world.RunUntil(20);
  CHECK(world.maker.starts() == Seconds{10, 15, 18});
  world.scheduler->SetPacing({.interval = absl::InfiniteDuration()});
  world.waiter.PokeAndSettle();
  world.RunUntil(1000);
  CHECK(world.maker.starts() == Seconds{10, 15, 18});
}

TEST_CASE("a final one is made when it is stopped, if that is wanted") {
  World world;
  world.RunUntil(12);
  SECTION("made") {
    CHECK(world.Stop(FinalCheckpoint::kMake).ok());
    CHECK(world.maker.starts() == Seconds{10, 12});
    CHECK(world.jobs.List().empty());
  }
  SECTION("skipped") {
    CHECK(world.Stop(FinalCheckpoint::kSkip).ok());
    CHECK(world.maker.starts() == Seconds{10});
  }
  SECTION("failed") {
    world.maker.Fail(absl::ResourceExhaustedError("full"));
    CHECK(world.Stop(FinalCheckpoint::kMake).message() == "full");
    CHECK(world.jobs.List().at(0).subject == "final");
  }
  CHECK(Brief(world.scheduler->Request({})) == "UNAVAILABLE DRAINING");
  CHECK(world.scheduler->Stop(FinalCheckpoint::kMake).ok());
}

TEST_CASE(
    "what is requested just before the stop is served by the final one, or told that there is "
    "none") {
  World world;
  absl::Notification begun;
  absl::Notification go_on;
  world.maker.During([&](Progress&) {
    if (!begun.HasBeenNotified()) begun.Notify();
    go_on.WaitForNotification();
  });
  world.Request();
  begun.WaitForNotification();
  const JobId waiting = world.Request();
  const bool make = GENERATE(true, false);
  std::thread stopper(
      [&] { world.Stop(make ? FinalCheckpoint::kMake : FinalCheckpoint::kSkip).IgnoreError(); });
  // Once it stops, it takes no more requests.
  while (world.scheduler->Request({}).ok()) std::this_thread::yield();
  go_on.Notify();
  stopper.join();
  const JobInfo job = world.WaitFor(waiting);
  if (make) CHECK(job.result == "00000007-0000000002");
  if (!make) CHECK(Brief(job.error) == "UNAVAILABLE DRAINING");
  CHECK(world.maker.starts().size() == (make ? 2 : 1));
}

TEST_CASE(
    "whoever cannot wait interrupts: the one under way is cancelled, and no final one is made") {
  World world;
  absl::Notification begun;
  world.maker.During([&](Progress& progress) {
    begun.Notify();
    while (!progress.cancel) std::this_thread::yield();
  });
  const JobId id = world.Request();
  begun.WaitForNotification();
  std::thread interrupter([&] { world.scheduler->Interrupt(); });
  CHECK(Brief(world.Stop(FinalCheckpoint::kMake)) == "CANCELLED");
  interrupter.join();
  CHECK(world.WaitFor(id).state == JobState::kCancelled);
  CHECK(world.maker.starts().size() == 1);
}

TEST_CASE("a checkpoint is made even when there are too many jobs to make one of it") {
  base::ManualClock clock{kStart};
  VirtualWaiter waiter(clock);
  FakeMaker maker(clock);
  JobRegistry jobs({.max_open = 0}, clock);
  Scheduler scheduler({maker, jobs, clock, waiter}, {});
  CHECK(Brief(scheduler.Request({})) == "RESOURCE_EXHAUSTED QUEUE_FULL");
  waiter.RunUntil(clock.MonotonicNanos() + 11 * kSecond);
  CHECK(maker.starts() == Seconds{10});
  waiter.Release();
}

TEST_CASE("on the real clock, time and news both end the waiting") {
  const base::SystemClock clock;
  ClockWaiter waiter(clock);
  absl::Mutex mutex;
  bool news = false;
  const absl::MutexLock lock(&mutex);
  waiter.WaitUntil(mutex, absl::Condition(&news), clock.MonotonicNanos() - 1);
  const int64_t until = clock.MonotonicNanos() + 1'000'000;
  waiter.WaitUntil(mutex, absl::Condition(&news), until);
  news = true;
  waiter.WaitUntil(mutex, absl::Condition(&news), INT64_MAX);
}

}  // namespace
}  // namespace tarn::checkpoint
