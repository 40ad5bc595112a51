// The locks and groups of one store: a table in memory over records in the engine.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <limits>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/btree_map.h"
#include "absl/container/btree_set.h"
#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "storage/base/alarm.h"
#include "storage/base/boot_clock.h"
#include "storage/base/clock.h"
#include "storage/engine.h"
#include "storage/limits.h"
#include "storage/locks/fence.h"
#include "storage/locks/lock_state.h"
#include "storage/locks/locks.h"
#include "storage/outstanding.h"

namespace tarn::storage {

// Thread-safe. Its thread looks after deadlines, and sleeps until the next one. Engine and clocks
// outlive it; destroying it ends whoever waits with NOT_READY, and waits for the fenced writes and
// the records under way.
//
// A grant is what the engine committed: its token is the revision of that commit, and it is
// answered when the engine has answered. Until the fenced writes under a token have been answered
// too, the next commit to that lock's record is not begun: so every such write is before it.
class LockTable final : public Locks {
 public:
  // Who calls RunTimers.
  enum class TimeKeeper : uint8_t { kOwnThread, kCaller };

  struct Dependencies {
    Engine& engine;
    const base::Clock& clock;
    const base::BootClock& boot;
    const Limits& limits;
    TimeKeeper time_keeper = TimeKeeper::kOwnThread;
  };

  // A fenced write under way, until destroyed.
  class Pass {
   public:
    Pass(Pass&& other) noexcept
        : table_(std::exchange(other.table_, nullptr)), locks_(other.locks_) {}
    Pass& operator=(Pass&&) = delete;
    ~Pass() {
      if (table_ != nullptr) table_->Leave(locks_);
    }

   private:
    friend class LockTable;
    explicit Pass(LockTable& table) : table_(&table) {}

    LockTable* table_;
    std::array<LockEntry*, 2> locks_ = {};
  };

  // Ends a pass when its write has been answered; when the outcome is not known, once it is
  // settled.
  static void GiveBack(Pass pass, const BatchResult& result, Engine& engine);

  // Reads the records. A grant of another boot of the machine gets its grace here.
  static absl::StatusOr<std::unique_ptr<LockTable>> Load(const Dependencies& dependencies);
  ~LockTable() override;

  // Lets a write of `ns` in. FENCED, INVALID_LOCK.
  absl::StatusOr<Pass> Enter(absl::string_view ns, const WriteFence& fence);

  void Acquire(LockRequest request, Done<LockGrant> done) override;
  void TakeBack(absl::string_view ns, absl::string_view name, WaitId wait_id) override;
  void Renew(absl::string_view ns, absl::string_view name, Revision token, int64_t ttl_ms,
             Done<LockGrant> done) override;
  void Release(absl::string_view ns, absl::string_view name, Revision token,
               Answered done) override;
  void ForceRelease(absl::string_view ns, absl::string_view name, Revision token,
                    Done<FormerHolder> done) override;
  void JoinGroup(absl::string_view ns, absl::string_view group, absl::string_view member,
                 Done<Revision> done) override;
  void DeleteGroup(absl::string_view ns, absl::string_view group, Done<bool> done) override;
  absl::StatusOr<LockInfo> GetLock(absl::string_view ns, absl::string_view name) const override;
  absl::StatusOr<GroupInfo> GetGroup(absl::string_view ns, absl::string_view group) const override;
  absl::StatusOr<std::vector<LockInfo>> ListLocks(absl::string_view ns, absl::string_view after,
                                                  size_t max) const override;
  absl::StatusOr<std::vector<GroupInfo>> ListGroups(absl::string_view ns, absl::string_view after,
                                                    size_t max) const override;
  void EndWaiting(const absl::Status& why) override;
  LockStats Stats() const override;

  // Does what is due by now. The table's thread calls it when something is.
  void RunTimers();

