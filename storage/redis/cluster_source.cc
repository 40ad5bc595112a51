#include <algorithm>
#include <utility>
#include <vector>

#include "storage/base/logging.h"
#include "storage/redis/command.h"
#include "storage/redis/inquiry.h"
#include "storage/redis/map_sources.h"
#include <asio/post.hpp>

namespace tarn::storage::redis {
namespace {

constexpr int64_t kConnectTimeoutMs = 1000;
// Nodes tell themselves when something has moved; this finds new replicas, and new addresses.
constexpr int64_t kPollIntervalMs = 10'000;
// In one round, and in the list of those to ask: a cluster of hundreds is not asked through.
constexpr size_t kMaxAsked = 16;

// The loop's thread's.
class ClusterSource final : public MapSource, public std::enable_shared_from_this<ClusterSource> {
 public:
  ClusterSource(std::vector<Endpoint> seeds, TakeMap take)
      : seeds_(std::move(seeds)), take_(std::move(take)) {}

  void Start(asio::io_context& context, const base::Clock& clock, base::RandomSource& random,
             const InquiryOptions& options) {
    inquiry_ =
        Inquiry::Create(context, clock, random, options,
                        {[weak = weak_from_this()] {
                           const auto self = weak.lock();
                           return self == nullptr ? std::vector<Endpoint>() : self->Candidates();
                         },
                         [weak = weak_from_this()](const Endpoint& asked, ReplyView reply) {
                           const auto self = weak.lock();
                           return self == nullptr || self->TakeReply(asked, reply);
                         }});
  }

  void Doubt(const std::optional<Endpoint>& better) override {
    if (better) better_ = better;
    inquiry_->Ask();
  }

  void Close() override {
    closed_ = true;
    inquiry_->Close();
  }

  RoutingStats Stats() const override {
    RoutingStats stats;
    stats.questions = inquiry_->Stats().rounds;
    stats.unanswered = inquiry_->Stats().failed;
    return stats;
  }

 private:
  // Who was said to know, who was met, and who the operator named.
  std::vector<Endpoint> Candidates() {
    std::vector<Endpoint> candidates;
    if (better_) candidates.push_back(*std::exchange(better_, std::nullopt));
    // Another one first each time: one that is cut off from the others would be believed for ever.
    if (!met_.empty()) {
      std::rotate(met_.begin(), met_.begin() + ++turn_ % met_.size(), met_.end());
    }
    AddTo(candidates, met_);
    AddTo(candidates, seeds_);
    return candidates;
  }

  static void AddTo(std::vector<Endpoint>& candidates, const std::vector<Endpoint>& more) {
    for (const Endpoint& endpoint : more) {
      if (candidates.size() == kMaxAsked) return;
      const bool there =
          std::find(candidates.begin(), candidates.end(), endpoint) != candidates.end();
      if (!there) candidates.push_back(endpoint);
    }
  }

  // A map without a slot is that of a node which was never, or is no more, in a cluster.
  bool TakeReply(const Endpoint& asked, ReplyView reply) {
    absl::StatusOr<SlotMap> map = ParseClusterSlots(reply, asked);
    if (!map.ok()) {
      base::LogWarning("Redis at ", EndpointText(asked), ": ", map.status().message());
      return false;
    }
    if (map->nodes().empty()) return false;
    met_.clear();
    for (const SlotMap::Node& node : map->nodes()) met_.push_back(node.primary);
    if (!closed_) take_(*std::move(map));
    return true;
  }

  const std::vector<Endpoint> seeds_;
  const TakeMap take_;
  std::shared_ptr<Inquiry> inquiry_;
  std::vector<Endpoint> met_;
  size_t turn_ = 0;
  std::optional<Endpoint> better_;
  bool closed_ = false;
};

}  // namespace

std::shared_ptr<MapSource> MakeClusterSource(asio::io_context& context, const base::Clock& clock,
                                             base::RandomSource& random, const RedisUrl& url,
                                             const ConnectionOptions& connection, TakeMap take) {
  InquiryOptions options;
  options.connection.transport = connection.transport;
  options.connection.user = connection.user;
  options.connection.password = connection.password;
  options.connection.connect_timeout_ms = kConnectTimeoutMs;
  options.command = FormatCommand({"CLUSTER", "SLOTS"});
  options.poll_interval_ms = kPollIntervalMs;
  auto source = std::make_shared<ClusterSource>(url.hosts, std::move(take));
  source->Start(context, clock, random, options);
  return source;
}

}  // namespace tarn::storage::redis
