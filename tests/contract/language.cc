#include "tests/contract/language.h"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <deque>
#include <functional>
#include <latch>
#include <stdexcept>
#include <thread>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "storage/base/error.h"
#include "storage/receipts.h"

namespace tarn::testing {
namespace {

using storage::DeadlineRule;
using storage::Operation;
using storage::OperationKind;
using storage::Precondition;

constexpr absl::Duration kPatience = absl::Minutes(1);

Op MakeOp(OperationKind kind, std::string key, std::string value = {}) {
  Op op;
  op.kind = kind;
  op.key = std::move(key);
  op.value = std::move(value);
  return op;
}

Answer CopyOf(const storage::OperationResult& result) {
  return {result.status, result.found, result.revision,          result.deadline,
          result.number, result.size,  std::string(result.value)};
}

const char* NameOf(OperationKind kind) {
  switch (kind) {
    case OperationKind::kGet:
      return "Get";
    case OperationKind::kPut:
      return "Put";
    case OperationKind::kDelete:
      return "Delete";
    case OperationKind::kTake:
      return "Take";
    case OperationKind::kAdd:
      return "Add";
    case OperationKind::kAppend:
      return "Append";
    case OperationKind::kTouch:
      return "Touch";
  }
  return "?";
}

std::string Show(const Precondition& precondition) {
  switch (precondition.kind) {
    case Precondition::Kind::kNone:
      return "";
    case Precondition::Kind::kAbsent:
      return ".IfAbsent()";
    case Precondition::Kind::kPresent:
      return ".IfPresent()";
    case Precondition::Kind::kRevision:
      return absl::StrCat(".IfRevision(", precondition.revision, ")");
  }
  return "?";
}

void Overwrite(std::string& bytes) { std::fill(bytes.begin(), bytes.end(), '\xDD'); }

void Overwrite(std::optional<ReceiptText>& receipt) {
  if (!receipt) return;
  Overwrite(receipt->key);
  Overwrite(receipt->header);
}

}  // namespace

Op Op::IfAbsent() const {
  Op op = *this;
  op.precondition = {Precondition::Kind::kAbsent, 0};
  return op;
}

Op Op::IfPresent() const {
  Op op = *this;
  op.precondition = {Precondition::Kind::kPresent, 0};
  return op;
}

Op Op::IfRevision(Revision revision) const {
  Op op = *this;
  op.precondition = {Precondition::Kind::kRevision, revision};
  return op;
}

Op Op::Until(UnixMs deadline_ms) const {
  Op op = *this;
  op.deadline = deadline_ms;
  return op;
}

Op Op::KeepDeadline() const {
  Op op = *this;
  op.deadline_rule = DeadlineRule::kKeepExisting;
  return op;
}

Op Op::In(NamespaceId other) const {
  Op op = *this;
  op.ns = other;
  return op;
}

Op Op::Leaving(ReceiptText left) const {
  Op op = *this;
  op.receipt = std::move(left);
  return op;
}

ReceiptText ReceiptOf(const Op& op, uint64_t request, uint32_t operation) {
  const storage::ReceiptRoute route = RouteOf(storage::Placement::kSpread, op.ns, op.key);
  return {storage::ReceiptKey(
              {.client = 7, .request = request, .operation = operation, .route = route}),
          storage::ReceiptHeader({.digest = {.high = request, .low = operation}, .time = 1})};
}

Operation Op::View() const {
  Operation operation;
  operation.kind = kind;
  operation.deadline_rule = deadline_rule;
  operation.ns = ns;
  operation.precondition = precondition;
  operation.key = key;
  operation.value = value;
  operation.delta = delta;
  operation.deadline = deadline;
  return operation;
}

Op Get(std::string key) { return MakeOp(OperationKind::kGet, std::move(key)); }
Op Put(std::string key, std::string value) {
  return MakeOp(OperationKind::kPut, std::move(key), std::move(value));
}
Op Delete(std::string key) { return MakeOp(OperationKind::kDelete, std::move(key)); }
Op Take(std::string key) { return MakeOp(OperationKind::kTake, std::move(key)); }
Op Append(std::string key, std::string suffix) {
  return MakeOp(OperationKind::kAppend, std::move(key), std::move(suffix));
}

Op Add(std::string key, int64_t delta) {
  Op op = MakeOp(OperationKind::kAdd, std::move(key));
  op.delta = delta;
  return op;
}

Op Touch(std::string key, UnixMs deadline) {
  Op op = MakeOp(OperationKind::kTouch, std::move(key));
  op.deadline = deadline;
  return op;
}

std::string Why(const absl::Status& status) {
  if (status.ok()) return "OK";
  const base::Reason reason = base::ReasonOf(status);
  const std::string code = absl::StatusCodeToString(status.code());
  if (reason == base::Reason::kNone)
    return absl::StrCat(code, " without a reason: ", status.message());
  return absl::StrCat(code, " ", base::ReasonName(reason));
}

std::string Why(const Answer& answer) { return Why(answer.status); }
std::string Why(const BatchAnswer& answer) { return Why(answer.status); }

std::string Show(const std::string& bytes) {
  constexpr size_t kShown = 40;
  const std::string head = absl::CHexEscape(bytes.substr(0, kShown));
  if (bytes.size() <= kShown) return absl::StrCat("\"", head, "\"");
  return absl::StrCat("\"", head, "...\" of ", bytes.size(), " bytes");
}

std::string Show(const Op& op) {
  std::string text = absl::StrCat(NameOf(op.kind), "(", Show(op.key));
  const bool writes = op.kind == OperationKind::kPut || op.kind == OperationKind::kAppend;
  if (writes) absl::StrAppend(&text, ", ", Show(op.value));
  if (op.kind == OperationKind::kAdd) absl::StrAppend(&text, ", ", op.delta);
  if (op.kind == OperationKind::kTouch) absl::StrAppend(&text, ", ", op.deadline);
  absl::StrAppend(&text, ")", Show(op.precondition));
  if (op.kind != OperationKind::kTouch && op.deadline != kNever)
    absl::StrAppend(&text, ".Until(", op.deadline, ")");
  if (op.deadline_rule == DeadlineRule::kKeepExisting) absl::StrAppend(&text, ".KeepDeadline()");
  if (op.ns != kNs) absl::StrAppend(&text, ".In(", op.ns, ")");
  return text;
}

std::string Show(const Row& row) {
  return absl::StrCat("{", Show(row.key), ": ", Show(row.value), ", revision ", row.revision,
                      ", deadline ", row.deadline, ", namespace ", row.ns, "}");
}

std::ostream& operator<<(std::ostream& out, const Row& row) { return out << Show(row); }

struct Pending::State {
  std::vector<Op> ops;
  std::optional<ReceiptText> receipt;
  std::vector<Operation> views;
  std::deque<storage::Receipt> receipts;  // That `views` point to.

