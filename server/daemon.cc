#include "server/daemon.h"

#include <unistd.h>

#include <array>
#include <atomic>
#include <limits>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "checkpoint/catalog.h"
#include "checkpoint/range_restorer.h"
#include "checkpoint/restore_journal.h"
#include "checkpoint/restorer.h"
#include "server/checkpoints/checkpoint_manager.h"
#include "server/checkpoints/restore_counts.h"
#include "server/checkpoints/state_opening.h"
#include "server/checkpoints/store_host.h"
#include "server/config/configuration.h"
#include "server/config/values.h"
#include "server/exit_codes.h"
#include "server/http/http_server.h"
#include "server/metrics/counters.h"
#include "server/metrics/exporter.h"
#include "server/pages.h"
#include "server/rpc/admin_policy.h"
#include "server/rpc/admin_service.h"
#include "server/rpc/checkpoint_door.h"
#include "server/rpc/checkpoint_service.h"
#include "server/rpc/gate.h"
#include "server/rpc/job_service.h"
#include "server/rpc/lock_service.h"
#include "server/rpc/state_service.h"
#include "server/rpc/transport/channelz.h"
#include "server/rpc/transport/grpc_server.h"
#include "server/service/service_reporter.h"
#include "server/service_report.h"
#include "server/settings.h"
#include "storage/base/clock.h"
#include "storage/base/error.h"
#include "storage/base/executor.h"
#include "storage/base/file_system.h"
#include "storage/base/logging.h"
#include "storage/base/random.h"
#include "storage/base/status.h"
#include "storage/memory/memory_engine.h"
#include "storage/redis/redis_engine.h"
#include "storage/redis/redis_url.h"
#include "storage/redis_report.h"
#include "storage/rocksdb/rocksdb_engine.h"
#include "storage/store.h"
#include "storage/store_door.h"
#include "storage/store_identity.h"
#include "storage/usage.h"
#include "tarn_version.h"

namespace tarn::server {
namespace {

// After a crash Tarn's clock may begin this much earlier than it ended; deadlines are then that
// much late.
constexpr int64_t kClockPersistNanos = int64_t{10} * 1'000'000'000;

// The error with its exit code, except that damage has a code of its own wherever it is found.
absl::Status Exiting(const absl::Status& error, ExitCode code) {
  return WithExitCode(error, absl::IsDataLoss(error) ? ExitCode::kDamaged : code);
}

std::string HostName() {
  std::array<char, 256> name{};
  if (gethostname(name.data(), name.size() - 1) != 0) return "an unknown host";
  return name.data();
}

// Without what is read from files: holder and password.
storage::RedisOptions RedisOptionsOf(const Options& options) {
  storage::RedisOptions redis;
  redis.url = options.redis_url;
  redis.key_prefix = options.redis_key_prefix;
  redis.ca_file = options.redis_ca;
  redis.certificate_file = options.redis_cert;
  redis.key_file = options.redis_key;
  redis.min_connections = static_cast<int>(options.redis_pool_min);
  redis.max_connections =
      static_cast<int>(std::max(options.redis_pool_min, options.redis_pool_max));
  redis.eviction = options.redis_allow_eviction == Switch::kOn ? storage::Eviction::kAllowed
                                                               : storage::Eviction::kRefused;
  redis.owner.take_over = options.take_over == Switch::kOn ? storage::redis::TakeOver::kAtOnce
                                                           : storage::redis::TakeOver::kWhenLapsed;
  redis.limits = LimitsOf(options);
  return redis;
}

}  // namespace

absl::Status CheckEngineOptions(const Options& options) {
  if (options.engine != EngineKind::kRedis) return absl::OkStatus();
  return storage::redis::ParseRedisUrl(options.redis_url).status();
}

std::string RedisAcl(const Options& options) {
  const auto url = storage::redis::ParseRedisUrl(options.redis_url);
  const bool named = url.ok() && !url->user.empty();
  return storage::RedisAclLine(named ? url->user : "tarn", options.redis_key_prefix);
}

// Members are declared in the order in which they are built up; the destructor takes them down in
// reverse.
class Daemon::Parts final : public StoreHost {
 public:
  Parts(const Options& options, const absl::Notification& stop)
      : options_(options),
        stop_(stop),
        store_options_(StoreOptionsOf(options)),
        policy_(options.admin_names) {}

