#include "storage/namespace_record.h"

#include <algorithm>
#include <limits>
#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "storage/base/coding.h"
#include "storage/base/error.h"

namespace tarn::storage {
namespace {

using base::MakeError;
using base::Reason;

constexpr char kVersion = 1;
constexpr size_t kMaxNameBytes = 63;

absl::Status Damaged() {
  return MakeError(absl::StatusCode::kDataLoss, Reason::kDataLoss,
                   "the record of a namespace is damaged");
}

// A number that fits a signed one.
std::optional<int64_t> ConsumeNumber(absl::string_view* input) {
  const std::optional<uint64_t> number = base::ConsumeVarint64(input);
  if (!number || *number > uint64_t{std::numeric_limits<int64_t>::max()}) return std::nullopt;
  return static_cast<int64_t>(*number);
}

bool IsPlacement(int64_t number) {
  return number == static_cast<int64_t>(Placement::kSpread) ||
         number == static_cast<int64_t>(Placement::kTogether);
}

bool StartsName(char c) { return absl::ascii_islower(c) || absl::ascii_isdigit(c); }
bool ContinuesName(char c) { return StartsName(c) || c == '.' || c == '_' || c == '-'; }

}  // namespace

std::string NamespaceKey(absl::string_view name) { return absl::StrCat(kNamespaceKeyPrefix, name); }

std::string EncodeNamespaceRecord(const NamespaceRecord& record) {
  std::string bytes(1, kVersion);
  const auto append = [&bytes](int64_t number) {
    base::AppendVarint64(&bytes, static_cast<uint64_t>(number));
  };
  append(record.id);
  append(record.settings.default_ttl_ms);
  append(record.settings.quota.max_entries);
  append(record.settings.quota.max_bytes);
  append(static_cast<int64_t>(record.settings.placement));
  append(record.create_time);
  return bytes;
}

absl::StatusOr<NamespaceRecord> DecodeNamespaceRecord(absl::string_view bytes) {
  if (bytes.empty()) return Damaged();
  if (bytes[0] != kVersion) {
    return absl::FailedPreconditionError(absl::StrCat(
        "the record of a namespace has format version ", static_cast<unsigned char>(bytes[0]),
        ", this program knows version ", int{kVersion}, " only"));
  }
  bytes.remove_prefix(1);
  const auto id = ConsumeNumber(&bytes);
  const auto default_ttl_ms = ConsumeNumber(&bytes);
  const auto max_entries = ConsumeNumber(&bytes);
  const auto max_bytes = ConsumeNumber(&bytes);
  const auto placement = ConsumeNumber(&bytes);
  const auto create_time = ConsumeNumber(&bytes);
  if (!id || !default_ttl_ms || !max_entries || !max_bytes || !placement || !create_time ||
      !bytes.empty()) {
    return Damaged();
  }
  if (*id == kSystemNamespace || *id >= int64_t{kNowhere} || !IsPlacement(*placement)) {
    return Damaged();
  }
  return NamespaceRecord{
      .id = static_cast<NamespaceId>(*id),
      .settings = {.default_ttl_ms = *default_ttl_ms,
                   .quota = {.max_entries = *max_entries, .max_bytes = *max_bytes},
                   .placement = static_cast<Placement>(*placement)},
      .create_time = *create_time,
  };
}

absl::Status CheckNamespaceName(absl::string_view name) {
  const bool valid = !name.empty() && name.size() <= kMaxNameBytes && StartsName(name[0]) &&
                     std::all_of(name.begin(), name.end(), ContinuesName);
  if (valid) return absl::OkStatus();
  return MakeError(absl::StatusCode::kInvalidArgument, Reason::kInvalidNamespaceName,
                   "the name of a namespace must match [a-z0-9][a-z0-9._-]{0,62}");
}

absl::Status CheckNamespaceSettings(const NamespaceSettings& settings, const Limits& limits) {
  if (settings.default_ttl_ms < 0 || settings.default_ttl_ms > limits.max_ttl_ms) {
    return MakeError(absl::StatusCode::kInvalidArgument, Reason::kInvalidTtl,
                     absl::StrCat("the default TTL must be 0 (none) to ", limits.max_ttl_ms,
                                  " ms, not ", settings.default_ttl_ms));
  }
  if (settings.quota.max_entries < 0 || settings.quota.max_bytes < 0) {
    return MakeError(absl::StatusCode::kInvalidArgument, Reason::kInvalidRequest,
                     "a quota must not be negative");
  }
  if (!IsPlacement(static_cast<int64_t>(settings.placement))) {
    return MakeError(absl::StatusCode::kInvalidArgument, Reason::kInvalidRequest,
                     "the placement must be spread or together");
  }
  return absl::OkStatus();
}

}  // namespace tarn::storage
