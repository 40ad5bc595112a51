#include "tests/faults/clients.h"

#include <algorithm>
#include <array>
#include <random>
#include <stdexcept>
#include <utility>

#include "absl/status/status.h"
#include "tarn/client.h"
#include "tests/storage/redis/support/await.h"

namespace tarn::testing {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr size_t kPaddedBytes = 5'000;  // More than what is written by one plain command.
constexpr milliseconds kPause{2};       // After a call that failed, so that failing costs little.

// Every write gets a request id: a repetition is the same write.
class AllByRequestId : public IdempotencyPolicy {
 public:
  Idempotency OfOperation(OperationKind kind, Precondition::Kind) const override {
    return kind == OperationKind::kGet ? Idempotency::kIdempotent : Idempotency::kNonIdempotent;
  }
  Idempotency OfDeleteRange() const override { return Idempotency::kNonIdempotent; }
};

// Repeats for a while, and not once its clients are to end.
class UntilStopped : public RetryPolicy {
 public:
  UntilStopped(milliseconds span, const std::atomic<bool>* stop)
      : UntilStopped(LimitedTimeRetryPolicy(span), stop) {}
  std::unique_ptr<RetryPolicy> Clone() const override {
    return std::make_unique<UntilStopped>(limited_, stop_);
  }
  bool OnFailure(const absl::Status& status) override {
    return !*stop_ && clone_->OnFailure(status);
  }
  UntilStopped(const LimitedTimeRetryPolicy& limited, const std::atomic<bool>* stop)
      : limited_(limited), stop_(stop), clone_(limited.Clone()) {}

 private:
  const LimitedTimeRetryPolicy limited_;
  const std::atomic<bool>* const stop_;
  const std::unique_ptr<RetryPolicy> clone_;
};

ClientOptions OneAttempt(const std::string& endpoint, milliseconds timeout) {
  ClientOptions options;
  options.endpoint = endpoint;
  options.call_timeout = timeout;
  options.request_ids = RequestIdUse::kNever;
  options.retry_policy = std::make_shared<LimitedRetryPolicy>(0);
  return options;
}

ClientOptions Repeating(const std::string& endpoint, milliseconds timeout,
                        const std::atomic<bool>* stop) {
  ClientOptions options;
  options.endpoint = endpoint;
  options.call_timeout = timeout;
  options.retry_policy = std::make_shared<UntilStopped>(timeout, stop);
  options.backoff_policy =
      std::make_shared<ExponentialBackoffPolicy>(milliseconds(2), milliseconds(100));
  options.idempotency_policy = std::make_shared<AllByRequestId>();
  return options;
}

int64_t Now() { return steady_clock::now().time_since_epoch().count(); }

std::string Padded(const std::string& head) {
  return head + "|" + std::string(kPaddedBytes, head.back());
}
// The unique beginning of a value; all of it when the rest is not as it was written.
std::string HeadOf(const std::string& value) {
  const std::string head = value.substr(0, value.find('|'));
  return head.size() == value.size() || value == Padded(head) ? head : value;
}

bool IsMismatch(const absl::Status& status) {
  const Reason reason = ReasonOf(status);
  return reason == Reason::kRevisionMismatch || reason == Reason::kAlreadyExists;
}

Fate FateOf(const absl::Status& status) {
  if (status.ok()) return Fate::kDone;
  if (IsOutcomeUnknown(status)) return Fate::kUnknown;
  return IsMismatch(status) ? Fate::kMismatch : Fate::kRefused;
}

std::string NameOf(const absl::Status& status) {
  const std::string reason(ReasonName(ReasonOf(status)));
  return absl::StatusCodeToString(status.code()) + (reason.empty() ? "" : " " + reason);
}

Precondition PreconditionOf(const Expectation& expects) {
  if (expects.kind == Expectation::Kind::kNothing) return {};
  if (expects.kind == Expectation::Kind::kAbsent) return Precondition::Absent();
  return Precondition::AtRevision(expects.revision);
}

template <typename Result>
void Note(Call& call, const Result& result) {
  call.found = result.found;
  call.revision = result.revision;
}

std::vector<std::string> KeysOf(const ClientsOptions& options) {
  std::vector<std::string> keys;
  for (int i = 0; i < options.keys; ++i) {
    keys.push_back(options.prefix + "r" + std::to_string(i));
    keys.push_back(options.prefix + "n" + std::to_string(i));
  }
  return keys;
}

}  // namespace