  ~Parts() override { TakeDown(absl::ZeroDuration()); }

  absl::Status BuildUp(const Environment& environment) {
    reporter_ = ServiceReporter::Start(environment, [this] { return Report(); });
    TARN_RETURN_IF_ERROR(OpenDirectory());
    TARN_RETURN_IF_ERROR(StartServers());
    TARN_RETURN_IF_ERROR(OpenEngine());
    TARN_RETURN_IF_ERROR(OpenCatalog());
    TARN_RETURN_IF_ERROR(OpenState());
    return BeginServing();
  }

  void Drain() {
    gate_.Drain();
    if (reporter_ != nullptr) reporter_->Hurry();
    if (grpc_ != nullptr) grpc_->Drain();
    if (store_ != nullptr) lock_service_->Drain();
  }

  // Returns why the final checkpoint failed.
  absl::Status Stop(absl::Duration patience) {
    Drain();
    if (grpc_ != nullptr) grpc_->Shutdown(patience);
    return checkpoints_ == nullptr ? absl::OkStatus() : checkpoints_->Stop();
  }

  void Interrupt() {
    if (checkpoints_ != nullptr) checkpoints_->Interrupt();
  }

  void TakeDown(absl::Duration patience) {
    Drain();
    if (grpc_ != nullptr) grpc_->Shutdown(patience);
    if (store_ != nullptr) PersistClock();
    grpc_.reset();
    http_.reset();
    reporter_.reset();
    checkpoints_.reset();
    range_restorer_.reset();
    store_.reset();
    engine_.reset();
    if (serving_) RemoveAddressFile();
    serving_ = false;
  }

  void Tick() {
    const absl::Status reserved = checkpoints_->KeepIncarnationReserved();
    if (!reserved.ok()) base::LogError("cannot reserve the next incarnation: ", reserved.message());
    if (clock_->MonotonicNanos() - clock_persisted_ns_ >= kClockPersistNanos) PersistClock();
    if (reporter_ != nullptr) reporter_->Alive();
  }

  void Reload(const Options& wanted) {
    const ConfigurationChange change = CompareConfigurations(options_, wanted);
    options_.log_level = wanted.log_level;
    options_.log_format = wanted.log_format;
    options_.drain_timeout = wanted.drain_timeout;
    options_.admin_names = wanted.admin_names;
    base::ConfigureLogging({.level = options_.log_level, .format = options_.log_format});
    policy_.SetNames(options_.admin_names);
    AdoptSchedule(wanted);
    checkpoints_->SetSchedule(ScheduleOf(options_));
    for (const std::string& line : change.applied) base::LogInfo("reloaded ", line);
    for (const std::string& line : change.deferred) base::LogWarning("needs a restart: ", line);
    if (change.applied.empty() && change.deferred.empty()) {
      base::LogInfo("reloaded: nothing has changed");
    }
  }

  const Options& options() const { return options_; }
  bool deposed() const { return deposed_.load(std::memory_order_acquire); }

  void Suspend() override {
    grpc_->SetNotServing();
    gate_.Suspend();
  }

  void Resume() override {
    gate_.Resume();
    if (gate_.state() == State::kServing) grpc_->SetServing();
  }

  absl::StatusOr<std::unique_ptr<storage::Store>> OpenStore(
      const storage::StoreMeta& meta) override {
    return storage::Store::Open({*engine_, ledger_, *clock_, *executor_, base::SystemRandom()},
                                meta, store_options_);
  }

 private:
  // Who has what this daemon locks.
  std::string Holder() const {
    return absl::StrCat("tarnd, process ", getpid(), ", on ", options_.listen);
  }

