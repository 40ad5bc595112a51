// What stands in the lists of members in Redis (index_log.h).
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "storage/redis/layout.h"
#include "storage/redis/partition.h"

namespace tarn::storage::redis {

struct Core;

struct LoggedMember {
  Partition partition = 0;  // Whose index it belongs to.
  std::string member;

  friend bool operator==(const LoggedMember&, const LoggedMember&) = default;
};

// NOTE: persisted. One byte for the partition, then the member.
std::string EncodeLogged(const LoggedMember& logged);
// Nothing when `bytes` is too short to be one.
std::optional<LoggedMember> DecodeLogged(absl::string_view bytes);

// Of each of the two lists, in the order of appending.
using LoggedMembers = std::array<std::vector<LoggedMember>, 2>;

// Reads the two lists that are kept in one partition. What is not a member is left out. The loop's
// thread's.
void ReadLoggedMembers(Core& core, Partition list, Generation generation,
                       absl::AnyInvocable<void(absl::StatusOr<LoggedMembers>) &&> done);

// Puts what stands in the lists of all partitions into the indexes, and removes the lists. Nobody
// appends to them meanwhile. The loop's thread's.
void MoveLoggedMembers(Core& core, Generation generation,
                       absl::AnyInvocable<void(const absl::Status&) &&> done);

}  // namespace tarn::storage::redis
