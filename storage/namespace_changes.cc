// How a namespace is created, changed and deleted: the steps of NamespaceRegistry's changes. Each
// ends with a call of the engine or of the executor, whose answer begins the next.
#include <utility>

#include "absl/strings/str_cat.h"
#include "storage/base/error.h"
#include "storage/base/status.h"
#include "storage/namespace_registry.h"

namespace tarn::storage {
namespace {

using base::MakeError;
using base::Reason;

constexpr size_t kMaxQueuedChanges = 1024;

absl::Status NamespaceExists(absl::string_view name) {
  return MakeError(absl::StatusCode::kFailedPrecondition, Reason::kNamespaceExists,
                   absl::StrCat("there is a namespace ", name, " already"));
}

absl::Status NotEmpty(absl::string_view name) {
  return MakeError(absl::StatusCode::kFailedPrecondition, Reason::kNamespaceNotEmpty,
                   absl::StrCat("the namespace ", name, " has entries"));
}

absl::Status CheckExpected(std::optional<Revision> expected, Revision revision) {
  if (!expected || *expected == revision) return absl::OkStatus();
  return MakeError(absl::StatusCode::kAborted, Reason::kRevisionMismatch,
                   absl::StrCat("the namespace has revision ", revision, ", not ", *expected));
}

// What a batch is told whose namespace could not be created. It was not run itself, so that is not
// unknown even if the creation's outcome is.
absl::Status NotCreated(const absl::Status& status) {
  const absl::Status annotated = base::Annotate(status, "cannot create the namespace");
  if (!absl::IsUnknown(status)) return annotated;
  return MakeError(absl::StatusCode::kUnavailable, Reason::kEngineUnavailable, annotated.message());
}

Precondition Unchanged(Revision revision) {
  return {.kind = Precondition::Kind::kRevision, .revision = revision};
}

}  // namespace

void NamespaceRegistry::Create(absl::string_view name, const NamespaceSettings& settings,
                               Done<NamespaceInfo> done) {
  Enqueue(std::make_shared<Change>(Change{.kind = Change::Kind::kCreate,
                                          .name = std::string(name),
                                          .settings = settings,
                                          .done = std::move(done)}));
}

void NamespaceRegistry::Update(absl::string_view name, const NamespaceSettings& settings,
                               std::optional<Revision> expected, Done<NamespaceInfo> done) {
  Enqueue(std::make_shared<Change>(Change{.kind = Change::Kind::kUpdate,
                                          .name = std::string(name),
                                          .settings = settings,
                                          .expected = expected,
                                          .done = std::move(done)}));
}

void NamespaceRegistry::Delete(absl::string_view name, std::optional<Revision> expected,
                               Done<NamespaceInfo> done) {
  Enqueue(std::make_shared<Change>(Change{.kind = Change::Kind::kDelete,
                                          .name = std::string(name),
                                          .expected = expected,
                                          .done = std::move(done)}));
}

void NamespaceRegistry::Enqueue(ChangePtr change) {
  {
    absl::MutexLock lock(&mutex_);
    if (changes_.size() < kMaxQueuedChanges) {
      change->token.emplace(context_.tasks);
      changes_.push_back(std::exchange(change, nullptr));
    }
  }
  if (change == nullptr) return Pump();
  std::move(change->done)(
      MakeError(absl::StatusCode::kResourceExhausted, Reason::kQueueFull,
                absl::StrCat(kMaxQueuedChanges, " changes of namespaces are waiting already")));
}

// Begins the next change unless one is under way. One that ends at once, within Begin, is followed
// by the next in this loop, not by recursion.
void NamespaceRegistry::Pump() {
  const Outstanding::Token token(context_.tasks);
  {
    absl::MutexLock lock(&mutex_);
    if (pumping_) return;
    pumping_ = true;
  }
  while (true) {
    ChangePtr change;
    {
      absl::MutexLock lock(&mutex_);
      if (changing_ || changes_.empty()) {
        pumping_ = false;
        return;
      }
      changing_ = true;
      change = std::move(changes_.front());
      changes_.pop_front();
    }
    Begin(change);
  }
}

void NamespaceRegistry::Begin(const ChangePtr& change) {
  ReadSystemRecord(context_.engine, NamespaceKey(change->name),
                   [this, change](absl::StatusOr<std::optional<SystemRecord>> read) {
                     OnRead(change, std::move(read));
                   });
}

void NamespaceRegistry::OnRead(const ChangePtr& change,
                               absl::StatusOr<std::optional<SystemRecord>> read) {
  if (!read.ok()) return End(change, read.status());
  const absl::Status status = Refresh(change->name, *read);
  if (!status.ok()) return End(change, status);
  const std::optional<Known> known = Lookup(change->name);
  if (!known) return OnMissing(change);
  change->result = InfoOf(change->name, *known);
  OnFound(change, *known);
}

// Makes the copy in memory agree with what the engine has.
absl::Status NamespaceRegistry::Refresh(const std::string& name,
                                        const std::optional<SystemRecord>& found) {
  if (!found) {
    Forget(name);
    return absl::OkStatus();
  }
  TARN_ASSIGN_OR_RETURN(const NamespaceRecord record, DecodeNamespaceRecord(found->value));
  return Adopt(name, record, found->revision);
}

void NamespaceRegistry::OnFound(const ChangePtr& change, const Known& known) {
  if (change->kind == Change::Kind::kEnsure) return End(change, absl::OkStatus());
  if (change->kind == Change::Kind::kCreate) return End(change, NamespaceExists(change->name));
  const absl::Status status = CheckExpected(change->expected, known.revision);
  if (!status.ok()) return End(change, status);
  if (change->kind == Change::Kind::kDelete) {
    return CloseThen(change, known, [this, change, known] { Erase(change, known); });
  }
  NamespaceRecord record = known.record;
  record.settings = change->settings;
  if (record.settings.placement == known.record.settings.placement) {
    return Write(change, record, Unchanged(known.revision));
  }
  CloseThen(change, known,
            [this, change, known, record] { Write(change, record, Unchanged(known.revision)); });
}

void NamespaceRegistry::OnMissing(const ChangePtr& change) {
  const bool creates =
      change->kind == Change::Kind::kEnsure || change->kind == Change::Kind::kCreate;
  if (creates) return WriteNew(change);
  End(change, NamespaceNotFound(change->name));
}

void NamespaceRegistry::WriteNew(const ChangePtr& change) {
  NamespaceRecord record{.settings = change->settings, .create_time = context_.clock.Now()};
  absl::Status status;
  {
    absl::MutexLock lock(&mutex_);
    // The room of a first write counts as one already.
    if (change->kind == Change::Kind::kCreate) status = CheckRoomForOneMore();
    if (status.ok()) {
      const std::optional<NamespaceId> id = NewId();
      if (!id) {
        status = MakeError(absl::StatusCode::kResourceExhausted, Reason::kTooManyNamespaces,
                           "all numbers of namespaces are used up until the next start");
      }
      record.id = id.value_or(kNowhere);
    }
  }
  if (!status.ok()) return End(change, status);
  Write(change, record, {.kind = Precondition::Kind::kAbsent});
}

void NamespaceRegistry::Write(const ChangePtr& change, const NamespaceRecord& record,
                              const Precondition& precondition) {
  WriteSystemRecord(context_.engine, NamespaceKey(change->name), EncodeNamespaceRecord(record),
                    precondition, [this, change, record](absl::StatusOr<Revision> revision) {
                      if (!revision.ok()) return NotWritten(change, record.id, revision.status());
                      const absl::Status status = Adopt(change->name, record, *revision);
                      if (!status.ok()) return End(change, status);
                      change->result = InfoOf(change->name, *Lookup(change->name));
                      End(change, absl::OkStatus());
                    });
}

// A number that was certainly not written down can be given to another one: else a full disk would
// use up all of them.
void NamespaceRegistry::NotWritten(const ChangePtr& change, NamespaceId id,
                                   const absl::Status& status) {
  if (!absl::IsUnknown(status)) {
    absl::MutexLock lock(&mutex_);
    if (FindLocked(change->name) == nullptr) used_ids_[id] = false;
  }
  End(change, status);
}

// Keeps new writes waiting, lets those under way finish, and goes on only if there is nothing then.
// Entries that have expired count as nothing.
void NamespaceRegistry::CloseThen(const ChangePtr& change, const Known& known,
                                  absl::AnyInvocable<void() &&> when_empty) {
  auto go_on = [this, change, id = known.record.id, when_empty = std::move(when_empty)]() mutable {
    if (ledger_.Get(id).entries == 0) return std::move(when_empty)();
    ProbeRange(context_, {.ns = id},
               [this, change,
                when_empty = std::move(when_empty)](absl::StatusOr<Occupancy> found) mutable {
                 if (!found.ok()) return End(change, found.status());
                 if (*found == Occupancy::kOccupied) return End(change, NotEmpty(change->name));
                 std::move(when_empty)();
               });
  };
  {
    absl::MutexLock lock(&mutex_);
    rooms_.try_emplace(change->name);
  }
  known.live->gate.Close(std::move(go_on));
}

void NamespaceRegistry::Erase(const ChangePtr& change, const Known& known) {
  DeleteSystemRecord(context_.engine, NamespaceKey(change->name), Unchanged(known.revision),
                     [this, change](const absl::StatusOr<Revision>& revision) {
                       if (revision.ok()) Forget(change->name);
                       End(change, revision.status());
                     });
}

void NamespaceRegistry::End(const ChangePtr& change, const absl::Status& status) {
  if (change->kind == Change::Kind::kEnsure) {
    {
      absl::MutexLock lock(&mutex_);
      const auto room = rooms_.find(change->name);
      if (room != rooms_.end()) room->second.creation_queued = false;
    }
    if (!status.ok()) FailRoom(change->name, NotCreated(status));
  }
  Settle(change->name);
  if (change->done) {
    if (status.ok())
      std::move(change->done)(change->result);
    else
      std::move(change->done)(status);
  }
  {
    absl::MutexLock lock(&mutex_);
    changing_ = false;
  }
  Pump();
}

}  // namespace tarn::storage
