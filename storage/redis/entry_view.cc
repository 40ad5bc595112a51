#include "storage/redis/entry_view.h"

#include "absl/strings/str_cat.h"
#include "storage/base/error.h"

namespace tarn::storage::redis {

absl::Status DamagedRecord() {
  return base::MakeError(absl::StatusCode::kDataLoss, base::Reason::kDataLoss,
                         "Redis holds something else than an entry under an entry's name");
}

absl::StatusOr<Found> FoundIn(std::optional<absl::string_view> record, base::UnixMs now) {
  if (!record) return Found{};
  const std::optional<Record> decoded = DecodeRecord(*record);
  if (!decoded) return DamagedRecord();
  if (base::HasExpired(decoded->deadline, now)) return Found{};
  return Found{true, decoded->revision, decoded->deadline, decoded->value};
}

absl::Status ResponseTooLarge(const Limits& limits) {
  return base::MakeError(
      absl::StatusCode::kInvalidArgument, base::Reason::kResponseTooLarge,
      absl::StrCat("the answer would have more than ", limits.max_response_bytes, " bytes"));
}

}  // namespace tarn::storage::redis
