// Writes under a token: through the Store, and the passes that make it right.
#include "tests/catch.h"
#include "tests/storage/locks/lock_subject.h"
#include "tests/storage/store_subject.h"

namespace tarn::storage {
namespace {

using testing::Brief;
using testing::Value;

constexpr const char* kFenced = "FAILED_PRECONDITION FENCED";

// A store with a lock.
struct FencedStore : StoreSubject {
  Revision Acquire(const std::string& holder, const std::string& ns = "") {
    Outcome<LockGrant> granted;
    store().locks().Acquire({.ns = ns, .name = "lock", .holder = holder, .ttl_ms = 10'000},
                            granted.Callback());
    return testing::Value(granted.Take()).token;
  }
  std::string Release(Revision token) {
    std::string brief = "-";
    store().locks().Release("", "lock", token,
                            [&](const absl::Status& status) { brief = Brief(status); });
    return brief;
  }

  BatchAnswer Write(const WriteFence& fence, std::vector<Op> ops,
                    BatchMode mode = BatchMode::kIndependent, const std::string& ns = "") {
    std::vector<Operation> operations;
    for (const Op& op : ops) operations.push_back(op.View());
    BatchAnswer answer;
    store().Run({.ns = ns, .mode = mode, .operations = absl::MakeSpan(operations), .fence = fence},
                [&](const BatchResult& result) {
                  answer.status = result.status;
                  for (const OperationResult& one : result.results)
                    answer.results.push_back({.status = one.status, .found = one.found});
                });
    Settle();
    return answer;
  }
  static WriteFence Under(Revision token) { return {.lock = FencingToken{"lock", token}}; }
};

TEST_CASE("a write lands under the token that the lock is held under, and under no other") {
  FencedStore s;
  CHECK(Brief(s.Write(s.Under(7), {Put("k", "0")}).status) == kFenced);
  const Revision first = s.Acquire("a");
  CHECK(s.Write(s.Under(first), {Put("k", "1")}).status.ok());
  CHECK(Brief(s.Write(s.Under(first + 1), {Put("k", "2")}).status) == kFenced);
  REQUIRE(s.Release(first) == "OK");
  CHECK(Brief(s.Write(s.Under(first), {Put("k", "3")}).status) == kFenced);
  const Revision second = s.Acquire("b");
  CHECK(Brief(s.Write(s.Under(first), {Put("k", "4")}).status) == kFenced);
  CHECK(s.StoreSubject::Value("k") == "1");
  CHECK(s.Write(s.Under(second), {Put("k", "5")}).status.ok());
  CHECK(s.StoreSubject::Value("k") == "5");
  CHECK(s.store().locks().Stats().fenced_writes == 4);
}

TEST_CASE("a refusal names the holder and says that there is a later token, but not which") {
  FencedStore s;
  const Revision first = s.Acquire("a");
  s.Release(first);
  const Revision second = s.Acquire("the-other");
  const absl::Status status = s.Write(s.Under(first), {Put("k", "v")}).status;
  const std::string message(status.message());
  CHECK(message.find("the-other holds it under a later one") != std::string::npos);
  CHECK(message.find(std::to_string(second)) == std::string::npos);
}

TEST_CASE("of a fenced batch nothing is done, whichever its mode") {
  FencedStore s;
  for (const BatchMode mode : {BatchMode::kAtomic, BatchMode::kIndependent}) {
    const BatchAnswer answer = s.Write(s.Under(3), {Put("a", "1"), Put("b", "2")}, mode);
    CHECK(Brief(answer.status) == kFenced);
    CHECK(answer.results.empty());
  }
  CHECK(s.StoreSubject::Value("a") == "-");
}

TEST_CASE("a batch that only reads is fenced too") {
  FencedStore s;
  CHECK(Brief(s.Write(s.Under(3), {Get("a")}).status) == kFenced);
  CHECK(s.Write(s.Under(s.Acquire("a")), {Get("a")}).status.ok());
}

TEST_CASE("a fence that names nothing is refused, and not taken for none") {
  FencedStore s;
  CHECK(Brief(s.Write({.lock = FencingToken{"", 0}}, {Put("k", "v")}).status) ==
        "INVALID_ARGUMENT INVALID_LOCK");
  CHECK(Brief(s.Write({.lock = FencingToken{"lock", 0}}, {Put("k", "v")}).status) ==
        "INVALID_ARGUMENT INVALID_LOCK");
  CHECK(Brief(s.Write({.group = FencingToken{"", 1}}, {Put("k", "v")}).status) ==
        "INVALID_ARGUMENT INVALID_LOCK");
}

TEST_CASE("a write is fenced by a lock of its own namespace") {
  FencedStore s;
  const Revision token = s.Acquire("a", "other");
  CHECK(Brief(s.Write(s.Under(token), {Put("k", "v")}).status) == kFenced);
  CHECK(s.Write(s.Under(token), {Put("k", "v")}, BatchMode::kAtomic, "other").status.ok());
}

TEST_CASE("a write under an expired token is refused") {
  FencedStore s;
  const Revision token = s.Acquire("a");
  s.clock.Advance(9999);
  CHECK(s.Write(s.Under(token), {Put("k", "1")}).status.ok());
  s.clock.Advance(1);
  CHECK(Brief(s.Write(s.Under(token), {Put("k", "2")}).status) == kFenced);
}

TEST_CASE("an operation refused in an independent batch does not keep the others from the fence") {
  FencedStore s;
  const Op bad = Put("", "v");
  CHECK(Brief(s.Write(s.Under(3), {bad, Put("b", "2")}).status) == kFenced);
  const BatchAnswer answer = s.Write(s.Under(s.Acquire("a")), {bad, Put("b", "2")});
  REQUIRE(answer.status.ok());
  CHECK(Brief(answer.results[0].status) == "INVALID_ARGUMENT INVALID_KEY");
  CHECK(answer.results[1].status.ok());
}

TEST_CASE("a release waits for the fenced write in flight, and shuts out the next") {
  FencedStore s;
  const Revision token = s.Acquire("a");
  s.engine->Hold(IsUserWrite);
  std::vector<Operation> operations = {Put("k", "1").View()};
  const Op put = Put("k", "1");
  operations[0] = put.View();
  std::string written = "-";
  s.store().Run({.operations = absl::MakeSpan(operations), .fence = s.Under(token)},
                [&](const BatchResult& result) { written = Brief(result.status); });
  std::string released = "-";
  s.store().locks().Release("", "lock", token,
                            [&](const absl::Status& status) { released = Brief(status); });
  Outcome<LockGrant> next;
  s.store().locks().Acquire({.name = "lock", .holder = "b", .ttl_ms = 1000, .wait_ms = 1000},
                            next.Callback());
  CHECK(released == "-");
  CHECK_FALSE(next.given());
  CHECK(Brief(s.store().locks().GetLock("", "lock")->held ? absl::OkStatus()
                                                          : absl::UnknownError("")) == "OK");
  CHECK(Brief(s.Write(s.Under(token), {Put("j", "late")}).status) == kFenced);
  s.engine->Release();
  CHECK(written == "OK");
  CHECK(released == "OK");
  const Revision second = Value(next.Take()).token;
  CHECK(s.Do(Get("k")).revision < second);
}

TEST_CASE("a range is deleted as long as the lock is held") {
  FencedStore s;
  for (int i = 0; i < 1500; ++i) s.Do(Put("k" + std::to_string(i), "v"));
  const Revision token = s.Acquire("a");
  Outcome<DeleteRangeResult> deleted;
  {
    const std::string name = "lock";  // Gone by the time that the work is done.
    s.store().DeleteRange("", {}, {.lock = FencingToken{name, token}}, nullptr, deleted.Callback());
  }
  s.executor.RunOne();
  REQUIRE(s.Release(token) == "OK");
  s.Settle();
  CHECK(Brief(deleted.Take().status()) == kFenced);
  CHECK(Value(s.Count("")).entries == 1500 - 512);
  const Revision again = s.Acquire("a");
  s.store().DeleteRange("", {}, {.lock = FencingToken{"lock", again}}, nullptr, deleted.Callback());
  s.Settle();
  CHECK(Value(deleted.Take()).entries == 1500 - 512);
}

TEST_CASE("an expiry waits for the fenced write in flight") {
  LockSubject s;
  auto pass = s.Enter(s.Get("a"));
  auto b = s.Ask("b", 60'000);
  s.Pass(LockSubject::kTtl);
  CHECK(b.brief() == "-");
  CHECK(s.Holder() == "a");
  { const auto given_back = *std::move(pass); }
  CHECK(b.brief() == "OK");
}

TEST_CASE("an expiry that nobody waits for waits for the write too") {
  LockSubject s;
  auto pass = s.Enter(s.Get("a"));
  s.Pass(LockSubject::kTtl);
  CHECK(s.Holder() == "a");
  { const auto given_back = *std::move(pass); }
  CHECK(s.Holder() == "-");
}

TEST_CASE("an administrator's release waits for the write in flight too") {
  LockSubject s;
  auto pass = s.Enter(s.Get("a"));
  auto forced = s.Force();
  CHECK(forced.brief() == "-");
  { const auto given_back = *std::move(pass); }
  CHECK(forced.brief() == "OK");
}

TEST_CASE("a write of unknown outcome keeps the lock from the next one until it is settled") {
  LockSubject s;
  const Revision token = s.Get("a");
  auto pass = s.Enter(token);
  BatchResult unknown;
  unknown.status = base::MakeError(absl::StatusCode::kUnknown, base::Reason::kOutcomeUnknown, "?");
  s.engine->HoldUnsettled();
  LockTable::GiveBack(*std::move(pass), unknown, *s.engine);
  CHECK(s.Release(token) == "-");
  s.engine->SettleAll();
  CHECK(s.Holder() == "-");
}

TEST_CASE("one operation of unknown outcome is enough to keep it") {
  LockSubject s;
  const Revision token = s.Get("a");
  auto pass = s.Enter(token);
  BatchResult result;
  result.results.resize(2);
  result.results[1].status =
      base::MakeError(absl::StatusCode::kUnknown, base::Reason::kOutcomeUnknown, "?");
  s.engine->HoldUnsettled();
  LockTable::GiveBack(*std::move(pass), result, *s.engine);
  CHECK(s.Release(token) == "-");
  s.engine->SettleAll();
}

TEST_CASE("many writes go on under one token at the same time") {
  LockSubject s;
  const Revision token = s.Get("a");
  auto first = s.Enter(token);
  auto second = s.Enter(token);
  CHECK(first.ok());
  CHECK(second.ok());
  CHECK(s.Release(token) == "-");
  { const auto given_back = *std::move(first); }
  CHECK(s.Holder() == "a");
  { const auto given_back = *std::move(second); }
  CHECK(s.Holder() == "-");
}

}  // namespace
}  // namespace tarn::storage
