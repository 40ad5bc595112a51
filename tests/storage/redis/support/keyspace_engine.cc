#include "tests/storage/redis/support/keyspace_engine.h"

#include <future>
#include <stdexcept>
#include <utility>

#include "absl/strings/str_cat.h"
#include "storage/base/random.h"
#include "storage/redis/batch_run.h"
#include "storage/redis/bulk_load.h"
#include "storage/redis/command.h"
#include "storage/redis/logged_members.h"
#include "storage/redis/scripts.h"
#include "storage/redis/sweeper.h"
#include "tests/support/status.h"
#include <asio/post.hpp>

namespace tarn::testing {

using namespace storage::redis;  // NOLINT(google-build-using-namespace): it speaks of nothing else

namespace {

std::string Show(ReplyView reply) {
  switch (reply.kind()) {
    case ReplyView::Kind::kInteger:
      return absl::StrCat(reply.integer());
    case ReplyView::Kind::kNil:
      return "nil";
    case ReplyView::Kind::kArray: {
      std::string text = "[";
      for (size_t i = 0; i < reply.size(); ++i) {
        absl::StrAppend(&text, i == 0 ? "" : " ", Show(reply[i]));
      }
      return text + "]";
    }
    default:
      return std::string(reply.text());
  }
}

LinkOptions OptionsOf(const std::string& url) {
  LinkOptions options;
  options.url = Value(ParseRedisUrl(url));
  options.pool.connection.scripts = AllScripts();
  options.pool.reconnect_base_ms = 1;
  options.pool.reconnect_cap_ms = 20;
  return options;
}

}  // namespace

class KeyspaceEngine::Teller final : public WriteObserver {
 public:
  Teller(Core& core, SnapshotRegistry& registry, Flaws flaws)
      : core_(core), registry_(registry), flaws_(std::move(flaws)) {}

  bool WantsReplaced() const override { return registry_.WantsReplaced(); }
  void OnReplaced(const Replaced& replaced) override {
    if (!flaws_.tells(replaced)) return;
    flaws_.late_ms == 0 ? registry_.OnReplaced(replaced) : TellLate(replaced);
  }
  void OnReplacedLost(storage::Revision revision, const absl::Status& why) override {
    registry_.OnReplacedLost(revision, why);
  }
  base::UnixMs SweepBound() const override { return registry_.SweepBound(); }
  void OnNodeChanged(const absl::Status& why) override { registry_.OnNodeChanged(why); }

 private:
  void TellLate(const Replaced& replaced) {
    std::optional<std::string> record;
    if (replaced.record) record.emplace(*replaced.record);
    After(core_, flaws_.late_ms,
          [this, late = replaced, key = std::string(replaced.key), record]() mutable {
            late.key = key;
            if (record) late.record = *record;
            registry_.OnReplaced(late);
          });
  }

