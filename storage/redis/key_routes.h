// Which connection each key's commands go to, so that they keep their order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "absl/container/flat_hash_map.h"
#include "absl/types/span.h"

namespace tarn::storage::redis {

// One life of a connection: what takes its place is another one.
using ConnectionId = uint64_t;

// A key moves to another connection only when nothing of it is in flight. Keys are told apart by a
// hash: two that share one share a connection, which is never wrong. Not thread-safe.
class KeyRoutes {
 public:
  // The connection on which all these keys may go out now, counted as in flight there: the one
  // where some of them are in flight already, else `preferred`. Nothing, and nothing is counted,
  // when they are in flight on several: then they must wait.
  std::optional<ConnectionId> Acquire(absl::Span<const uint64_t> keys, ConnectionId preferred);

  // Of the same keys, once for each Acquire, when it is known what became of them.
  void Release(absl::Span<const uint64_t> keys);

  // Keys in flight.
  size_t size() const { return routes_.size(); }

 private:
  struct Route {
    ConnectionId connection = 0;
    int uses = 0;
  };

  absl::flat_hash_map<uint64_t, Route> routes_;
};

}  // namespace tarn::storage::redis
