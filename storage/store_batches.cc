// How a batch gets from the Store's door to the engine.
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "storage/base/error.h"
#include "storage/identified_batch.h"
#include "storage/store_impl.h"

namespace tarn::storage {
namespace {

absl::string_view NameOf(const BatchRequest& request) {
  return request.ns.empty() ? kDefaultNamespace : request.ns;
}

void Fail(const absl::Status& status, size_t failed_operation, Completion& done) {
  BatchResult result;
  result.status = status;
  result.failed_operation = failed_operation;
  std::move(done)(result);
}

// Checks and completes every operation. What is refused is in the order of the batch.
std::vector<Refusal> AdmitAll(Admission& admission, absl::Span<Operation> operations) {
  std::vector<Refusal> refused;
  for (size_t i = 0; i < operations.size(); ++i) {
    absl::Status status = admission.Admit(operations[i]);
    if (!status.ok()) refused.push_back({.index = i, .status = std::move(status)});
  }
  return refused;
}

std::optional<Refusal> FirstRefusal(const std::vector<Refusal>& refused,
                                    absl::Span<const Operation> operations) {
  if (!refused.empty()) return refused.front();
  return FindDuplicateMutation(operations);
}

bool MayCreate(OperationKind kind) {
  return kind == OperationKind::kPut || kind == OperationKind::kAdd ||
         kind == OperationKind::kAppend;
}

// An independent batch without the operations that were refused, and its way back to a result for
// each of them all.
struct Rest {
  std::vector<Operation> admitted;
  std::vector<Refusal> refused;

  Rest(absl::Span<const Operation> operations, std::vector<Refusal> refused_in)
      : refused(std::move(refused_in)) {
    auto next = refused.begin();
    for (size_t i = 0; i < operations.size(); ++i) {
      if (next != refused.end() && next->index == i)
        ++next;
      else
        admitted.push_back(operations[i]);
    }
  }

