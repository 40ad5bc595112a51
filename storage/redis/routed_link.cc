#include "storage/redis/routed_link.h"

#include <utility>

#include "storage/redis/courier.h"
#include "storage/redis/node_map.h"
#include <asio/post.hpp>

namespace tarn::storage::redis {
namespace {

NodeMap::Options MapOptions(const LinkOptions& options) {
  const bool is_cluster = options.url.topology == Topology::kCluster;
  return {options.pool, options.guard, is_cluster ? Farewell::kWhenUnused : Farewell::kAtOnce};
}

Following FollowingOf(const LinkOptions& options) {
  return options.url.topology == Topology::kCluster ? Following::kRedirects : Following::kNothing;
}

// Answers of all primaries, as they come.
struct Gathering {
  std::vector<NodeAnswer> answers;
  size_t missing = 0;
  Link::Everywhere done;
};

class RoutedLink final : public Link, public std::enable_shared_from_this<RoutedLink> {
 public:
  RoutedLink(asio::io_context& context, const base::Clock& clock, base::RandomSource& random,
             const LinkOptions& options, LinkListener& listener)
      : context_(context),
        is_cluster_(options.url.topology == Topology::kCluster),
        nodes_(std::make_shared<NodeMap>(context, clock, random, MapOptions(options), listener)),
        courier_(std::make_shared<Courier>(context, clock, random, nodes_, options.guard,
                                           FollowingOf(options))) {}

  void Start(MakeSource make_source) {
    asio::post(context_, [self = shared_from_this(), make_source = std::move(make_source)] {
      if (self->nodes_->closed()) return;
      self->nodes_->SetSource(make_source([weak = self->weak_from_this()](SlotMap map) {
        if (const auto link = weak.lock()) link->nodes_->Adopt(std::move(map));
      }));
    });
  }

  Leased Lease(Partition partition, absl::Span<const uint64_t> keys) override {
    return courier_->Lease(partition, keys);
  }

  bool spans_partitions() const override { return !is_cluster_; }

  int NodeOf(Partition partition) const override {
    const std::shared_ptr<Node>& owner = nodes_->Owner(partition);
    return is_cluster_ && owner != nullptr ? static_cast<int>(owner->number()) : 0;
  }

  void SendToAll(CommandKind kind, const std::string& command, Everywhere done) override {
    const std::vector<std::shared_ptr<Node>> nodes = nodes_->Nodes();
    auto gathering = std::make_shared<Gathering>();
    gathering->answers.resize(nodes.size());
    gathering->missing = nodes.size();
    gathering->done = std::move(done);
    if (nodes.empty()) return std::move(gathering->done)(gathering->answers);
    for (size_t i = 0; i < nodes.size(); ++i) SendTo(*nodes[i], kind, command, gathering, i);
  }

  void WhenReady(absl::AnyInvocable<void() &&> ready) override {
    nodes_->WhenReady(std::move(ready));
  }

  void Close(const absl::Status& cause) override { nodes_->Close(cause); }

  std::vector<NodeStats> Stats() const override {
    std::vector<NodeStats> stats = nodes_->Stats();
    // Of Sentinels, one node has all slots, which mean nothing.
    for (NodeStats& node : stats) {
      if (!is_cluster_) node.slots.clear();
    }
    return stats;
  }

  RoutingStats Routing() const override {
    RoutingStats stats = courier_->Stats();
    const RoutingStats search = nodes_->Routing();
    stats.switches = search.switches;
    stats.questions = search.questions;
    stats.unanswered = search.unanswered;
    stats.sentinels = search.sentinels;
    return stats;
  }

 private:
  static void SendTo(Node& node, CommandKind kind, const std::string& command,
                     const std::shared_ptr<Gathering>& gathering, size_t index) {
    auto take = [gathering, index, address = node.address()](Answer& answer) {
      gathering->answers[index] = {address, std::move(answer)};
      if (--gathering->missing == 0) std::move(gathering->done)(gathering->answers);
    };
    Leased leased = node.Lease({});
    if (leased.lease != nullptr) return leased.lease->Send(kind, command, std::move(take));
    Answer none{std::nullopt, ClassifyLoss(Sent::kNothing, kind)};
    take(none);
  }

  asio::io_context& context_;
  const bool is_cluster_;
  const std::shared_ptr<NodeMap> nodes_;
  const std::shared_ptr<Courier> courier_;
};

}  // namespace

std::shared_ptr<Link> MakeRoutedLink(asio::io_context& context, const base::Clock& clock,
                                     base::RandomSource& random, const LinkOptions& options,
                                     LinkListener& listener, MakeSource make_source) {
  auto link = std::make_shared<RoutedLink>(context, clock, random, options, listener);
  link->Start(std::move(make_source));
  return link;
}

std::shared_ptr<Link> MakeSentinelLink(asio::io_context& context, const base::Clock& clock,
                                       base::RandomSource& random, const LinkOptions& options,
                                       LinkListener& listener) {
  return MakeRoutedLink(context, clock, random, options, listener,
                        [&context, &clock, &random, options](TakeMap take) {
                          return MakeSentinelSource(context, clock, random, options.url,
                                                    options.pool.connection, std::move(take));
                        });
}

std::shared_ptr<Link> MakeClusterLink(asio::io_context& context, const base::Clock& clock,
                                      base::RandomSource& random, const LinkOptions& options,
                                      LinkListener& listener) {
  return MakeRoutedLink(context, clock, random, options, listener,
                        [&context, &clock, &random, options](TakeMap take) {
                          return MakeClusterSource(context, clock, random, options.url,
                                                   options.pool.connection, std::move(take));
                        });
}

}  // namespace tarn::storage::redis