 private:
  struct NameView {
    LockKind kind;
    absl::string_view ns;
    absl::string_view name;
  };
  static NameView NameOf(const LockEntry& lock) { return {lock.kind, lock.ns, lock.name}; }
  struct EntryHash {
    using is_transparent = void;
    size_t operator()(const NameView& name) const;
    size_t operator()(const std::unique_ptr<LockEntry>& lock) const {
      return (*this)(NameOf(*lock));
    }
  };
  struct EntryEqual {
    using is_transparent = void;
    static NameView View(const NameView& name) { return name; }
    static NameView View(const std::unique_ptr<LockEntry>& lock) { return NameOf(*lock); }
    template <typename Left, typename Right>
    bool operator()(const Left& left, const Right& right) const {
      const NameView l = View(left);
      const NameView r = View(right);
      return l.kind == r.kind && l.name == r.name && l.ns == r.ns;
    }
  };
  // Where a request waits.
  struct Place {
    LockEntry* lock = nullptr;
    LockQueue::iterator waiter;
  };
  // A lock belongs to one of these, by its name.
  struct Shard {
    mutable absl::Mutex mutex;
    absl::flat_hash_set<std::unique_ptr<LockEntry>, EntryHash, EntryEqual> locks
        ABSL_GUARDED_BY(mutex);
    absl::flat_hash_map<WaitId, Place> waiting ABSL_GUARDED_BY(mutex);
    absl::flat_hash_map<uint64_t, Place> requests ABSL_GUARDED_BY(mutex);  // By request_hash.
    absl::btree_map<LockTimer, LockQueue::iterator> timers ABSL_GUARDED_BY(mutex);
    uint64_t last_timer ABSL_GUARDED_BY(mutex) = 0;
    absl::Status ended ABSL_GUARDED_BY(mutex);  // Why nobody may wait any more.
  };
  struct Counts {
    std::atomic<uint64_t> locks{0};  // Held or not.
    std::atomic<uint64_t> held{0};
    std::atomic<uint64_t> waiting{0};
    std::atomic<uint64_t> groups{0};
    std::atomic<uint64_t> acquired{0};
    std::atomic<uint64_t> timed_out{0};
    std::atomic<uint64_t> given_up{0};
    std::atomic<uint64_t> expired{0};
    std::atomic<uint64_t> released{0};
    std::atomic<uint64_t> forced{0};
    std::atomic<uint64_t> joined{0};
    std::atomic<uint64_t> fenced_writes{0};
  };

  using Written = absl::AnyInvocable<void(const absl::StatusOr<Revision>&, LockAfterwards&) &&>;

  static constexpr size_t kShards = 16;
  static constexpr base::UnixMs kFarAway = std::numeric_limits<base::UnixMs>::max();

  explicit LockTable(const Dependencies& dependencies);

  // --- lock_load.cc ---
  absl::Status LoadRecords();
  absl::Status Adopt(const EntryView& entry, std::vector<LockEntry*>& graced);
  bool Resettle(LockRecord& record) const;
  absl::Status RewriteAll(const std::vector<LockEntry*>& locks);

  // --- lock_table.cc: requests ---
  Shard& ShardOf(const NameView& name) const;
  LockEntry* Find(const Shard& shard, const NameView& name) const
      ABSL_SHARED_LOCKS_REQUIRED(shard.mutex);
  absl::StatusOr<LockEntry*> FindOrAdd(Shard& shard, const NameView& name)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(shard.mutex);
  absl::Status EnterOne(LockKind kind, absl::string_view ns, const FencingToken& wanted,
                        LockEntry*& entered);
  void Leave(const std::array<LockEntry*, 2>& locks);
  void Enqueue(const NameView& name, LockWaiter waiter, int64_t wait_ms);
  bool Repeats(Shard& shard, LockEntry& lock, LockWaiter& waiter, LockAfterwards& after)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(shard.mutex);
  bool IsFree(const LockEntry& lock) const;
  absl::Status Refusal(const Shard& shard, const LockEntry& lock, int64_t wait_ms)
      ABSL_SHARED_LOCKS_REQUIRED(shard.mutex);
  absl::Status RoomInQueue(const LockEntry& lock) const;
  void Add(Shard& shard, LockEntry& lock, LockWaiter waiter, int64_t wait_ms)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(shard.mutex);
  void EndGrant(const NameView& name, LockEnding ending);

