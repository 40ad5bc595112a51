// What a restore needs of the daemon around the store.
#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "storage/store.h"

namespace tarn::server {

// Thread-safe.
class StoreHost {
 public:
  virtual ~StoreHost() = default;

  // The world is told that nothing is served for a moment, and that it is again.
  virtual void Suspend() = 0;
  virtual void Resume() = 0;

  // Another store on the engine, for the door.
  virtual absl::StatusOr<std::unique_ptr<storage::Store>> OpenStore(
      const storage::StoreMeta& meta) = 0;
};

}  // namespace tarn::server
