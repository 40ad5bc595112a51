// Sends what only reads, and again where that may help.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "storage/redis/core.h"
#include "storage/redis/partition.h"
#include "storage/redis/reply.h"

namespace tarn::storage::redis {

using ReadDone = absl::AnyInvocable<void(absl::StatusOr<Reply>) &&>;

// For reads that need no order among writes: see Link::Lease. Calls back once, on the loop's
// thread, perhaps at once: with a reply that is not an error, UNAVAILABLE when Redis cannot be
// reached, or what else the table of replies says (outcome.h).
void SendRead(Core& core, Partition partition, std::string command, ReadDone done);

// Waits for several answers, and for whoever sends them to have sent all. Not thread-safe.
class Gathering {
 public:
  using Done = absl::AnyInvocable<void(const absl::Status&) &&>;

  // Counts the one who sends as one more; `done` gets the first error.
  explicit Gathering(Done done) : done_(std::move(done)) {}

  void Add() { ++left_; }
  void Finish(const absl::Status& status);

 private:
  size_t left_ = 1;
  absl::Status status_;
  Done done_;
};

}  // namespace tarn::storage::redis