  void AdoptSchedule(const Options& wanted) {
    options_.checkpoint_interval = wanted.checkpoint_interval;
    options_.checkpoint_retain = wanted.checkpoint_retain;
    options_.checkpoint_retain_hourly = wanted.checkpoint_retain_hourly;
    options_.checkpoint_retain_daily = wanted.checkpoint_retain_daily;
    options_.checkpoint_retain_size = wanted.checkpoint_retain_size;
  }

  absl::Status OpenDirectory() {
    auto directory = storage::DataDirectory::Open(files_, options_.data_dir, Holder());
    if (!directory.ok()) {
      const bool locked = absl::IsFailedPrecondition(directory.status());
      return Exiting(directory.status(), locked ? ExitCode::kLocked : ExitCode::kFailed);
    }
    directory_ = *std::move(directory);
    const absl::StatusOr<base::UnixMs> floor = directory_->ReadClock();
    if (!floor.ok()) return ExitingFromStore(floor.status());
    clock_ = std::make_unique<base::SystemClock>(*floor);
    return absl::OkStatus();
  }

  // Before the store is opened, which may take long: meanwhile they say that the server is
  // starting.
  absl::Status StartServers() {
    state_service_ = std::make_unique<StateService>(gate_, counters_, ServerLimitsOf(options_));
    admin_service_ = std::make_unique<AdminService>(
        gate_, counters_, policy_, FactsOf(options_, clock_->Now()),
        [] { return CountServerSockets(); }, [this] { return redis_monitor_.Read(); });
    checkpoint_service_ =
        std::make_unique<CheckpointService>(checkpoint_door_, policy_, LimitsOf(options_));
    job_service_ = std::make_unique<JobService>(checkpoint_door_, policy_, *clock_);
    lock_service_ =
        std::make_unique<LockService>(gate_, policy_, ServerLimitsOf(options_).max_page_size);
    TARN_ASSIGN_OR_RETURN(const ListenAddress address, ParseListenAddress(options_.http_listen));
    auto http = HttpServer::Start(address.host, address.port, MakePages());
    if (!http.ok()) return Exiting(http.status(), ExitCode::kCannotListen);
    http_ = *std::move(http);
    auto grpc = GrpcServer::Start(GrpcOptionsOf(options_),
                                  {*state_service_, *admin_service_, *checkpoint_service_,
                                   *job_service_, *lock_service_, counters_, *clock_});
    if (!grpc.ok()) {
      const bool tls = absl::IsInvalidArgument(grpc.status());
      return Exiting(grpc.status(), tls ? ExitCode::kUsage : ExitCode::kCannotListen);
    }
    grpc_ = *std::move(grpc);
    return absl::OkStatus();
  }

  absl::Status OpenEngine() {
    if (absl::Status same = directory_->CheckEngine(EngineName(options_.engine)); !same.ok()) {
      return ExitingFromStore(same);
    }
    executor_ = std::make_unique<base::ThreadPool>(base::ThreadPool::Options{.name = "tarn-work"});
    auto engine = OpenChosenEngine();
    if (absl::IsInvalidArgument(engine.status())) return Exiting(engine.status(), ExitCode::kUsage);
    if (absl::IsCancelled(engine.status())) return Exiting(engine.status(), ExitCode::kStopped);
    if (!engine.ok()) return ExitingFromStore(engine.status());
    engine_ = *std::move(engine);
    return absl::OkStatus();
  }

  absl::StatusOr<std::unique_ptr<storage::Engine>> OpenChosenEngine() {
    switch (options_.engine) {
      case EngineKind::kRocksDb:
        return OpenRocksDb();
      case EngineKind::kMemory:
        return OpenMemory();
      case EngineKind::kRedis:
        return OpenRedis();
    }
    return absl::InternalError("unknown engine");
  }

  absl::StatusOr<std::unique_ptr<storage::Engine>> OpenMemory() {
    const storage::MemoryEngineOptions options{.limits = LimitsOf(options_),
                                               .memory_limit_bytes = options_.memory_limit};
    return storage::MemoryEngine::Open(options, *clock_, ledger_);
  }

