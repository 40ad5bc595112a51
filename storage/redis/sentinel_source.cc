#include <utility>

#include "storage/redis/map_sources.h"
#include "storage/redis/sentinel_watch.h"

namespace tarn::storage::redis {
namespace {

// A Sentinel that is away costs less than a server that is: there are others.
constexpr int64_t kConnectTimeoutMs = 1000;

ConnectionOptions ToSentinels(const RedisUrl& url, const ConnectionOptions& connection) {
  ConnectionOptions options;
  options.transport = connection.transport;
  options.user = url.sentinel_user;
  options.password = url.sentinel_password;
  options.connect_timeout_ms = kConnectTimeoutMs;
  return options;
}

SlotMap AllOf(const Endpoint& primary) {
  SlotMap map;
  for (int slot = 0; slot < kSlots; ++slot) {
    // One node is never too many.
    map.Assign(static_cast<uint16_t>(slot), primary).IgnoreError();
  }
  return map;
}

class SentinelSource final : public MapSource {
 public:
  explicit SentinelSource(std::shared_ptr<SentinelWatch> watch) : watch_(std::move(watch)) {}

  void Doubt(const std::optional<Endpoint>&) override { watch_->Doubt(); }
  void Close() override { watch_->Close(); }

  RoutingStats Stats() const override {
    const SentinelWatchStats watch = watch_->Stats();
    RoutingStats stats;
    stats.questions = watch.questions;
    stats.unanswered = watch.unanswered;
    stats.sentinels = watch.subscribed;
    return stats;
  }

 private:
  const std::shared_ptr<SentinelWatch> watch_;
};

}  // namespace

std::shared_ptr<MapSource> MakeSentinelSource(asio::io_context& context, const base::Clock& clock,
                                              base::RandomSource& random, const RedisUrl& url,
                                              const ConnectionOptions& connection, TakeMap take) {
  SentinelWatchOptions options;
  options.sentinels = url.hosts;
  options.master = url.master;
  options.connection = ToSentinels(url, connection);
  return std::make_shared<SentinelSource>(SentinelWatch::Create(
      context, clock, random, options,
      [take = std::move(take)](const Endpoint& primary) { take(AllOf(primary)); }));
}

}  // namespace tarn::storage::redis
