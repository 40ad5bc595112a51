#include "storage/redis/known_keys.h"

#include <algorithm>

namespace tarn::storage::redis {

// The low bits choose the partition already.
size_t KnownKeys::SetOf(uint64_t hash) const {
  return (hash >> 16) * kWays & (places_.size() - 1) & ~(kWays - 1);
}

bool KnownKeys::Contains(uint64_t hash) const {
  const auto set = places_.begin() + static_cast<ptrdiff_t>(SetOf(hash));
  return hash != 0 && std::find(set, set + kWays, hash) != set + kWays;
}

void KnownKeys::Insert(uint64_t hash) {
  if (Contains(hash)) return;
  const auto set = places_.begin() + static_cast<ptrdiff_t>(SetOf(hash));
  const auto place = std::find(set, set + kWays, uint64_t{0});
  *(place != set + kWays ? place : set + static_cast<ptrdiff_t>(next_victim_++ % kWays)) = hash;
}

void KnownKeys::Erase(uint64_t hash) {
  const auto set = places_.begin() + static_cast<ptrdiff_t>(SetOf(hash));
  std::replace(set, set + kWays, hash, uint64_t{0});
}

void KnownKeys::Clear() { std::fill(places_.begin(), places_.end(), 0); }

}  // namespace tarn::storage::redis
