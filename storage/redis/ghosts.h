// Members of indexes that have no entry.
#pragma once

#include <cstddef>
#include <memory>

#include "storage/redis/core.h"
#include "storage/redis/index_scan.h"

namespace tarn::storage::redis {

// Whoever reads ranges reports what an index named and was not there, and it is taken out, if it
// still is not. Ghosts cost scans time and are harmless otherwise, so some are let go when there
// are many. The loop's thread's.
class Ghosts {
 public:
  // So many are being removed at a time; what is reported beyond is forgotten.
  static constexpr size_t kMaxUnderWay = 64;

  explicit Ghosts(Core& core) : core_(core) {}

  void Report(const Place& place);

 private:
  Core& core_;
  const std::shared_ptr<size_t> under_way_ = std::make_shared<size_t>(0);
};

}  // namespace tarn::storage::redis