  absl::StatusOr<std::unique_ptr<storage::Engine>> OpenRocksDb() {
    const bool disk = options_.durability == DurabilityChoice::kDisk;
    const storage::RocksDbOptions options{
        .path = base::JoinPath(options_.data_dir, "rocksdb"),
        .durability = disk ? storage::Durability::kDisk : storage::Durability::kOs,
        .memory_bytes = options_.rocksdb_memory,
        .limits = LimitsOf(options_)};
    return storage::RocksDbEngine::Open(options, {*clock_, *executor_, ledger_, files_});
  }

  // May wait: for Redis to be there, and for the store to be free.
  absl::StatusOr<std::unique_ptr<storage::Engine>> OpenRedis() {
    storage::RedisOptions options = RedisOptionsOf(options_);
    TARN_ASSIGN_OR_RETURN(options.owner.holder, ReadHolder());
    options.owner.name = absl::StrCat(Holder(), " of ", HostName());
    if (!options_.redis_password_file.empty()) {
      TARN_ASSIGN_OR_RETURN(const std::string text,
                            base::ReadFile(files_, options_.redis_password_file));
      options.password = text.substr(0, text.find_first_of("\r\n"));
    }
    opening_.phase = "waiting for Redis, or for the daemon that owns the store there";
    standby_ = true;
    auto engine = storage::RedisEngine::Open(
        options, {*clock_, *executor_, ledger_, base::SystemRandom(), stop_,
                  [this] { deposed_.store(true, std::memory_order_release); }, &redis_monitor_,
                  [this](absl::string_view owner) { gate_.StandBy(owner); }});
    standby_ = false;
    opening_.phase = "";
    return engine;
  }

  // What tells this data directory from others: only one process at a time has it.
  absl::StatusOr<std::string> ReadHolder() {
    const std::string path = base::JoinPath(options_.data_dir, "holder");
    absl::StatusOr<std::string> holder = base::ReadFile(files_, path);
    if (!absl::IsNotFound(holder.status())) return holder;
    holder = base::RandomHex(base::SystemRandom(), 16);
    TARN_RETURN_IF_ERROR(base::ReplaceFile(files_, path, *holder));
    return holder;
  }

  absl::Status OpenCatalog() {
    auto catalog = checkpoint::Catalog::Open(files_, options_.checkpoint_dir, *clock_,
                                             ReaderOptionsOf(options_));
    if (!catalog.ok()) return ExitingFromStore(catalog.status());
    catalog_ = *std::move(catalog);
    restorer_ = std::make_unique<checkpoint::Restorer>(checkpoint::Restorer::Dependencies{
        *engine_, *catalog_, *clock_, restore_counts_, ReaderOptionsOf(options_).threads});
    return absl::OkStatus();
  }

  absl::Status OpenState() {
    const StateOpening opening{*engine_,        *directory_,          *catalog_, *restorer_,
                               restore_counts_, base::SystemRandom(), *clock_,   Holder()};
    TARN_ASSIGN_OR_RETURN(const OpenedState state,
                          server::OpenState(opening, StartRulesOf(options_), opening_));
    auto store = OpenStore(state.meta);
    if (!store.ok()) return ExitingFromStore(store.status());
    store_ = std::make_unique<storage::StoreDoor>(*std::move(store));
    base::LogInfo("store ", state.meta.store_id, ", engine ", engine_->name(), ", incarnation ",
                  state.meta.incarnation, ": ", engine_->durability());
    TARN_RETURN_IF_ERROR(SettleRange(state.newest));
    checkpoints_ = std::make_unique<CheckpointManager>(
        CheckpointManager::Dependencies{*store_, ledger_, *directory_, *catalog_, *restorer_,
                                        *range_restorer_, *this, *clock_, restore_counts_},
        state.meta, ManagerOptionsOf(options_, state));
    return absl::OkStatus();
  }

