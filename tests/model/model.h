// The ordered map that engines are compared with, and the comparison.
//
// It adopts what the documentation leaves to the engine (which revision, which of several errors,
// when an expired entry is swept) from the engine's own answers, after it has checked that the
// engine was free to choose so.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "storage/engine.h"
#include "storage/limits.h"
#include "storage/usage.h"
#include "tests/contract/language.h"
#include "tests/model/history.h"

namespace tarn::testing {

// What an open snapshot may show.
struct ViewBounds {
  Revision revision = 0;
  UnixMs as_of = 0;
};

// Whether other batches were under way, so that what they share (a quota) may have been theirs
// first.
enum class Company { kAlone, kAmongOthers };

class Model {
 public:
  explicit Model(const storage::Limits& limits) : limits_(limits) {}

  // Batches submitted from now on must have revisions above all those known now.
  void BeginStep() { floor_ = highest_; }

  // Checks an answer against the state, then does to the state what the batch did. In the order of
  // submission.
  absl::Status CheckBatch(BatchMode mode, const std::vector<Op>& ops, const BatchAnswer& answer,
                          UnixMs now, Company company);

  absl::Status CheckSweep(const storage::SweepResult& result, size_t budget, UnixMs now,
                          const std::vector<ViewBounds>& views);
  absl::Status CheckUsage(const storage::UsageLedger& ledger) const;

  void SetQuota(NamespaceId ns, const storage::Quota& quota) { quotas_[ns] = quota; }
  const std::map<NamespaceId, storage::Quota>& quotas() const { return quotas_; }

  // The content was replaced, or opened anew: a new incarnation begins.
  void Replace(History history, storage::Incarnation incarnation);
  void StartIncarnation(storage::Incarnation incarnation);

  void ForgetBefore(Revision revision) { history_.ForgetBefore(revision); }

  const History& history() const { return history_; }
  Revision highest() const { return highest_; }
  storage::Incarnation incarnation() const { return incarnation_; }

 private:
  // Between these an engine's count may be: entries that may have been swept already count only in
  // `most`.
  struct UsageRange {
    storage::Usage least;
    storage::Usage most;
  };
  struct Planned {
    FullKey key;
    Verdict verdict;
  };

  const Entry* Live(const FullKey& key, UnixMs now) const;
  absl::Status CheckAtomic(const std::vector<Op>& ops, const BatchAnswer& answer, UnixMs now,
                           Company company);
  absl::Status CheckRefusal(const std::vector<Planned>& planned, const BatchAnswer& answer,
                            Company company) const;
  absl::Status CheckIndependent(const std::vector<Op>& ops, const BatchAnswer& answer, UnixMs now,
                                Company company);
  absl::Status CheckNewRevision(Revision revision);
  absl::Status CheckOrder(const FullKey& key, Revision revision) const;
  bool MayExceedQuota(const std::vector<Planned>& planned, Company company) const;
  bool MustExceedQuota(const std::vector<Planned>& planned, Company company) const;
  UsageRange UsageOf(NamespaceId ns) const;
  std::map<NamespaceId, UsageRange> Growth(const std::vector<Planned>& planned) const;
  void Apply(const Planned& planned, Revision revision);

  const storage::Limits limits_;
  History history_;
  std::set<FullKey> maybe_swept_;  // Expired entries of history_ that the engine may have removed.
  std::map<NamespaceId, storage::Quota> quotas_;
  storage::Incarnation incarnation_ = 1;
  Revision highest_ = storage::FirstRevision(1);
  Revision floor_ = storage::FirstRevision(1);
  std::set<Revision> used_;  // Above floor_.
};

}  // namespace tarn::testing
