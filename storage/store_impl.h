// The Store: what lies above every engine, put together.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "storage/admission.h"
#include "storage/locks/lock_table.h"
#include "storage/namespace_registry.h"
#include "storage/outstanding.h"
#include "storage/request_registry.h"
#include "storage/resume_token.h"
#include "storage/scan_sessions.h"
#include "storage/store.h"
#include "storage/store_scan.h"
#include "storage/sweeper.h"

namespace tarn::storage {

// See store.h. Batches are in store_batches.cc, scans and work on ranges in store_ranges.cc, the
// rest in store_impl.cc.
class StoreImpl final : public Store {
 public:
  // As Store::Open.
  static absl::StatusOr<std::unique_ptr<StoreImpl>> Open(const Dependencies& dependencies,
                                                         const StoreMeta& meta,
                                                         const StoreOptions& options);
  ~StoreImpl() override;

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

  LockTable& locks() override { return *locks_; }

  StoreStats Stats() const override;
  const Limits& limits() const override { return options_.limits; }
  const RequestOptions& request_options() const override { return options_.requests; }
  Engine& engine() override { return engine_; }

  // What the sweeper does now and then.
  void SweepOnce() { sweeper_->SweepOnce(); }

 private:
  // Whether a batch went to the engine, or its caller's completion is still to be used.
  enum class Outcome { kSubmitted, kMustWait };
  // How a batch comes by a namespace whose gate is closed.
  enum class Entry { kAskGate, kWaited };

  StoreImpl(const Dependencies& dependencies, const StoreMeta& meta, const StoreOptions& options);

  absl::Status CreateDefaultNamespace();
  void RunBatch(const BatchRequest& request, Completion done);
  Outcome RunIn(LiveNamespace& ns, const BatchRequest& request, Entry entry, Completion& done);
  void RunOrWait(absl::string_view name, const BatchRequest& request, Completion done);
  void Resume(absl::StatusOr<LiveNamespace*> ns, const std::string& name,
              const BatchRequest& request, Completion& done);
  void RunWithout(absl::string_view name, const BatchRequest& request, Completion& done);
  void Submit(const BatchRequest& request, std::optional<WriteGate::Pass> pass, Completion done);
  void SubmitFenced(const BatchRequest& request, std::optional<WriteGate::Pass> pass,
                    Completion done);
  void SubmitRest(const BatchRequest& request, std::vector<Refusal> refused,
                  std::optional<WriteGate::Pass> pass, Completion done);
  NamespaceRegistry::Need NeedOf(const BatchRequest& request) const;

  absl::StatusOr<NamespaceId> FindForReading(absl::string_view name) const;
  absl::StatusOr<KeyRange> ResolveRange(absl::string_view ns, const KeyBounds& bounds) const;
  void OpenFreshScan(StoreScan::Plan plan, uint64_t digest, Done<std::unique_ptr<Scan>> done);
  absl::StatusOr<std::unique_ptr<Scan>> ResumeScan(StoreScan::Plan plan, uint64_t digest,
                                                   absl::string_view token);

  RangeTaskContext TaskContext() { return {engine_, clock_, executor_, tasks_}; }

  Engine& engine_;
  const bool completes_inline_;
  UsageLedger& ledger_;
  base::Clock& clock_;
  base::Executor& executor_;
  const StoreMeta meta_;
  const StoreOptions options_;
  const ResumeTokenCodec tokens_;

  Outstanding tasks_;
  std::unique_ptr<LockTable> locks_;  // Outlives the batches under way, and so the namespaces.
  ScanSessions sessions_;
  std::unique_ptr<NamespaceRegistry> registry_;
  std::unique_ptr<RequestRegistry> requests_;
  std::unique_ptr<Sweeper> sweeper_;
};

}  // namespace tarn::storage
