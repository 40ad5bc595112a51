// A table of locks over an engine, with time and faults in the test's hands.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "storage/base/boot_clock.h"
#include "storage/base/clock.h"
#include "storage/locks/lock_table.h"
#include "storage/memory/memory_engine.h"
#include "tests/storage/fault_engine.h"
#include "tests/support/status.h"

namespace tarn::storage {

// An answer on its way.
template <typename T>
class Told {
 public:
  Locks::Done<T> Callback() {
    return [answer = answer_](absl::StatusOr<T> result) { *answer = std::move(result); };
  }
  bool given() const { return answer_->has_value(); }
  absl::Status status() const {
    return given() ? (*answer_)->status() : absl::UnknownError("none");
  }
  // "-" while there is none.
  std::string brief() const { return given() ? testing::Brief((*answer_)->status()) : "-"; }
  const T& value() const { return answer_->value().value(); }

 private:
  std::shared_ptr<std::optional<absl::StatusOr<T>>> answer_ =
      std::make_shared<std::optional<absl::StatusOr<T>>>();
};

class LockSubject {
 public:
  static constexpr base::UnixMs kStart = 1'700'000'000'000;
  static constexpr int64_t kTtl = 10'000;

  explicit LockSubject(const Limits& limits = {});
  ~LockSubject() { table.reset(); }

  // Takes the table down and loads it anew from the engine.
  absl::Status Reopen();

  // Time passes, and what is due is done.
  void Pass(int64_t milliseconds);

  // As whoever `holder` is; waits at most so long.
  Told<LockGrant> Ask(const std::string& holder, int64_t wait_ms = 0,
                      const std::string& request_id = "", WaitId wait_id = 0,
                      int64_t ttl_ms = kTtl);
  // The token of a lock that is free.
  Revision Get(const std::string& holder, int64_t ttl_ms = kTtl);
  Told<LockGrant> Renew(Revision token, int64_t ttl_ms = kTtl);
  // The answer, in brief.
  std::string Release(Revision token);
  Told<FormerHolder> Force(Revision token = 0);
  Told<Revision> Join(const std::string& member);

  std::string Holder();  // "-" when nobody holds it.

  // Of writes under a token.
  absl::StatusOr<LockTable::Pass> Enter(Revision token);
  absl::StatusOr<LockTable::Pass> EnterGroup(Revision epoch);

  base::ManualClock clock{kStart};
  base::ManualBootClock boot{"boot-1"};
  UsageLedger ledger;
  Limits limits;
  std::unique_ptr<MemoryEngine> memory;
  std::unique_ptr<FaultEngine> engine;
  std::unique_ptr<LockTable> table;
};

}  // namespace tarn::storage