  // Puts the refusals between the results of the admitted ones.
  void Complete(BatchResult& result) const {
    if (!result.status.ok()) return;
    auto given = std::exchange(result.results, {});
    size_t taken = 0;
    for (const Refusal& refusal : refused) {
      while (result.results.size() < refusal.index) {
        result.results.push_back(std::move(given[taken++]));
      }
      result.results.emplace_back().status = refusal.status;
    }
    while (taken < given.size()) result.results.push_back(std::move(given[taken++]));
  }
};

}  // namespace

void StoreImpl::Run(const BatchRequest& request, Completion done) {
  const absl::Status status = CheckBatchSize(request.operations.size(), options_.limits);
  if (!status.ok()) return Fail(status, 0, done);
  if (request.id.empty() || IsReadOnly(request.operations)) {
    return RunBatch(request, std::move(done));
  }
  const auto run = [this](const BatchRequest& part, Completion part_done) {
    RunBatch(part, std::move(part_done));
  };
  std::make_shared<IdentifiedBatch>(IdentifiedBatch::Context{*requests_, engine_, run}, request,
                                    std::move(done))
      ->Start();
}

void StoreImpl::RunBatch(const BatchRequest& request, Completion done) {
  const absl::string_view name = NameOf(request);
  LiveNamespace* const ns = registry_->Find(name);
  if (ns != nullptr && RunIn(*ns, request, Entry::kAskGate, done) == Outcome::kSubmitted) return;
  RunOrWait(name, request, std::move(done));
}

StoreImpl::Outcome StoreImpl::RunIn(LiveNamespace& ns, const BatchRequest& request, Entry entry,
                                    Completion& done) {
  Admission admission(options_.limits, clock_, ns.id,
                      ns.default_ttl_ms.load(std::memory_order_relaxed));
  std::vector<Refusal> refused = AdmitAll(admission, request.operations);
  if (request.mode == BatchMode::kAtomic) {
    if (const auto first = FirstRefusal(refused, request.operations)) {
      Fail(first->status, first->index, done);
      return Outcome::kSubmitted;
    }
  }
  // Reads need no pass, because they leave nothing behind; but those that must see what their
  // caller submitted before wait with it.
  std::optional<WriteGate::Pass> pass;
  if (!IsReadOnly(request.operations)) {
    if (entry == Entry::kWaited)
      pass.emplace(ns.gate.EnterClosed());
    else if (auto entered = ns.gate.Enter())
      pass.emplace(*std::move(entered));
    else
      return Outcome::kMustWait;
  } else if (request.read_order == ReadOrder::kSubmitted && entry == Entry::kAskGate &&
             ns.gate.closed()) {
    return Outcome::kMustWait;
  }
  if (request.receipts != nullptr) {
    request.receipts->MakeReceipts(ns.id, ns.placement.load(std::memory_order_relaxed),
                                   request.operations);
  }
  if (refused.empty())
    Submit(request, std::move(pass), std::move(done));
  else
    SubmitRest(request, std::move(refused), std::move(pass), std::move(done));
  return Outcome::kSubmitted;
}

void StoreImpl::SubmitRest(const BatchRequest& request, std::vector<Refusal> refused,
                           std::optional<WriteGate::Pass> pass, Completion done) {
  auto rest = std::make_unique<Rest>(request.operations, std::move(refused));
  if (rest->admitted.empty()) {
    BatchResult result;
    rest->Complete(result);
    return std::move(done)(result);
  }
  BatchRequest remaining = request;
  remaining.operations = absl::MakeSpan(rest->admitted);
  Submit(remaining, std::move(pass),
         [rest = std::move(rest), done = std::move(done)](BatchResult& result) mutable {
           rest->Complete(result);
           std::move(done)(result);
         });
}

// From here on the lock is not given to anybody else until the engine has answered.
void StoreImpl::SubmitFenced(const BatchRequest& request, std::optional<WriteGate::Pass> pass,
                             Completion done) {
  absl::StatusOr<LockTable::Pass> fence = locks_->Enter(NameOf(request), request.fence);
  if (!fence.ok()) return Fail(fence.status(), 0, done);
  BatchRequest inside = request;
  inside.fence = {};
  Submit(inside, std::move(pass),
         [this, fence = *std::move(fence), done = std::move(done)](BatchResult& result) mutable {
           LockTable::GiveBack(std::move(fence), result, engine_);
           std::move(done)(result);
         });
}

void StoreImpl::Submit(const BatchRequest& request, std::optional<WriteGate::Pass> pass,
                       Completion done) {
  if (!request.fence.empty()) return SubmitFenced(request, std::move(pass), std::move(done));
  const Batch batch{.mode = request.mode,
                    .read_order = request.read_order,
                    .operations = request.operations,
                    .receipt = request.receipts == nullptr ? nullptr : request.receipts->OfBatch(),
                    .caller = request.caller};
  // The pass lasts until the batch is done: here that is when Run returns.
  if (!pass || completes_inline_) return engine_.Run(batch, std::move(done));
  engine_.Run(batch, [pass = *std::move(pass), done = std::move(done)](
                         BatchResult& result) mutable { std::move(done)(result); });
}

// The way of the few: there is no such namespace, or it is coming or going.
void StoreImpl::RunOrWait(absl::string_view name, const BatchRequest& request, Completion done) {
  const absl::Status status = CheckNamespaceName(name);
  if (!status.ok()) return Fail(status, 0, done);
  const NamespaceRegistry::Need need = NeedOf(request);
  auto kept = std::make_shared<Completion>(std::move(done));
  NamespaceRegistry::Waiter waiter = [this, kept, own_name = std::string(name),
                                      request](absl::StatusOr<LiveNamespace*> ns) {
    Resume(std::move(ns), own_name, request, *kept);
  };
  while (true) {
    const auto enlisted = registry_->Enlist(name, need, waiter);
    if (!enlisted.ok()) return Fail(enlisted.status(), 0, *kept);
    if (!*enlisted) return;
    LiveNamespace* const ns = **enlisted;
    if (ns == nullptr) return RunWithout(name, request, *kept);
    if (RunIn(*ns, request, Entry::kAskGate, *kept) == Outcome::kSubmitted) return;
  }
}

void StoreImpl::Resume(absl::StatusOr<LiveNamespace*> ns, const std::string& name,
                       const BatchRequest& request, Completion& done) {
  if (!ns.ok()) return Fail(ns.status(), 0, done);
  if (*ns == nullptr) return RunWithout(name, request, done);
  RunIn(**ns, request, Entry::kWaited, done);
}

// What creates nothing finds nothing.
void StoreImpl::RunWithout(absl::string_view name, const BatchRequest& request, Completion& done) {
  if (options_.namespace_creation == NamespaceCreation::kExplicit) {
    return Fail(NamespaceNotFound(name), 0, done);
  }
  RunIn(registry_->nowhere(), request, Entry::kWaited, done);
}

NamespaceRegistry::Need StoreImpl::NeedOf(const BatchRequest& request) const {
  if (options_.namespace_creation == NamespaceCreation::kExplicit) {
    return NamespaceRegistry::Need::kExisting;
  }
  Admission admission(options_.limits, clock_, kNowhere, 0);
  const std::vector<Refusal> refused = AdmitAll(admission, request.operations);
  if (request.mode == BatchMode::kAtomic && FirstRefusal(refused, request.operations)) {
    return NamespaceRegistry::Need::kExisting;
  }
  auto next = refused.begin();
  for (size_t i = 0; i < request.operations.size(); ++i) {
    if (next != refused.end() && next->index == i)
      ++next;
    else if (MayCreate(request.operations[i].kind))
      return NamespaceRegistry::Need::kCreation;
  }
  return NamespaceRegistry::Need::kExisting;
}

}  // namespace tarn::storage
