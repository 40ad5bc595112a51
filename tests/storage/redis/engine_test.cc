// The engine with a real Redis that misbehaves: lost answers, lost scripts, other owners, an empty
// server coming back, a user that may do little.
#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdlib>
#include <memory>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/synchronization/notification.h"
#include "storage/base/executor.h"
#include "storage/base/random.h"
#include "storage/redis/partition.h"
#include "storage/redis/redis_engine.h"
#include "tests/catch.h"
#include "tests/contract/language.h"
#include "tests/storage/redis/support/redis_server.h"
#include "tests/storage/redis/support/subject.h"
#include "tests/support/status.h"

namespace tarn::testing {
namespace {

using storage::RedisEngine;
using storage::RedisOptions;
using storage::redis::CommandKind;
using storage::redis::TakeOver;

constexpr char kStoreId[] = "0123456789abcdef0123456789abcdef";

RedisOptions OptionsFor(const RedisServer& server, const std::string& holder) {
  RedisOptions options;
  options.url = absl::StrCat("unix://", server.unix_path());
  options.owner.holder = holder;
  options.owner.name = absl::StrCat("tarnd on host ", holder);
  options.owner.beat_ms = 20;
  options.owner.lapse_ms = 300;
  options.owner.poll_ms = 10;
  return options;
}

// One daemon's engine.
class Daemon {
 public:
  explicit Daemon(const RedisOptions& options) {
    auto opened = RedisEngine::Open(
        options,
        {clock_, executor_, ledger_, base::SystemRandom(), stop_, [this] { deposed_.Notify(); },
         &monitor_, [this](absl::string_view owner) { told_.push_back(std::string(owner)); }});
    status_ = opened.status();
    if (!opened.ok()) return;
    engine_ = *std::move(opened);
    newest_found_ = engine_->Stats().revision;
    const auto meta = engine_->ReadMeta();
    const storage::Incarnation before = meta.ok() && *meta ? (*meta)->incarnation : 0;
    status_ = engine_->WriteMeta({kStoreId, before + 1});
  }

  const absl::Status& status() const { return status_; }
  RedisEngine& engine() { return *engine_; }
  bool AwaitDeposed() { return deposed_.WaitForNotificationWithTimeout(absl::Minutes(1)); }
  Answer Do(Op op) { return testing::Do(*engine_, std::move(op)); }
  // The newest commit, as it was known when the store was opened.
  storage::Revision newest_found() const { return newest_found_; }
  uint64_t retries() const { return monitor_.Read()->retries; }
  int open_connections() const { return monitor_.Read()->nodes.front().stats.pool.open; }
  // What was told while it waited: who the owner was.
  const std::vector<std::string>& told() const { return told_; }

