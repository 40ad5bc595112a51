// The Store under many threads: no write is lost to the deletion of its namespace, and the order in
// which a thread submits is kept while namespaces come and go.
#include <atomic>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/blocking_counter.h"
#include "absl/synchronization/notification.h"
#include "storage/base/executor.h"
#include "tests/catch.h"
#include "tests/storage/store_subject.h"

namespace tarn::storage {
namespace {

using testing::Value;

// Does what another engine does, but on a thread of its own and in the order of submission, as an
// engine with a log does.
class LateEngine final : public Engine {
 public:
  explicit LateEngine(Engine& engine) : engine_(engine) {}

  void Run(const Batch& batch, Completion done) override {
    const absl::Status status = queue_.Submit(
        [this, batch, done = std::move(done)]() mutable { engine_.Run(batch, std::move(done)); });
    if (!status.ok()) std::abort();
  }
  absl::StatusOr<std::unique_ptr<Snapshot>> OpenSnapshot(SnapshotPurpose purpose) override {
    return engine_.OpenSnapshot(purpose);
  }
  absl::StatusOr<std::unique_ptr<BulkLoad>> BeginBulkLoad() override {
    return engine_.BeginBulkLoad();
  }
  absl::StatusOr<SweepResult> SweepExpired(size_t max_entries) override {
    return engine_.SweepExpired(max_entries);
  }
  EngineStats Stats() const override { return engine_.Stats(); }
  absl::StatusOr<std::optional<StoreMeta>> ReadMeta() override { return engine_.ReadMeta(); }
  absl::Status WriteMeta(const StoreMeta& meta) override { return engine_.WriteMeta(meta); }
  absl::string_view name() const override { return engine_.name(); }
  absl::string_view durability() const override { return engine_.durability(); }

 private:
  Engine& engine_;
  base::ThreadPool queue_{{.name = "late", .threads = 1, .max_queued = 1'000'000}};
};

enum class Completes { kInline, kLate };

// A Store as a daemon has it.
struct Daemon {
  explicit Daemon(Completes completes) {
    if (!memory->WriteMeta(meta).ok()) throw std::runtime_error("no meta");
    Engine* engine = memory.get();
    if (completes == Completes::kLate) {
      late = std::make_unique<LateEngine>(*memory);
      engine = late.get();
    }
    StoreOptions options;
    options.sweep_interval = absl::Milliseconds(1);
    store = Value(Store::Open({*engine, ledger, clock, executor, random}, meta, options));
  }

  // Waits for whatever it was given a callback for.
  template <typename T, typename Begin>
  absl::StatusOr<T> Wait(Begin begin) {
    absl::Notification given;
    absl::StatusOr<T> answer = absl::UnknownError("not answered");
    begin([&](absl::StatusOr<T> result) {
      answer = std::move(result);
      given.Notify();
    });
    given.WaitForNotification();
    return answer;
  }

  absl::Status Put(const std::string& ns, const std::string& key) {
    Operation operation;
    operation.kind = OperationKind::kPut;
    operation.key = key;
    operation.value = "v";
    absl::Notification done;
    absl::Status status;
    store->Run({.ns = ns, .operations = absl::MakeSpan(&operation, 1)}, [&](BatchResult& result) {
      status = result.status.ok() ? result.results[0].status : result.status;
      done.Notify();
    });
    done.WaitForNotification();
    return status;
  }

  uint64_t Clear(const std::string& ns) {
    return Value(Wait<DeleteRangeResult>(
                     [&](auto done) { store->DeleteRange(ns, {}, {}, nullptr, std::move(done)); }))
        .entries;
  }
  uint64_t Count(const std::string& ns) {
    return Value(Wait<CountResult>(
                     [&](auto done) { store->Count(ns, {}, nullptr, std::move(done)); }))
        .entries;
  }
  absl::Status Drop(const std::string& ns) {
    return Wait<NamespaceInfo>(
               [&](auto done) { store->DeleteNamespace(ns, std::nullopt, std::move(done)); })
        .status();
  }

