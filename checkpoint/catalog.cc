#include "checkpoint/catalog.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "storage/base/error.h"
#include "storage/base/logging.h"
#include "storage/base/status.h"

namespace tarn::checkpoint {
namespace {

absl::Status NoSuchCheckpoint(const CheckpointId& id) {
  return base::MakeError(absl::StatusCode::kNotFound, base::Reason::kCheckpointNotFound,
                         absl::StrCat("there is no checkpoint ", ToString(id)));
}

bool IsOwnAndIntact(const CheckpointInfo& info) {
  return info.id.other_store.empty() && info.health == Health::kIntact;
}

}  // namespace

Catalog::Draft::~Draft() {
  if (catalog_ != nullptr) catalog_->AbandonDraft(id_);
}

std::string Catalog::Draft::path() const {
  return catalog_->directory_.PathOf(id_, CatalogFileKind::kTemporary);
}

absl::StatusOr<CheckpointInfo> Catalog::Draft::Publish() && {
  absl::StatusOr<CheckpointInfo> published = catalog_->PublishDraft(id_);
  if (published.ok()) catalog_ = nullptr;
  return published;
}

absl::StatusOr<std::unique_ptr<Catalog>> Catalog::Open(base::FileSystem& files,
                                                       const std::string& path,
                                                       const base::Clock& clock,
                                                       const ReaderOptions& options) {
  TARN_RETURN_IF_ERROR(files.CreateDirectories(path));
  std::unique_ptr<Catalog> catalog(new Catalog(CatalogDirectory(files, path, options), clock));
  TARN_RETURN_IF_ERROR(catalog->LoadStore());
  TARN_RETURN_IF_ERROR(catalog->Load());
  return catalog;
}

// A damaged file says as little as a missing one: the checkpoints know their store too.
absl::Status Catalog::LoadStore() {
  absl::StatusOr<std::optional<std::string>> store = directory_.ReadStore();
  if (absl::IsDataLoss(store.status())) {
    base::LogWarning(store.status().message(), "; the checkpoints beside it tell whose they are");
    return absl::OkStatus();
  }
  TARN_RETURN_IF_ERROR(store.status());
  const absl::MutexLock lock(&mutex_);
  store_id_ = *std::move(store);
  return absl::OkStatus();
}

absl::Status Catalog::Load() {
  TARN_ASSIGN_OR_RETURN(const std::vector<CatalogFileName> names, directory_.List());
  const std::string own_store = store_id().value_or("");
  std::map<CheckpointId, CheckpointInfo> checkpoints;
  std::set<CheckpointId> quarantined;
  for (const CatalogFileName& name : names) {
    if (name.kind == CatalogFileKind::kQuarantined) quarantined.insert(name.id);
    if (name.kind != CatalogFileKind::kPublished) continue;
    CheckpointInfo info = directory_.Inspect(
        name.id, directory_.PathOf(name.id, CatalogFileKind::kPublished), own_store);
    info.pin = directory_.ReadPin(name.id);
    const bool is_known = Get(name.id).status().ok() && Get(name.id)->problem == info.problem;
    if (!info.problem.ok() && !is_known)
      base::LogWarning("a checkpoint is bad: ", info.problem.message());
    checkpoints[name.id] = std::move(info);
  }
  const absl::MutexLock lock(&mutex_);
  checkpoints_ = std::move(checkpoints);
  quarantined_ = std::move(quarantined);
  for (const CatalogFileName& name : names) NoteNumber(name.id);
  return absl::OkStatus();
}

void Catalog::NoteNumber(const CheckpointId& id) {
  if (!id.other_store.empty()) return;
  uint64_t& last = last_sequences_[id.number.incarnation];
  last = std::max(last, id.number.sequence);
}

std::optional<std::string> Catalog::store_id() const {
  const absl::MutexLock lock(&mutex_);
  if (store_id_) return store_id_;
  const CheckpointInfo* const newest = NewestLocked();
  return newest == nullptr ? std::nullopt : std::optional(newest->header.store_id);
}

storage::Incarnation Catalog::HighestIncarnation() const {
  const absl::MutexLock lock(&mutex_);
  return last_sequences_.empty() ? 0 : last_sequences_.rbegin()->first;
}

absl::Status Catalog::CheckStore(absl::string_view store_id) const {
  const std::optional<std::string> known = this->store_id();
  if (!known || *known == store_id) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat("the checkpoint directory ", directory_.path(),
                                                    " belongs to store ", *known,
                                                    ", but this is store ", store_id));
}

absl::Status Catalog::Bind(absl::string_view store_id, absl::string_view holder) {
  const absl::MutexLock changing(&changing_);
  TARN_RETURN_IF_ERROR(CheckStore(store_id));
  auto lock = directory_.files().Lock(base::JoinPath(directory_.path(), "LOCK"), holder);
  if (!lock.ok()) {
    return base::Annotate(lock.status(),
                          absl::StrCat("cannot use the checkpoint directory ", directory_.path()));
  }
  // Again, now that nobody else changes anything.
  TARN_RETURN_IF_ERROR(LoadStore());
  TARN_RETURN_IF_ERROR(CheckStore(store_id));
  TARN_RETURN_IF_ERROR(WriteStoreOnce(store_id));
  TARN_RETURN_IF_ERROR(Load());
  lock_ = *std::move(lock);
  TidyUp();
  return absl::OkStatus();
}

