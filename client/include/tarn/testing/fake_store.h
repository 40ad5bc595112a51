// A store in memory for the tests of programs that use Tarn: the real semantics, time that the test
// moves, and errors when the test wants them. Link tarn::testing.
//
//   auto store = std::make_shared<tarn::testing::FakeStore>();
//   tarn::Client client(std::make_shared<tarn::testing::FakeConnection>(store));
//   store->FailNext("Put", absl::UnavailableError("connection reset"), FaultTime::kAfter);  //
//   done, but nobody hears store->AdvanceTime(std::chrono::hours(1)); // and entries expire
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "tarn/admin.h"
#include "tarn/lock.h"
#include "tarn/operation.h"
#include "tarn/results.h"
#include "tarn/scan.h"
#include "tarn/types.h"

namespace tarn::testing {

// When an injected error strikes.
enum class FaultTime {
  kBefore,  // Nothing is done.
  kAfter,   // It is done, and the answer is lost: what makes an outcome unknown.
};

// What a write to a namespace that nobody created does; see tarnd's --namespace-creation.
enum class NamespaceCreation {
  kOnFirstWrite,  // Creates it. Reading one finds nothing.
  kExplicit,      // NAMESPACE_NOT_FOUND, for reads too.
};

// Thread-safe. What a real server does only under load or with full disks (QUEUE_FULL,
// RESPONSE_TOO_LARGE, SNAPSHOT_EXPIRED, ...) comes from FailNext alone.
class FakeStore {
 public:
  // The limits of a server with default settings.
  static constexpr size_t kMaxKeyBytes = 4 << 10;
  static constexpr size_t kMaxValueBytes = 2 << 20;
  static constexpr size_t kMaxBatchOperations = 4096;
  static constexpr size_t kMaxLockNameBytes = 256;
  static constexpr std::chrono::hours kMaxLockTtl{1};

  // Has the namespace "default", and a time of its own that begins in 2020.
  explicit FakeStore(NamespaceCreation creation = NamespaceCreation::kOnFirstWrite);

  Timestamp now() const;
  void AdvanceTime(std::chrono::milliseconds span);

  // Errors: INVALID_NAMESPACE_NAME, NAMESPACE_EXISTS, INVALID_TTL.
  absl::Status CreateNamespace(const std::string& name, const NamespaceSettings& settings = {});

  // The next call of this name (as in the contract: "Get", "Batch", "Scan", ..., "Pipeline" for
  // what is added to one; "" for any) fails like this. Errors given for the same name strike one
  // after the other.
  void FailNext(std::string call, absl::Status status, FaultTime time = FaultTime::kBefore);

  // How often a call of this name was made.
  uint64_t calls(std::string_view call) const;

  // What FakeConnection stands on. `call` is the name for FailNext; `ns` empty means "default". A
  // fence is checked against the locks and groups of FakeLockConnection.
  absl::StatusOr<BatchResult> Run(std::string_view call, const std::string& ns, const Batch& batch,
                                  const WriteFence& fence = {});
  absl::StatusOr<ScanChunk> Read(std::string_view call, const std::string& ns,
                                 const KeyRange& range);
  absl::StatusOr<DeleteRangeResult> Remove(const std::string& ns,
                                           const std::optional<KeyRange>& range,
                                           const WriteFence& fence = {});

 private:
  friend class FakeLockConnection;  // Of the same rank: it has the locks' half of the calls.

  struct Fault {
    std::string call;
    absl::Status status;
    FaultTime time;
  };
  struct Space {
    NamespaceSettings settings;
    std::map<std::string, Entry> entries;
  };

  // The fault that strikes this call, if any.
  std::optional<Fault> Begin(std::string_view call);
  // `nowhere` stands for a namespace that does not exist, where reading finds nothing.
  absl::StatusOr<Space*> Find(const std::string& ns, Space* nowhere);
  absl::StatusOr<BatchResult> RunAtomic(Space& space, const Batch& batch);
  BatchResult RunIndependent(Space& space, const Batch& batch);
  Revision NextRevision() { return ++revision_; }

  // FENCED.
  absl::Status CheckFence(const std::string& ns, const WriteFence& fence) const;
  template <typename Act>
  auto Locking(std::string_view call, Act act) -> decltype(act());
  // Under this token, or under any (0). LOCK_NOT_HELD, LOCK_HELD_BY_ANOTHER.
  absl::StatusOr<LockState*> HeldUnder(const std::string& ns, const std::string& name,
                                       Revision token);
  std::chrono::milliseconds Left(const LockState& lock) const { return lock.expire_time - now_; }

  const NamespaceCreation creation_;

  mutable std::mutex mutex_;  // Over everything below.
  Timestamp now_;
  Revision revision_;
  std::map<std::string, Space> spaces_;
  // By namespace and name.
  std::map<std::pair<std::string, std::string>, LockState> locks_;
  std::map<std::pair<std::string, std::string>, std::string> lock_requests_;
  std::map<std::pair<std::string, std::string>, GroupState> groups_;
  std::deque<Fault> faults_;
  std::map<std::string, uint64_t, std::less<>> calls_;
};

}  // namespace tarn::testing
