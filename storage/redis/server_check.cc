#include "storage/redis/server_check.h"

#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "storage/base/status.h"

namespace tarn::storage::redis {
namespace {

// The value of a line "name:value" of INFO.
absl::string_view InfoField(absl::string_view info, absl::string_view name) {
  for (const absl::string_view line : absl::StrSplit(info, absl::ByAnyChar("\r\n"))) {
    if (absl::StartsWith(line, name)) return line.substr(name.size());
  }
  return "";
}

absl::Status CheckEviction(const std::vector<Reply>& memory) {
  for (const Reply& reply : memory) {
    const absl::string_view policy = InfoField(reply.view().text(), "maxmemory_policy:");
    if (policy == "noeviction") continue;
    return absl::FailedPreconditionError(absl::StrCat(
        "Redis has maxmemory-policy ", policy,
        ": it would delete state without a word when its memory is full. Set noeviction"));
  }
  return absl::OkStatus();
}

std::string WhoElseHasIt(int wait_replicas) {
  if (wait_replicas == 0) return "a failover may lose it";
  return absl::StrCat(wait_replicas, wait_replicas == 1 ? " replica has it" : " replicas have it");
}

}  // namespace

absl::StatusOr<std::string> CheckServers(Asking& asking, const RedisUrl& url, Eviction eviction) {
  if (eviction == Eviction::kRefused) {
    TARN_ASSIGN_OR_RETURN(const std::vector<Reply> memory, asking.AskAll({"INFO", "memory"}));
    TARN_RETURN_IF_ERROR(CheckEviction(memory));
  }
  TARN_ASSIGN_OR_RETURN(const std::vector<Reply> persistence,
                        asking.AskAll({"INFO", "persistence"}));
  bool logged = true;
  for (const Reply& reply : persistence) {
    logged = logged && InfoField(reply.view().text(), "aof_enabled:") == "1";
  }
  return absl::StrCat(
      "An acknowledged write survives what Redis survives: ",
      logged ? "its append-only file is on, and appendfsync decides"
             : "its append-only file is off, so a crash loses what came after the last snapshot",
      "; ", WhoElseHasIt(url.wait_replicas), ".");
}

}  // namespace tarn::storage::redis