  // --- lock_list.cc ---
  LockInfo InfoOf(const LockEntry& lock, base::UnixMs now) const;
  template <typename Info, typename Describe>
  std::vector<Info> List(LockKind kind, absl::string_view ns, absl::string_view after, size_t max,
                         Describe describe) const;

  // --- lock_steps.cc: what becomes of a lock ---
  void Step(Shard& shard, LockEntry& lock, LockAfterwards& after)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(shard.mutex);
  void RefuseWhatDoesNotFit(LockEntry& lock, base::UnixMs now, LockAfterwards& after);
  void BeginGrant(Shard& shard, LockEntry& lock, LockAfterwards& after)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(shard.mutex);
  void BeginRenewal(Shard& shard, LockEntry& lock, LockAfterwards& after)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(shard.mutex);
  void BeginRemoval(Shard& shard, LockEntry& lock, LockAfterwards& after)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(shard.mutex);
  // Writes the record, or removes it when there is none to write. `then` is called with the mutex
  // held, once the outcome is known or settled.
  void Write(Shard& shard, LockEntry& lock, std::optional<LockRecord> record, Written then,
             LockAfterwards& after) ABSL_EXCLUSIVE_LOCKS_REQUIRED(shard.mutex);
  void Resume(Shard& shard, LockEntry& lock, const absl::StatusOr<Revision>& written, Written then);
  void Granted(Shard& shard, LockEntry& lock, LockRecord record,
               const absl::StatusOr<Revision>& written, LockAfterwards& after)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(shard.mutex);
  void Renewed(Shard& shard, LockEntry& lock, LockRecord record, Done<LockGrant> done,
               const absl::Status& written, LockAfterwards& after)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(shard.mutex);
  void Removed(Shard& shard, LockEntry& lock, const absl::Status& written, LockAfterwards& after)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(shard.mutex);
  void EndOldGrant(Shard& shard, LockEntry& lock, const absl::Status& status, LockAfterwards& after)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(shard.mutex);
  void AnswerEndings(LockEntry& lock, const absl::Status& status, LockAfterwards& after);
  void Rest(Shard& shard, LockEntry& lock) ABSL_EXCLUSIVE_LOCKS_REQUIRED(shard.mutex);
  void Forget(Shard& shard, LockEntry& lock) ABSL_EXCLUSIVE_LOCKS_REQUIRED(shard.mutex);
  void TakeGrant(Shard& shard, LockEntry& lock, LockRecord record, LockAfterwards& after)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(shard.mutex);
  void Unlist(Shard& shard, const LockWaiter& waiter) ABSL_EXCLUSIVE_LOCKS_REQUIRED(shard.mutex);
  LockWaiter TakeOut(Shard& shard, LockEntry& lock, LockQueue::iterator waiter)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(shard.mutex);
  LockGrant GrantOf(const LockRecord& record) const;
  void SetDeadline(LockRecord& record, int64_t ttl_ms) const;

  // --- time ---
  LockTimer Arm(Shard& shard, LockTimer timer, LockQueue::iterator waiter)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(shard.mutex);
  void ArmLock(Shard& shard, LockEntry& lock, base::UnixMs when)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(shard.mutex);
  void DisarmLock(Shard& shard, LockEntry& lock) ABSL_EXCLUSIVE_LOCKS_REQUIRED(shard.mutex);
  void Fire(Shard& shard, const LockTimer& timer, LockQueue::iterator waiter, LockAfterwards& after)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(shard.mutex);
  std::optional<int64_t> UntilNext();
  void WatchTime();

  const Dependencies dependencies_;
  const std::string boot_id_;
  const std::unique_ptr<std::array<Shard, kShards>> shards_;
  Counts counts_;
  Outstanding writes_;

  std::unique_ptr<base::Alarm> alarm_;
  std::atomic<base::UnixMs> next_wake_{kFarAway};
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

}  // namespace tarn::storage
