// How namespaces are changed and listed, and how they go.
#include <memory>
#include <string>
#include <vector>

#include "storage/namespace_record.h"
#include "storage/system_records.h"
#include "tests/catch.h"
#include "tests/storage/store_subject.h"

namespace tarn::storage {
namespace {

using testing::Brief;
using testing::Value;

absl::Status DiskFull() {
  return base::MakeError(absl::StatusCode::kResourceExhausted, base::Reason::kDiskFull, "full");
}
absl::Status OutcomeUnknown() {
  return base::MakeError(absl::StatusCode::kUnknown, base::Reason::kOutcomeUnknown, "who knows");
}

// --- created, changed and listed ---

TEST_CASE("a created namespace has its settings, and keeps them over a restart") {
  StoreSubject subject;
  const NamespaceSettings settings{.default_ttl_ms = 5000,
                                   .quota = {.max_entries = 10, .max_bytes = 1000},
                                   .placement = Placement::kTogether};
  const NamespaceInfo created = Value(subject.Create("orders", settings));
  CHECK(created.name == "orders");
  CHECK(created.create_time == StoreSubject::kStart);
  CHECK(created.revision > 0);
  REQUIRE(subject.Do(Put("k", "val"), "orders").status.ok());
  REQUIRE(subject.Reopen().ok());
  const NamespaceInfo info = Value(subject.store().GetNamespace("orders"));
  CHECK(info.id == created.id);
  CHECK(info.revision == created.revision);
  CHECK(info.create_time == created.create_time);
  CHECK(info.settings.default_ttl_ms == 5000);
  CHECK(info.settings.quota.max_entries == 10);
  CHECK(info.settings.quota.max_bytes == 1000);
  CHECK(info.settings.placement == Placement::kTogether);
  CHECK(info.usage.entries == 1);
  CHECK(info.usage.bytes == 4);
  CHECK(Brief(subject.Do(Put("k", std::string(1000, 'v')), "orders").status) ==
        "RESOURCE_EXHAUSTED QUOTA_EXCEEDED");
}

TEST_CASE("a namespace is created once") {
  StoreSubject subject;
  REQUIRE(subject.Create("orders", {.default_ttl_ms = 1}).ok());
  CHECK(Brief(subject.Create("orders", {.default_ttl_ms = 2})) ==
        "FAILED_PRECONDITION NAMESPACE_EXISTS");
  CHECK(Value(subject.store().GetNamespace("orders")).settings.default_ttl_ms == 1);
}

TEST_CASE("settings that make no sense create and change nothing") {
  StoreSubject subject;
  CHECK(Brief(subject.Create("a", {.default_ttl_ms = -1})) == "INVALID_ARGUMENT INVALID_TTL");
  CHECK(Brief(subject.Update("default", {.quota = {.max_bytes = -1}})) ==
        "INVALID_ARGUMENT INVALID_REQUEST");
  CHECK(subject.Names() == "default");
}

TEST_CASE("changed settings hold from then on, and change the revision") {
  StoreSubject subject;
  const Revision created = Value(subject.Create("a")).revision;
  REQUIRE(subject.Do(Put("old", "v"), "a").deadline == base::kNever);
  const NamespaceInfo changed =
      Value(subject.Update("a", {.default_ttl_ms = 7000, .quota = {.max_entries = 2}}));
  CHECK(changed.revision > created);
  CHECK(changed.settings.default_ttl_ms == 7000);
  CHECK(subject.Do(Put("new", "v"), "a").deadline == StoreSubject::kStart + 7000);
  CHECK(subject.Do(Get("old"), "a").deadline == base::kNever);
  CHECK(Brief(subject.Do(Put("third", "v"), "a").status) == "RESOURCE_EXHAUSTED QUOTA_EXCEEDED");
}

TEST_CASE("a change that expects another revision changes nothing") {
  StoreSubject subject;
  const Revision created = Value(subject.Create("a")).revision;
  const Revision changed = Value(subject.Update("a", {.default_ttl_ms = 1}, created)).revision;
  CHECK(Brief(subject.Update("a", {.default_ttl_ms = 2}, created)) == "ABORTED REVISION_MISMATCH");
  CHECK(Brief(subject.Drop("a", created)) == "ABORTED REVISION_MISMATCH");
  CHECK(Value(subject.store().GetNamespace("a")).settings.default_ttl_ms == 1);
  CHECK(subject.Drop("a", changed).ok());
}

TEST_CASE("a namespace that does not exist cannot be looked at, changed or deleted") {
  StoreSubject subject;
  const std::string kUnknown = "FAILED_PRECONDITION NAMESPACE_NOT_FOUND";
  CHECK(Brief(subject.store().GetNamespace("a")) == kUnknown);
  CHECK(Brief(subject.Update("a", {})) == kUnknown);
  CHECK(Brief(subject.Drop("a")) == kUnknown);
}

TEST_CASE("an error of the engine leaves a namespace as it was") {
  StoreSubject subject;
  REQUIRE(subject.Create("a").ok());
  subject.engine->FailBatches(DiskFull(), IsSystemWrite);
  CHECK(Brief(subject.Update("a", {.default_ttl_ms = 1})) == "RESOURCE_EXHAUSTED DISK_FULL");
  CHECK(Brief(subject.Drop("a")) == "RESOURCE_EXHAUSTED DISK_FULL");
  CHECK(Brief(subject.Create("b")) == "RESOURCE_EXHAUSTED DISK_FULL");
  subject.engine->FailBatches(absl::InternalError("unreadable"));
  CHECK(Brief(subject.Update("a", {.default_ttl_ms = 1})) == "INTERNAL");
  subject.engine->FailBatches(absl::OkStatus());
  CHECK(subject.Do(Put("k", "v"), "a").deadline == base::kNever);
  CHECK(subject.Names() == "a default");
}

TEST_CASE("a change of unknown outcome is found out by the next") {
  StoreSubject subject;
  REQUIRE(subject.Create("a").ok());
  subject.engine->FailAfterDoing(OutcomeUnknown(), IsSystemWrite);
  CHECK(Brief(subject.Update("a", {.default_ttl_ms = 1000})) == "UNKNOWN OUTCOME_UNKNOWN");
  subject.engine->FailAfterDoing(absl::OkStatus(), AnyBatch);
  CHECK(Brief(subject.Create("a")) == "FAILED_PRECONDITION NAMESPACE_EXISTS");
  CHECK(Value(subject.store().GetNamespace("a")).settings.default_ttl_ms == 1000);

  subject.engine->FailAfterDoing(OutcomeUnknown(), IsSystemWrite);
  CHECK(Brief(subject.Drop("a")) == "UNKNOWN OUTCOME_UNKNOWN");
  subject.engine->FailAfterDoing(absl::OkStatus(), AnyBatch);
  CHECK(subject.Create("a").ok());
  CHECK(subject.Do(Put("k", "v"), "a").deadline == base::kNever);
}

TEST_CASE("namespaces are listed by name, in pages") {
  StoreSubject subject;
  for (const char* name : {"c", "a", "b"}) REQUIRE(subject.Create(name).ok());
  const auto first = subject.store().ListNamespaces("", 2);
  REQUIRE(first.size() == 2);
  CHECK(first[0].name == "a");
  CHECK(first[1].name == "b");
  const auto second = subject.store().ListNamespaces("b", 10);
  REQUIRE(second.size() == 2);
  CHECK(second[0].name == "c");
  CHECK(second[1].name == "default");
  CHECK(subject.store().ListNamespaces("default", 10).empty());
}

TEST_CASE("only so many changes of namespaces wait") {
  StoreSubject subject;
  subject.engine->Hold(IsSystemWrite);
  int answered = 0;
  absl::Status last;
  for (int i = 0; i < 1024 + 2; ++i) {
    subject.store().CreateNamespace("n" + std::to_string(i), {},
                                    [&](const absl::StatusOr<NamespaceInfo>& info) {
                                      ++answered;
                                      last = info.status();
                                    });
  }
  CHECK(answered == 1);
  CHECK(Brief(last) == "RESOURCE_EXHAUSTED QUEUE_FULL");
  subject.engine->Release();
  CHECK(answered == 1024 + 2);
}

// --- deleted ---

TEST_CASE("an empty namespace is deleted, and its name can be used anew") {
  StoreSubject subject;
  const NamespaceInfo first = Value(subject.Create("a", {.default_ttl_ms = 1000}));
  CHECK(Value(subject.Drop("a")).id == first.id);
  CHECK(subject.Names() == "default");
  CHECK(subject.Value("k", "a") == "-");
  REQUIRE(subject.Do(Put("k", "v"), "a").status.ok());
  const NamespaceInfo second = Value(subject.store().GetNamespace("a"));
  CHECK(second.id != first.id);
  CHECK(second.settings.default_ttl_ms == 0);
  REQUIRE(subject.Reopen().ok());
  CHECK(subject.Value("k", "a") == "v");
}

TEST_CASE("a namespace with entries is not deleted") {
  StoreSubject subject;
  REQUIRE(subject.Do(Put("k", "v"), "a").status.ok());
  CHECK(Brief(subject.Drop("a")) == "FAILED_PRECONDITION NAMESPACE_NOT_EMPTY");
  CHECK(subject.Value("k", "a") == "v");
  CHECK(subject.Do(Put("k", "w"), "a").status.ok());
  REQUIRE(subject.DeleteRange("a").ok());
  CHECK(subject.Drop("a").ok());
}

TEST_CASE("entries that have expired but are not yet swept count as none") {
  StoreSubject subject;
  REQUIRE(subject.Do(Put("k", "v").For(1000), "a").status.ok());
  CHECK(Brief(subject.Drop("a")) == "FAILED_PRECONDITION NAMESPACE_NOT_EMPTY");
  subject.clock.Advance(1000);
  const NamespaceId id = Value(subject.store().GetNamespace("a")).id;
  REQUIRE(subject.ledger.Get(id).entries == 1);
  CHECK(subject.Drop("a").ok());
}

// Or a tenant would find the leavings of another under its own name.
TEST_CASE("a number under which something is still stored is not given to a new namespace") {
  StoreSubject subject;
  REQUIRE(subject.Do(Put("k", "v").For(1000), "a").status.ok());
  const NamespaceId id = Value(subject.store().GetNamespace("a")).id;
  subject.clock.Advance(1000);
  REQUIRE(subject.Drop("a").ok());
  REQUIRE(subject.Reopen().ok());
  CHECK(Value(subject.Create("b")).id != id);
  subject.store().SweepOnce();
  REQUIRE(subject.ledger.Get(id).entries == 0);
  REQUIRE(subject.Reopen().ok());
  bool reused = false;
  for (int i = 0; i < 5; ++i) reused |= Value(subject.Create("c" + std::to_string(i))).id == id;
  CHECK(reused);
}

TEST_CASE("a write under way keeps its namespace from being deleted, and is not lost") {
  StoreSubject subject;
  REQUIRE(subject.Create("a").ok());
  subject.engine->Hold(IsUserWrite);
  const auto write = subject.Submit("a", BatchMode::kIndependent, {Put("k", "v")});
  Outcome<NamespaceInfo> dropped;
  subject.store().DeleteNamespace("a", std::nullopt, dropped.Callback());
  subject.executor.RunAll();
  CHECK_FALSE(dropped.given());
  subject.engine->Release();
  subject.Settle();
  CHECK(write->answer->results[0].status.ok());
  CHECK(Brief(dropped.Take()) == "FAILED_PRECONDITION NAMESPACE_NOT_EMPTY");
  CHECK(subject.Value("k", "a") == "v");
}

TEST_CASE("a write that comes while its namespace is deleted creates it again") {
  StoreSubject subject;
  const NamespaceId id = Value(subject.Create("a")).id;
  subject.engine->Hold(IsSystemWrite);
  Outcome<NamespaceInfo> dropped;
  subject.store().DeleteNamespace("a", std::nullopt, dropped.Callback());
  const auto write = subject.Submit("a", BatchMode::kIndependent, {Put("k", "v")});
  const auto remove = subject.Submit("a", BatchMode::kIndependent, {Append("k", "w")});
  const auto read = subject.Submit("a", BatchMode::kIndependent, {Get("k")}, ReadOrder::kSubmitted);
  const auto other = subject.Submit("a", BatchMode::kIndependent, {Get("k")});
  CHECK_FALSE(write->done());
  CHECK_FALSE(read->done());
  CHECK(other->done());
  subject.engine->Release();
  subject.Settle();
  CHECK(dropped.Take().ok());
  CHECK(write->answer->results[0].status.ok());
  CHECK(read->answer->results[0].value == "vw");
  CHECK(Value(subject.store().GetNamespace("a")).id != id);
}

TEST_CASE("what needs no namespace does not bring a deleted one back") {
  StoreSubject subject;
  REQUIRE(subject.Create("a").ok());
  subject.engine->Hold(IsSystemWrite);
  Outcome<NamespaceInfo> dropped;
  subject.store().DeleteNamespace("a", std::nullopt, dropped.Callback());
  const auto remove = subject.Submit("a", BatchMode::kIndependent, {Delete("k")});
  CHECK_FALSE(remove->done());
  subject.engine->Release();
  subject.Settle();
  CHECK(remove->answer->results[0].status.ok());
  CHECK_FALSE(remove->answer->results[0].found);
  CHECK(subject.Names() == "default");
}

TEST_CASE("a write that waited for a deletion that failed runs in the namespace that stayed") {
  StoreSubject subject;
  REQUIRE(subject.Create("a").ok());
  subject.engine->Hold(IsSystemWrite);
  Outcome<NamespaceInfo> dropped;
  subject.store().DeleteNamespace("a", std::nullopt, dropped.Callback());
  const auto write = subject.Submit("a", BatchMode::kIndependent, {Put("k", "v")});
  // Somebody else has changed the record: the deletion's precondition no longer holds.
  const absl::Status changed = [&] {
    absl::Status status;
    NamespaceRecord record{.id = Value(subject.store().GetNamespace("a")).id};
    WriteSystemRecord(
        *subject.memory, NamespaceKey("a"), EncodeNamespaceRecord(record), {},
        [&](const absl::StatusOr<Revision>& revision) { status = revision.status(); });
    return status;
  }();
  REQUIRE(changed.ok());
  subject.engine->Release();
  subject.Settle();
  CHECK(Brief(dropped.Take()) == "ABORTED REVISION_MISMATCH");
  CHECK(write->answer->results[0].status.ok());
  CHECK(subject.Value("k", "a") == "v");
}

TEST_CASE("with explicit creation, a write that waited for a deletion finds no namespace") {
  StoreSubject subject(StoreSubject::Explicit());
  REQUIRE(subject.Create("a").ok());
  subject.engine->Hold(IsSystemWrite);
  Outcome<NamespaceInfo> dropped;
  subject.store().DeleteNamespace("a", std::nullopt, dropped.Callback());
  const auto write = subject.Submit("a", BatchMode::kIndependent, {Put("k", "v")});
  subject.engine->Release();
  subject.Settle();
  CHECK(Brief(write->answer->status) == "FAILED_PRECONDITION NAMESPACE_NOT_FOUND");
}

TEST_CASE("a deletion that cannot look into the namespace leaves it usable") {
  StoreSubject subject;
  REQUIRE(subject.Do(Put("k", "v"), "a").status.ok());
  subject.engine->FailOpenSnapshot(absl::InternalError("no snapshot"));
  CHECK(Brief(subject.Drop("a")) == "INTERNAL");
  subject.engine->FailOpenSnapshot(absl::OkStatus());
  subject.executor.Refuse(absl::ResourceExhaustedError("busy"));
  CHECK(Brief(subject.Drop("a")) == "RESOURCE_EXHAUSTED");
  subject.executor.Refuse(absl::OkStatus());
  CHECK(subject.Do(Put("k", "w"), "a").status.ok());
  CHECK(subject.Value("k", "a") == "w");
}

TEST_CASE("a placement is changed only while the namespace is empty") {
  StoreSubject subject;
  REQUIRE(subject.Create("a").ok());
  CHECK(subject.Update("a", {.placement = Placement::kTogether}).ok());
  REQUIRE(subject.Do(Put("k", "v"), "a").status.ok());
  CHECK(Brief(subject.Update("a", {.placement = Placement::kSpread})) ==
        "FAILED_PRECONDITION NAMESPACE_NOT_EMPTY");
  CHECK(subject.Update("a", {.default_ttl_ms = 1, .placement = Placement::kTogether}).ok());
  CHECK(Value(subject.store().GetNamespace("a")).settings.placement == Placement::kTogether);
  CHECK(subject.Do(Put("k", "w"), "a").status.ok());
}

TEST_CASE("a number is given out once in the life of a process, and they may run out") {
  StoreSubject subject;
  constexpr NamespaceId kNumbers = kNowhere - 1;
  for (NamespaceId used = 1; used < kNumbers; ++used) {
    if (!subject.Create("a").ok() || !subject.Drop("a").ok()) FAIL("after " << used);
  }
  CHECK(Brief(subject.Create("a")) == "RESOURCE_EXHAUSTED TOO_MANY_NAMESPACES");
  CHECK(Brief(subject.Do(Put("k", "v"), "a").status) == "RESOURCE_EXHAUSTED TOO_MANY_NAMESPACES");
  CHECK(subject.Do(Put("k", "v")).status.ok());
  REQUIRE(subject.Reopen().ok());
  CHECK(subject.Do(Put("k", "v"), "a").status.ok());
}

// --- damage ---

TEST_CASE("a record that changes its number under a running store is refused") {
  StoreSubject subject;
  const NamespaceInfo info = Value(subject.Create("a"));
  absl::Status written;
  WriteSystemRecord(*subject.memory, NamespaceKey("a"),
                    EncodeNamespaceRecord({.id = info.id + 100}), {},
                    [&](const absl::StatusOr<Revision>& revision) { written = revision.status(); });
  REQUIRE(written.ok());
  CHECK(Brief(subject.Update("a", {})) == "DATA_LOSS DATA_LOSS");
  CHECK(subject.Do(Put("k", "v"), "a").status.ok());
}

struct Damage {
  std::string key;
  std::string value;
  std::string expected;
};

TEST_CASE("a damaged record of a namespace keeps the store from opening, and is named") {
  const std::string record = EncodeNamespaceRecord({.id = 1});
  const auto damage = GENERATE_COPY(Damage{"ns/a", "garbage", "FAILED_PRECONDITION"},
                                    Damage{"ns/a", "", "DATA_LOSS DATA_LOSS"},
                                    Damage{"ns/a", "\x01", "DATA_LOSS DATA_LOSS"},
                                    Damage{"ns/twin", record, "DATA_LOSS DATA_LOSS"});
  StoreSubject subject;
  absl::Status written;
  WriteSystemRecord(*subject.memory, damage.key, damage.value, {},
                    [&](const absl::StatusOr<Revision>& revision) { written = revision.status(); });
  REQUIRE(written.ok());
  const absl::Status status = subject.Reopen();
  CHECK(Brief(status) == damage.expected);
  CHECK_THAT(std::string(status.message()), Catch::Matchers::StartsWith("namespace "));
}

}  // namespace
}  // namespace tarn::storage
