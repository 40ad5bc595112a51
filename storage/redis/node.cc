#include "storage/redis/node.h"

#include <utility>

#include "storage/base/error.h"
#include <asio/post.hpp>

namespace tarn::storage::redis {
namespace {

using Permit = CircuitBreaker::Permit;

// The one request that a half-open breaker lets through.
class ProbeLease final : public KeyLease {
 public:
  ProbeLease(std::unique_ptr<KeyLease> lease, std::shared_ptr<Node> node, CircuitBreaker& breaker)
      : node_(std::move(node)), lease_(std::move(lease)), breaker_(breaker) {}

  void Send(CommandKind kind, std::string command, AnswerHandler done) override {
    lease_->Send(kind, std::move(command),
                 [node = node_, &breaker = breaker_, done = std::move(done)](Answer& a) mutable {
                   if (a.reply) {
                     breaker.RecordSuccess(Permit::kProbe);
                   } else {
                     breaker.RecordFailure(Permit::kProbe);
                   }
                   std::move(done)(a);
                 });
  }
  void Bury(absl::AnyInvocable<void(const absl::Status&) &&> done) override {
    lease_->Bury(std::move(done));
  }
  Connection::Peer peer() const override { return lease_->peer(); }
  void SendAnew(CommandKind kind, std::string command, AnswerHandler done) override {
    lease_->SendAnew(kind, std::move(command), std::move(done));
  }

 private:
  const std::shared_ptr<Node> node_;
  const std::unique_ptr<KeyLease> lease_;
  CircuitBreaker& breaker_;  // The node's.
};

}  // namespace

Node::Node(asio::io_context& context, const base::Clock& clock, const Endpoint& endpoint,
           std::string address, ConnectionId number, Hooks hooks)
    : context_(context),
      endpoint_(endpoint),
      address_(std::move(address)),
      number_(number),
      hooks_(std::move(hooks)),
      breaker_(clock, {}) {}

std::shared_ptr<Node> Node::Create(asio::io_context& context, const base::Clock& clock,
                                   base::RandomSource& random, const PoolOptions& options,
                                   const Endpoint& endpoint, ConnectionId number, Hooks hooks) {
  const std::string& unix_path = options.connection.transport.unix_path;
  auto node = std::make_shared<Node>(context, clock, endpoint,
                                     unix_path.empty() ? EndpointText(endpoint) : unix_path, number,
                                     std::move(hooks));
  PoolOptions to_node = options;
  to_node.connection.transport.endpoint = endpoint;
  to_node.connection.role = RequiredRole::kMaster;
  // The pool is the node's, not the other way round.
  PoolHooks hooks_of_pool;
  hooks_of_pool.opened = [weak = std::weak_ptr(node)](const Connection::Peer& peer) {
    if (const auto self = weak.lock()) self->Opened(peer);
  };
  hooks_of_pool.ended = [weak = std::weak_ptr(node)](const absl::Status& cause) {
    if (const auto self = weak.lock()) self->Ended(cause);
  };
  hooks_of_pool.prepare = [weak = std::weak_ptr(node)](ConnectionOptions& to_open) {
    const auto self = weak.lock();
    if (self == nullptr || self->closed_) return;
    if (!self->hooks_.guard(*self, to_open)) self->opens_unguarded_ = true;
  };
  node->pool_ = Pool::Create(context, clock, random, to_node, std::move(hooks_of_pool));
  return node;
}

Leased Node::Lease(absl::Span<const uint64_t> keys) {
  if (sound_) return pool_->Lease(keys);
  const Permit permit = breaker_.Ask();
  if (permit == Permit::kRefused) return {Leased::Result::kRefused, nullptr};
  Leased leased = pool_->Lease(keys);
  if (permit == Permit::kNormal) return leased;
  if (leased.result != Leased::Result::kOk) {
    breaker_.RecordFailure(permit);
    return leased;
  }
  return {leased.result,
          std::make_unique<ProbeLease>(std::move(leased.lease), shared_from_this(), breaker_)};
}

void Node::Bury(const Connection::Peer& dead,
                absl::AnyInvocable<void(const absl::Status&) &&> done) {
  pool_->Bury(dead, std::move(done));
}

void Node::WhenDecided(absl::AnyInvocable<void() &&> then) {
  undecided_.push_back(std::move(then));
  if (closed_ || open()) TellDecided();
}

void Node::TellDecided() {
  for (auto& then : std::exchange(undecided_, {})) asio::post(context_, std::move(then));
}

void Node::Close(const absl::Status& cause) {
  if (std::exchange(closed_, true)) return;
  pool_->Close(cause);
  TellDecided();
}

NodeStats Node::Stats() const {
  NodeStats stats;
  stats.address = address_;
  stats.pool = pool_->Stats();
  stats.breaker = breaker_.state();
  stats.breaker_opened = breaker_.times_opened();
  stats.partitions = partitions_;
  absl::MutexLock lock(&mutex_);
  stats.run_id = run_id_;
  return stats;
}

void Node::Opened(const Connection::Peer& peer) {
  if (closed_) return;
  // Nobody knows which one it is.
  if (opens_unguarded_) trusted_ = false;
  breaker_.RecordSuccess(Permit::kNormal);
  sound_ = breaker_.state() == CircuitBreaker::State::kClosed;
  std::string before;
  {
    absl::MutexLock lock(&mutex_);
    before = std::exchange(run_id_, peer.run_id);
  }
  const bool known = before.empty() || before == peer.run_id;
  hooks_.opened(*this, known ? Life::kSame : Life::kAnother);
  // The pool counts the connection as open as soon as this returns: they come later.
  TellDecided();
}

void Node::Ended(const absl::Status& cause) {
  if (closed_) return;
  if (base::ReasonOf(cause) != base::Reason::kNotOwner) {
    breaker_.RecordFailure(Permit::kNormal);
    sound_ = false;
  }
  hooks_.ended(*this, cause);
  TellDecided();
}

}  // namespace tarn::storage::redis
