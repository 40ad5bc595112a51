// Why a lock is not given, not kept, or does not let a write through.
#pragma once

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "storage/limits.h"
#include "storage/locks/locks.h"

namespace tarn::storage {

// In errors that speak of somebody else's lock or group: who has it. Never leaves the process as it
// is: the server makes ErrorInfo.metadata["holder"] of it.
inline constexpr absl::string_view kHolderPayload = "tarn.holder";

// INVALID_LOCK unless it has 1 to Limits.max_lock_name_bytes bytes. `what`, for people: "lock".
absl::Status CheckLockName(absl::string_view what, absl::string_view name, const Limits& limits);
absl::Status CheckToken(Revision token);
// INVALID_TTL.
absl::Status CheckLockTtl(int64_t ttl_ms, const Limits& limits);
absl::Status CheckLockRequest(const LockRequest& request, const Limits& limits);

absl::Status LockNotHeld(absl::string_view name);
absl::Status LockHeldByAnother(absl::string_view name, absl::string_view holder,
                               absl::string_view how);
// Nobody has the lock: `holder` is empty.
absl::Status LockFenced(absl::string_view name, absl::string_view holder);
absl::Status GroupFenced(absl::string_view name, absl::string_view member);

}  // namespace tarn::storage
