// A store that is closed for a while, whole or in part, and exchanged.
#include "storage/store_door.h"

#include <atomic>
#include <thread>

#include "tests/catch.h"
#include "tests/storage/store_subject.h"

namespace tarn::storage {
namespace {

using testing::Brief;
using testing::Value;

constexpr char kRefused[] = "UNAVAILABLE NOT_READY";

// A door over a store on a memory engine.
class Subject {
 public:
  Subject() {
    memory_ = *MemoryEngine::Open({}, clock_, ledger_);
    engine = std::make_unique<FaultEngine>(*memory_);
    meta_.store_id = std::string(32, 'a');
    door = std::make_unique<StoreDoor>(NextStore());
  }

  std::unique_ptr<Store> NextStore() {
    ++meta_.incarnation;
    if (!engine->WriteMeta(meta_).ok()) throw std::runtime_error("no meta");
    return *Store::Open({*engine, ledger_, clock_, executor, random_}, meta_,
                        {.sweep_interval = absl::Hours(1)});
  }

  // A batch that may complete later: it stays where it is until then.
  struct Batch {
    std::vector<Op> ops;
    std::vector<Operation> operations;
    std::string answer = "none";
  };

  void Submit(Batch& batch, const std::string& ns = "") {
    for (const Op& op : batch.ops) batch.operations.push_back(op.View());
    door->Run(
        {.ns = ns, .mode = BatchMode::kAtomic, .operations = absl::MakeSpan(batch.operations)},
        [&batch](BatchResult& result) { batch.answer = Brief(result.status); });
  }

  std::string Run(const std::vector<Op>& ops, const std::string& ns = "") {
    Batch batch{.ops = ops};
    Submit(batch, ns);
    return batch.answer;
  }

  absl::StatusOr<std::unique_ptr<Scan>> Open(const ScanRequest& request) {
    Outcome<std::unique_ptr<Scan>> outcome;
    door->OpenScan(request, outcome.Callback());
    while (executor.RunOne()) {
    }
    return outcome.Take();
  }

  static std::string Next(Scan& scan, std::string* token = nullptr) {
    std::string text = "none";
    scan.Next([&](const absl::Status& status, const ScanChunk& chunk) {
      text = status.ok() ? "" : Brief(status);
      for (const EntryView& entry : chunk.entries) text += std::string(entry.key);
      if (token != nullptr) *token = chunk.resume_token;
    });
    return text;
  }

  std::string Count(const std::string& ns, const KeyBounds& bounds) {
    Outcome<CountResult> outcome;
    door->Count(ns, bounds, nullptr, outcome.Callback());
    while (executor.RunOne()) {
    }
    const auto result = outcome.Take();
    return result.ok() ? std::to_string(result->entries) : Brief(result.status());
  }

  void Exchange() {
    const auto closure = door->CloseAll("an exchange");
    door->Remove();
    door->Install(NextStore());
  }

  // Comes back once the door is seen to be closed for that key.
  void AwaitRefusal(const std::string& key) {
    while (Run({Get(key)}) != kRefused) std::this_thread::yield();
  }

 private:
  base::ManualClock clock_{1'700'000'000'000};
  UsageLedger ledger_;
  Sequence random_;
  StoreMeta meta_;
  std::unique_ptr<MemoryEngine> memory_;