 private:
  const base::SystemClock clock_;
  base::ThreadPool executor_{base::ThreadPool::Options{.name = "test"}};
  storage::UsageLedger ledger_;
  absl::Notification stop_;
  absl::Notification deposed_;
  absl::Status status_;
  storage::RedisMonitor monitor_;
  std::vector<std::string> told_;
  storage::Revision newest_found_ = 0;
  std::unique_ptr<RedisEngine> engine_;
};

// Until it is so, for a minute at most.
template <typename Condition>
bool Eventually(const Condition& condition) {
  const absl::Time end = absl::Now() + absl::Minutes(1);
  while (absl::Now() < end) {
    if (condition()) return true;
    std::this_thread::yield();
  }
  return condition();
}

// Ends every connection of owners, as a broken network would.
void KillOwners(Subject& admin) {
  const std::string list = admin.Ask({"CLIENT", "LIST"}, CommandKind::kRead);
  for (const absl::string_view line : absl::StrSplit(list, "\\n")) {
    if (line.find("name=tarn-owner:") == line.npos) continue;
    const size_t id = line.find("id=") + 3;
    admin.Ask({"CLIENT", "KILL", "ID", std::string(line.substr(id, line.find(' ') - id))},
              CommandKind::kRead);
  }
}

TEST_CASE("no acknowledged add is lost or done twice while connections are lost") {
  const RedisServer server;
  Daemon daemon(OptionsFor(server, "a"));
  REQUIRE(daemon.status().ok());
  Subject admin(To(server));
  std::atomic<int64_t> done{0};
  std::atomic<int64_t> unknown{0};
  std::vector<std::jthread> writers;
  for (int thread = 0; thread < 3; ++thread) {
    writers.emplace_back([&, thread](const std::stop_token& stop) {
      const std::string own = absl::StrCat("own", thread);
      while (!stop.stop_requested()) {
        const Answer answer = daemon.Do(Add("k", 1));
        done += answer.status.ok() ? 1 : 0;
        unknown += absl::IsUnknown(answer.status) ? 1 : 0;
        const Answer put = daemon.Do(Put(own, absl::StrCat(done.load())));
        if (put.status.ok() && daemon.Do(Get(own)).status.ok()) continue;
      }
    });
  }
  for (int round = 0; round < 30; ++round) {
    const int64_t before = done;
    KillOwners(admin);
    REQUIRE(Eventually([&] { return done > before; }));
  }
  writers.clear();  // Each is told to stop and waited for.
  const Answer read = daemon.Do(Get("k"));
  REQUIRE(read.status.ok());
  CHECK(std::stoll(read.value) >= done);
  CHECK(std::stoll(read.value) <= done + unknown);
  CHECK(unknown == 0);
  // What a put replaced whose answer was lost is known to nobody: the next start counts anew.
  Daemon next(OptionsFor(server, "a"));
  REQUIRE(next.status().ok());
  CHECK(next.engine().CheckConsistency().ok());
  CHECK(next.Do(Get("k")).value == read.value);
}

TEST_CASE("scripts that the server has lost are loaded again") {
  const RedisServer server;
  Daemon daemon(OptionsFor(server, "a"));
  Subject admin(To(server));
  for (int round = 0; round < 3; ++round) {
    admin.Ask({"SCRIPT", "FLUSH"});
    CHECK(Why(daemon.Do(Add("k", 1))) == "OK");
    admin.Ask({"SCRIPT", "FLUSH"});
    CHECK(Why(Atomic(daemon.engine(), {Get("k"), Get("other")})) == "OK");
  }
  CHECK(daemon.Do(Get("k")).value == "3");
}

TEST_CASE("a standby waits while the owner lives, and takes the store when it is released") {
  const RedisServer server;
  auto owner = std::make_unique<Daemon>(OptionsFor(server, "a"));
  REQUIRE(owner->status().ok());
  owner->Do(Put("k", "v"));
  // Long enough that an owner who has to wait for the machine is not taken for a silent one.
  RedisOptions patient = OptionsFor(server, "b");
  patient.owner.lapse_ms = 1500;
  std::unique_ptr<Daemon> standby;
  std::atomic<bool> taken{false};
  std::jthread opening([&] {
    standby = std::make_unique<Daemon>(patient);
    taken = true;
  });
  // Several lapses of a silent owner, by its own signs of life.
  Subject admin(To(server));
  const auto beats = [&] { return admin.Ask({"GET", "tarn{4L}h"}, CommandKind::kRead); };
  for (int beat = 0; beat < 150; ++beat) {
    const std::string before = beats();
    REQUIRE(Eventually([&] { return beats() != before; }));
  }
  CHECK_FALSE(taken);
  owner.reset();
  opening.join();
  REQUIRE(standby->status().ok());
  CHECK(standby->told() == std::vector<std::string>{"tarnd on host a", ""});
  CHECK(standby->Do(Get("k")).value == "v");
}

TEST_CASE("a deposed owner learns of it and can write nothing more") {
  const RedisServer server;
  Daemon old(OptionsFor(server, "a"));
  REQUIRE(Why(old.Do(Put("k", "old"))) == "OK");
  RedisOptions options = OptionsFor(server, "b");
  options.owner.take_over = TakeOver::kAtOnce;
  Daemon young(options);
  REQUIRE(young.status().ok());
  CHECK(Why(young.Do(Put("k", "young"))) == "OK");
  CHECK(old.AwaitDeposed());
  CHECK(Why(old.Do(Put("k", "late"))) == "UNAVAILABLE NOT_OWNER");
  CHECK(Why(old.Do(Delete("k"))) == "UNAVAILABLE NOT_OWNER");
  CHECK_FALSE(old.engine().Stats().writable);
  CHECK(young.Do(Get("k")).value == "young");
}

TEST_CASE("the same holder takes its store again without waiting") {
  const RedisServer server;
  Daemon crashed(OptionsFor(server, "a"));
  Daemon restarted(OptionsFor(server, "a"));
  CHECK(restarted.status().ok());
  CHECK(crashed.AwaitDeposed());
}

// None waits for the others, so most are deposed while they open.
TEST_CASE("of daemons that take a store at the same time one at most keeps it") {
  const RedisServer server;
  RedisOptions options = OptionsFor(server, "a");
  options.owner.take_over = TakeOver::kAtOnce;
  std::vector<std::unique_ptr<Daemon>> daemons(4);
  {
    std::vector<std::jthread> opening;
    for (auto& daemon : daemons) {
      opening.emplace_back([&] { daemon = std::make_unique<Daemon>(options); });
    }
  }
  const auto keeping = [&daemons] {
    return std::count_if(daemons.begin(), daemons.end(), [](const auto& daemon) {
      return daemon->status().ok() && daemon->engine().Stats().writable;
    });
  };
  CHECK(Eventually([&] { return keeping() <= 1; }));
  Daemon last(options);
  CHECK(Why(last.Do(Put("k", "v"))) == "OK");
  CHECK(Eventually([&] { return keeping() == 0; }));
}

// More bytes than a connection lets wait.
TEST_CASE("a store of many long keys is opened") {
  const RedisServer server;
  constexpr int kBatches = 100;
  constexpr int kBatchKeys = 200;
  {
    Daemon daemon(OptionsFor(server, "a"));
    for (int batch = 0; batch < kBatches; ++batch) {
      std::vector<Op> puts;
      for (int i = 0; i < kBatchKeys; ++i) {
        puts.push_back(Put(absl::StrCat(batch, ".", i, ".", std::string(3'800, 'k')), "v"));
      }
      REQUIRE(Why(Independent(daemon.engine(), puts)) == "OK");
    }
  }
  Daemon daemon(OptionsFor(server, "a"));
  REQUIRE(Why(daemon.status()) == "OK");
  CHECK(daemon.engine().CheckConsistency().ok());
}

// --- what a store that is opened says of its newest commit ---

// As a crash would: the owner's last word is not there.
void ForgetLastWord(const RedisServer& server) { Subject(To(server)).Ask({"DEL", "tarn{4L}h"}); }

storage::Revision FoundAnew(const RedisServer& server) {
  ForgetLastWord(server);
  const Daemon daemon(OptionsFor(server, "a"));
  REQUIRE(daemon.status().ok());
  return daemon.newest_found();
}

// Behind the daemon's back.
void RemoveEntry(const RedisServer& server, const std::string& key) {
  using storage::redis::PartitionTag;
  const auto tag = PartitionTag(storage::redis::PartitionOf(storage::Placement::kSpread, kNs, key));
  const std::string name =
      absl::StrCat("tarn{", absl::string_view(tag.data(), tag.size()), "}v\x01\x01", key);
  REQUIRE(Subject(To(server)).Ask({"DEL", name}) == "(integer) 1");
}

TEST_CASE("the newest commit is known again when it removed something") {
  const RedisServer server;
  const std::vector<std::vector<Op>> removals = {
      {Delete("a")}, {Take("a")}, {Delete("a"), Delete("b")}, {Delete("b"), Put("c", "v")}};
  for (const std::vector<Op>& removal : removals) {
    storage::Revision newest = 0;
    {
      Daemon daemon(OptionsFor(server, "a"));
      REQUIRE(Why(Atomic(daemon.engine(), {Put("a", "v"), Put("b", "v")})) == "OK");
      newest = Atomic(daemon.engine(), removal).revision;
      REQUIRE(newest > 0);
    }
    CHECK(FoundAnew(server) == newest);
  }
}

TEST_CASE("the newest commit is known again when its entry has expired and was swept") {
  const RedisServer server;
  storage::Revision newest = 0;
  {
    Daemon daemon(OptionsFor(server, "a"));
    newest = daemon.Do(Put("k", "v").Until(1)).revision;
    REQUIRE(Value(daemon.engine().SweepExpired(10)).removed == 1);
  }
  CHECK(FoundAnew(server) == newest);
}

TEST_CASE("a store in which nothing was committed since it was opened says so") {
  const RedisServer server;
  { const Daemon first(OptionsFor(server, "a")); }
  CHECK(FoundAnew(server) == storage::FirstRevision(1));
  CHECK(FoundAnew(server) == storage::FirstRevision(2));
}

TEST_CASE("what Redis collected after a crash may have been as new as anything can be") {
  const RedisServer server;
  { CHECK(Why(Daemon(OptionsFor(server, "a")).Do(Put("k", "v").Until(1))) == "OK"); }
  RemoveEntry(server, "k");
  CHECK(FoundAnew(server) == storage::FirstRevision(2) - 1);
}

TEST_CASE("a Redis that has forgotten a part of the store is found out") {
  const RedisServer server;
  storage::Revision newest = 0;
  {
    Daemon daemon(OptionsFor(server, "a"));
    REQUIRE(Why(daemon.Do(Put("other", "v"))) == "OK");
    newest = daemon.Do(Put("k", "v")).revision;
  }
  RemoveEntry(server, "k");
  Daemon daemon(OptionsFor(server, "a"));
  CHECK(daemon.newest_found() == newest);
  CHECK(daemon.engine().Stats().errors == 1);
}

// --- callers that do not wait for ever ---

class Impatient final : public storage::Caller {
 public:
  explicit Impatient(int64_t ms) : ms_(ms) {}
  int64_t PatienceMs() const override { return ms_; }

 private:
  const int64_t ms_;
};

std::string RunFor(const storage::Caller& caller, RedisEngine& engine, const Op& op) {
  const storage::Operation view = op.View();
  const storage::Batch batch{.operations = absl::MakeConstSpan(&view, 1), .caller = &caller};
  std::string why;
  absl::Notification done;
  engine.Run(batch, [&](storage::BatchResult& result) {
    why = Why(result.results.front().status);
    done.Notify();
  });
  done.WaitForNotification();
  return why;
}

TEST_CASE("nothing is tried again for longer than the caller waits") {
  const RedisServer server;
  Daemon daemon(OptionsFor(server, "a"));
  Subject admin(To(server));
  REQUIRE(admin.Ask({"SCRIPT", "FLUSH"}) == "OK");
  CHECK(RunFor(Impatient(0), daemon.engine(), Add("n", 1)) == "INTERNAL ENGINE_ERROR");
  CHECK(daemon.retries() == 0);
  CHECK(RunFor(Impatient(60'000), daemon.engine(), Add("n", 1)) == "OK");
  CHECK(daemon.retries() == 1);
  CHECK(daemon.Do(Get("n")).value == "1");
}

TEST_CASE("whoever waits for a key that others hold gives up in time, and nothing is done") {
  RedisServer server;
  Daemon daemon(OptionsFor(server, "a"));
  REQUIRE(Why(daemon.Do(Add("k", 1))) == "OK");
  server.Signal(SIGSTOP);
  const auto first = Submit(daemon.engine(), storage::BatchMode::kIndependent, {Add("k", 10)});
  CHECK(RunFor(Impatient(0), daemon.engine(), Add("k", 100)) == "UNAVAILABLE ENGINE_UNAVAILABLE");
  CHECK(RunFor(Impatient(0), daemon.engine(), Put("k", "x")) == "UNAVAILABLE ENGINE_UNAVAILABLE");
  server.Signal(SIGCONT);
  CHECK(Why(first->Wait().results.at(0)) == "OK");
  CHECK(daemon.Do(Get("k")).value == "11");
  CHECK(daemon.engine().CheckConsistency().ok());
}

TEST_CASE("writes sent while Redis stands still end, and none lands after newer ones") {
  const RedisServer server;
  Daemon daemon(OptionsFor(server, "a"));
  REQUIRE(Why(daemon.Do(Put("k", "0"))) == "OK");
  server.Signal(SIGSTOP);
  const auto late = Submit(daemon.engine(), storage::BatchMode::kIndependent, {Put("k", "late")});
  // The read time-out aborts the connection; what it had sent is still in the server's socket.
  REQUIRE(Eventually([&] { return daemon.open_connections() == 0; }));
  server.Signal(SIGCONT);
  const std::string outcome = Why(late->Wait().results.at(0));
  const storage::Revision newer = daemon.Do(Put("k", "newer")).revision;
  CHECK((outcome == "OK" || outcome == "UNAVAILABLE ENGINE_UNAVAILABLE"));
  for (int look = 0; look < 100; ++look) REQUIRE(daemon.Do(Get("k")).revision == newer);
}

// Adds until told to stop, and counts what became of them.
struct Adder {
  std::atomic<int64_t> done{0};
  std::atomic<int64_t> unknown{0};

  void Run(Daemon& daemon, const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      const Answer answer = daemon.Do(Add("k", 1));
      done += answer.status.ok() ? 1 : 0;
      unknown += absl::IsUnknown(answer.status) ? 1 : 0;
    }
  }
};

TEST_CASE("nothing acknowledged is lost, and nothing is done that was not, when Redis is killed") {
  RedisServer server({"--appendonly", "yes", "--appendfsync", "always"});
  Daemon daemon(OptionsFor(server, "a"));
  REQUIRE(daemon.status().ok());
  Adder adder;
  std::vector<std::jthread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&](const std::stop_token& stop) { adder.Run(daemon, stop); });
  }
  const int rounds = std::getenv("TARN_SOAK") == nullptr ? 3 : 30;
  for (int round = 0; round < rounds; ++round) {
    const int64_t before = adder.done;
    CHECK(Eventually([&] { return adder.done > before + 20; }));
    server.Kill();
    server.Restart();
  }
  const int64_t before = adder.done;
  CHECK(Eventually([&] { return adder.done > before; }));
  threads.clear();  // Each is told to stop and waited for.
  const Answer read = daemon.Do(Get("k"));
  CHECK(std::stoll(read.value) >= adder.done);
  CHECK(std::stoll(read.value) <= adder.done + adder.unknown);
  CHECK(daemon.engine().Stats().writable);
  CHECK(daemon.engine().CheckConsistency().ok());
}

TEST_CASE("an empty Redis that comes back is not written to") {
  RedisServer server;
  Daemon daemon(OptionsFor(server, "a"));
  REQUIRE(Why(daemon.Do(Put("k", "v"))) == "OK");
  server.Kill();
  server.Restart();
  REQUIRE(Eventually([&] { return !daemon.engine().Stats().writable; }));
  CHECK(Why(daemon.Do(Put("k", "v"))) == "UNAVAILABLE ENGINE_UNAVAILABLE");
  Subject admin(To(server));
  CHECK(admin.Ask({"DBSIZE"}, CommandKind::kRead) == "(integer) 0");
}

TEST_CASE("a Redis that may evict entries is refused, unless that is allowed") {
  const RedisServer server({"--maxmemory-policy", "allkeys-lru"});
  RedisOptions options = OptionsFor(server, "a");
  CHECK(Brief(Daemon(options).status()) == "FAILED_PRECONDITION");
  options.eviction = storage::Eviction::kAllowed;
  CHECK(Daemon(options).status().ok());
}

TEST_CASE("a Redis without room refuses growth, and reads and deletes work") {
  const RedisServer server;
  Daemon daemon(OptionsFor(server, "a"));
  REQUIRE(Why(daemon.Do(Put("k", "v"))) == "OK");
  Subject admin(To(server));
  admin.Ask({"CONFIG", "SET", "maxmemory", "1"});
  CHECK(Why(daemon.Do(Put("new", "v"))) == "RESOURCE_EXHAUSTED MEMORY_LIMIT");
  CHECK(Why(daemon.Do(Add("n", 1))) == "RESOURCE_EXHAUSTED MEMORY_LIMIT");
  CHECK(daemon.Do(Get("k")).value == "v");
  CHECK(Why(daemon.Do(Delete("k"))) == "OK");
  admin.Ask({"CONFIG", "SET", "maxmemory", "0"});
  CHECK(Why(daemon.Do(Put("new", "v"))) == "OK");
  CHECK(daemon.engine().CheckConsistency().ok());
}

}  // namespace
}  // namespace tarn::testing
