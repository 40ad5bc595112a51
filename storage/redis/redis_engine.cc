#include "storage/redis/redis_engine.h"

#include <future>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "storage/base/error.h"
#include "storage/base/logging.h"
#include "storage/base/status.h"
#include "storage/redis/bulk_load.h"
#include "storage/redis/core.h"
#include "storage/redis/event_loop.h"
#include "storage/redis/generations.h"
#include "storage/redis/ghosts.h"
#include "storage/redis/intake.h"
#include "storage/redis/logged_members.h"
#include "storage/redis/meta_keeper.h"
#include "storage/redis/newest_commit.h"
#include "storage/redis/redis_url.h"
#include "storage/redis/snapshot.h"
#include "storage/redis/snapshots.h"
#include "storage/redis/store_access.h"
#include "storage/redis/sweeper.h"
#include "storage/redis/tls.h"
#include "storage/redis/usage_count.h"
#include "storage/redis/vitals.h"
#include <asio/post.hpp>

namespace tarn::storage {
namespace {

absl::Status Closed() {
  return base::MakeError(absl::StatusCode::kUnavailable, base::Reason::kEngineUnavailable,
                         "the engine is being closed");
}

constexpr absl::Duration kMoveAgain = absl::Seconds(1);

bool MayPass(const absl::Status& status) {
  if (base::ReasonOf(status) == base::Reason::kNotOwner) return false;
  return absl::IsResourceExhausted(status) || absl::IsUnavailable(status) ||
         absl::IsAborted(status) || absl::IsUnknown(status);
}

absl::StatusOr<redis::PoolOptions> PoolOptionsOf(const RedisOptions& options,
                                                 const redis::RedisUrl& url) {
  redis::PoolOptions pool;
  pool.min_connections = options.min_connections;
  pool.max_connections = options.max_connections;
  redis::ConnectionOptions& connection = pool.connection;
  connection.user = url.user;
  connection.password = options.password.empty() ? url.password : options.password;
  connection.database = url.database;
  connection.transport.tls = url.tls;
  connection.transport.tls_server_name = url.tls_server_name;
  if (url.tls != redis::TlsMode::kOff) {
    TARN_ASSIGN_OR_RETURN(connection.transport.tls_context,
                          redis::MakeTlsContext({.mode = url.tls,
                                                 .ca_file = options.ca_file,
                                                 .certificate_file = options.certificate_file,
                                                 .key_file = options.key_file}));
  }
  return pool;
}

absl::Status Differs(NamespaceId ns, const Usage& held, const Usage& counted) {
  return absl::DataLossError(absl::StrCat("namespace ", ns, " holds ", held.entries, " entries, ",
                                          held.bytes, " bytes, but the ledger says ",
                                          counted.entries, ", ", counted.bytes));
}

}  // namespace

// Everything the engine consists of. Members are destroyed from the last to the first, all after
// the loop has ended.
class RedisEngine::Parts final {
 public:
  Parts(const RedisOptions& options, const Dependencies& dependencies, redis::RedisUrl url,
        redis::Layout layout, redis::PoolOptions pool)
      : options_(options),
        on_(dependencies),
        url_(std::move(url)),
        core_{.context = loop_.context(),
              .clock = on_.clock,
              .random = on_.random,
              .ledger = on_.ledger,
              .limits = options_.limits,
              .layout = std::move(layout),
              .address = redis::Redacted(url_),
              .backoff = {}},
        registry_(on_.clock, core_.writes, options_.snapshots),
        vitals_(url_, core_.counters, registry_),
        ghosts_(core_),
        generations_(std::make_shared<redis::Generations>(core_)),
        access_(core_, vitals_, options_, url_, std::move(pool), {on_.stand_by, on_.deposed}),
        intake_(core_, options_.max_queued_batches) {
    core_.observer = &registry_;
    if (on_.monitor != nullptr) on_.monitor->Attach([this] { return vitals_.Report(); });
  }
  ~Parts();

  absl::Status Open();

  void WhenSettled(absl::AnyInvocable<void() &&> settled);
  absl::StatusOr<std::unique_ptr<Snapshot>> OpenSnapshot(SnapshotPurpose purpose);
  absl::StatusOr<std::unique_ptr<BulkLoad>> BeginBulkLoad();
  absl::StatusOr<SweepResult> Sweep(size_t max_entries);
  EngineStats Stats() const;
  absl::Status CheckConsistency();
  void SetPlacement(NamespaceId ns, Placement placement) { core_.placements.Set(ns, placement); }