// One thread's.
class Clients::Worker {
 public:
  Worker(Clients& all, int number)
      : all_(all), number_(all.options_.seed + static_cast<uint32_t>(number)), random_(number_) {
    for (const std::string& endpoint : all.options_.endpoints) {
      const milliseconds timeout = all.options_.timeout;
      clients_.push_back(*Client::Connect(number % 3 == 0 ? Repeating(endpoint, timeout, &all.stop_)
                                                          : OneAttempt(endpoint, timeout)));
    }
  }

  const Told& told() const { return told_; }

  void Work() {
    while (!all_.stop_) {
      const bool batch = Below(20) == 0;
      const bool ended_well = batch ? RunBatch() : RunOne();
      ++all_.calls_;
      if (!ended_well) std::this_thread::sleep_for(kPause);
    }
  }

 private:
  uint64_t Below(uint64_t bound) { return random_() % bound; }
  const Client& AnyClient() { return clients_[Below(clients_.size())]; }
  std::string AnyKey(char kind) {
    return all_.options_.prefix + kind + std::to_string(Below(all_.options_.keys));
  }

  // False when the call failed for another reason than its precondition.
  bool RunOne() {
    const std::string key = AnyKey(Below(2) == 0 ? 'r' : 'n');
    Call call = Choose(key);
    const absl::Status status = Make(AnyClient(), key, call);
    return Record(key, std::move(call), status);
  }

  Call Choose(const std::string& key) {
    const bool is_sum = key[all_.options_.prefix.size()] == 'n';
    Call call;
    const uint64_t chance = Below(100);
    if (chance < 35) return call;
    if (chance < 40) {
      call.kind = CallKind::kDelete;
    } else if (chance < 47) {
      call.kind = CallKind::kTake;
    } else if (is_sum) {
      call.kind = CallKind::kIncrement;
    } else {
      call.kind = CallKind::kPut;
      call.value = NewValue(key);
      call.expects = Expect(key, chance);
    }
    return call;
  }

  Expectation Expect(const std::string& key, uint64_t chance) {
    if (chance < 80) return {};
    const auto seen = seen_.find(key);
    if (chance < 85 || seen == seen_.end()) return {Expectation::Kind::kAbsent, 0};
    return {Expectation::Kind::kRevision, seen->second};
  }

  std::string NewValue(const std::string& key) {
    return key + "#" + std::to_string(number_) + "." + std::to_string(++sequence_);
  }
  std::string Written(const std::string& value) { return Below(20) == 0 ? Padded(value) : value; }

  // Makes the call, and writes down when and what it was told.
  absl::Status Make(const Client& client, const std::string& key, Call& call) {
    call.begin = Now();
    const absl::Status status = Send(client, key, call);
    call.end = Now();
    return status;
  }

  absl::Status Send(const Client& client, const std::string& key, Call& call) {
    switch (call.kind) {
      case CallKind::kGet:
        return Take(client.Get(key), call);
      case CallKind::kPut: {
        const auto put =
            client.Put(key, Written(call.value), {.precondition = PreconditionOf(call.expects)});
        if (put.ok()) Note(call, *put);
        return put.status();
      }
      case CallKind::kDelete: {
        const auto erased = client.Delete(key);
        if (erased.ok()) Note(call, *erased);
        return erased.status();
      }
      case CallKind::kTake:
        return Take(client.Take(key), call);
      case CallKind::kIncrement: {
        const auto sum = client.Increment(key, 1);
        if (!sum.ok()) return sum.status();
        Note(call, *sum);
        call.value = std::to_string(sum->number);
        return absl::OkStatus();
      }
    }
    return absl::InternalError("no such call");
  }

  // What a get or a take was answered.
  template <typename Result>
  static absl::Status Take(const absl::StatusOr<Result>& result, Call& call) {
    if (!result.ok()) return result.status();
    Note(call, *result);
    call.value = HeadOf(result->value);
    return absl::OkStatus();
  }

