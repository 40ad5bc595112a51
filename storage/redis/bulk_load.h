// Builds the generation that is to replace the one in use.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "storage/engine.h"
#include "storage/redis/core.h"
#include "storage/redis/generations.h"
#include "storage/usage.h"

namespace tarn::storage::redis {

// Called on the loop's thread, once the switch is done.
using OnPublished = std::function<void(const StoreMeta& meta)>;

// Commands are put together on the callers' threads and sent by the loop's.
class RedisBulkLoad final : public BulkLoad {
 public:
  // Waits; on any thread but the loop's. All outlives it.
  static absl::StatusOr<std::unique_ptr<BulkLoad>> Begin(Core& core, Generations& generations,
                                                         OnPublished published);

  RedisBulkLoad(Core& core, Generations& generations, Generation generation, OnPublished published);
  ~RedisBulkLoad() override;

  void SetPlacement(NamespaceId ns, Placement placement) override;
  absl::Status Add(absl::Span<const EntryView> entries) override;
  absl::Status Publish(const StoreMeta& meta) override;

 private:
  // What was added, in numbers.
  struct Totals {
    std::map<NamespaceId, Usage> usage;
    Revision newest = 0;
  };
  // Commands of one partition; in one Redis that has all of them, of all.
  struct Parcel {
    Partition partition = 0;
    std::vector<std::string> commands;
    size_t bytes = 0;
  };
  class Packer;
  struct Traffic;

  std::vector<Parcel> Pack(absl::Span<const EntryView> entries) const;
  void Merge(absl::Span<const EntryView> entries);
  absl::Status Send(Parcel parcel);
  absl::Status WriteMeta(const StoreMeta& meta);
  void Switch(const StoreMeta& meta);

  Core& core_;
  Generations& generations_;
  const Generation generation_;
  const OnPublished published_;
  const std::unique_ptr<Placements> placements_;
  const std::shared_ptr<Traffic> traffic_;  // Outlives the load while something is under way.
  bool switched_ = false;

  absl::Mutex mutex_;
  Totals totals_ ABSL_GUARDED_BY(mutex_);
  std::map<NamespaceId, Placement> placed_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace tarn::storage::redis
