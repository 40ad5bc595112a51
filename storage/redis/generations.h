// The lives of the keyspace: which ones there may be something of, and the end of all but one.
//
//   PREFIX{TAG}g   1, then generation:4 of each that is being loaded, or is to be removed
//
// A generation is entered before its first key is written, or before it is replaced, so that
// whatever happens, the next start finds it. The current one is never removed, entered or not.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "storage/redis/core.h"
#include "storage/redis/layout.h"

namespace tarn::storage::redis {

std::string EncodeGenerations(const std::set<Generation>& generations);
std::optional<std::set<Generation>> DecodeGenerations(absl::string_view bytes);

// The loop's thread's.
class Generations : public std::enable_shared_from_this<Generations> {
 public:
  explicit Generations(Core& core) : core_(core) {}

  using Done = absl::AnyInvocable<void(const absl::Status&) &&>;

  // Reads the record, and begins to remove what an earlier life left. After the core knows which
  // generation is the current one.
  void Start(Done done);

  // A new one, entered.
  using Begun = absl::AnyInvocable<void(absl::StatusOr<Generation>) &&>;
  void Begin(Begun done);

  // Enters the current one, which is about to be replaced.
  void PrepareSwitch(Done done);

  // Removes it, step by step, in the background; what a failure leaves, the next start removes.
  // Never the current one.
  void Remove(Generation generation);

  // Being removed now.
  size_t removing() const { return removing_.size(); }

 private:
  void Enter(Generation generation, Done done);
  void Write(Done done);
  void Removed(Generation generation, const absl::Status& status);

  Core& core_;
  std::set<Generation> entered_;
  std::set<Generation> removing_;
};

}  // namespace tarn::storage::redis