  redis::Intake& intake() { return intake_; }
  redis::MetaKeeper& meta() { return *meta_; }
  const std::string& durability() const { return access_.durability(); }

 private:
  absl::Status AdoptContent();
  absl::Status MoveLoggedMembers(redis::Generation generation);

  const RedisOptions options_;
  const Dependencies on_;
  const redis::RedisUrl url_;
  redis::EventLoop loop_;
  redis::Core core_;
  redis::SnapshotRegistry registry_;
  redis::Vitals vitals_;
  redis::Ghosts ghosts_;
  const std::shared_ptr<redis::Generations> generations_;
  redis::StoreAccess access_;
  redis::Intake intake_;
  std::optional<redis::MetaKeeper> meta_;  // From when there is access.
};

RedisEngine::Parts::~Parts() {
  if (on_.monitor != nullptr) on_.monitor->Detach();
  intake_.AwaitIdle();
  access_.Release();
  asio::post(loop_.context(), [this] {
    core_.BeginClosing();
    registry_.EndAll(redis::SnapshotEnd::kClosing, "the engine is being closed");
    access_.Close(Closed());
  });
  loop_.Finish();
}

// --- opening ---

absl::Status RedisEngine::Parts::Open() {
  TARN_RETURN_IF_ERROR(access_.Open(on_.stop));
  meta_.emplace(core_, access_.asking());
  TARN_RETURN_IF_ERROR(meta_->CheckFormat());
  return AdoptContent();
}

absl::Status RedisEngine::Parts::AdoptContent() {
  TARN_ASSIGN_OR_RETURN(const std::optional<redis::MetaRecord> meta, meta_->Read());
  const redis::Generation generation = meta ? meta->generation : 1;
  TARN_RETURN_IF_ERROR(MoveLoggedMembers(generation));
  TARN_ASSIGN_OR_RETURN(
      const redis::Content content,
      redis::CountContent(access_.asking(), core_.layout, generation, on_.clock.Now()));
  on_.ledger.Clear();
  for (const auto& [ns, held] : content.usage) on_.ledger.Add(ns, held);
  const Incarnation incarnation = meta ? meta->meta.incarnation : 0;
  const redis::NewestCommit newest =
      redis::JudgeNewest(content, incarnation, access_.heartbeat_before());
  if (newest.lost) access_.FoundOlder(*newest.lost);
  return redis::OnLoop(core_, [this, newest = newest.revision](auto done) {
    core_.NoteCommit(newest);
    generations_->Start(std::move(done));
  });
}

// A Redis that is full has no room for them, but may have; and another one may take over meanwhile.
absl::Status RedisEngine::Parts::MoveLoggedMembers(redis::Generation generation) {
  for (bool told = false;; told = true) {
    absl::Status moved = redis::OnLoop(core_, [this, generation](auto done) {
      core_.generation = generation;
      redis::MoveLoggedMembers(core_, generation, std::move(done));
    });
    if (access_.deposed()) return redis::NotOwner();
    if (moved.ok() || !MayPass(moved)) return moved;
    if (!told) base::LogWarning("redis: the store cannot be opened yet: ", moved.message());
    if (on_.stop.WaitForNotificationWithTimeout(kMoveAgain)) {
      return absl::CancelledError("stopped before the store was open");
    }
  }
}

// --- what it does ---

// A write of unknown outcome is under way until it is settled.
void RedisEngine::Parts::WhenSettled(absl::AnyInvocable<void() &&> settled) {
  if (core_.counters.unknown.load(std::memory_order_relaxed) == 0) return std::move(settled)();
  asio::post(loop_.context(), [this, settled = std::move(settled)]() mutable {
    core_.writes.WhenAnswered(core_.writes.last(), std::move(settled));
  });
}

absl::StatusOr<std::unique_ptr<Snapshot>> RedisEngine::Parts::OpenSnapshot(
    SnapshotPurpose purpose) {
  return redis::OpenSnapshot({core_, registry_, ghosts_, &on_.executor}, purpose);
}

absl::StatusOr<std::unique_ptr<BulkLoad>> RedisEngine::Parts::BeginBulkLoad() {
  return redis::RedisBulkLoad::Begin(core_, *generations_,
                                     [this](const StoreMeta&) { meta_->IncarnationHasStarted(); });
}

absl::StatusOr<SweepResult> RedisEngine::Parts::Sweep(size_t max_entries) {
  auto promise = std::make_shared<std::promise<absl::StatusOr<SweepResult>>>();
  std::future<absl::StatusOr<SweepResult>> swept = promise->get_future();
  asio::post(loop_.context(), [this, max_entries, promise] {
    redis::SweepExpired(core_, max_entries, [promise](absl::StatusOr<SweepResult> result) {
      promise->set_value(std::move(result));
    });
  });
  return swept.get();
}

// --- what it says of itself ---

EngineStats RedisEngine::Parts::Stats() const {
  EngineStats stats;
  stats.revision = core_.counters.committed.load(std::memory_order_acquire);
  stats.snapshots = registry_.count();
  stats.snapshot_bytes = registry_.kept_bytes();
  stats.queued_batches = intake_.unfinished();
  stats.queue_limit = options_.max_queued_batches;
  stats.errors = core_.counters.errors.load(std::memory_order_relaxed);
  stats.writable = access_.writable();
  return stats;
}

absl::Status RedisEngine::Parts::CheckConsistency() {
  TARN_RETURN_IF_ERROR(
      redis::OnLoop(core_, [this](auto done) { core_.index_log.FoldAll(std::move(done)); }));
  TARN_ASSIGN_OR_RETURN(const std::optional<redis::MetaRecord> meta, meta_->Read());
  const redis::Generation generation = meta ? meta->generation : 1;
  TARN_ASSIGN_OR_RETURN(
      const redis::Content content,
      redis::CountContent(access_.asking(), core_.layout, generation, on_.clock.Now()));
  for (NamespaceId ns = 0; ns < UsageLedger::kMaxNamespaceIds; ++ns) {
    const auto found = content.usage.find(ns);
    const Usage held = found == content.usage.end() ? Usage{} : found->second;
    const Usage counted = on_.ledger.Get(ns);
    const bool same = held.entries == counted.entries && held.bytes == counted.bytes;
    if (!same) return Differs(ns, held, counted);
  }
  return absl::OkStatus();
}

// --- the engine ---

absl::StatusOr<std::unique_ptr<RedisEngine>> RedisEngine::Open(const RedisOptions& options,
                                                               const Dependencies& dependencies) {
  TARN_ASSIGN_OR_RETURN(redis::RedisUrl url, redis::ParseRedisUrl(options.url));
  TARN_ASSIGN_OR_RETURN(redis::Layout layout, redis::Layout::Create(options.key_prefix));
  TARN_ASSIGN_OR_RETURN(redis::PoolOptions pool, PoolOptionsOf(options, url));
  auto parts = std::make_unique<Parts>(options, dependencies, std::move(url), std::move(layout),
                                       std::move(pool));
  TARN_RETURN_IF_ERROR(parts->Open());
  return std::unique_ptr<RedisEngine>(new RedisEngine(std::move(parts)));
}

RedisEngine::RedisEngine(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

RedisEngine::~RedisEngine() = default;

void RedisEngine::Run(const Batch& batch, Completion done) {
  parts_->intake().Run(batch, std::move(done));
}

void RedisEngine::WhenSettled(absl::AnyInvocable<void() &&> settled) {
  parts_->WhenSettled(std::move(settled));
}

absl::StatusOr<std::unique_ptr<Snapshot>> RedisEngine::OpenSnapshot(SnapshotPurpose purpose) {
  return parts_->OpenSnapshot(purpose);
}

absl::StatusOr<std::unique_ptr<BulkLoad>> RedisEngine::BeginBulkLoad() {
  return parts_->BeginBulkLoad();
}

absl::StatusOr<SweepResult> RedisEngine::SweepExpired(size_t max_entries) {
  return parts_->Sweep(max_entries);
}

EngineStats RedisEngine::Stats() const { return parts_->Stats(); }

absl::StatusOr<std::optional<StoreMeta>> RedisEngine::ReadMeta() {
  TARN_ASSIGN_OR_RETURN(std::optional<redis::MetaRecord> record, parts_->meta().Read());
  if (!record) return std::optional<StoreMeta>();
  return std::optional(std::move(record->meta));
}

absl::Status RedisEngine::WriteMeta(const StoreMeta& meta) { return parts_->meta().Write(meta); }

void RedisEngine::SetPlacement(NamespaceId ns, Placement placement) {
  parts_->SetPlacement(ns, placement);
}

absl::string_view RedisEngine::durability() const { return parts_->durability(); }

absl::Status RedisEngine::CheckConsistency() { return parts_->CheckConsistency(); }

}  // namespace tarn::storage
