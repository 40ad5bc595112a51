#include "storage/store_impl.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "storage/base/error.h"
#include "storage/base/status.h"

namespace tarn::storage {

absl::StatusOr<std::unique_ptr<Store>> Store::Open(const Dependencies& dependencies,
                                                   const StoreMeta& meta,
                                                   const StoreOptions& options) {
  return StoreImpl::Open(dependencies, meta, options);
}

StoreImpl::StoreImpl(const Dependencies& dependencies, const StoreMeta& meta,
                     const StoreOptions& options)
    : engine_(dependencies.engine),
      completes_inline_(dependencies.engine.completes_inline()),
      ledger_(dependencies.ledger),
      clock_(dependencies.clock),
      executor_(dependencies.executor),
      meta_(meta),
      options_(options),
      tokens_(meta.store_id),
      sessions_({.max_open = options.max_open_scans,
                 .lifetime = options.scan_lifetime,
                 .linger = options.scan_linger},
                clock_, dependencies.random) {}

// Whatever may still call back into the Store is waited for before what it would find is gone.
StoreImpl::~StoreImpl() {
  sweeper_.reset();
  tasks_.WaitForNone();
  registry_.reset();
  locks_.reset();
}

absl::StatusOr<std::unique_ptr<StoreImpl>> StoreImpl::Open(const Dependencies& dependencies,
                                                           const StoreMeta& meta,
                                                           const StoreOptions& options) {
  std::unique_ptr<StoreImpl> store(new StoreImpl(dependencies, meta, options));
  TARN_ASSIGN_OR_RETURN(
      store->registry_,
      NamespaceRegistry::Load(store->TaskContext(), store->ledger_, store->options_.limits));
  TARN_RETURN_IF_ERROR(store->CreateDefaultNamespace());
  TARN_ASSIGN_OR_RETURN(store->locks_,
                        LockTable::Load({dependencies.engine, dependencies.clock, dependencies.boot,
                                         store->options_.limits}));
  TARN_ASSIGN_OR_RETURN(store->requests_,
                        RequestRegistry::Load({store->engine_, store->clock_, store->tasks_},
                                              meta.store_id, options.requests));
  store->sweeper_ =
      std::make_unique<Sweeper>(Sweeper::Options{.entries_per_step = options.sweep_entries_per_step,
                                                 .interval = options.sweep_interval},
                                store->engine_, store->sessions_, store->clock_,
                                [requests = store->requests_.get()] { requests->Sweep(); });
  return store;
}

absl::Status StoreImpl::CreateDefaultNamespace() {
  if (registry_->Find(kDefaultNamespace) != nullptr) return absl::OkStatus();
  absl::Notification created;
  absl::Status status;
  registry_->Create(kDefaultNamespace, {}, [&](const absl::StatusOr<NamespaceInfo>& info) {
    status = info.status();
    created.Notify();
  });
  created.WaitForNotification();
  return status.ok() ? status : base::Annotate(status, "cannot create the default namespace");
}

void StoreImpl::RegisterClient(Done<Revision> done) { requests_->Register(std::move(done)); }

void StoreImpl::CreateNamespace(absl::string_view name, const NamespaceSettings& settings,
                                Done<NamespaceInfo> done) {
  absl::Status status = CheckNamespaceName(name);
  if (status.ok()) status = CheckNamespaceSettings(settings, options_.limits);
  if (!status.ok()) return std::move(done)(status);
  registry_->Create(name, settings, std::move(done));
}

void StoreImpl::UpdateNamespace(absl::string_view name, const NamespaceSettings& settings,
                                std::optional<Revision> expected, Done<NamespaceInfo> done) {
  absl::Status status = CheckNamespaceName(name);
  if (status.ok()) status = CheckNamespaceSettings(settings, options_.limits);
  if (!status.ok()) return std::move(done)(status);
  registry_->Update(name, settings, expected, std::move(done));
}

void StoreImpl::DeleteNamespace(absl::string_view name, std::optional<Revision> expected,
                                Done<NamespaceInfo> done) {
  const absl::Status status = CheckNamespaceName(name);
  if (!status.ok()) return std::move(done)(status);
  if (name == kDefaultNamespace) {
    return std::move(done)(
        base::MakeError(absl::StatusCode::kInvalidArgument, base::Reason::kDefaultNamespace,
                        absl::StrCat("the namespace ", kDefaultNamespace, " cannot be deleted")));
  }
  registry_->Delete(name, expected, std::move(done));
}

absl::StatusOr<NamespaceInfo> StoreImpl::GetNamespace(absl::string_view name) const {
  TARN_RETURN_IF_ERROR(CheckNamespaceName(name));
  return registry_->Get(name);
}

std::vector<NamespaceInfo> StoreImpl::ListNamespaces(absl::string_view after, size_t max) const {
  return registry_->List(after, max);
}

StoreStats StoreImpl::Stats() const {
  StoreStats stats;
  stats.store_id = meta_.store_id;
  stats.engine = engine_.Stats();
  // The counter of revisions may have carried over since the start.
  stats.incarnation = std::max(meta_.incarnation, IncarnationOf(stats.engine.revision));
  stats.swept_entries = sweeper_->swept();
  stats.open_scans = sessions_.size();
  stats.oldest_scan_age = sessions_.oldest_age();
  stats.namespaces = registry_->size();
  stats.requests = requests_->stats();
  return stats;
}

}  // namespace tarn::storage
