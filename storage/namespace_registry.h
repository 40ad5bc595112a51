// Which namespaces there are, and how they come and go.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "storage/limits.h"
#include "storage/namespace_record.h"
#include "storage/namespace_table.h"
#include "storage/namespaces.h"
#include "storage/range_jobs.h"
#include "storage/store.h"
#include "storage/system_records.h"

namespace tarn::storage {

// Thread-safe. The engine has the truth; this has a copy that batches find without a lock. Changes
// are made one after another, each beginning with a look at the record, so that even a change whose
// outcome was unknown cannot make the two differ for long.
//
// A namespace is durable before the first batch runs in it, and no write is lost to its deletion:
// while it is being created or deleted its gate is closed, and the batches that come then wait in
// its room, in their order. (A closed gate always has a room, a deleted namespace's excepted.)
class NamespaceRegistry {
 public:
  // What a batch needs to be able to run.
  enum class Need {
    kExisting,  // It runs in nothing if there is no such namespace.
    kCreation,  // It makes one.
  };
  // Resumes a batch that waited: in this namespace, whose gate it need not ask; without one when
  // there is none, which happens to kExisting only; or with the error that kept it from being
  // created.
  using Waiter = absl::AnyInvocable<void(absl::StatusOr<LiveNamespace*>) &&>;

  template <typename T>
  using Done = Store::Done<T>;

  // Reads all records; blocks. DATA_LOSS when they contradict each other.
  static absl::StatusOr<std::unique_ptr<NamespaceRegistry>> Load(const RangeTaskContext& context,
                                                                 UsageLedger& ledger,
                                                                 const Limits& limits);

  // Waits until nobody is inside any gate. By then no change may be under way.
  ~NamespaceRegistry();

  // Takes no lock and allocates nothing; nullptr when there is no such namespace at the moment.
  LiveNamespace* Find(absl::string_view name) const;

  // Where what needs no namespace runs when there is none: it is always empty.
  LiveNamespace& nowhere() { return *nowhere_; }

  // Either lets the batch wait (then nothing is returned, and `waiter` is taken), or says where it
  // can be tried again: nullptr is nowhere. TOO_MANY_NAMESPACES, QUEUE_FULL.
  absl::StatusOr<std::optional<LiveNamespace*>> Enlist(absl::string_view name, Need need,
                                                       Waiter& waiter);

  // As in store.h. The name and the settings have been checked. QUEUE_FULL.
  void Create(absl::string_view name, const NamespaceSettings& settings, Done<NamespaceInfo> done);
  void Update(absl::string_view name, const NamespaceSettings& settings,
              std::optional<Revision> expected, Done<NamespaceInfo> done);
  void Delete(absl::string_view name, std::optional<Revision> expected, Done<NamespaceInfo> done);

  absl::StatusOr<NamespaceInfo> Get(absl::string_view name) const;
  std::vector<NamespaceInfo> List(absl::string_view after, size_t max) const;
  size_t size() const;

 private:
  struct Known {
    LiveNamespace* live = nullptr;
    NamespaceRecord record;
    Revision revision = 0;
  };
  struct Waiting {
    Need need = Need::kExisting;
    Waiter resume;
  };
  struct Room {
    std::deque<Waiting> waiting;
    bool creation_queued = false;
  };
  struct Change {
    enum class Kind { kEnsure, kCreate, kUpdate, kDelete };
    Kind kind = Kind::kEnsure;
    std::string name;
    NamespaceSettings settings;
    std::optional<Revision> expected;
    Done<NamespaceInfo> done;  // None for kEnsure.
    NamespaceInfo result;
    std::optional<Outstanding::Token> token;
  };
  using ChangePtr = std::shared_ptr<Change>;

  NamespaceRegistry(const RangeTaskContext& context, UsageLedger& ledger, const Limits& limits);

  // --- memory: namespace_registry.cc ---

  absl::Status Adopt(absl::string_view name, const NamespaceRecord& record, Revision revision);
  void Forget(absl::string_view name);
  std::optional<Known> Lookup(absl::string_view name) const;
  NamespaceInfo InfoOf(absl::string_view name, const Known& known) const;
  std::optional<NamespaceId> NewId() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status CheckRoomForOneMore() const ABSL_SHARED_LOCKS_REQUIRED(mutex_);
  LiveNamespace* FindLocked(absl::string_view name) const ABSL_SHARED_LOCKS_REQUIRED(mutex_);
  void Settle(const std::string& name);
  void FailRoom(const std::string& name, const absl::Status& status);

  // --- changes: namespace_changes.cc ---

  void Enqueue(ChangePtr change);
  void Pump();
  void Begin(const ChangePtr& change);
  void OnRead(const ChangePtr& change, absl::StatusOr<std::optional<SystemRecord>> read);
  absl::Status Refresh(const std::string& name, const std::optional<SystemRecord>& found);
  void OnFound(const ChangePtr& change, const Known& known);
  void OnMissing(const ChangePtr& change);
  void WriteNew(const ChangePtr& change);
  void Write(const ChangePtr& change, const NamespaceRecord& record,
             const Precondition& precondition);
  void NotWritten(const ChangePtr& change, NamespaceId id, const absl::Status& status);
  void CloseThen(const ChangePtr& change, const Known& known,
                 absl::AnyInvocable<void() &&> when_empty);
  void Erase(const ChangePtr& change, const Known& known);
  void End(const ChangePtr& change, const absl::Status& status);

  const RangeTaskContext context_;
  UsageLedger& ledger_;
  const Limits& limits_;

  // Written under the mutex, read without.
  NamespaceTable table_;
  LiveNamespace* const nowhere_;

  mutable absl::Mutex mutex_;
  std::map<std::string, Known, std::less<>> known_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, Room, std::less<>> rooms_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::unique_ptr<LiveNamespace>> all_ ABSL_GUARDED_BY(mutex_);
  std::vector<bool> used_ids_ ABSL_GUARDED_BY(mutex_);  // By this process, deleted ones included.
  NamespaceId last_id_ ABSL_GUARDED_BY(mutex_) = kSystemNamespace;
  std::deque<ChangePtr> changes_ ABSL_GUARDED_BY(mutex_);
  bool changing_ ABSL_GUARDED_BY(mutex_) = false;
  bool pumping_ ABSL_GUARDED_BY(mutex_) = false;
};

// FAILED_PRECONDITION, NAMESPACE_NOT_FOUND.
absl::Status NamespaceNotFound(absl::string_view name);

}  // namespace tarn::storage