  // What a restore of a range left undone is finished or undone before anybody is served.
  absl::Status SettleRange(storage::Revision newest) {
    restore_journal_ = std::make_unique<checkpoint::RestoreJournal>(
        files_, base::JoinPath(options_.data_dir, "range-restore"));
    range_restorer_ = std::make_unique<checkpoint::RangeRestorer>(
        checkpoint::RangeRestorer::Dependencies{*engine_, *catalog_, *restore_journal_});
    const absl::Status settled = range_restorer_->Settle(newest, opening_);
    if (settled.ok()) return settled;
    return ExitingFromStore(base::Annotate(
        settled, absl::StrCat("a restore of a range can be neither finished nor undone (",
                              restore_journal_->path(), " says which)")));
  }

  absl::Status BeginServing() {
    PersistClock();
    gate_.Open(*store_);
    checkpoint_door_.Open(*checkpoints_);
    grpc_->SetServing();
    if (reporter_ != nullptr) reporter_->Hurry();
    serving_ = true;
    TARN_ASSIGN_OR_RETURN(const std::string grpc, BoundAddress(options_.listen, grpc_->port()));
    TARN_ASSIGN_OR_RETURN(const std::string http,
                          BoundAddress(options_.http_listen, http_->port()));
    if (!options_.address_file.empty()) {
      TARN_RETURN_IF_ERROR(base::ReplaceFile(files_, options_.address_file,
                                             absl::StrCat("grpc=", grpc, "\nhttp=", http, "\n")));
    }
    base::LogInfo("tarnd ", kVersion, " serves gRPC on ", grpc, " and HTTP on ", http);
    return absl::OkStatus();
  }

  HttpServer::Pages MakePages() {
    return {{"/", [] { return IndexPage(); }},
            {"/livez", [] { return LivePage(); }},
            {"/readyz", [this] { return Ready(); }},
            {"/metrics", [this] { return MetricsPage(Measure()); }}};
  }

  // Why requests for state fail though they are served; "" when they need not.
  std::string WhyUnusable() const {
    const std::optional<storage::RedisReport> redis = redis_monitor_.Read();
    return redis ? std::string(storage::WhyUnusable(*redis)) : "";
  }

  HttpPage Ready() {
    const State state = gate_.state();
    if (state == State::kServing) {
      if (const std::string why = WhyUnusable(); !why.empty()) return NotReadyPage(why);
    }
    return ReadyPage(state, Doing());
  }

  // What an opening or a restore is at, for /readyz.
  std::string Doing() {
    if (const std::string owner = gate_.standing_by_for(); !owner.empty()) {
      return absl::StrCat("standing by while ", owner, ", owns it");
    }
    if (gate_.state() == State::kStarting) return opening_.phase.load();
    return gate_.opened() == nullptr ? "" : checkpoints_->RestorePhase();
  }

  // On the thread of the reporter, which ends before anything that is looked at here.
  ServiceReport Report() {
    if (standby_ && gate_.state() == State::kStarting) {
      return {ServicePhase::kStandby, opening_.phase.load()};
    }
    if (gate_.opened() == nullptr) {
      return ReportOf(gate_.state(),
                      {opening_.phase.load(), opening_.entries, opening_.total_entries});
    }
    return ReportOf(gate_.state(), WorkOf(checkpoints_->jobs().List()));
  }

  // On a thread of the HTTP server, which ends before anything that is looked at here.
  MetricsSnapshot Measure() {
    MetricsSnapshot snapshot;
    snapshot.version = kVersion;
    snapshot.commit = kCommit;
    snapshot.engine = EngineName(options_.engine);
    snapshot.ready = gate_.state() == State::kServing && WhyUnusable().empty();
    snapshot.counters = counters_.Read();
    snapshot.calls_in_flight = counters_.calls_in_flight();
    snapshot.pipelines = counters_.pipelines();
    snapshot.connections = CountServerSockets();
    snapshot.wall_clock_drift_ms = clock_->WallClockDriftMs();
    snapshot.process = ReadProcessStats();
    snapshot.disks = Disks();
    snapshot.redis = redis_monitor_.Read();
    storage::Store* store = gate_.opened();
    if (store == nullptr) return snapshot;
    snapshot.executor_queued = executor_->queued();
    snapshot.store = store->Stats();
    snapshot.locks = store->locks().Stats();
    snapshot.namespaces = store->ListNamespaces("", std::numeric_limits<size_t>::max());
    snapshot.checkpoints = checkpoints_->Figures();
    return snapshot;
  }

