#include <utility>

#include "storage/base/error.h"
#include "storage/redis/link.h"
#include "storage/redis/node.h"
#include <asio/post.hpp>

namespace tarn::storage::redis {
namespace {

PoolOptions ToServer(const LinkOptions& options) {
  PoolOptions pool = options.pool;
  pool.connection.transport.unix_path = options.url.unix_path;
  if (options.guard.key) {
    pool.connection.guard_key = options.guard.key(kStorePartition);
    pool.connection.guard_value = options.guard.expected;
  }
  return pool;
}

// Leases are the pool's own: nothing is between them and the engine.
class StandaloneLink final : public Link, public std::enable_shared_from_this<StandaloneLink> {
 public:
  StandaloneLink(asio::io_context& context, LinkListener& listener)
      : context_(context), listener_(listener) {}

  void Start(const base::Clock& clock, base::RandomSource& random, const LinkOptions& options) {
    const bool is_local = !options.url.unix_path.empty();
    Node::Hooks hooks;
    hooks.opened = [weak = weak_from_this()](Node&, Node::Life life) {
      if (const auto self = weak.lock()) self->Opened(life);
    };
    hooks.ended = [weak = weak_from_this()](Node&, const absl::Status& cause) {
      if (const auto self = weak.lock()) self->Ended(cause);
    };
    hooks.guard = [](const Node&, ConnectionOptions&) { return true; };
    node_ = Node::Create(context_, clock, random, ToServer(options),
                         is_local ? Endpoint() : options.url.hosts.front(), 1, std::move(hooks));
    node_->set_partitions(kPartitions);
  }

  Leased Lease(Partition, absl::Span<const uint64_t> keys) override { return node_->Lease(keys); }

  bool spans_partitions() const override { return true; }
  int NodeOf(Partition) const override { return 0; }

  void SendToAll(CommandKind kind, const std::string& command, Everywhere done) override {
    auto answered = [self = shared_from_this(), done = std::move(done)](Answer& answer) mutable {
      std::vector<NodeAnswer> answers(1);
      answers[0] = {self->node_->address(), std::move(answer)};
      std::move(done)(answers);
    };
    const Leased leased = node_->Lease({});
    if (leased.lease != nullptr) return leased.lease->Send(kind, command, std::move(answered));
    Answer none{std::nullopt, ClassifyLoss(Sent::kNothing, kind)};
    answered(none);
  }

  void WhenReady(absl::AnyInvocable<void() &&> ready) override {
    if (node_->open()) return std::move(ready)();
    ready_.push_back(std::move(ready));
  }

  void Close(const absl::Status& cause) override {
    ready_.clear();
    node_->Close(cause);
  }

  std::vector<NodeStats> Stats() const override { return {node_->Stats()}; }
  RoutingStats Routing() const override { return {}; }

 private:
  void Opened(Node::Life life) {
    if (life == Node::Life::kAnother) {
      listener_.OnNodeChanged(node_->address(), "the server at this address was started anew");
    }
    // The pool counts the connection as open as soon as this returns.
    for (auto& ready : std::exchange(ready_, {})) asio::post(context_, std::move(ready));
  }

  void Ended(const absl::Status& cause) {
    if (base::ReasonOf(cause) == base::Reason::kNotOwner) {
      listener_.OnGuardRefused(node_->address());
    }
  }

  asio::io_context& context_;
  LinkListener& listener_;
  std::vector<absl::AnyInvocable<void() &&>> ready_;
  std::shared_ptr<Node> node_;  // Constant once it is started.
};

}  // namespace

std::shared_ptr<Link> MakeStandaloneLink(asio::io_context& context, const base::Clock& clock,
                                         base::RandomSource& random, const LinkOptions& options,
                                         LinkListener& listener) {
  auto link = std::make_shared<StandaloneLink>(context, listener);
  link->Start(clock, random, options);
  return link;
}

}  // namespace tarn::storage::redis
