#include "storage/redis/link.h"

#include "storage/redis/routed_link.h"

namespace tarn::storage::redis {

std::shared_ptr<Link> MakeLink(asio::io_context& context, const base::Clock& clock,
                               base::RandomSource& random, const LinkOptions& options,
                               LinkListener& listener) {
  LinkOptions with_replicas = options;
  with_replicas.pool.wait_replicas = options.url.wait_replicas;
  switch (options.url.topology) {
    case Topology::kStandalone:
      break;
    case Topology::kSentinel:
      return MakeSentinelLink(context, clock, random, with_replicas, listener);
    case Topology::kCluster:
      return MakeClusterLink(context, clock, random, with_replicas, listener);
  }
  return MakeStandaloneLink(context, clock, random, with_replicas, listener);
}

}  // namespace tarn::storage::redis
