#include "storage/redis/pool.h"

#include <atomic>
#include <chrono>
#include <limits>
#include <optional>
#include <set>
#include <system_error>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "storage/base/error.h"
#include "storage/redis/command.h"
#include "storage/redis/key_routes.h"
#include "storage/redis/replica_wait.h"
#include <asio/post.hpp>
#include <asio/steady_timer.hpp>

namespace tarn::storage::redis {
namespace {

using Keys = absl::InlinedVector<uint64_t, 4>;

// Killed clients that are remembered: to kill one again costs little.
constexpr size_t kMaxBuried = 1024;

BackoffOptions ReconnectOptions(const PoolOptions& options) {
  return {options.reconnect_base_ms, options.reconnect_cap_ms, std::numeric_limits<int>::max()};
}

// The place of one connection, which comes and goes.
struct Slot {
  Slot(asio::io_context& context, const PoolOptions& options, base::RandomSource& random)
      : backoff(std::in_place, ReconnectOptions(options), random), timer(context) {}

  std::shared_ptr<Connection> connection;  // Also while it opens.
  std::shared_ptr<ReplicaWait> wait;       // Of that connection; null when nobody waits.
  ConnectionId id = 0;                     // Of this connection, never used again.
  bool open = false;
  bool wanted = false;  // Opened again when it fails.
  int leases = 0;
  int idle_checks = 0;
  std::optional<Backoff> backoff;
  asio::steady_timer timer;  // The loop's thread's.
};

class NodePool final : public Pool, public std::enable_shared_from_this<NodePool> {
 public:
  NodePool(asio::io_context& context, const base::Clock& clock, base::RandomSource& random,
           const PoolOptions& options, PoolHooks hooks)
      : context_(context),
        clock_(clock),
        random_(random),
        options_(options),
        hooks_(std::move(hooks)),
        traffic_(std::make_shared<Traffic>()),
        timer_(context) {
    for (int i = 0; i < options_.max_connections; ++i) {
      slots_.push_back(std::make_unique<Slot>(context, options_, random));
    }
  }

  void Start() {
    asio::post(context_, [self = shared_from_this()] {
      for (int i = 0; i < self->options_.min_connections; ++i) self->OpenSlot(i);
      self->ScheduleCheck();
    });
  }

  Leased Lease(absl::Span<const uint64_t> keys) override;

  // Null when none is open.
  std::shared_ptr<Connection> AnyOpen() const {
    absl::MutexLock lock(&mutex_);
    for (const auto& slot : slots_) {
      if (slot->open) return slot->connection;
    }
    return nullptr;
  }

  void Bury(const Connection::Peer& dead,
            absl::AnyInvocable<void(const absl::Status&) &&> done) override;

  AnswerHandler Measured(AnswerHandler done) {
    if (sent_.fetch_add(1, std::memory_order_relaxed) % Traffic::kMeasuredEvery != 0) return done;
    return [self = shared_from_this(), since_ns = clock_.MonotonicNanos(),
            done = std::move(done)](Answer& answer) mutable {
      if (answer.reply) self->traffic_->CountLatency(self->clock_.MonotonicNanos() - since_ns);
      std::move(done)(answer);
    };
  }

  void Release(Slot& slot, const Keys& keys) {
    absl::MutexLock lock(&mutex_);
    routes_.Release(keys);
    --slot.leases;
  }

  void Close(const absl::Status& cause) override {
    asio::post(context_, [self = shared_from_this(), cause] { self->CloseAll(cause); });
  }

  PoolStats Stats() const override {
    absl::MutexLock lock(&mutex_);
    PoolStats stats = stats_;
    stats.keys = routes_.size();
    stats.latency_us = static_cast<uint64_t>(traffic_->latency_ns() / 1000);
    stats.traffic = traffic_->Read();
    for (const auto& slot : slots_) {
      if (slot->connection == nullptr) continue;
      const size_t pending = slot->connection->pending();
      stats.pending += pending;
      stats.open += slot->open ? 1 : 0;
      stats.idle += slot->open && pending == 0 ? 1 : 0;
      stats.connecting += slot->wanted && !slot->open ? 1 : 0;
    }
    return stats;
  }

 private:
  // Where keys go that are bound to nothing: the same key to the same connection as long as the
  // same ones are open. Null when none is.
  Slot* Preferred(uint64_t key) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    absl::InlinedVector<Slot*, 8> open;
    for (const auto& slot : slots_) {
      if (slot->open) open.push_back(slot.get());
    }
    return open.empty() ? nullptr : open[key % open.size()];
  }

  // Null unless that very connection is open.
  Slot* Find(ConnectionId id) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    for (const auto& slot : slots_) {
      if (slot->open && slot->id == id) return slot.get();
    }
    return nullptr;
  }

  // --- on the loop's thread: one connection ---

