#include "tests/storage/store_subject.h"

#include <stdexcept>
#include <utility>

#include "absl/strings/str_cat.h"

namespace tarn::storage {
namespace {

Answer Copy(const OperationResult& result) {
  return {.status = result.status,
          .found = result.found,
          .revision = result.revision,
          .deadline = result.deadline,
          .value = std::string(result.value),
          .number = result.number,
          .replayed = result.replayed};
}

BatchAnswer Copy(const BatchResult& result) {
  BatchAnswer answer{.status = result.status,
                     .failed_operation = result.failed_operation,
                     .revision = result.revision};
  for (const OperationResult& one : result.results) answer.results.push_back(Copy(one));
  return answer;
}

}  // namespace

Op Op::IfAbsent() const {
  Op op = *this;
  op.precondition.kind = Precondition::Kind::kAbsent;
  return op;
}

Op Op::IfPresent() const {
  Op op = *this;
  op.precondition.kind = Precondition::Kind::kPresent;
  return op;
}

Op Op::IfRevision(Revision revision) const {
  Op op = *this;
  op.precondition = {.kind = Precondition::Kind::kRevision, .revision = revision};
  return op;
}

Op Op::For(int64_t milliseconds) const {
  Op op = *this;
  op.ttl = {.kind = Ttl::Kind::kDuration, .milliseconds = milliseconds};
  return op;
}

Op Op::ForEver() const {
  Op op = *this;
  op.ttl.kind = Ttl::Kind::kNever;
  return op;
}

Operation Op::View() const {
  Operation operation;
  operation.kind = kind;
  operation.key = key;
  operation.value = value;
  operation.delta = delta;
  operation.precondition = precondition;
  operation.ttl = ttl;
  return operation;
}

Op Get(std::string key) { return {.kind = OperationKind::kGet, .key = std::move(key)}; }
Op Put(std::string key, std::string value) {
  return {.kind = OperationKind::kPut, .key = std::move(key), .value = std::move(value)};
}
Op Delete(std::string key) { return {.kind = OperationKind::kDelete, .key = std::move(key)}; }
Op Take(std::string key) { return {.kind = OperationKind::kTake, .key = std::move(key)}; }
Op Add(std::string key, int64_t delta) {
  return {.kind = OperationKind::kAdd, .key = std::move(key), .delta = delta};
}
Op Append(std::string key, std::string suffix) {
  return {.kind = OperationKind::kAppend, .key = std::move(key), .value = std::move(suffix)};
}
Op Touch(std::string key) { return {.kind = OperationKind::kTouch, .key = std::move(key)}; }

StoreOptions StoreSubject::Options() {
  StoreOptions options;
  options.sweep_interval = absl::Hours(1000);
  return options;
}

StoreOptions StoreSubject::Explicit() {
  StoreOptions options = Options();
  options.namespace_creation = NamespaceCreation::kExplicit;
  return options;
}

StoreSubject::StoreSubject(const StoreOptions& options_in)
    : memory(testing::Value(MemoryEngine::Open({.limits = options_in.limits}, clock, ledger))),
      engine(std::make_unique<FaultEngine>(*memory)),
      options(options_in) {
  if (!engine->WriteMeta(meta).ok()) throw std::runtime_error("no meta");
  const absl::Status status = Reopen();
  if (!status.ok()) throw std::runtime_error(status.ToString());
}

StoreSubject::~StoreSubject() { Settle(); }

void StoreSubject::Settle() {
  do {
    executor.RunAll();
    engine->JoinPages();
  } while (executor.waiting() > 0);
}

absl::Status StoreSubject::Reopen() {
  store_.reset();
  auto opened = StoreImpl::Open({*engine, ledger, clock, executor, random}, meta, options);
  if (!opened.ok()) return opened.status();
  store_ = *std::move(opened);
  return absl::OkStatus();
}

std::unique_ptr<Pending> StoreSubject::Submit(const std::string& ns, BatchMode mode,
                                              std::vector<Op> ops, ReadOrder order) {
  auto pending = std::make_unique<Pending>();
  pending->ops = std::move(ops);
  for (const Op& op : pending->ops) pending->operations.push_back(op.View());
  store_->Run({.ns = ns,
               .mode = mode,
               .read_order = order,
               .operations = absl::MakeSpan(pending->operations)},
              [target = pending.get()](BatchResult& result) {
                ++target->completions;
                target->answer = Copy(result);
              });
  return pending;
}

Revision StoreSubject::Register() {
  Outcome<Revision> outcome;
  store_->RegisterClient(outcome.Callback());
  Settle();
  return testing::Value(outcome.Take());
}

std::unique_ptr<Pending> StoreSubject::SubmitAs(const RequestId& id, BatchMode mode,
                                                std::vector<Op> ops, const std::string& ns) {
  auto pending = std::make_unique<Pending>();
  pending->ops = std::move(ops);
  for (const Op& op : pending->ops) pending->operations.push_back(op.View());
  store_->Run({.ns = ns, .mode = mode, .operations = absl::MakeSpan(pending->operations), .id = id},
              [target = pending.get()](BatchResult& result) {
                ++target->completions;
                target->answer = Copy(result);
              });
  return pending;
}

BatchAnswer StoreSubject::BatchAs(const RequestId& id, BatchMode mode, std::vector<Op> ops,
                                  const std::string& ns) {
  const auto pending = SubmitAs(id, mode, std::move(ops), ns);
  Settle();
  if (pending->completions != 1) throw std::runtime_error("the batch was not answered once");
  return *pending->answer;
}

Answer StoreSubject::DoAs(const RequestId& id, const Op& op, const std::string& ns) {
  const BatchAnswer answer = BatchAs(id, BatchMode::kIndependent, {op}, ns);
  if (!answer.status.ok()) return {.status = answer.status};
  return answer.results.at(0);
}

BatchAnswer StoreSubject::Batch(BatchMode mode, std::vector<Op> ops, const std::string& ns) {
  const auto pending = Submit(ns, mode, std::move(ops));
  Settle();
  if (pending->completions != 1) throw std::runtime_error("the batch was not answered once");
  return *pending->answer;
}

Answer StoreSubject::Do(const Op& op, const std::string& ns) {
  const BatchAnswer answer = Batch(BatchMode::kIndependent, {op}, ns);
  if (!answer.status.ok()) return {.status = answer.status};
  return answer.results.at(0);
}

std::string StoreSubject::Value(const std::string& key, const std::string& ns) {
  const Answer answer = Do(Get(key), ns);
  if (!answer.status.ok()) return testing::Brief(answer.status);
  return answer.found ? answer.value : "-";
}

absl::StatusOr<NamespaceInfo> StoreSubject::Create(const std::string& name,
                                                   const NamespaceSettings& settings) {
  Outcome<NamespaceInfo> outcome;
  store_->CreateNamespace(name, settings, outcome.Callback());
  Settle();
  return outcome.Take();
}

absl::StatusOr<NamespaceInfo> StoreSubject::Update(const std::string& name,
                                                   const NamespaceSettings& settings,
                                                   std::optional<Revision> expected) {
  Outcome<NamespaceInfo> outcome;
  store_->UpdateNamespace(name, settings, expected, outcome.Callback());
  Settle();
  return outcome.Take();
}

absl::StatusOr<NamespaceInfo> StoreSubject::Drop(const std::string& name,
                                                 std::optional<Revision> expected) {
  Outcome<NamespaceInfo> outcome;
  store_->DeleteNamespace(name, expected, outcome.Callback());
  Settle();
  return outcome.Take();
}

std::string StoreSubject::Names() {
  std::string names;
  for (const NamespaceInfo& info : store_->ListNamespaces("", 1000)) {
    absl::StrAppend(&names, names.empty() ? "" : " ", info.name);
  }
  return names;
}

absl::StatusOr<std::unique_ptr<Scan>> StoreSubject::Open(const ScanRequest& request) {
  Outcome<std::unique_ptr<Scan>> outcome;
  store_->OpenScan(request, outcome.Callback());
  Settle();
  return outcome.Take();
}

Scanned StoreSubject::Next(Scan& scan) {
  Scanned scanned;
  bool given = false;
  scan.Next([&](const absl::Status& status, const ScanChunk& chunk) {
    given = true;
    scanned.status = status;
    scanned.revision = chunk.revision;
    scanned.token = chunk.resume_token;
    for (const EntryView& entry : chunk.entries) {
      absl::StrAppend(&scanned.entries, scanned.entries.empty() ? "" : " ", entry.key, "=",
                      entry.value);
    }
  });
  engine->JoinPages();
  if (!given) throw std::runtime_error("no chunk was given");
  return scanned;
}

Scanned StoreSubject::ScanAll(const ScanRequest& request) {
  auto scan = Open(request);
  if (!scan.ok()) return {.status = scan.status()};
  Scanned all;
  do {
    Scanned chunk = Next(**scan);
    if (!chunk.status.ok()) return {.status = chunk.status};
    if (!all.entries.empty() && !chunk.entries.empty()) all.entries += " ";
    all.entries += chunk.entries;
    all.revision = chunk.revision;
    if (chunk.token == all.token) break;
    all.token = chunk.token;
  } while (!all.token.empty());
  return all;
}

absl::StatusOr<CountResult> StoreSubject::Count(const std::string& ns, const KeyBounds& bounds) {
  Outcome<CountResult> outcome;
  store_->Count(ns, bounds, nullptr, outcome.Callback());
  Settle();
  return outcome.Take();
}

absl::StatusOr<DeleteRangeResult> StoreSubject::DeleteRange(const std::string& ns,
                                                            const KeyBounds& bounds) {
  Outcome<DeleteRangeResult> outcome;
  store_->DeleteRange(ns, bounds, {}, nullptr, outcome.Callback());
  Settle();
  return outcome.Take();
}

}  // namespace tarn::storage
