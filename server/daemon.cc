#include "server/daemon.h"

#include <unistd.h>

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
#include "server/rpc/state_service.h"
#include "server/rpc/transport/channelz.h"
#include "server/rpc/transport/grpc_server.h"
#include "server/settings.h"
#include "storage/base/clock.h"
#include "storage/base/error.h"
#include "storage/base/executor.h"
#include "storage/base/file_system.h"
#include "storage/base/logging.h"
#include "storage/base/random.h"
#include "storage/base/status.h"
#include "storage/memory/memory_engine.h"
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

}  // namespace

// Members are declared in the order in which they are built up; the destructor takes them down in
// reverse.
class Daemon::Parts final : public StoreHost {
 public:
  explicit Parts(const Options& options)
      : options_(options), store_options_(StoreOptionsOf(options)), policy_(options.admin_names) {}

  ~Parts() override { TakeDown(absl::ZeroDuration()); }

  absl::Status BuildUp() {
    TARN_RETURN_IF_ERROR(OpenDirectory());
    TARN_RETURN_IF_ERROR(StartServers());
    TARN_RETURN_IF_ERROR(OpenEngine());
    TARN_RETURN_IF_ERROR(OpenCatalog());
    TARN_RETURN_IF_ERROR(OpenState());
    return BeginServing();
  }

  void Drain() {
    gate_.Drain();
    if (grpc_ != nullptr) grpc_->Drain();
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
    admin_service_ =
        std::make_unique<AdminService>(gate_, counters_, policy_, FactsOf(options_, clock_->Now()),
                                       [] { return CountServerSockets(); });
    checkpoint_service_ =
        std::make_unique<CheckpointService>(checkpoint_door_, policy_, LimitsOf(options_));
    job_service_ = std::make_unique<JobService>(checkpoint_door_, policy_, *clock_);
    TARN_ASSIGN_OR_RETURN(const ListenAddress address, ParseListenAddress(options_.http_listen));
    auto http = HttpServer::Start(address.host, address.port, MakePages());
    if (!http.ok()) return Exiting(http.status(), ExitCode::kCannotListen);
    http_ = *std::move(http);
    auto grpc = GrpcServer::Start(GrpcOptionsOf(options_),
                                  {*state_service_, *admin_service_, *checkpoint_service_,
                                   *job_service_, counters_, *clock_});
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
    auto engine = options_.engine == EngineKind::kMemory ? OpenMemory() : OpenRocksDb();
    if (!engine.ok()) return ExitingFromStore(engine.status());
    engine_ = *std::move(engine);
    return absl::OkStatus();
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
            {"/readyz", [this] { return ReadyPage(gate_.state(), Doing()); }},
            {"/metrics", [this] { return MetricsPage(Measure()); }}};
  }

  // What an opening or a restore is at, for /readyz.
  std::string Doing() {
    if (gate_.state() == State::kStarting) return opening_.phase.load();
    return gate_.opened() == nullptr ? "" : checkpoints_->RestorePhase();
  }

  // On a thread of the HTTP server, which ends before anything that is looked at here.
  MetricsSnapshot Measure() {
    MetricsSnapshot snapshot;
    snapshot.version = kVersion;
    snapshot.commit = kCommit;
    snapshot.engine = EngineName(options_.engine);
    snapshot.ready = gate_.state() == State::kServing;
    snapshot.counters = counters_.Read();
    snapshot.calls_in_flight = counters_.calls_in_flight();
    snapshot.pipelines = counters_.pipelines();
    snapshot.connections = CountServerSockets();
    snapshot.wall_clock_drift_ms = clock_->WallClockDriftMs();
    snapshot.process = ReadProcessStats();
    storage::Store* store = gate_.opened();
    if (store == nullptr) return snapshot;
    snapshot.executor_queued = executor_->queued();
    snapshot.store = store->Stats();
    snapshot.namespaces = store->ListNamespaces("", std::numeric_limits<size_t>::max());
    snapshot.checkpoints = checkpoints_->Figures();
    return snapshot;
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
  storage::UsageLedger ledger_;
  std::unique_ptr<base::ThreadPool> executor_;
  std::unique_ptr<storage::Engine> engine_;
  RestoreCounts restore_counts_;
  std::unique_ptr<checkpoint::Catalog> catalog_;
  std::unique_ptr<checkpoint::Restorer> restorer_;
  checkpoint::Progress opening_;  // How far the opening of the state has come.
  std::unique_ptr<checkpoint::RestoreJournal> restore_journal_;
  std::unique_ptr<storage::StoreDoor> store_;
  std::unique_ptr<checkpoint::RangeRestorer> range_restorer_;
  std::unique_ptr<CheckpointManager> checkpoints_;
  std::unique_ptr<HttpServer> http_;
  std::unique_ptr<GrpcServer> grpc_;
  bool serving_ = false;
};

Daemon::Daemon(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Daemon::~Daemon() = default;

absl::StatusOr<std::unique_ptr<Daemon>> Daemon::Start(const Options& options) {
  base::ConfigureLogging({.level = options.log_level, .format = options.log_format});
  AdoptGrpcLog();
  auto parts = std::make_unique<Parts>(options);
  TARN_RETURN_IF_ERROR(parts->BuildUp());
  return std::unique_ptr<Daemon>(new Daemon(std::move(parts)));
}

void Daemon::Tick() { parts_->Tick(); }
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