  void OpenSlot(int index) {
    ConnectionOptions options = options_.connection;
    options.traffic = traffic_;
    hooks_.prepare(options);
    absl::MutexLock lock(&mutex_);
    Slot& slot = *slots_[index];
    if (closed_ || slot.connection != nullptr) return;
    slot.wanted = true;
    slot.idle_checks = 0;
    slot.id = ++last_id_;
    // It calls back later, from the loop.
    slot.connection = Connection::Open(
        context_, clock_, options,
        [self = shared_from_this(), index](const absl::Status& s) { self->Opened(index, s); },
        [self = shared_from_this(), index](const absl::Status& s) { self->Ended(index, s); });
    if (options_.wait_replicas > 0) {
      slot.wait = std::make_shared<ReplicaWait>(slot.connection, options_.wait_replicas,
                                                options_.wait_timeout_ms, traffic_);
    }
  }

  void Opened(int index, const absl::Status& status) {
    if (!status.ok()) return;
    const std::shared_ptr<Connection> connection = ConnectionAt(index);
    hooks_.opened(connection->peer());
    absl::MutexLock lock(&mutex_);
    Slot& slot = *slots_[index];
    slot.open = slot.wanted;
    run_id_ = connection->peer().run_id;
    slot.backoff.emplace(ReconnectOptions(options_), random_);
    ++stats_.opened;
  }

  void Ended(int index, const absl::Status& cause) {
    hooks_.ended(cause);
    absl::MutexLock lock(&mutex_);
    Slot& slot = *slots_[index];
    slot.open = false;
    slot.connection = nullptr;
    slot.wait = nullptr;
    ++stats_.failed;
    if (closed_ || !slot.wanted) return;
    const int64_t wait_ms = slot.backoff->NextMs(options_.reconnect_cap_ms + 1).value_or(0);
    slot.timer.expires_after(std::chrono::milliseconds(wait_ms));
    slot.timer.async_wait([self = shared_from_this(), index](std::error_code error) {
      if (!error) self->OpenSlot(index);
    });
  }

  std::shared_ptr<Connection> ConnectionAt(int index) const {
    absl::MutexLock lock(&mutex_);
    return slots_[index]->connection;
  }

  // --- on the loop's thread: all of them ---

  void ScheduleCheck() {
    {
      absl::MutexLock lock(&mutex_);
      if (closed_) return;
    }
    timer_.expires_after(std::chrono::milliseconds(options_.check_interval_ms));
    timer_.async_wait([self = shared_from_this()](std::error_code error) {
      if (error) return;
      self->CheckAll();
      self->ScheduleCheck();
    });
  }

  void CheckAll() {
    // First: what a check asks is no load.
    if (const std::optional<int> index = NeedsOneMore()) OpenSlot(*index);
    for (const std::shared_ptr<Connection>& connection : Idle()) AskForLife(connection);
    if (const std::shared_ptr<Connection> last = NeedsOneLess()) {
      last->Abort(base::MakeError(absl::StatusCode::kUnavailable, base::Reason::kEngineUnavailable,
                                  "nothing to do"));
    }
  }

  std::vector<std::shared_ptr<Connection>> Idle() const {
    absl::MutexLock lock(&mutex_);
    std::vector<std::shared_ptr<Connection>> idle;
    for (const auto& slot : slots_) {
      if (slot->open && slot->connection->pending() == 0) idle.push_back(slot->connection);
    }
    return idle;
  }

  // No answer is the connection's read timeout; a wrong one ends it.
  static void AskForLife(const std::shared_ptr<Connection>& connection) {
    connection->Send(CommandKind::kRead, FormatCommand({"PING"}), [connection](Answer& answer) {
      if (answer.reply && answer.reply->view().text() == "PONG") return;
      connection->Abort(base::MakeError(absl::StatusCode::kUnavailable,
                                        base::Reason::kEngineUnavailable,
                                        "Redis did not answer PING"));
    });
  }

  // The first place that is not used, when every connection has more to do than it should.
  std::optional<int> NeedsOneMore() const {
    absl::MutexLock lock(&mutex_);
    for (size_t i = 0; i < slots_.size(); ++i) {
      if (!slots_[i]->wanted) return static_cast<int>(i);
      if (!slots_[i]->open || slots_[i]->connection->pending() < options_.grow_at_pending) break;
    }
    return std::nullopt;
  }

  // The last connection, when it is one too many: nothing new goes out on it from here on.
  std::shared_ptr<Connection> NeedsOneLess() {
    absl::MutexLock lock(&mutex_);
    for (size_t i = slots_.size(); i > static_cast<size_t>(options_.min_connections); --i) {
      Slot& slot = *slots_[i - 1];
      if (!slot.wanted) continue;
      const bool idle = slot.open && slot.leases == 0;
      slot.idle_checks = idle ? slot.idle_checks + 1 : 0;
      if (slot.idle_checks < options_.shrink_after_checks) return nullptr;
      slot.wanted = false;
      slot.open = false;
      return slot.connection;
    }
    return nullptr;
  }

  void CloseAll(const absl::Status& cause) {
    std::vector<std::shared_ptr<Connection>> connections;
    {
      absl::MutexLock lock(&mutex_);
      closed_ = true;
      for (const auto& slot : slots_) {
        slot->timer.cancel();
        if (slot->connection != nullptr) connections.push_back(slot->connection);
      }
    }
    timer_.cancel();
    for (const std::shared_ptr<Connection>& connection : connections) connection->Abort(cause);
  }