  base::ManualClock clock{1'700'000'000'000};
  UsageLedger ledger;
  base::ThreadPool executor{{.name = "test", .threads = 2}};
  Sequence random;
  StoreMeta meta{.store_id = std::string(32, 'a'), .incarnation = 1};
  std::unique_ptr<MemoryEngine> memory = Value(MemoryEngine::Open({}, clock, ledger));
  std::unique_ptr<LateEngine> late;
  std::unique_ptr<Store> store;
};

TEST_CASE("no acknowledged write is lost while its namespace is deleted and created again") {
  constexpr int kNamespaces = 3;
  constexpr int kWriters = 3;
  const uint64_t writes = testing::Count(2000, 100'000);
  Daemon daemon(GENERATE(Completes::kInline, Completes::kLate));
  std::atomic<uint64_t> acknowledged{0};
  std::atomic<uint64_t> removed{0};
  std::atomic<uint64_t> dropped{0};
  std::atomic<int> unexpected{0};
  std::atomic<bool> writing{true};
  std::vector<std::thread> writers;
  for (int writer = 0; writer < kWriters; ++writer) {
    writers.emplace_back([&, writer] {
      for (uint64_t i = 0; i < writes; ++i) {
        const std::string ns = absl::StrCat("n", (i + static_cast<uint64_t>(writer)) % kNamespaces);
        if (daemon.Put(ns, absl::StrCat(writer, "-", i)).ok())
          acknowledged.fetch_add(1);
        else
          unexpected.fetch_add(1);
      }
    });
  }
  std::thread deleter([&] {
    for (int i = 0; writing.load(); ++i) {
      const std::string ns = absl::StrCat("n", i % kNamespaces);
      removed.fetch_add(daemon.Clear(ns));
      const absl::Status status = daemon.Drop(ns);
      if (status.ok())
        dropped.fetch_add(1);
      else if (base::ReasonOf(status) != base::Reason::kNamespaceNotEmpty &&
               base::ReasonOf(status) != base::Reason::kNamespaceNotFound) {
        unexpected.fetch_add(1);
      }
    }
  });
  for (std::thread& writer : writers) writer.join();
  writing = false;
  deleter.join();
  uint64_t left = 0;
  for (int i = 0; i < kNamespaces; ++i) left += daemon.Count(absl::StrCat("n", i));
  CAPTURE(dropped.load());
  CHECK(unexpected == 0);
  CHECK(acknowledged == kWriters * writes);
  CHECK(removed + left == acknowledged);
}

// A counter that its thread alone raises: a batch that overtook another would show.
TEST_CASE("batches of one thread keep their order while their namespace comes and goes") {
  const uint64_t rounds = testing::Count(300, 20'000);
  Daemon daemon(GENERATE(Completes::kInline, Completes::kLate));
  std::atomic<bool> running{true};
  std::thread dropper([&] {
    while (running.load()) daemon.Drop("ns").IgnoreError();
  });
  int broken = 0;
  for (uint64_t round = 0; round < rounds; ++round) {
    // Append 1, 2, 3 without waiting, take it all, and leave an empty namespace to be dropped.
    std::vector<Op> ops{Append("k", "1"), Append("k", "2"), Append("k", "3"), Take("k")};
    std::vector<Operation> operations;
    for (const Op& op : ops) operations.push_back(op.View());
    absl::BlockingCounter left(static_cast<int>(ops.size()));
    std::string taken;
    for (size_t i = 0; i < ops.size(); ++i) {
      daemon.store->Run({.ns = "ns", .operations = absl::MakeSpan(&operations[i], 1)},
                        [&](BatchResult& result) {
                          const OperationResult& one = result.results.at(0);
                          if (!one.value.empty()) taken = std::string(one.value);
                          left.DecrementCount();
                        });
    }
    left.Wait();
    if (taken != "123") ++broken;
  }
  running = false;
  dropper.join();
  CHECK(broken == 0);
}

TEST_CASE("scans, counts and settings may change beside writes") {
  Daemon daemon(Completes::kInline);
  const uint64_t rounds = testing::Count(100, 5000);
  for (int i = 0; i < 3000; ++i) REQUIRE(daemon.Put("ns", absl::StrCat("k", i)).ok());
  std::atomic<bool> running{true};
  std::thread writer([&] {
    for (int i = 0; running.load(); ++i)
      daemon.Put("ns", absl::StrCat("k", i % 3000)).IgnoreError();
  });
  std::thread admin([&] {
    for (int i = 1; running.load(); ++i) {
      daemon
          .Wait<NamespaceInfo>([&](auto done) {
            daemon.store->UpdateNamespace("ns", {.default_ttl_ms = i}, std::nullopt,
                                          std::move(done));
          })
          .IgnoreError();
      daemon.store->ListNamespaces("", 10);
      daemon.store->Stats();
    }
  });
  uint64_t wrong = 0;
  for (uint64_t round = 0; round < rounds; ++round) {
    if (daemon.Count("ns") != 3000) ++wrong;
    const auto scan = Value(daemon.Wait<std::unique_ptr<Scan>>(
        [&](auto done) { daemon.store->OpenScan({.ns = "ns"}, std::move(done)); }));
    scan->Next([&](const absl::Status& status, const ScanChunk& chunk) {
      if (!status.ok() || chunk.entries.empty()) ++wrong;
    });
  }
  running = false;
  writer.join();
  admin.join();
  CHECK(wrong == 0);
}

TEST_CASE("destroying a store waits for its long work and its writes") {
  for (int round = 0; round < 50; ++round) {
    Daemon daemon(Completes::kLate);
    std::atomic<int> answered{0};
    const Op put = Put("k", "v");
    std::vector<Operation> operations(20, put.View());
    for (Operation& one : operations) {
      daemon.store->Run({.ns = "new", .operations = absl::MakeSpan(&one, 1)},
                        [&](BatchResult&) { ++answered; });
    }
    daemon.store->Count("", {}, nullptr, [&](const absl::StatusOr<CountResult>&) { ++answered; });
    daemon.store->CreateNamespace("x", {},
                                  [&](const absl::StatusOr<NamespaceInfo>&) { ++answered; });
    daemon.store.reset();
    CHECK(answered == 22);
  }
}

}  // namespace
}  // namespace tarn::storage
