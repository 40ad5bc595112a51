// What an answer of Redis says of an entry.
#pragma once

#include <optional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "storage/base/clock.h"
#include "storage/evaluate.h"
#include "storage/redis/record.h"

namespace tarn::storage::redis {

// The live entry in a record; one that has expired is as good as none. DATA_LOSS when it is no
// record. Views it.
absl::StatusOr<Found> FoundIn(std::optional<absl::string_view> record, base::UnixMs now);

absl::Status DamagedRecord();

// RESPONSE_TOO_LARGE.
absl::Status ResponseTooLarge(const Limits& limits);

}  // namespace tarn::storage::redis
