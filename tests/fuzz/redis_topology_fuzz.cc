// Any bytes from a connection as what servers say of other servers: replies within their limits,
// maps in which each slot has one owner, redirects and addresses that could be connected to.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "storage/redis/outcome.h"
#include "storage/redis/reply_parser.h"
#include "storage/redis/sentinel_watch.h"
#include "storage/redis/slot_map.h"

namespace {

using tarn::storage::redis::Endpoint;
using tarn::storage::redis::IsHost;
using tarn::storage::redis::kMaxClusterNodes;
using tarn::storage::redis::kSlots;
using tarn::storage::redis::ReplyView;
using tarn::storage::redis::SlotMap;

void Require(bool truth) {
  if (!truth) std::abort();
}

void CheckEndpoint(const Endpoint& endpoint) {
  Require(IsHost(endpoint.host) && endpoint.port != 0);
}

void CheckMap(const SlotMap& map) {
  Require(map.nodes().size() <= kMaxClusterNodes);
  int served = 0;
  for (int slot = 0; slot < kSlots; ++slot) {
    const Endpoint* const owner = map.Owner(static_cast<uint16_t>(slot));
    if (owner == nullptr) continue;
    CheckEndpoint(*owner);
    ++served;
  }
  Require(served == map.slots_served());
  for (const SlotMap::Node& node : map.nodes()) {
    CheckEndpoint(node.primary);
    for (const Endpoint& replica : node.replicas) CheckEndpoint(replica);
  }
}

void CheckReply(ReplyView reply) {
  const auto map = tarn::storage::redis::ParseClusterSlots(reply, {"asked", 1});
  if (map.ok()) CheckMap(*map);
  if (const auto primary = tarn::storage::redis::ParsePrimaryAddress(reply)) {
    CheckEndpoint(*primary);
  }
  if (const auto redirect = tarn::storage::redis::ParseRedirect(reply.text())) {
    Require(redirect->slot < kSlots && redirect->endpoint.port != 0);
  }
  if (const auto primary = tarn::storage::redis::ParseSwitch(reply.text(), "m")) {
    CheckEndpoint(*primary);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  tarn::storage::redis::ReplyParser parser{tarn::storage::redis::ReplyLimits()};
  if (!parser.Feed({reinterpret_cast<const char*>(data), size}).ok()) return 0;
  for (;;) {
    const auto reply = parser.Next();
    if (!reply.ok() || !reply->has_value()) return 0;
    CheckReply((*reply)->view());
  }
}
