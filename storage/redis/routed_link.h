// A link over nodes that come and go: Sentinel and Cluster.
#pragma once

#include <functional>
#include <memory>

#include "storage/redis/link.h"
#include "storage/redis/map_sources.h"

namespace tarn::storage::redis {

// A partition goes where the newest map says. A key goes there only once nothing of it is under way
// elsewhere: until then its lease is refused as kElsewhere. In a cluster, what a node sends away is
// sent on in the order of the key's commands (see KeyLines): MOVED corrects the map, ASK does not,
// TRYAGAIN is asked again for a while. With Sentinels, a switch or READONLY ends every connection
// to the old primary.
//
// A connection to a node that serves none of the partitions finds no guard there. Before the first
// command is sent to such a node, the guard is read where it is: what was named before that is
// killed by whoever changes it later.
using MakeSource = std::function<std::shared_ptr<MapSource>(TakeMap take)>;
std::shared_ptr<Link> MakeRoutedLink(asio::io_context& context, const base::Clock& clock,
                                     base::RandomSource& random, const LinkOptions& options,
                                     LinkListener& listener, MakeSource make_source);

// The same, as the URL says.
std::shared_ptr<Link> MakeSentinelLink(asio::io_context& context, const base::Clock& clock,
                                       base::RandomSource& random, const LinkOptions& options,
                                       LinkListener& listener);
std::shared_ptr<Link> MakeClusterLink(asio::io_context& context, const base::Clock& clock,
                                      base::RandomSource& random, const LinkOptions& options,
                                      LinkListener& listener);

}  // namespace tarn::storage::redis
