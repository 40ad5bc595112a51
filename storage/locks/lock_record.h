// How locks and groups are kept: each as an entry of the system namespace, which is there as long
// as somebody holds the lock, or the group has an epoch.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "storage/base/clock.h"
#include "storage/revision.h"

namespace tarn::storage {

enum class LockKind : uint8_t {
  kLock,
  kGroup,  // Held by whoever raised its epoch, for ever.
};

struct LockName {
  LockKind kind = LockKind::kLock;
  std::string ns;
  std::string name;
};

struct LockRecord {
  Revision token = 0;  // 0: the entry's own revision, which whoever wrote it could not know yet.
  std::string holder;
  std::string request_id;
  base::UnixMs acquire_time = 0;
  // When it ends, in three ways: by Tarn's clock, and since the start of the machine with that id.
  base::UnixMs deadline = base::kNever;
  std::string boot_id;
  int64_t deadline_since_boot_ms = 0;
  // What was added to the deadline because the machine was started anew; at most once in a grant.
  int64_t grace_ms = 0;
};

// All keys of locks and groups begin so.
inline constexpr absl::string_view kLockKeyPrefix = "~lock/";
inline constexpr absl::string_view kGroupKeyPrefix = "~group/";

// The prefix, the namespace, a slash, the name.
std::string LockKey(LockKind kind, absl::string_view ns, absl::string_view name);
// Nothing when it is the key of neither a lock nor a group.
std::optional<LockName> ParseLockKey(absl::string_view key);

// A version byte, integers and strings; see the golden bytes in the tests.
std::string EncodeLockRecord(const LockRecord& record);

// DATA_LOSS when it is anything but what the encoder makes; FAILED_PRECONDITION when it has a
// version that this program does not know.
absl::StatusOr<LockRecord> DecodeLockRecord(absl::string_view bytes);

}  // namespace tarn::storage
