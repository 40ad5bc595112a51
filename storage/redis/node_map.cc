#include "storage/redis/node_map.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "storage/base/error.h"
#include <asio/post.hpp>

namespace tarn::storage::redis {
namespace {

// A node that is in no map is kept for as many maps more: it may be about to be in one.
constexpr uint64_t kMapsToKeep = 2;

absl::Status Gone(absl::string_view why) {
  return base::MakeError(absl::StatusCode::kUnavailable, base::Reason::kEngineUnavailable, why);
}

bool IsPrimary(const SlotMap& map, const Endpoint& endpoint) {
  return std::any_of(map.nodes().begin(), map.nodes().end(),
                     [&](const SlotMap::Node& node) { return node.primary == endpoint; });
}

bool IsReplica(const SlotMap& map, const Endpoint& primary, const Endpoint& endpoint) {
  return std::any_of(map.nodes().begin(), map.nodes().end(), [&](const SlotMap::Node& node) {
    return node.primary == primary &&
           std::find(node.replicas.begin(), node.replicas.end(), endpoint) != node.replicas.end();
  });
}

}  // namespace

NodeMap::NodeMap(asio::io_context& context, const base::Clock& clock, base::RandomSource& random,
                 const Options& options, LinkListener& listener)
    : context_(context), clock_(clock), random_(random), options_(options), listener_(listener) {}

// --- who serves what ---

void NodeMap::Adopt(SlotMap map) {
  if (closed_) return;
  ++maps_;
  std::vector<std::string> replaced;
  for (int i = 0; i < kPartitions; ++i) {
    const uint16_t slot = PartitionSlot(static_cast<Partition>(i));
    const Endpoint* const before = told_.Owner(slot);
    const Endpoint* const after = map.Owner(slot);
    if (before == nullptr || after == nullptr || *before == *after) continue;
    if (IsFailover(map, *before, *after)) replaced.push_back(EndpointText(*after));
  }
  told_ = map;
  SetOwners(std::move(map));
  LetGo();
  TellReplaced(std::move(replaced));
  TellReady();
}

void NodeMap::SetOwners(SlotMap map) {
  map_ = std::move(map);
  for (int i = 0; i < kPartitions; ++i) {
    const Endpoint* const endpoint = map_.Owner(PartitionSlot(static_cast<Partition>(i)));
    owners_[i] = endpoint == nullptr ? nullptr : Reach(*endpoint);
  }
  for (const auto& [address, known] : nodes_) {
    known.node->set_partitions(std::count(owners_.begin(), owners_.end(), known.node));
  }
  PublishMap();
}

void NodeMap::TellReplaced(std::vector<std::string> addresses) {
  std::sort(addresses.begin(), addresses.end());
  addresses.erase(std::unique(addresses.begin(), addresses.end()), addresses.end());
  for (const std::string& address : addresses) {
    ++switches_;
    listener_.OnNodeChanged(address, "it is the primary in place of another one");
  }
}

// Else slots were moved, which loses nothing. A primary without slots is in no map, so the last
// move of all looks like a failover, which costs snapshots and nothing else.
bool NodeMap::IsFailover(const SlotMap& after, const Endpoint& from, const Endpoint& to) const {
  return !IsPrimary(after, from) || IsReplica(told_, from, to);
}

void NodeMap::Learn(uint16_t slot, const Endpoint& primary) {
  const Endpoint* const known = map_.Owner(slot);
  if (closed_ || (known != nullptr && *known == primary)) return Doubt(primary);
  SlotMap map = map_;
  if (!map.Assign(slot, primary).ok()) return Doubt();
  // One that was never met may be a replica that the map did not have yet.
  const bool stranger = !IsPrimary(told_, primary) && !nodes_.contains(EndpointText(primary));
  const bool failover = stranger || (known != nullptr && IsReplica(told_, *known, primary));
  SetOwners(std::move(map));
  if (failover) TellReplaced({EndpointText(primary)});
  Doubt(primary);
}

void NodeMap::Doubt(const std::optional<Endpoint>& better) {
  const std::shared_ptr<MapSource> from = source();
  if (!closed_ && from != nullptr) from->Doubt(better);
}

// --- nodes ---

std::shared_ptr<Node> NodeMap::Reach(const Endpoint& endpoint) {
  const auto found = nodes_.find(EndpointText(endpoint));
  if (found != nodes_.end()) {
    found->second.seen = maps_;
    return found->second.node;
  }
  // What left and is not gone yet counts, too.
  if (closed_ || nodes_.size() >= 2 * kMaxClusterNodes) return nullptr;
  std::shared_ptr<Node> node = Meet(endpoint);
  nodes_[node->address()] = {node, 0, maps_};
  Publish();
  return node;
}

std::shared_ptr<Node> NodeMap::Meet(const Endpoint& endpoint) {
  Node::Hooks hooks;
  // It ends with this, by Close.
  hooks.opened = [this](Node& node, Node::Life life) { Opened(node, life); };
  hooks.ended = [this](Node& node, const absl::Status& cause) { Ended(node, cause); };
  hooks.guard = [this](const Node& node, ConnectionOptions& to_open) {
    return SetGuard(node, to_open);
  };
  return Node::Create(context_, clock_, random_, options_.pool, endpoint, ++last_number_,
                      std::move(hooks));
}

void NodeMap::Drop(const std::shared_ptr<Node>& node) {
  const auto found = nodes_.find(node->address());
  if (found == nodes_.end() || found->second.node != node) return;  // It was dropped already.
  nodes_.erase(found);
  node->Close(Gone("it is not the primary any more"));
  SetOwners(std::move(map_));
  Publish();
  Doubt();
}

void NodeMap::Use(const std::shared_ptr<Node>& node) {
  const auto found = nodes_.find(node->address());
  if (found != nodes_.end() && found->second.node == node) ++found->second.uses;
}

void NodeMap::EndUse(const std::shared_ptr<Node>& node) {
  const auto found = nodes_.find(node->address());
  if (found == nodes_.end() || found->second.node != node) return;
  --found->second.uses;
  found->second.seen = std::max(found->second.seen, maps_);
}

// Those that serve nothing.
void NodeMap::LetGo() {
  std::vector<std::shared_ptr<Node>> gone;
  for (const auto& [address, known] : nodes_) {
    const bool serves = IsPrimary(map_, known.node->endpoint());
    const bool may_come = known.uses > 0 || known.seen + kMapsToKeep > maps_;
    if (serves || (may_come && options_.farewell == Farewell::kWhenUnused)) continue;
    gone.push_back(known.node);
  }
  for (const std::shared_ptr<Node>& node : gone) {
    nodes_.erase(node->address());
    node->Close(Gone("it serves nothing any more"));
  }
  if (!gone.empty()) Publish();
}

std::vector<std::shared_ptr<Node>> NodeMap::Nodes() const {
  std::vector<std::shared_ptr<Node>> nodes;
  for (const auto& [address, known] : nodes_) nodes.push_back(known.node);
  std::sort(nodes.begin(), nodes.end(),
            [](const auto& a, const auto& b) { return a->number() < b->number(); });
  return nodes;
}

bool NodeMap::Ready() const {
  const Node* last = nullptr;  // Neighbours often have the same owner.
  return std::all_of(owners_.begin(), owners_.end(), [&](const std::shared_ptr<Node>& owner) {
    if (owner != nullptr && owner.get() == last) return true;
    last = owner.get();
    return owner != nullptr && owner->open();
  });
}

void NodeMap::WhenReady(absl::AnyInvocable<void() &&> ready) {
  ready_.push_back(std::move(ready));
  TellReady();
}

void NodeMap::TellReady() {
  if (closed_ || ready_.empty() || !Ready()) return;
  for (auto& ready : std::exchange(ready_, {})) std::move(ready)();
}

void NodeMap::Close(const absl::Status& cause) {
  if (std::exchange(closed_, true)) return;
  ready_.clear();
  const std::shared_ptr<MapSource> from = source();
  if (from != nullptr) from->Close();
  for (const std::shared_ptr<Node>& node : Nodes()) node->Close(cause);
}

std::vector<NodeStats> NodeMap::Stats() const {
  std::vector<std::shared_ptr<Node>> nodes;
  std::shared_ptr<const SlotMap> map;
  {
    absl::MutexLock lock(&mutex_);
    nodes = published_;
    map = published_map_;
  }
  std::vector<NodeStats> stats;
  stats.reserve(nodes.size());
  for (const std::shared_ptr<Node>& node : nodes) {
    stats.push_back(node->Stats());
    if (map != nullptr) stats.back().slots = map->SlotsOf(node->endpoint());
  }
  return stats;
}

RoutingStats NodeMap::Routing() const {
  const std::shared_ptr<MapSource> from = source();
  RoutingStats stats = from == nullptr ? RoutingStats() : from->Stats();
  stats.switches = switches_;
  return stats;
}

void NodeMap::SetSource(std::shared_ptr<MapSource> source) {
  absl::MutexLock lock(&mutex_);
  source_ = std::move(source);
}

std::shared_ptr<MapSource> NodeMap::source() const {
  absl::MutexLock lock(&mutex_);
  return source_;
}

void NodeMap::Publish() {
  std::vector<std::shared_ptr<Node>> nodes = Nodes();
  absl::MutexLock lock(&mutex_);
  published_ = std::move(nodes);
}

void NodeMap::PublishMap() {
  auto map = std::make_shared<const SlotMap>(map_);
  absl::MutexLock lock(&mutex_);
  published_map_ = std::move(map);
}

// --- events of a node ---

bool NodeMap::SetGuard(const Node& node, ConnectionOptions& options) const {
  if (!options_.guard.key) return true;
  options.guard_value = options_.guard.expected;
  for (int i = 0; i < kPartitions; ++i) {
    if (owners_[i].get() != &node) continue;
    options.guard_key = options_.guard.key(static_cast<Partition>(i));
    return true;
  }
  return false;
}

void NodeMap::Opened(Node& node, Node::Life life) {
  if (life == Node::Life::kAnother) {
    listener_.OnNodeChanged(node.address(), "the server at this address was started anew");
  }
  // It counts as open as soon as this returns.
  asio::post(context_, [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->TellReady();
  });
}

void NodeMap::TellGuardRefused(const Node& node) {
  if (!closed_) listener_.OnGuardRefused(node.address());
}

void NodeMap::Ended(Node& node, const absl::Status& cause) {
  if (base::ReasonOf(cause) == base::Reason::kNotOwner) {
    return TellGuardRefused(node);
  }
  if (!node.open()) Doubt();
}

}  // namespace tarn::storage::redis
