// The door in front of a store: it can be closed, for everything or for a range of keys, while
// whoever would come in is told to come back; and behind it the store can be exchanged.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "storage/store.h"
#include "storage/write_gate.h"

namespace tarn::storage {

// A store for those in front of it, which outlives every store behind it. Thread-safe; while
// nothing is closed, an entry costs two atomic steps, a load and an allocation.
//
// What is refused gets UNAVAILABLE (NOT_READY). Closing waits for what was let in before: batches
// and steps of scans are short, counting and deleting over ranges are told to end. A scan goes on
// when a range is closed, because what it shows is older than that; after an exchange of the store
// it ends with SNAPSHOT_EXPIRED.
class StoreDoor final : public Store {
 public:
  explicit StoreDoor(std::unique_ptr<Store> store);
  ~StoreDoor() override;

  // Something that is closed, until destroyed.
  class Closure {
   public:
    ~Closure() { door_.Reopen(id_); }
    Closure(const Closure&) = delete;
    Closure& operator=(const Closure&) = delete;

   private:
    friend class StoreDoor;
    Closure(StoreDoor& door, uint64_t id) : door_(door), id_(id) {}

    StoreDoor& door_;
    const uint64_t id_;
  };

  // Both return when nothing of it is under way any more; they block. `why` is for those who are
  // refused. Closing everything leaves Stats, ListNamespaces and limits as they were then.
  std::unique_ptr<Closure> CloseAll(absl::string_view why);
  // The keys of a namespace from `start` to `end` (exclusive; empty: all that follow), and the
  // namespace's deletion.
  std::unique_ptr<Closure> CloseRange(absl::string_view ns, const std::string& start,
                                      const std::string& end, absl::string_view why);

  // While everything is closed: ends all scans and destroys the store. Until Install nothing is
  // under way on the engine that came from here.
  void Remove();
  // Then: another store on the same engine, with the same limits.
  void Install(std::unique_ptr<Store> store);

  void Run(const BatchRequest& request, Completion done) override;
  void RegisterClient(Done<Revision> done) override;
  void OpenScan(const ScanRequest& request, Done<std::unique_ptr<Scan>> done) override;
  void Count(absl::string_view ns, const KeyBounds& bounds, StopRequested stop,
             Done<CountResult> done) override;
  void DeleteRange(absl::string_view ns, const KeyBounds& bounds, const WriteFence& fence,
                   StopRequested stop, Done<DeleteRangeResult> done) override;
  void CreateNamespace(absl::string_view name, const NamespaceSettings& settings,
                       Done<NamespaceInfo> done) override;
  void UpdateNamespace(absl::string_view name, const NamespaceSettings& settings,
                       std::optional<Revision> expected, Done<NamespaceInfo> done) override;
  void DeleteNamespace(absl::string_view name, std::optional<Revision> expected,
                       Done<NamespaceInfo> done) override;
  absl::StatusOr<NamespaceInfo> GetNamespace(absl::string_view name) const override;
  std::vector<NamespaceInfo> ListNamespaces(absl::string_view after, size_t max) const override;
  Locks& locks() override;
  StoreStats Stats() const override;
  const Limits& limits() const override { return limits_; }
  const RequestOptions& request_options() const override { return request_options_; }
  Engine& engine() override { return engine_; }

 private:
  class DoorLocks;
  class DoorScan;
  class RangeWork;
  struct OpenScanSlot;

  // What is closed. No namespace: everything.
  struct Closed {
    uint64_t id = 0;
    std::optional<std::string> ns;
    KeyRange range;
    absl::Status refusal;
  };
  // What was true when everything was closed.
  struct LastView {
    StoreStats stats;
    std::vector<NamespaceInfo> namespaces;
  };
  // One who is inside until the answer has been given and the call that asked has returned.
  template <typename Answer>
  struct Visit {
    WriteGate::Pass pass;
    Answer done;
  };

  WriteGate::Pass Enter() const;
  bool NothingClosed() const { return closed_count_.load(std::memory_order_acquire) == 0; }
  // Why it is closed, if it is, for each kind of visitor.
  absl::Status RefusalOf(const BatchRequest& request) const;
  absl::Status RefusalOf(absl::string_view ns, const KeyRange& range) const;
  absl::Status RefusalOfDeletion(absl::string_view ns) const;
  absl::Status RefusalOfAll() const;
  absl::Status FirstRefusal(const std::function<bool(const Closed&)>& concerns) const;
  KeyRange RangeOf(const KeyBounds& bounds) const;
  const LastView* LastViewIfClosed() const ABSL_SHARED_LOCKS_REQUIRED(mutex_);

  template <typename Result, typename Start>
  void WorkOnRange(absl::string_view ns, const KeyBounds& bounds, StopRequested stop,
                   Done<Result> done, Start start);
  template <typename Start>
  void ChangeNamespace(const absl::Status& refusal, WriteGate::Pass pass, Done<NamespaceInfo> done,
                       Start start);

  std::unique_ptr<Closure> Close(Closed closed);
  void EndWorks(const Closed& closed) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Drain() ABSL_EXCLUSIVE_LOCKS_REQUIRED(closing_);
  void Reopen(uint64_t id);

  Engine& engine_;
  const Limits limits_;
  const RequestOptions request_options_;

  // Written while everything is closed and nobody is inside; read by those inside.
  std::unique_ptr<Store> store_;
  const std::unique_ptr<DoorLocks> locks_;

  // Two, so that those who came before a closing can be waited for while others go on coming.
  mutable std::array<WriteGate, 2> gates_;
  std::atomic<size_t> current_gate_{0};
  std::atomic<size_t> closed_count_{0};

  absl::Mutex closing_ ABSL_ACQUIRED_BEFORE(mutex_);  // One closing at a time.
  mutable absl::Mutex mutex_;
  uint64_t last_id_ ABSL_GUARDED_BY(mutex_) = 0;
  std::list<Closed> closed_ ABSL_GUARDED_BY(mutex_);
  std::optional<LastView> last_view_ ABSL_GUARDED_BY(mutex_);
  std::list<RangeWork*> works_ ABSL_GUARDED_BY(mutex_);
  std::list<std::shared_ptr<OpenScanSlot>> scans_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace tarn::storage
