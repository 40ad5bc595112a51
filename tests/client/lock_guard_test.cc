// The guard, on a server that follows a script of the test's.
#include <condition_variable>
#include <deque>
#include <mutex>

#include "tarn/error.h"
#include "tarn/lock.h"
#include "tarn/testing/fake_connection.h"
#include "tests/catch.h"

namespace tarn {
namespace {

using std::chrono::milliseconds;

absl::Status NotHeld() {
  return MakeError(absl::StatusCode::kFailedPrecondition, Reason::kLockNotHeld, "gone");
}
absl::Status Down() {
  return MakeError(absl::StatusCode::kUnavailable, Reason::kNotConnected, "down");
}

// Grants what is asked for; renews until told otherwise.
class Script : public LockConnection {
 public:
  absl::StatusOr<LockGrant> Acquire(const AcquireLockParams& params) override {
    const std::lock_guard lock(mutex_);
    asked.push_back(params);
    return LockGrant{.token = 7, .expire_time = {}, .remaining = params.options.ttl};
  }
  absl::StatusOr<LockGrant> Renew(const std::string&, const std::string&, Revision token,
                                  milliseconds ttl, Timeout) override {
    const std::lock_guard lock(mutex_);
    ++renewals_;
    changed_.notify_all();
    if (!renewing_.ok()) return renewing_;
    return LockGrant{.token = token, .expire_time = {}, .remaining = ttl};
  }
  absl::Status Release(const std::string&, const std::string&, Revision token, Timeout) override {
    const std::lock_guard lock(mutex_);
    released.push_back(token);
    return absl::OkStatus();
  }

  void AnswerRenewals(const absl::Status& status) {
    const std::lock_guard lock(mutex_);
    renewing_ = status;
  }
  void AwaitRenewals(int count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return renewals_ >= count; });
  }

  std::vector<AcquireLockParams> asked;
  std::vector<Revision> released;

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int renewals_ = 0;
  absl::Status renewing_;
};

// What a guard tells when it is lost.
class Loss {
 public:
  LockGuard::OnLost Callback() {
    return [this](const absl::Status& why) {
      const std::lock_guard lock(mutex_);
      told_.push_back(why);
      changed_.notify_all();
    };
  }
  absl::Status Await() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return !told_.empty(); });
    return told_.front();
  }
  size_t count() {
    const std::lock_guard lock(mutex_);
    return told_.size();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<absl::Status> told_;
};

struct World {
  std::shared_ptr<Script> script = std::make_shared<Script>();
  LockClient locks{script};
  Loss loss;

  LockGuard Lock(milliseconds ttl) {
    return *locks.Lock("lock", {.ttl = ttl, .wait = milliseconds(0), .holder = "me"},
                       loss.Callback());
  }
};

TEST_CASE("a guard holds the lock, renews it, and gives it back when it goes") {
  World w;
  {
    const LockGuard guard = w.Lock(milliseconds(30));
    CHECK(guard.token() == 7);
    CHECK(guard.name() == "lock");
    w.script->AwaitRenewals(3);
    CHECK(guard.lost().ok());
  }
  CHECK(w.script->released == std::vector<Revision>{7});
  CHECK(w.loss.count() == 0);
  CHECK(w.script->asked.at(0).options.holder == "me");
  CHECK_FALSE(w.script->asked.at(0).request_id.empty());
}

TEST_CASE("each request has an id of its own, and a holder if none was given") {
  World w;
  (void)w.locks.Acquire("lock");
  (void)w.locks.Acquire("lock");
  CHECK(w.script->asked.at(0).request_id != w.script->asked.at(1).request_id);
  CHECK_FALSE(w.script->asked.at(0).options.holder.empty());
}

TEST_CASE("a guard tells that the lock is lost, once, and why") {
  World w;
  LockGuard guard = w.Lock(milliseconds(30));
  w.script->AnswerRenewals(NotHeld());
  CHECK(w.loss.Await() == NotHeld());
  CHECK_FALSE(guard.held());
  CHECK(guard.lost() == NotHeld());
  CHECK(guard.Release() == NotHeld());
  CHECK(w.script->released.empty());
  CHECK(w.loss.count() == 1);
}

TEST_CASE("a guard whose server is away keeps trying until the TTL is over") {
  World w;
  // Long: a thread that sleeps through all of it has tried only once.
  const LockGuard guard = w.Lock(milliseconds(3000));
  w.script->AnswerRenewals(Down());
  CHECK(w.loss.Await() == Down());
  w.script->AwaitRenewals(2);
  CHECK_FALSE(guard.held());
}

