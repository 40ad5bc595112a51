#include "storage/redis/pool.h"

#include <chrono>
#include <limits>
#include <optional>
#include <system_error>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "storage/base/error.h"
#include "storage/redis/command.h"
#include "storage/redis/key_routes.h"
#include <asio/post.hpp>
#include <asio/steady_timer.hpp>

namespace tarn::storage::redis {
namespace {

using Keys = absl::InlinedVector<uint64_t, 4>;

BackoffOptions ReconnectOptions(const PoolOptions& options) {
  return {options.reconnect_base_ms, options.reconnect_cap_ms, std::numeric_limits<int>::max()};
}

// The place of one connection, which comes and goes.
struct Slot {
  Slot(asio::io_context& context, const PoolOptions& options, base::RandomSource& random)
      : backoff(std::in_place, ReconnectOptions(options), random), timer(context) {}

  std::shared_ptr<Connection> connection;  // Also while it opens.
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
           const PoolOptions& options)
      : context_(context), clock_(clock), random_(random), options_(options), timer_(context) {
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
    for (const auto& slot : slots_) {
      stats.open += slot->open ? 1 : 0;
      stats.pending += slot->connection == nullptr ? 0 : slot->connection->pending();
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
    absl::MutexLock lock(&mutex_);
    Slot& slot = *slots_[index];
    if (closed_ || slot.connection != nullptr) return;
    slot.wanted = true;
    slot.idle_checks = 0;
    slot.id = ++last_id_;
    // It calls back later, from the loop.
    slot.connection = Connection::Open(
        context_, clock_, options_.connection,
        [self = shared_from_this(), index](const absl::Status& s) { self->Opened(index, s); },
        [self = shared_from_this(), index](const absl::Status&) { self->Ended(index); });
  }

  void Opened(int index, const absl::Status& status) {
    if (!status.ok()) return;
    absl::MutexLock lock(&mutex_);
    Slot& slot = *slots_[index];
    slot.open = slot.wanted;
    slot.backoff.emplace(ReconnectOptions(options_), random_);
    ++stats_.opened;
  }

  void Ended(int index) {
    absl::MutexLock lock(&mutex_);
    Slot& slot = *slots_[index];
    slot.open = false;
    slot.connection = nullptr;
    ++stats_.failed;
    if (closed_ || !slot.wanted) return;
    const int64_t wait_ms = slot.backoff->NextMs(options_.reconnect_cap_ms + 1).value_or(0);
    slot.timer.expires_after(std::chrono::milliseconds(wait_ms));
    slot.timer.async_wait([self = shared_from_this(), index](std::error_code error) {
      if (!error) self->OpenSlot(index);
    });
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

  mutable absl::Mutex mutex_;
  std::vector<std::unique_ptr<Slot>> slots_ ABSL_GUARDED_BY(mutex_);
  KeyRoutes routes_ ABSL_GUARDED_BY(mutex_);
  PoolStats stats_ ABSL_GUARDED_BY(mutex_);
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
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
        keys_(std::move(keys)) {}
  ~NodeLease() override { pool_->Release(slot_, keys_); }

  void Send(CommandKind kind, std::string command, AnswerHandler done) override {
    connection_->Send(kind, std::move(command), std::move(done));
  }

 private:
  const std::shared_ptr<NodePool> pool_;
  Slot& slot_;  // The pool's.
  const std::shared_ptr<Connection> connection_;
  const Keys keys_;
};

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
                                   base::RandomSource& random, const PoolOptions& options) {
  auto pool = std::make_shared<NodePool>(context, clock, random, options);
  pool->Start();
  return pool;
}

}  // namespace tarn::storage::redis
