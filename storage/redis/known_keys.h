// Keys that are known to exist, so that overwriting one need not enter it into the index again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace tarn::storage::redis {

// A table of fixed size: what has no room is forgotten, which costs an entry into the index that
// was not needed. Keys are told apart by their 64-bit hash. Not thread-safe.
//
// The owner of a store is the only one who removes keys from it, so what it knows stays true until
// it sends a removal. Redis' own removals (garbage collection an hour after the deadline, an empty
// server coming back) are noticed by the next write, whose answer says that there was nothing.
class KnownKeys {
 public:
  static constexpr size_t kDefaultPlaces = size_t{1} << 20;  // 8 MiB.

  // `places` is a power of 2.
  explicit KnownKeys(size_t places = kDefaultPlaces) : places_(places, 0) {}

  bool Contains(uint64_t hash) const;
  void Insert(uint64_t hash);
  void Erase(uint64_t hash);
  void Clear();

 private:
  static constexpr size_t kWays = 8;  // One cache line.

  size_t SetOf(uint64_t hash) const;

  std::vector<uint64_t> places_;  // 0: free. A hash of 0 is never known.
  size_t next_victim_ = 0;
};

}  // namespace tarn::storage::redis