  Core& core_;
  SnapshotRegistry& registry_;
  const Flaws flaws_;
};

KeyspaceEngine::KeyspaceEngine(const RedisServer& server, const Options& options)
    : KeyspaceEngine(absl::StrCat("unix://", server.unix_path()), options) {}

KeyspaceEngine::KeyspaceEngine(const std::string& url, const Options& options)
    : executor_(base::ThreadPool::Options{.name = "test", .threads = 2}) {
  const base::Clock& clock = options.clock != nullptr ? *options.clock : clock_;
  core_.reset(new Core{.context = loop_.context(),
                       .clock = clock,
                       .random = base::SystemRandom(),
                       .ledger = ledger_,
                       .limits = {},
                       .layout = Value(Layout::Create("test")),
                       .address = "Redis"});
  core_->backoff = {.base_ms = 5, .cap_ms = 200, .retries = 10};
  core_->generation = options.generation;
  core_->writes.StartIncarnation(1);
  registry_ = std::make_unique<SnapshotRegistry>(clock, core_->writes, options.snapshots);
  ghosts_ = std::make_unique<Ghosts>(*core_);
  teller_ = std::make_unique<Teller>(*core_, *registry_, options.flaws);
  generations_ = std::make_shared<Generations>(*core_);
  core_->observer = teller_.get();
  std::promise<absl::Status> ready;
  asio::post(loop_.context(), [&] {
    core_->link = MakeLink(loop_.context(), core_->clock, core_->random, OptionsOf(url), *this);
    core_->link->WhenReady([&] {
      MoveLoggedMembers(*core_, core_->generation, [&](const absl::Status& moved) {
        if (!moved.ok()) return ready.set_value(moved);
        generations_->Start([&](const absl::Status& status) { ready.set_value(status); });
      });
    });
  });
  const absl::Status status = ready.get_future().get();
  if (status.ok()) return;
  ShutDown();
  throw std::runtime_error(status.ToString());
}

KeyspaceEngine::~KeyspaceEngine() { ShutDown(); }

void KeyspaceEngine::ShutDown() {
  OnLoop([this] {
    core_->BeginClosing();
    core_->link->Close(absl::CancelledError("the test is over"));
  });
  loop_.Finish();
  core_->link.reset();
}

void KeyspaceEngine::OnLoop(const std::function<void()>& work) {
  std::promise<void> done;
  asio::post(loop_.context(), [&] {
    work();
    done.set_value();
  });
  done.get_future().wait();
}

std::string KeyspaceEngine::Ask(const std::vector<std::string>& words) {
  std::promise<std::string> shown;
  OnLoop([&] {
    const std::vector<absl::string_view> views(words.begin(), words.end());
    const std::shared_ptr<KeyLease> lease = core_->link->Lease(kStorePartition, {}).lease;
    if (lease == nullptr) return shown.set_value("no connection");
    lease->Send(CommandKind::kWrite, FormatCommand(views),
                [&shown, lease](storage::redis::Answer& answer) {
                  shown.set_value(answer.reply ? Show(answer.reply->view()) : "lost");
                });
  });
  return shown.get_future().get();
}

std::string KeyspaceEngine::EntryName(storage::NamespaceId ns, const std::string& key) {
  return core_->layout.Entry(core_->placements.Locate(ns, key).partition,
                             {core_->generation, ns, key});
}

std::string KeyspaceEngine::IndexName(storage::NamespaceId ns, const std::string& key) {
  return core_->layout.Index(core_->placements.Locate(ns, key).partition, core_->generation);
}

std::string KeyspaceEngine::DeadlinesName(storage::NamespaceId ns, const std::string& key) {
  return core_->layout.Deadlines(core_->placements.Locate(ns, key).partition, core_->generation);
}

void KeyspaceEngine::Fold() {
  const absl::Status status = storage::redis::OnLoop(
      *core_, [this](storage::redis::Told told) { core_->index_log.FoldAll(std::move(told)); });
  if (!status.ok()) throw std::runtime_error(status.ToString());
}

void KeyspaceEngine::AwaitRemoval() {
  for (size_t removing = 1; removing > 0;) {
    OnLoop([&] { removing = generations_->removing(); });
  }
}

void KeyspaceEngine::Run(const storage::Batch& batch, storage::Completion done) {
  asio::post(loop_.context(), [this, batch, done = std::move(done)]() mutable {
    BatchRun::Start(*core_, batch, std::move(done), [] {});
  });
}

absl::StatusOr<std::unique_ptr<storage::Snapshot>> KeyspaceEngine::OpenSnapshot(
    storage::SnapshotPurpose purpose) {
  return storage::redis::OpenSnapshot({*core_, *registry_, *ghosts_, &executor_}, purpose);
}

absl::StatusOr<std::unique_ptr<storage::BulkLoad>> KeyspaceEngine::BeginBulkLoad() {
  return RedisBulkLoad::Begin(*core_, *generations_,
                              [this](const storage::StoreMeta& meta) { meta_ = meta; });
}

absl::StatusOr<storage::SweepResult> KeyspaceEngine::SweepExpired(size_t max_entries) {
  std::promise<absl::StatusOr<storage::SweepResult>> swept;
  OnLoop([&] {
    storage::redis::SweepExpired(
        *core_, max_entries,
        [&](absl::StatusOr<storage::SweepResult> result) { swept.set_value(std::move(result)); });
  });
  return swept.get_future().get();
}

storage::EngineStats KeyspaceEngine::Stats() const {
  storage::EngineStats stats;
  stats.revision = core_->counters.committed.load();
  stats.snapshots = registry_->count();
  stats.snapshot_bytes = registry_->kept_bytes();
  return stats;
}

absl::Status KeyspaceEngine::WriteMeta(const storage::StoreMeta& meta) {
  meta_ = meta;
  OnLoop([&] { core_->writes.StartIncarnation(meta.incarnation); });
  return absl::OkStatus();
}

void KeyspaceEngine::OnNodeChanged(const std::string&, const std::string& why) {
  core_->index_log.OnNodeChanged();
  teller_->OnNodeChanged(absl::UnavailableError(why));
}

}  // namespace tarn::testing
