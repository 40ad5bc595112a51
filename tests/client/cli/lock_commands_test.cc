// Locks, and commands that run while one is held.
#include "tarn/error.h"
#include "tests/catch.h"
#include "tests/client/cli/terminal.h"

namespace tarn::cli {
namespace {

using absl::StatusCode;
using std::chrono::milliseconds;

// A server with one lock.
class OneLock : public LockConnection {
 public:
  absl::StatusOr<LockGrant> Acquire(const AcquireLockParams& params) override {
    asked = params;
    if (!refusal.ok()) return refusal;
    return LockGrant{.token = 42, .expire_time = {}, .remaining = params.options.ttl};
  }
  absl::StatusOr<LockGrant> Renew(const std::string&, const std::string&, Revision token,
                                  milliseconds ttl, Timeout) override {
    if (!renewing.ok()) return renewing;
    return LockGrant{.token = token, .expire_time = {}, .remaining = ttl};
  }
  absl::Status Release(const std::string&, const std::string&, Revision token, Timeout) override {
    released = token;
    return refusal;
  }
  absl::StatusOr<LockState> Get(const std::string&, const std::string& name) override {
    return LockState{.ns = "default", .name = name, .queue_length = 3};
  }
  absl::StatusOr<std::vector<LockState>> List(const std::string&) override {
    return std::vector<LockState>{{.ns = "default",
                                   .name = "a",
                                   .held = true,
                                   .holder = "host/1",
                                   .token = 42,
                                   .remaining = milliseconds(2000)}};
  }
  absl::StatusOr<FormerHolder> ForceRelease(const std::string&, const std::string&,
                                            Revision token) override {
    forced = token;
    if (!refusal.ok()) return refusal;
    return FormerHolder{"host/1", 42};
  }

  AcquireLockParams asked;
  absl::Status refusal;
  absl::Status renewing;
  Revision released = 0;
  std::optional<Revision> forced;
};

struct World : Terminal {
  World() { locks = lock; }
  std::shared_ptr<OneLock> lock = std::make_shared<OneLock>();
};

absl::Status HeldByAnother() {
  return MakeError(StatusCode::kFailedPrecondition, Reason::kLockHeldByAnother, "b holds it");
}

TEST_CASE("locks are listed with holder and token") {
  World t;
  CHECK(t.Run({"lock", "list"}).out == "a\thost/1\t42\n");
  CHECK(Says(t.Run({"lock", "list", "-w", "table"}).out, "2s"));
  CHECK(Says(t.Run({"lock", "get", "a"}).out, "queue_length: 3\n"));
}

TEST_CASE("a lock is given back by its token, and taken away by force") {
  World t;
  CHECK(t.Run({"lock", "release", "a"}).code == 2);
  CHECK(t.Run({"lock", "release", "a", "--token", "42"}).code == 0);
  CHECK(t.lock->released == 42);
  CHECK_FALSE(t.lock->forced.has_value());
  CHECK(t.Run({"lock", "release", "a", "--force"}).out == "a\thost/1\t42\n");
  CHECK(t.lock->forced == 0);
  CHECK(t.Run({"lock", "release", "a", "--force", "--token", "7"}).code == 0);
  CHECK(t.lock->forced == 7);
  t.lock->refusal = HeldByAnother();
  CHECK(t.Run({"lock", "release", "a", "--token", "1"}).code == 3);
  CHECK(t.Run({"lock", "release", "a", "--force"}).code == 3);
}

TEST_CASE("a command runs under the lock, and its exit code is passed on") {
  World t;
  CHECK(t.Run({"-n", "ns", "lock", "a", "--ttl", "5s", "--wait", "3s", "--holder", "me", "--", "sh",
               "-c", "test \"$TARN_LOCK_TOKEN $TARN_LOCK_NAME $TARN_LOCK_NAMESPACE\" = '42 a ns'"})
            .code == 0);
  CHECK(t.lock->asked.ns == "ns");
  CHECK(t.lock->asked.name == "a");
  CHECK(t.lock->asked.options.ttl == milliseconds(5000));
  CHECK(t.lock->asked.options.wait == milliseconds(3000));
  CHECK(t.lock->asked.options.holder == "me");
  CHECK(t.lock->released == 42);
  CHECK(t.Run({"lock", "a", "--", "sh", "-c", "exit 7"}).code == 7);
  CHECK(t.lock->asked.options.wait == kNoTimeout);
  CHECK(t.Run({"lock", "a", "--", "sh", "-c", "kill -9 $$"}).code == 137);
}

TEST_CASE("a command that is not run says why") {
  World t;
  CHECK(t.Run({"lock", "a", "--", "/no/such/program"}).code == 4);
  CHECK(t.lock->released == 42);
  t.lock->refusal = HeldByAnother();
  const Outcome refused = t.Run({"lock", "a", "--wait", "1ms", "--", "true"});
  CHECK(refused.code == 3);
  CHECK(Says(refused.err, "LOCK_HELD_BY_ANOTHER"));
  CHECK(t.Run({"lock", "a"}).code == 2);
  CHECK(t.Run({"lock"}).code == 2);
}

TEST_CASE("a command whose lock is lost is stopped, if need be by force") {
  World t;
  t.lock->renewing = MakeError(StatusCode::kFailedPrecondition, Reason::kLockNotHeld, "gone");
  const Outcome stopped = t.Run({"lock", "a", "--ttl", "30ms", "--", "sleep", "1000"});
  CHECK(stopped.code == 3);
  CHECK(Says(stopped.err, "the lock was lost while the command ran"));
  CHECK(Says(stopped.err, "LOCK_NOT_HELD"));
  // Long enough that it traps the signal before that comes.
  const Outcome killed = t.Run({"lock", "a", "--ttl", "3s", "--kill-after", "50ms", "--", "sh",
                                "-c", "trap '' TERM; exec sleep 1000"});
  CHECK(killed.code == 3);
  CHECK(Says(killed.err, "its exit code: 137"));
}

}  // namespace
}  // namespace tarn::cli
