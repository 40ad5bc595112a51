// Moves members from a list into indexes.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "storage/redis/core.h"
#include "storage/redis/partition.h"

namespace tarn::storage::redis {

// The commands that put members into an index, none of which keeps Redis for long. They cost least
// when the members are sorted.
void AppendAddCommands(absl::string_view index, absl::Span<const absl::string_view> members,
                       std::vector<std::string>& commands);

struct FoldPlan {
  // Whether what add_commands gives is all that the list may hold, wherever it is sent now. Asked
  // before anything is sent, before the list is removed, and once more when it is.
  std::function<bool()> is_complete;
  // What puts its members into the indexes; may be done twice.
  std::function<std::vector<std::string>()> add_commands;
};

// Sends these one behind the other, so that nothing else waits for long, and removes `list` when
// all are done: on one connection, because another server than the one that has the members may
// still have the list. ABORTED when the plan is not complete any more. After an error the list may
// still be there, but its members are nowhere less than before. The loop's thread's. Of a list that
// does not grow any more.
void SendFold(Core& core, Partition partition, std::string list, FoldPlan plan,
              absl::AnyInvocable<void(const absl::Status&) &&> done);

}  // namespace tarn::storage::redis