 public:
  testing::ManualExecutor executor;
  std::unique_ptr<FaultEngine> engine;
  std::unique_ptr<StoreDoor> door;
};

TEST_CASE("a closed door refuses everything, says why, and lets everything in again") {
  Subject subject;
  REQUIRE(subject.Run({Put("k", "v")}) == "OK");
  auto scan = Value(subject.Open({}));
  {
    const auto closure = subject.door->CloseAll("the state is being restored");
    CHECK(subject.Run({Get("k")}) == kRefused);
    CHECK(subject.Run({Put("k", "v")}) == kRefused);
    CHECK(Brief(subject.Open({}).status()) == kRefused);
    CHECK(Subject::Next(*scan) == kRefused);
    CHECK(subject.Count("", {}) == kRefused);
    Outcome<DeleteRangeResult> deleted;
    subject.door->DeleteRange("", {}, {}, nullptr, deleted.Callback());
    CHECK(Brief(deleted.Take()) == kRefused);
    Outcome<NamespaceInfo> changed;
    subject.door->CreateNamespace("new", {}, changed.Callback());
    CHECK(Brief(changed.Take()) == kRefused);
    subject.door->UpdateNamespace("default", {}, std::nullopt, changed.Callback());
    const auto refused = changed.Take();
    CHECK(Brief(refused) == kRefused);
    CHECK(refused.status().message() == "the state is being restored; nothing was done");
    subject.door->DeleteNamespace("default", std::nullopt, changed.Callback());
    CHECK(Brief(changed.Take()) == kRefused);
    CHECK(Brief(subject.door->GetNamespace("default")) == kRefused);
  }
  CHECK(subject.Run({Get("k")}) == "OK");
  CHECK(Subject::Next(*scan) == "k");
}

TEST_CASE("closing waits for the batches that are under way") {
  Subject subject;
  subject.engine->Hold(IsUserWrite);
  Subject::Batch held{.ops = {Put("k", "v")}};
  subject.Submit(held);
  REQUIRE(held.answer == "none");
  std::atomic<bool> closed{false};
  std::thread closer([&] {
    const auto closure = subject.door->CloseAll("a test");
    closed = true;
  });
  subject.AwaitRefusal("k");
  CHECK_FALSE(closed);
  subject.engine->Release();
  closer.join();
  CHECK(held.answer == "OK");
  CHECK(subject.Run({Get("k")}) == "OK");
}

TEST_CASE("a closed range refuses what touches it and nothing else") {
  Subject subject;
  REQUIRE(subject.Run({Put("a", "1"), Put("m", "1"), Put("z", "1")}) == "OK");
  REQUIRE(subject.Run({Put("m", "1")}, "other") == "OK");
  auto scan = Value(subject.Open({}));
  const auto closure = subject.door->CloseRange("", "m", "n", "a test");
  CHECK(subject.Run({Get("m")}) == kRefused);
  CHECK(subject.Run({Put("m1", "2")}) == kRefused);
  CHECK(subject.Run({Put("a", "2"), Get("m")}) == kRefused);
  CHECK(subject.Run({Put("a", "2"), Put("n", "2")}) == "OK");
  CHECK(subject.Run({Put("m", "2")}, "other") == "OK");
  CHECK(subject.Run({Put("m", "2")}, "default") == kRefused);
  CHECK(Brief(subject.Open({}).status()) == kRefused);
  CHECK(Brief(subject.Open({.bounds = {.prefix = "m"}}).status()) == kRefused);
  CHECK(Brief(subject.Open({.bounds = {.start = "n"}}).status()) == "OK");
  CHECK(subject.Count("", {.end = "m"}) == "1");
  CHECK(subject.Count("", {}) == kRefused);
  CHECK(subject.Count("other", {}) == "1");
  CHECK(Subject::Next(*scan) == "amz");
  Outcome<NamespaceInfo> changed;
  subject.door->DeleteNamespace("default", std::nullopt, changed.Callback());
  CHECK(Brief(changed.Take()) == kRefused);
  CHECK(Brief(subject.door->GetNamespace("default")) == "OK");
}

TEST_CASE("counting under way in a closed range is ended, and elsewhere goes on") {
  Subject subject;
  REQUIRE(subject.Run({Put("a", "1"), Put("m", "1")}) == "OK");
  Outcome<CountResult> inside;
  Outcome<CountResult> outside;
  subject.door->Count("", {}, nullptr, inside.Callback());
  subject.door->Count("", {.end = "b"}, nullptr, outside.Callback());
  std::atomic<bool> closed{false};
  std::thread closer([&] {
    const auto closure = subject.door->CloseRange("", "m", "", "a test");
    closed = true;
  });
  subject.AwaitRefusal("m");
  // Whoever is refused knows that the first one has been told to end; the closing waits for it.
  while (!closed) subject.executor.RunOne();
  closer.join();
  while (subject.executor.RunOne()) {
  }
  CHECK(Brief(inside.Take()) == kRefused);
  CHECK(Value(outside.Take()).entries == 1);
}

TEST_CASE("an exchange of the store ends its scans, and their tokens with them") {
  Subject subject;
  REQUIRE(subject.Run({Put("a", "1"), Put("b", "1"), Put("c", "1")}) == "OK");
  const ScanRequest request{.chunk_bytes = 1};
  auto scan = Value(subject.Open(request));
  auto abandoned = Value(subject.Open(request));
  std::string token;
  REQUIRE(Subject::Next(*scan, &token) == "a");
  subject.Exchange();
  CHECK(Subject::Next(*scan) == "ABORTED SNAPSHOT_EXPIRED");
  abandoned.reset();
  ScanRequest resumed = request;
  resumed.resume_token = token;
  CHECK(Brief(subject.Open(resumed).status()) == "ABORTED SNAPSHOT_EXPIRED");
  auto again = Value(subject.Open(request));
  CHECK(Subject::Next(*again) == "a");
  CHECK(subject.engine->Stats().snapshots == 1);
}

TEST_CASE("what there is to know of a store is known while it is exchanged") {
  Subject subject;
  REQUIRE(subject.Run({Put("k", "v")}, "ns") == "OK");
  const auto closure = subject.door->CloseAll("a test");
  subject.door->Remove();
  CHECK(subject.door->Stats().incarnation == 1);
  const auto namespaces = subject.door->ListNamespaces("", 10);
  REQUIRE(namespaces.size() == 2);
  CHECK(namespaces[1].name == "ns");
  CHECK(subject.door->ListNamespaces("default", 10).size() == 1);
  CHECK(subject.door->ListNamespaces("", 1).size() == 1);
  subject.door->Install(subject.NextStore());
  CHECK(subject.door->limits().max_key_bytes == Limits().max_key_bytes);
}

TEST_CASE("two ranges are closed and opened apart from each other") {
  Subject subject;
  auto first = subject.door->CloseRange("", "a", "b", "a test");
  const auto second = subject.door->CloseRange("", "c", "d", "a test");
  first.reset();
  CHECK(subject.Run({Get("a")}) == "OK");
  CHECK(subject.Run({Get("c")}) == kRefused);
}

TEST_CASE("stores are exchanged while threads read and write, and no answer is lost") {
  Subject subject;
  const int exchanges = testing::Count(100, 5000);
  std::atomic<bool> stop{false};
  std::atomic<bool> wrong{false};
  std::atomic<int> done{0};
  const auto work = [&](const std::string& key) {
    while (!stop) {
      const std::string answer = subject.Run({Put(key, "v")});
      if (answer != "OK" && answer != kRefused) wrong = true;
      if (answer == "OK") ++done;
      (void)subject.door->Stats();
      (void)subject.door->GetNamespace("default");
    }
  };
  std::thread one(work, "one");
  std::thread two(work, "two");
  for (int i = 0; i < exchanges; ++i) {
    const int before = done;
    subject.Exchange();
    while (done == before && !wrong) std::this_thread::yield();
  }
  stop = true;
  one.join();
  two.join();
  CHECK_FALSE(wrong);
  CHECK(done >= exchanges);
}

// A lock behind a door.
struct DoorLock : Subject {
  void Ask(const std::string& holder, int64_t wait_ms, WaitId wait_id,
           Outcome<LockGrant>& outcome) {
    door->locks().Acquire(
        {.name = "l", .holder = holder, .ttl_ms = 60'000, .wait_ms = wait_ms, .wait_id = wait_id},
        outcome.Callback());
  }
};

TEST_CASE("locks are refused while everything is closed, and are as they were afterwards") {
  DoorLock subject;
  Outcome<LockGrant> first;
  subject.Ask("a", 0, 0, first);
  const Revision token = first.Take()->token;
  Locks& locks = subject.door->locks();
  {
    const auto closure = subject.door->CloseAll("a restore");
    Outcome<LockGrant> refused;
    subject.Ask("b", 0, 0, refused);
    CHECK(Brief(refused.Take()) == kRefused);
    locks.Renew("", "l", token, 1000, refused.Callback());
    CHECK(Brief(refused.Take()) == kRefused);
    std::string released;
    locks.Release("", "l", token, [&](const absl::Status& status) { released = Brief(status); });
    CHECK(released == kRefused);
    Outcome<FormerHolder> forced;
    locks.ForceRelease("", "l", 0, forced.Callback());
    CHECK(Brief(forced.Take()) == kRefused);
    Outcome<Revision> joined;
    locks.JoinGroup("", "g", "m", joined.Callback());
    CHECK(Brief(joined.Take()) == kRefused);
    Outcome<bool> deleted;
    locks.DeleteGroup("", "g", deleted.Callback());
    CHECK(Brief(deleted.Take()) == kRefused);
    CHECK(Brief(locks.GetLock("", "l")) == kRefused);
    CHECK(Brief(locks.GetGroup("", "g")) == kRefused);
    CHECK(Brief(locks.ListLocks("", "", 1)) == kRefused);
    CHECK(Brief(locks.ListGroups("", "", 1)) == kRefused);
    CHECK(locks.Stats().held == 0);
    locks.EndWaiting(absl::UnavailableError("in vain"));
  }
  CHECK(Value(locks.GetLock("", "l")).holder == "a");
  CHECK(locks.Stats().held == 1);
}

TEST_CASE("whoever waits for a lock is told to come back when the store is exchanged") {
  DoorLock subject;
  Outcome<LockGrant> first;
  subject.Ask("a", 0, 0, first);
  Outcome<LockGrant> waits;
  subject.Ask("b", 60'000, 7, waits);
  CHECK_FALSE(waits.given());
  subject.Exchange();
  CHECK(Brief(waits.Take()) == "UNAVAILABLE NOT_READY");
  subject.door->locks().TakeBack("", "l", 7);  // Of a store that is gone.
}

TEST_CASE("a request taken back while everything was closed leaves no ghost") {
  DoorLock subject;
  Outcome<LockGrant> first;
  subject.Ask("a", 0, 0, first);
  const Revision token = first.Take()->token;
  Outcome<LockGrant> waits;
  subject.Ask("b", 60'000, 7, waits);
  {
    const auto closure = subject.door->CloseAll("a restore that fails");
    subject.door->locks().TakeBack("", "l", 7);
    CHECK_FALSE(waits.given());
  }
  subject.door->locks().Release("", "l", token, [](const absl::Status&) {});
  CHECK(Brief(waits.Take()) == "CANCELLED");
  CHECK_FALSE(Value(subject.door->locks().GetLock("", "l")).held);
}

}  // namespace
}  // namespace tarn::storage