  const storage::Receipt* ViewOf(const std::optional<ReceiptText>& text) {
    return text ? &receipts.emplace_back(storage::Receipt{text->key, text->header}) : nullptr;
  }
  std::atomic<int> completions{0};
  BatchAnswer answer;
  absl::Notification done;
};

Pending::Pending(std::vector<Op> ops) : state_(std::make_unique<State>()) {
  state_->ops = std::move(ops);
  for (const Op& op : state_->ops) {
    state_->views.push_back(op.View());
    state_->views.back().receipt = state_->ViewOf(op.receipt);
  }
}

Pending::~Pending() = default;

void Pending::Complete(storage::BatchResult& result) {
  if (state_->completions.fetch_add(1) != 0)
    std::abort();  // Once is the contract; nothing can be trusted any more.
  BatchAnswer& answer = state_->answer;
  answer.status = result.status;
  answer.failed_operation = result.failed_operation;
  answer.revision = result.revision;
  for (const storage::OperationResult& one : result.results) answer.results.push_back(CopyOf(one));
  for (Op& op : state_->ops) {
    Overwrite(op.key);
    Overwrite(op.value);
    Overwrite(op.receipt);
  }
  Overwrite(state_->receipt);
  state_->done.Notify();
}

const BatchAnswer& Pending::Wait() {
  if (!state_->done.WaitForNotificationWithTimeout(kPatience))
    throw std::runtime_error("a batch was never completed");
  return state_->answer;
}

bool Pending::done() const { return state_->done.HasBeenNotified(); }

std::shared_ptr<Pending> Submit(storage::Engine& engine, BatchMode mode, std::vector<Op> ops,
                                ReadOrder order, std::optional<ReceiptText> receipt) {
  auto pending = std::make_shared<Pending>(std::move(ops));
  pending->state_->receipt = std::move(receipt);
  const storage::Batch batch{mode, order, pending->state_->views,
                             pending->state_->ViewOf(pending->state_->receipt)};
  engine.Run(batch, [pending](storage::BatchResult& result) { pending->Complete(result); });
  return pending;
}

BatchAnswer Atomic(storage::Engine& engine, std::vector<Op> ops) {
  return Submit(engine, BatchMode::kAtomic, std::move(ops))->Wait();
}

BatchAnswer AtomicLeaving(storage::Engine& engine, ReceiptText receipt, std::vector<Op> ops) {
  return Submit(engine, BatchMode::kAtomic, std::move(ops), ReadOrder::kCommitted,
                std::move(receipt))
      ->Wait();
}

BatchAnswer Independent(storage::Engine& engine, std::vector<Op> ops) {
  return Submit(engine, BatchMode::kIndependent, std::move(ops))->Wait();
}

Answer Do(storage::Engine& engine, Op op) {
  const BatchAnswer answer = Independent(engine, {std::move(op)});
  if (!answer.status.ok()) return Answer{answer.status};
  if (answer.results.size() != 1) throw std::runtime_error("not one result for one operation");
  return answer.results.front();
}

void InParallel(int count, const std::function<void(int)>& work) {
  // All at once: a thread that is done before the next one starts meets nobody.
  std::latch start(count);
  std::vector<std::thread> threads;
  for (int i = 0; i < count; ++i) {
    threads.emplace_back([&work, &start, i] {
      start.arrive_and_wait();
      work(i);
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace tarn::testing