  std::vector<DiskFigures> Disks() const {
    std::vector<DiskFigures> disks;
    for (const auto& [name, path] : {std::pair("data", &options_.data_dir),
                                     std::pair("checkpoints", &options_.checkpoint_dir)}) {
      const absl::StatusOr<base::DiskSpace> space = files_.Space(*path);
      if (space.ok()) disks.push_back({name, space->free_bytes, space->total_bytes});
    }
    return disks;
  }

  void PersistClock() {
    clock_persisted_ns_ = clock_->MonotonicNanos();
    const absl::Status written = directory_->WriteClock(clock_->Now());
    if (!written.ok()) base::LogError("cannot persist the clock: ", written.message());
  }

  void RemoveAddressFile() {
    if (!options_.address_file.empty()) files_.Remove(options_.address_file).IgnoreError();
  }

  Options options_;
  const absl::Notification& stop_;
  std::atomic<bool> deposed_ = false;
  std::atomic<bool> standby_ = false;  // Waits for others, while it starts.
  const storage::StoreOptions store_options_;
  base::FileSystem& files_ = base::PosixFileSystem();
  std::unique_ptr<storage::DataDirectory> directory_;
  std::unique_ptr<base::SystemClock> clock_;
  int64_t clock_persisted_ns_ = 0;
  Counters counters_;
  Gate gate_;
  AdminPolicy policy_;
  std::unique_ptr<StateService> state_service_;
  CheckpointDoor checkpoint_door_{gate_};
  std::unique_ptr<AdminService> admin_service_;
  std::unique_ptr<CheckpointService> checkpoint_service_;
  std::unique_ptr<JobService> job_service_;
  std::unique_ptr<LockService> lock_service_;
  storage::UsageLedger ledger_;
  std::unique_ptr<base::ThreadPool> executor_;
  storage::RedisMonitor redis_monitor_;
  std::unique_ptr<storage::Engine> engine_;
  RestoreCounts restore_counts_;
  std::unique_ptr<checkpoint::Catalog> catalog_;
  std::unique_ptr<checkpoint::Restorer> restorer_;
  checkpoint::Progress opening_;  // How far the opening of the state has come.
  std::unique_ptr<checkpoint::RestoreJournal> restore_journal_;
  std::unique_ptr<storage::StoreDoor> store_;
  std::unique_ptr<checkpoint::RangeRestorer> range_restorer_;
  std::unique_ptr<CheckpointManager> checkpoints_;
  std::unique_ptr<ServiceReporter> reporter_;  // Null when nobody wants to know.
  std::unique_ptr<HttpServer> http_;
  std::unique_ptr<GrpcServer> grpc_;
  bool serving_ = false;
};

Daemon::Daemon(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Daemon::~Daemon() = default;

absl::StatusOr<std::unique_ptr<Daemon>> Daemon::Start(const Options& options,
                                                      const Environment& environment,
                                                      const absl::Notification& stop) {
  base::ConfigureLogging({.level = options.log_level, .format = options.log_format});
  AdoptGrpcLog();
  auto parts = std::make_unique<Parts>(options, stop);
  TARN_RETURN_IF_ERROR(parts->BuildUp(environment));
  return std::unique_ptr<Daemon>(new Daemon(std::move(parts)));
}

void Daemon::Tick() { parts_->Tick(); }
bool Daemon::deposed() const { return parts_->deposed(); }
void Daemon::Reload(const Options& options) { parts_->Reload(options); }

absl::Status Daemon::Stop() {
  parts_->Drain();
  base::LogInfo("draining, for ", ShowDuration(parts_->options().drain_timeout), " at most");
  const absl::Status status = parts_->Stop(parts_->options().drain_timeout);
  parts_->TakeDown(absl::ZeroDuration());
  base::LogInfo("stopped");
  return status;
}

void Daemon::Interrupt() { parts_->Interrupt(); }

}  // namespace tarn::server
