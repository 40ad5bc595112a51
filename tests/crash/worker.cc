#include "tests/crash/worker.h"

#include <charconv>
#include <utility>

#include <grpcpp/grpcpp.h>

namespace tarn::testing {
namespace {

constexpr uint64_t kKeys = 40;
constexpr int64_t kTtlMs =
    6 * 3600 * 1000;  // Nothing expires during a test; the deadline must survive it all the same.
constexpr std::chrono::seconds kPatience{60};

std::string NameOf(int code) {
  switch (code) {
    case grpc::FAILED_PRECONDITION:
      return "FAILED_PRECONDITION";
    case grpc::ABORTED:
      return "ABORTED";
    default:
      return "code " + std::to_string(code);
  }
}

int64_t NumberOf(const std::string& text) {
  int64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

}  // namespace

void Run::Acknowledge() {
  const absl::MutexLock lock(&mutex_);
  ++acknowledged_;
}

void Run::EndWork() {
  const absl::MutexLock lock(&mutex_);
  --working_;
}

void Run::AwaitAcknowledged(uint64_t batches) {
  const auto enough = [this, batches]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return acknowledged_ >= batches || working_ == 0;
  };
  const absl::MutexLock lock(&mutex_);
  mutex_.Await(absl::Condition(&enough));
}

uint64_t Run::acknowledged() const {
  const absl::MutexLock lock(&mutex_);
  return acknowledged_;
}

Worker::Worker(int number, uint32_t seed)
    : prefix_("worker" + std::to_string(number) + "/"),
      random_(seed + static_cast<uint32_t>(number)) {}

std::string Worker::AnyKey() { return prefix_ + std::to_string(Below(kKeys)); }

// No two values are the same, so that each says which write it came from.
std::string Worker::NewValue(const char* kind) {
  std::string value = std::string(kind) + " " + prefix_ + std::to_string(++sequence_);
  if (Below(20) == 0) value.append(Below(60'000), '.');
  return value;
}

void Worker::AddPut(Plan& plan, const std::string& key) {
  auto* operation = plan.request.add_operations();
  operation->set_key(key);
  operation->mutable_put()->set_value(NewValue("value"));
  if (Below(4) == 0) operation->mutable_put()->mutable_ttl()->set_milliseconds(kTtlMs);
  plan.attempt.changes.push_back({key, operation->put().value()});
}

void Worker::AddAppend(Plan& plan, const std::string& key) {
  auto* operation = plan.request.add_operations();
  operation->set_key(key);
  operation->mutable_append()->set_suffix("+" + std::to_string(++sequence_));
  const auto before = journal_.contents().find(key);
  const std::string value = before == journal_.contents().end() ? "" : before->second.value;
  plan.attempt.changes.push_back({key, value + operation->append().suffix()});
}

// Counters have keys of their own.
void Worker::AddIncrement(Plan& plan, const std::string& key) {
  auto* operation = plan.request.add_operations();
  operation->set_key(key + "n");
  operation->mutable_increment()->set_delta(static_cast<int64_t>(Below(100)) - 40);
  const auto before = journal_.contents().find(operation->key());
  const int64_t number = before == journal_.contents().end() ? 0 : NumberOf(before->second.value);
  plan.attempt.changes.push_back(
      {operation->key(), std::to_string(number + operation->increment().delta())});
}

void Worker::AddChange(Plan& plan, const std::string& key) {
  switch (Below(8)) {
    case 0:
      plan.request.add_operations()->set_key(key);
      plan.request.mutable_operations()->rbegin()->mutable_delete_();
      plan.attempt.changes.push_back({key, std::nullopt});
      return;
    case 1:
      plan.request.add_operations()->set_key(key);
      plan.request.mutable_operations()->rbegin()->mutable_take();
      plan.attempt.changes.push_back({key, std::nullopt});
      return;
    case 2:
      return AddAppend(plan, key);
    case 3:
      return AddIncrement(plan, key);
    default:
      return AddPut(plan, key);
  }
}

Worker::Plan Worker::Changes() {
  Plan plan;
  const bool atomic = Below(2) == 0;
  plan.request.set_mode(atomic ? tarn::v1::BATCH_MODE_ATOMIC : tarn::v1::BATCH_MODE_INDEPENDENT);
  plan.attempt.mode = atomic ? Attempt::Mode::kAtomic : Attempt::Mode::kIndependent;
  const uint64_t count = Below(3) == 0 ? 1 + Below(20) : 1;
  const uint64_t first = Below(kKeys);
  for (uint64_t i = 0; i < count; ++i)
    AddChange(plan, prefix_ + std::to_string((first + i) % kKeys));
  return plan;
}

// Changes with a condition among them that cannot hold.
Worker::Plan Worker::Refused() {
  Plan plan;
  plan.request.set_mode(tarn::v1::BATCH_MODE_ATOMIC);
  for (uint64_t i = 0; i < 3; ++i) {
    auto* operation = plan.request.add_operations();
    operation->set_key(prefix_ + std::to_string(i));
    operation->mutable_put()->set_value(NewValue("refused"));
  }
  const bool exists = journal_.contents().count(prefix_ + "0") != 0;
  if (exists && Below(2) == 0) {
    plan.request.mutable_operations(0)->mutable_precondition()->set_absent(true);
    plan.refusal = "FAILED_PRECONDITION";
    return plan;
  }
  const int any = static_cast<int>(Below(3));
  plan.request.mutable_operations(any)->mutable_precondition()->set_revision(1);
  plan.refusal = "ABORTED";
  return plan;
}

Worker::Plan Worker::Transfer() {
  Plan plan;
  plan.request.set_mode(tarn::v1::BATCH_MODE_ATOMIC);
  const uint64_t from = Below(kAccounts);
  const uint64_t to = (from + 1 + Below(kAccounts - 1)) % kAccounts;
  const auto amount = static_cast<int64_t>(Below(1'000));
  for (const auto& [account, delta] : {std::pair(from, -amount), std::pair(to, amount)}) {
    auto* operation = plan.request.add_operations();
    operation->set_key(kAccountPrefix + std::to_string(account));
    operation->mutable_increment()->set_delta(delta);
  }
  return plan;
}

Worker::Plan Worker::NextPlan() {
  const uint64_t dice = Below(10);
  if (dice == 0) return Refused();
  return dice < 3 ? Transfer() : Changes();
}

void Worker::Answered(const Plan& plan, const tarn::v1::BatchResponse& response) {
  for (const auto& result : response.results()) {
    if (result.status().code() != 0) Wrong("an operation failed: " + result.status().message());
  }
  if (!plan.refusal.empty()) return Wrong("a batch that cannot be done was acknowledged");
  if (plan.attempt.changes.empty()) return;
  std::vector<Acknowledged> results;
  for (const auto& result : response.results())
    results.push_back({result.revision(), result.expire_time_ms()});
  if (plan.attempt.mode == Attempt::Mode::kAtomic) {
    for (Acknowledged& one : results) {
      if (one.revision != 0 && one.revision != response.revision())
        Wrong("two revisions in one atomic batch");
    }
  }
  for (const std::string& what : journal_.Acknowledge(results)) Wrong(what);
}

bool Worker::Send(tarn::v1::StateService::StubInterface& daemon, Run& run, Plan plan) {
  journal_.Begin(plan.attempt);
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + kPatience);
  tarn::v1::BatchResponse response;
  const grpc::Status status = daemon.Batch(&context, plan.request, &response);
  if (status.ok()) {
    Answered(plan, response);
    run.Acknowledge();
    return true;
  }
  if (NameOf(status.error_code()) == plan.refusal) {
    journal_.Refuse();
    ++refusals_;
    return true;
  }
  if (!run.killing())
    Wrong("while the daemon ran: " + NameOf(status.error_code()) + ", " + status.error_message());
  ++unanswered_;
  return false;
}

void Worker::Work(tarn::v1::StateService::StubInterface& daemon, Run& run) {
  while (wrong_.empty() && Send(daemon, run, NextPlan())) {
  }
  run.EndWork();
}

void Worker::Settle(const Contents& found) {
  for (const std::string& what : journal_.Settle(found)) Wrong(what);
  for (const auto& [key, stored] : found) {
    if (stored.value.rfind("refused", 0) == 0) Wrong(key + " holds what was refused");
  }
}

}  // namespace tarn::testing
