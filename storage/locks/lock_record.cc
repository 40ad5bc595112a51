#include "storage/locks/lock_record.h"

#include <limits>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "storage/base/coding.h"
#include "storage/base/error.h"

namespace tarn::storage {
namespace {

constexpr char kVersion = 1;

absl::Status Damaged() {
  return base::MakeError(absl::StatusCode::kDataLoss, base::Reason::kDataLoss,
                         "the record of a lock is damaged");
}

std::optional<int64_t> ConsumeNumber(absl::string_view* input) {
  const std::optional<uint64_t> number = base::ConsumeVarint64(input);
  if (!number || *number > uint64_t{std::numeric_limits<int64_t>::max()}) return std::nullopt;
  return static_cast<int64_t>(*number);
}

std::optional<std::string> ConsumeText(absl::string_view* input) {
  const std::optional<absl::string_view> text = base::ConsumeLengthPrefixed(input);
  if (!text) return std::nullopt;
  return std::string(*text);
}

}  // namespace

std::string LockKey(LockKind kind, absl::string_view ns, absl::string_view name) {
  return absl::StrCat(kind == LockKind::kLock ? kLockKeyPrefix : kGroupKeyPrefix, ns, "/", name);
}

std::optional<LockName> ParseLockKey(absl::string_view key) {
  LockName parsed;
  if (absl::ConsumePrefix(&key, kGroupKeyPrefix))
    parsed.kind = LockKind::kGroup;
  else if (!absl::ConsumePrefix(&key, kLockKeyPrefix))
    return std::nullopt;
  const size_t slash = key.find('/');  // No namespace has one in its name.
  if (slash == absl::string_view::npos) return std::nullopt;
  parsed.ns = std::string(key.substr(0, slash));
  parsed.name = std::string(key.substr(slash + 1));
  return parsed;
}

std::string EncodeLockRecord(const LockRecord& record) {
  std::string bytes(1, kVersion);
  const auto append = [&bytes](int64_t number) {
    base::AppendVarint64(&bytes, static_cast<uint64_t>(number));
  };
  base::AppendVarint64(&bytes, record.token);
  append(record.acquire_time);
  append(record.deadline);
  append(record.deadline_since_boot_ms);
  append(record.grace_ms);
  base::AppendLengthPrefixed(&bytes, record.boot_id);
  base::AppendLengthPrefixed(&bytes, record.holder);
  base::AppendLengthPrefixed(&bytes, record.request_id);
  return bytes;
}

absl::StatusOr<LockRecord> DecodeLockRecord(absl::string_view bytes) {
  if (bytes.empty()) return Damaged();
  if (bytes[0] != kVersion) {
    return absl::FailedPreconditionError(absl::StrCat(
        "the record of a lock has format version ", static_cast<unsigned char>(bytes[0]),
        ", this program knows version ", int{kVersion}, " only"));
  }
  bytes.remove_prefix(1);
  const auto token = base::ConsumeVarint64(&bytes);
  const auto acquire_time = ConsumeNumber(&bytes);
  const auto deadline = ConsumeNumber(&bytes);
  const auto since_boot = ConsumeNumber(&bytes);
  const auto grace = ConsumeNumber(&bytes);
  auto boot_id = ConsumeText(&bytes);
  auto holder = ConsumeText(&bytes);
  auto request_id = ConsumeText(&bytes);
  if (!token || !acquire_time || !deadline || !since_boot || !grace || !boot_id || !holder ||
      !request_id || !bytes.empty()) {
    return Damaged();
  }
  return LockRecord{.token = *token,
                    .holder = *std::move(holder),
                    .request_id = *std::move(request_id),
                    .acquire_time = *acquire_time,
                    .deadline = *deadline,
                    .boot_id = *std::move(boot_id),
                    .deadline_since_boot_ms = *since_boot,
                    .grace_ms = *grace};
}

}  // namespace tarn::storage