  asio::io_context& context_;
  const base::Clock& clock_;
  base::RandomSource& random_;
  const PoolOptions options_;
  const PoolHooks hooks_;

  const std::shared_ptr<Traffic> traffic_;
  std::atomic<uint64_t> sent_ = 0;

  mutable absl::Mutex mutex_;
  std::vector<std::unique_ptr<Slot>> slots_ ABSL_GUARDED_BY(mutex_);
  KeyRoutes routes_ ABSL_GUARDED_BY(mutex_);
  PoolStats stats_ ABSL_GUARDED_BY(mutex_);
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
  std::string run_id_ ABSL_GUARDED_BY(mutex_);        // Of the server, as it was met last.
  std::set<int64_t> buried_ ABSL_GUARDED_BY(mutex_);  // Clients of it that were killed.
  ConnectionId last_id_ ABSL_GUARDED_BY(mutex_) = 0;

  asio::steady_timer timer_;  // The loop's thread's.
};

class NodeLease final : public KeyLease {
 public:
  NodeLease(std::shared_ptr<NodePool> pool, Slot& slot, std::shared_ptr<Connection> connection,
            Keys keys)
      : pool_(std::move(pool)),
        slot_(slot),
        connection_(std::move(connection)),
        wait_(slot.wait),
        keys_(std::move(keys)) {}
  ~NodeLease() override { pool_->Release(slot_, keys_); }

  void Send(CommandKind kind, std::string command, AnswerHandler done) override {
    if (wait_ != nullptr && kind == CommandKind::kWrite) done = wait_->Behind(std::move(done));
    connection_->Send(kind, std::move(command), pool_->Measured(std::move(done)));
  }

  void Bury(absl::AnyInvocable<void(const absl::Status&) &&> done) override {
    pool_->Bury(connection_->peer(), std::move(done));
  }

  Connection::Peer peer() const override { return connection_->peer(); }

  void SendAnew(CommandKind kind, std::string command, AnswerHandler done) override {
    const std::shared_ptr<Connection> connection = pool_->AnyOpen();
    if (connection != nullptr) {
      return connection->Send(kind, std::move(command), std::move(done));
    }
    Answer none{std::nullopt, ClassifyLoss(Sent::kNothing, kind)};
    std::move(done)(none);
  }

 private:
  const std::shared_ptr<NodePool> pool_;
  Slot& slot_;  // The pool's.
  const std::shared_ptr<Connection> connection_;
  const std::shared_ptr<ReplicaWait> wait_;  // Null when nobody waits.
  const Keys keys_;
};

absl::Status NotKnownYet() {
  return base::MakeError(absl::StatusCode::kUnavailable, base::Reason::kEngineUnavailable,
                         "a lost connection is not known to be gone yet");
}

void NodePool::Bury(const Connection::Peer& dead,
                    absl::AnyInvocable<void(const absl::Status&) &&> done) {
  const std::shared_ptr<Connection> other = AnyOpen();
  if (other == nullptr) return std::move(done)(NotKnownYet());
  {
    absl::ReleasableMutexLock lock(&mutex_);
    if (run_id_ != dead.run_id || buried_.contains(dead.client_id)) {
      lock.Release();
      return std::move(done)(absl::OkStatus());
    }
  }
  other->Send(CommandKind::kRead,
              FormatCommand({"CLIENT", "KILL", "ID", absl::StrCat(dead.client_id)}),
              [self = shared_from_this(), dead, done = std::move(done)](Answer& answer) mutable {
                if (!answer.reply || answer.reply->view().kind() != ReplyView::Kind::kInteger) {
                  return std::move(done)(NotKnownYet());
                }
                {
                  absl::MutexLock lock(&self->mutex_);
                  if (self->buried_.size() >= kMaxBuried) self->buried_.clear();
                  self->buried_.insert(dead.client_id);
                }
                std::move(done)(absl::OkStatus());
              });
}

Leased NodePool::Lease(absl::Span<const uint64_t> keys) {
  absl::MutexLock lock(&mutex_);
  const Slot* const preferred = Preferred(keys.empty() ? 0 : keys.front());
  if (preferred == nullptr) return {Leased::Result::kNoConnection, nullptr};
  const std::optional<ConnectionId> id = routes_.Acquire(keys, preferred->id);
  if (!id) return {Leased::Result::kElsewhere, nullptr};
  Slot* const slot = Find(*id);
  if (slot == nullptr) {
    routes_.Release(keys);
    return {Leased::Result::kNoConnection, nullptr};
  }
  ++slot->leases;
  return {Leased::Result::kOk,
          std::make_unique<NodeLease>(shared_from_this(), *slot, slot->connection,
                                      Keys(keys.begin(), keys.end()))};
}

}  // namespace

std::shared_ptr<Pool> Pool::Create(asio::io_context& context, const base::Clock& clock,
                                   base::RandomSource& random, const PoolOptions& options,
                                   PoolHooks hooks) {
  auto pool = std::make_shared<NodePool>(context, clock, random, options, std::move(hooks));
  pool->Start();
  return pool;
}

}  // namespace tarn::storage::redis
