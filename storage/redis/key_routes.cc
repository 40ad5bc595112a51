#include "storage/redis/key_routes.h"

namespace tarn::storage::redis {

std::optional<ConnectionId> KeyRoutes::Acquire(absl::Span<const uint64_t> keys,
                                               ConnectionId preferred) {
  std::optional<ConnectionId> connection;
  for (const uint64_t key : keys) {
    const auto found = routes_.find(key);
    if (found == routes_.end()) continue;
    if (connection && *connection != found->second.connection) return std::nullopt;
    connection = found->second.connection;
  }
  for (const uint64_t key : keys) {
    Route& route = routes_[key];
    route.connection = connection.value_or(preferred);
    ++route.uses;
  }
  return connection.value_or(preferred);
}

void KeyRoutes::Release(absl::Span<const uint64_t> keys) {
  for (const uint64_t key : keys) {
    const auto found = routes_.find(key);
    if (--found->second.uses == 0) routes_.erase(found);
  }
}

}  // namespace tarn::storage::redis