absl::Status Catalog::WriteStoreOnce(absl::string_view store_id) {
  {
    const absl::MutexLock lock(&mutex_);
    if (store_id_) return absl::OkStatus();
  }
  TARN_RETURN_IF_ERROR(directory_.WriteStore(store_id));
  const absl::MutexLock lock(&mutex_);
  store_id_ = std::string(store_id);
  return absl::OkStatus();
}

// Nothing of this stops a start: what stays does no harm.
void Catalog::TidyUp() {
  SweepPins();
  // What a killed process renamed may be seen and not be durable yet.
  for (const absl::Status& status : {directory_.Sweep({}), directory_.Sync()}) {
    if (!status.ok()) base::LogWarning(status.message());
  }
}

// A pin outlives its checkpoint when a deletion was cut short.
void Catalog::SweepPins() {
  const absl::StatusOr<std::vector<CatalogFileName>> names = directory_.List();
  if (!names.ok()) return;
  for (const CatalogFileName& name : *names) {
    const bool alone = std::none_of(names->begin(), names->end(), [&](const auto& other) {
      return other.id == name.id && (other.kind == CatalogFileKind::kPublished ||
                                     other.kind == CatalogFileKind::kQuarantined);
    });
    if (name.kind == CatalogFileKind::kPin && alone)
      directory_.Remove(name.id, CatalogFileKind::kPin).IgnoreError();
  }
}

std::vector<CheckpointInfo> Catalog::List() const {
  std::vector<CheckpointInfo> infos;
  const absl::MutexLock lock(&mutex_);
  for (const auto& [id, info] : checkpoints_) infos.push_back(info);
  return infos;
}

absl::StatusOr<CheckpointInfo> Catalog::Get(const CheckpointId& id) const {
  const absl::MutexLock lock(&mutex_);
  const auto found = checkpoints_.find(id);
  if (found == checkpoints_.end()) return NoSuchCheckpoint(id);
  return found->second;
}

const CheckpointInfo* Catalog::NewestLocked() const {
  const CheckpointInfo* newest = nullptr;
  for (const auto& [id, info] : checkpoints_) {
    if (IsOwnAndIntact(info)) newest = &info;
  }
  return newest;
}

std::optional<CheckpointInfo> Catalog::Newest() const {
  const absl::MutexLock lock(&mutex_);
  const CheckpointInfo* const newest = NewestLocked();
  return newest == nullptr ? std::nullopt : std::optional(*newest);
}

std::vector<CheckpointId> Catalog::Quarantined() const {
  const absl::MutexLock lock(&mutex_);
  return {quarantined_.begin(), quarantined_.end()};
}

absl::StatusOr<CheckpointInfo> Catalog::Refresh(const CheckpointId& id) {
  const absl::MutexLock changing(&changing_);
  TARN_ASSIGN_OR_RETURN(const CheckpointInfo known, Get(id));
  CheckpointInfo info = directory_.Inspect(id, known.path, store_id().value_or(""));
  if (absl::IsNotFound(info.problem)) {
    base::LogWarning("checkpoint ", ToString(id), " is gone: ", info.problem.message());
    Drop(id);
    return NoSuchCheckpoint(id);
  }
  info.pin = known.pin;
  Put(info);
  return info;
}

absl::StatusOr<base::DiskSpace> Catalog::Space() const {
  return directory_.files().Space(directory_.path());
}

Catalog::Draft Catalog::NewDraft(storage::Incarnation incarnation) {
  const absl::MutexLock lock(&mutex_);
  const CheckpointId id{.number = {incarnation, ++last_sequences_[incarnation]}};
  drafts_.insert(id);
  return Draft(*this, id);
}

absl::StatusOr<Catalog::Draft> Catalog::NewDraft(const CheckpointId& id) {
  TARN_ASSIGN_OR_RETURN(const bool exists, directory_.files().Exists(
                                               directory_.PathOf(id, CatalogFileKind::kPublished)));
  const absl::MutexLock lock(&mutex_);
  if (exists || checkpoints_.contains(id) || drafts_.contains(id)) {
    return base::MakeError(absl::StatusCode::kAlreadyExists, base::Reason::kCheckpointExists,
                           absl::StrCat("there is a checkpoint ", ToString(id), " already"));
  }
  NoteNumber(id);
  drafts_.insert(id);
  return Draft(*this, id);
}

