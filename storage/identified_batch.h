// One request with an id on its way: done once, and answered as often as it is repeated.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/types/span.h"
#include "storage/batch.h"
#include "storage/engine.h"
#include "storage/receipts.h"
#include "storage/request_registry.h"
#include "storage/store.h"

namespace tarn::storage {

// Gives a batch its receipts.
class ReceiptMaker {
 public:
  virtual ~ReceiptMaker() = default;

  // Once the namespace is known, and again if that has changed meanwhile. `operations` are those of
  // the batch that it was given with; those of an independent batch get their receipts here.
  virtual void MakeReceipts(NamespaceId ns, Placement placement,
                            absl::Span<Operation> operations) = 0;
  // Of an atomic batch; otherwise null.
  virtual const Receipt* OfBatch() const = 0;
};

// Asks the registry; gives back what was answered before, by the receipts; runs what was not done
// yet; remembers how that went; and only then completes. Keeps itself alive until then. Used by one
// thread at a time.
class IdentifiedBatch final : public ReceiptMaker,
                              public std::enable_shared_from_this<IdentifiedBatch> {
 public:
  // Runs a batch without an id.
  using Runner = absl::AnyInvocable<void(const BatchRequest&, Completion)>;

  struct Context {
    RequestRegistry& registry;
    Engine& engine;
    Runner run;
  };

  // `request` has an id, and a mutation.
  IdentifiedBatch(Context context, const BatchRequest& request, Completion done);

  void Start();

  void MakeReceipts(NamespaceId ns, Placement placement, absl::Span<Operation> operations) override;
  const Receipt* OfBatch() const override;

 private:
  // A receipt with the bytes it views.
  struct OwnedReceipt {
    ReceiptRoute route = 0;
    std::string key;
    Receipt view;
  };
  // One that is asked for, as it may be there.
  struct Sought {
    KeptAnswer answer;
    std::string key;
  };

  bool atomic() const { return request_.mode == BatchMode::kAtomic; }
  // How many answers there are to be: one for an atomic batch.
  size_t parts() const { return atomic() ? 1 : request_.operations.size(); }

  void Recall(const KeptAnswers& known);
  void Seek();
  void OnFound(const BatchResult& found);
  absl::Status TakeReceipt(const KeptAnswer& answer, absl::string_view value);
  absl::Status OnMissing(const KeptAnswer& answer) const;

  void RunRest();
  void OnRun(BatchResult& result);
  void Remember(const BatchResult& result);
  void RememberEach(const BatchResult& result);
  void RememberWhole(const BatchResult& result);
  void Keep(KeptAnswer::Kind kind, size_t index, const absl::Status& failure);
  void Merge(BatchResult& result);

  void Fail(const absl::Status& status, size_t failed_operation);
  void End(BatchResult& result);

  Context on_;
  BatchRequest request_;
  Completion done_;
  const base::Hash128 digest_;
  std::string header_;

  std::vector<Sought> sought_;
  std::vector<Operation> reads_;

  // What was answered before, when something was: a result for each operation, and which of them
  // are still to be done.
  BatchResult recalled_;
  std::vector<bool> answered_;
  std::vector<Operation> rest_;
  std::vector<uint32_t> rest_indexes_;  // Of `rest_` in the batch; empty: all of it.

  absl::InlinedVector<OwnedReceipt, 1> receipts_;  // By what is run.
  KeptAnswers fresh_;
};

}  // namespace tarn::storage