TEST_CASE("a server that comes back in time is no loss") {
  World w;
  const LockGuard guard = w.Lock(milliseconds(3000));
  w.script->AnswerRenewals(Down());
  w.script->AwaitRenewals(1);
  w.script->AnswerRenewals(absl::OkStatus());
  w.script->AwaitRenewals(3);
  CHECK(guard.lost().ok());
}

TEST_CASE("a guard is released once") {
  World w;
  LockGuard guard = w.Lock(milliseconds(10'000));
  CHECK(guard.held());
  CHECK(guard.Release().ok());
  CHECK(guard.Release().ok());
  CHECK_FALSE(guard.held());
  CHECK(w.script->released.size() == 1);
}

TEST_CASE("a guard that is moved keeps the lock") {
  World w;
  LockGuard first = w.Lock(milliseconds(10'000));
  const LockGuard second = std::move(first);
  CHECK(second.held());
  CHECK(w.script->released.empty());
}

// Remembers under what the writes came, and lets all of them through.
class Seen : public testing::FakeConnection {
 public:
  using FakeConnection::FakeConnection;
  absl::StatusOr<PutResult> Put(PutParams params) override {
    fences.push_back(std::exchange(params.fence, {}));
    return FakeConnection::Put(std::move(params));
  }
  absl::StatusOr<BatchResult> RunBatch(BatchParams params) override {
    fences.push_back(std::exchange(params.fence, {}));
    return FakeConnection::RunBatch(std::move(params));
  }
  std::unique_ptr<PipelineBackend> OpenPipeline(PipelineParams params) override {
    fences.push_back(std::exchange(params.fence, {}));
    return FakeConnection::OpenPipeline(std::move(params));
  }
  std::vector<WriteFence> fences;
};

TEST_CASE("writes through a guard carry its fence, and those around it do not") {
  World w;
  const auto seen = std::make_shared<Seen>(std::make_shared<testing::FakeStore>());
  const Client client(seen);
  const LockGuard guard = w.Lock(milliseconds(10'000));
  const Client mine = guard.Fenced(client);
  CHECK(mine.Put("k", "v").ok());
  CHECK(mine.RunBatch(Batch::Atomic().Put("k", "w")).ok());
  { Pipeline pipeline = mine.OpenPipeline(); }
  CHECK(client.Put("k", "x").ok());
  CHECK(mine.Get("k")->value == "x");
  const WriteFence fence{.lock = "lock", .token = 7, .group = {}, .epoch = 0};
  CHECK(seen->fences == std::vector<WriteFence>{fence, fence, fence, {}});
}

TEST_CASE("a fence and an epoch go together") {
  World w;
  const auto seen = std::make_shared<Seen>(std::make_shared<testing::FakeStore>());
  const LockGuard guard = w.Lock(milliseconds(10'000));
  const Client both =
      Fenced(guard.Fenced(Client(seen)), {.lock = {}, .token = 0, .group = "g", .epoch = 9});
  CHECK(both.Put("k", "v").ok());
  CHECK(seen->fences.at(0) == WriteFence{.lock = "lock", .token = 7, .group = "g", .epoch = 9});
}

TEST_CASE("a connection that offers no locks says so") {
  const LockClient none(std::make_shared<LockConnection>());
  CHECK(absl::IsUnimplemented(none.Acquire("l").status()));
  CHECK(absl::IsUnimplemented(none.Lock("l").status()));
  CHECK(absl::IsUnimplemented(none.Renew("l", 1, milliseconds(1)).status()));
  CHECK(absl::IsUnimplemented(none.Release("l", 1)));
  CHECK(absl::IsUnimplemented(none.Get("l").status()));
  CHECK(absl::IsUnimplemented(none.List().status()));
  CHECK(absl::IsUnimplemented(none.ForceRelease("l").status()));
  CHECK(absl::IsUnimplemented(none.JoinGroup("g", "m").status()));
  CHECK(absl::IsUnimplemented(none.GetGroup("g").status()));
  CHECK(absl::IsUnimplemented(none.ListGroups().status()));
  CHECK(absl::IsUnimplemented(none.DeleteGroup("g").status()));
}

}  // namespace
}  // namespace tarn