  // A put and an increment, both or neither.
  bool RunBatch() {
    const std::array<std::string, 2> keys = {AnyKey('r'), AnyKey('n')};
    std::array<Call, 2> calls;
    calls[0].kind = CallKind::kPut;
    calls[0].value = NewValue(keys[0]);
    calls[1].kind = CallKind::kIncrement;
    const int64_t begin = Now();
    const auto result = AnyClient().RunBatch(
        Batch::Atomic().Put(keys[0], Written(calls[0].value)).Increment(keys[1], 1));
    const int64_t end = Now();
    bool well = true;
    for (size_t i = 0; i < calls.size(); ++i) {
      calls[i].begin = begin;
      calls[i].end = end;
      if (result.ok()) {
        calls[i].found = result->results[i].found;
        calls[i].revision = result->revision;
        if (i == 1) calls[i].value = std::to_string(result->results[i].number);
      }
      well = Record(keys[i], std::move(calls[i]), result.status()) && well;
    }
    return well;
  }

  bool Record(const std::string& key, Call call, const absl::Status& status) {
    call.fate = FateOf(status);
    const auto took = std::chrono::nanoseconds(call.end - call.begin);
    told_.longest = std::max(told_.longest, std::chrono::duration_cast<milliseconds>(took));
    const bool is_write = call.kind != CallKind::kGet;
    if (!status.ok() && (!is_write || call.fate == Fate::kRefused)) {
      ++told_.refusals[NameOf(status)];
      return false;  // It says nothing of the key.
    }
    if (call.fate == Fate::kUnknown) ++told_.unknown;
    if (is_write && call.fate == Fate::kDone) {
      ++told_.acknowledged;
      ++all_.acknowledged_;
    }
    if (call.revision != 0) seen_[key] = call.revision;
    const bool well = call.fate != Fate::kUnknown;
    told_.calls[key].push_back(std::move(call));
    return well;
  }

  Clients& all_;
  const uint32_t number_;  // Of this thread alone.
  std::mt19937 random_;
  std::vector<Client> clients_;
  std::map<std::string, uint64_t> seen_;  // The last revision of each key.
  uint64_t sequence_ = 0;
  Told told_;
};

Clients::Clients(ClientsOptions options) : options_(std::move(options)) {
  for (int i = 0; i < options_.threads; ++i) {
    workers_.push_back(std::make_unique<Worker>(*this, i));
  }
  for (const auto& worker : workers_) {
    threads_.emplace_back([&worker = *worker] { worker.Work(); });
  }
}

Clients::~Clients() {
  stop_ = true;
  for (std::thread& thread : threads_) thread.join();
}

void Clients::AwaitAcknowledged(uint64_t more) const {
  const uint64_t wanted = acknowledged_ + more;
  AwaitThat("writes are acknowledged", [&] { return acknowledged_ >= wanted; });
}

void Clients::AwaitCalls(uint64_t more) const {
  const uint64_t wanted = calls_ + static_cast<uint64_t>(options_.threads) + more;
  AwaitThat("calls end", [&] { return calls_ >= wanted; });
}

Told Clients::Finish(const std::string& endpoint) {
  stop_ = true;
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
  Told told;
  for (const auto& worker : workers_) told.Add(worker->told());
  const std::atomic<bool> go_on{false};
  const Client client = *Client::Connect(Repeating(endpoint, std::chrono::seconds(60), &go_on));
  for (const std::string& key : KeysOf(options_)) {
    Call call;
    call.begin = Now();
    const auto result = client.Get(key);
    call.end = Now();
    if (!result.ok()) throw std::runtime_error("no last read: " + result.status().ToString());
    Note(call, *result);
    call.value = HeadOf(result->value);
    told.calls[key].push_back(std::move(call));
  }
  return told;
}

void Told::Add(const Told& other) {
  for (const auto& [key, more] : other.calls) {
    calls[key].insert(calls[key].end(), more.begin(), more.end());
  }
  for (const auto& [name, count] : other.refusals) refusals[name] += count;
  acknowledged += other.acknowledged;
  unknown += other.unknown;
  longest = std::max(longest, other.longest);
}

std::string Told::FirstAnomaly(Unacknowledged seen) const {
  for (const auto& [key, all] : calls) {
    if (const auto anomaly = FindAnomaly(all, seen)) return key + ": " + *anomaly;
  }
  return "none";
}

std::string Told::Summary() const {
  std::string text = std::to_string(acknowledged) + " acknowledged, " + std::to_string(unknown) +
                     " unknown, longest call " + std::to_string(longest.count()) + " ms";
  for (const auto& [name, count] : refusals) text += ", " + std::to_string(count) + " " + name;
  return text;
}

}  // namespace tarn::testing