absl::StatusOr<CheckpointInfo> Catalog::PublishDraft(const CheckpointId& id) {
  const absl::MutexLock changing(&changing_);
  CheckpointInfo info = directory_.Inspect(id, directory_.PathOf(id, CatalogFileKind::kTemporary),
                                           store_id().value_or(""));
  TARN_RETURN_IF_ERROR(info.problem);
  info.path = directory_.PathOf(id, CatalogFileKind::kPublished);
  TARN_RETURN_IF_ERROR(
      directory_.Rename(id, CatalogFileKind::kTemporary, CatalogFileKind::kPublished));
  if (const absl::Status status = directory_.Sync(); !status.ok()) {
    // It may be gone after a power failure, so nobody must count on it.
    directory_.Remove(id, CatalogFileKind::kPublished).IgnoreError();
    return status;
  }
  Put(info);
  const absl::MutexLock lock(&mutex_);
  drafts_.erase(id);
  return info;
}

void Catalog::AbandonDraft(const CheckpointId& id) {
  // There may be no file. What cannot be removed now is swept later.
  directory_.Remove(id, CatalogFileKind::kTemporary).IgnoreError();
  const absl::MutexLock lock(&mutex_);
  drafts_.erase(id);
}

void Catalog::Put(CheckpointInfo info) {
  const absl::MutexLock lock(&mutex_);
  checkpoints_[info.id] = std::move(info);
}

void Catalog::Drop(const CheckpointId& id) {
  const absl::MutexLock lock(&mutex_);
  checkpoints_.erase(id);
}

absl::Status Catalog::SetPin(const CheckpointId& id, absl::string_view reason) {
  TARN_RETURN_IF_ERROR(CheckPinReason(reason));
  const absl::MutexLock changing(&changing_);
  TARN_ASSIGN_OR_RETURN(CheckpointInfo info, Get(id));
  info.pin = Pin{.reason = std::string(reason), .time = clock_.Now()};
  TARN_RETURN_IF_ERROR(directory_.WritePin(id, *info.pin));
  Put(std::move(info));
  return absl::OkStatus();
}

absl::Status Catalog::ClearPin(const CheckpointId& id) {
  const absl::MutexLock changing(&changing_);
  TARN_ASSIGN_OR_RETURN(CheckpointInfo info, Get(id));
  TARN_RETURN_IF_ERROR(directory_.Remove(id, CatalogFileKind::kPin));
  info.pin = std::nullopt;
  Put(std::move(info));
  return directory_.Sync();
}

absl::Status Catalog::CheckDeletable(const CheckpointId& id) const {
  TARN_ASSIGN_OR_RETURN(const CheckpointInfo info, Get(id));
  if (info.pin) {
    return base::MakeError(
        absl::StatusCode::kFailedPrecondition, base::Reason::kCheckpointPinned,
        absl::StrCat("checkpoint ", ToString(id), " is pinned: ", info.pin->reason));
  }
  const std::vector<CheckpointInfo> all = List();
  if (IsOwnAndIntact(info) && std::count_if(all.begin(), all.end(), IsOwnAndIntact) == 1) {
    return base::MakeError(absl::StatusCode::kFailedPrecondition, base::Reason::kLastCheckpoint,
                           absl::StrCat("checkpoint ", ToString(id), " is the last valid one"));
  }
  return absl::OkStatus();
}

// A deletion that a crash undoes leaves an older checkpoint more: no sync is needed.
absl::Status Catalog::Delete(const CheckpointId& id) {
  const absl::MutexLock changing(&changing_);
  const absl::Status deletable = CheckDeletable(id);
  if (deletable.ok()) {
    TARN_RETURN_IF_ERROR(directory_.Remove(id, CatalogFileKind::kPublished));
    Drop(id);
    return absl::OkStatus();
  }
  if (!absl::IsNotFound(deletable)) return deletable;
  {
    const absl::MutexLock lock(&mutex_);
    if (!quarantined_.contains(id)) return deletable;
  }
  TARN_RETURN_IF_ERROR(directory_.Remove(id, CatalogFileKind::kQuarantined));
  TARN_RETURN_IF_ERROR(directory_.Remove(id, CatalogFileKind::kPin));
  const absl::MutexLock lock(&mutex_);
  quarantined_.erase(id);
  return absl::OkStatus();
}

absl::Status Catalog::Quarantine(const CheckpointId& id, const absl::Status& why) {
  const absl::MutexLock changing(&changing_);
  TARN_RETURN_IF_ERROR(Get(id).status());
  TARN_RETURN_IF_ERROR(
      directory_.Rename(id, CatalogFileKind::kPublished, CatalogFileKind::kQuarantined));
  base::LogError("checkpoint ", ToString(id), " is bad and was set aside as ",
                 FileName(id, CatalogFileKind::kQuarantined), ": ", why.message());
  {
    const absl::MutexLock lock(&mutex_);
    checkpoints_.erase(id);
    quarantined_.insert(id);
  }
  return directory_.Sync();
}

absl::Status Catalog::Sweep() {
  const absl::MutexLock changing(&changing_);
  std::set<CheckpointId> in_use;
  {
    const absl::MutexLock lock(&mutex_);
    in_use = drafts_;
  }
  return directory_.Sweep(in_use);
}

}  // namespace tarn::checkpoint
