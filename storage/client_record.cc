#include "storage/client_record.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "storage/base/coding.h"
#include "storage/base/error.h"

namespace tarn::storage {
namespace {

constexpr char kVersion = 1;

absl::Status Damaged() {
  return base::MakeError(absl::StatusCode::kDataLoss, base::Reason::kDataLoss,
                         "the record of a client is damaged");
}

}  // namespace

std::string ClientKey(Revision client) {
  std::string key(kClientKeyPrefix);
  base::AppendFixed64(&key, client);
  return key;
}

std::optional<Revision> ParseClientKey(absl::string_view key) {
  if (!absl::ConsumePrefix(&key, kClientKeyPrefix) || key.size() != sizeof(Revision)) {
    return std::nullopt;
  }
  return base::DecodeFixed64(key.data());
}

std::string EncodeClientRecord(const ClientRecord& record) {
  std::string bytes(1, kVersion);
  base::AppendLengthPrefixed(&bytes, record.store_id);
  base::AppendVarint64(&bytes, static_cast<uint64_t>(record.issue_time));
  base::AppendVarint64(&bytes, record.floor);
  return bytes;
}

absl::StatusOr<ClientRecord> DecodeClientRecord(absl::string_view bytes) {
  if (bytes.empty()) return Damaged();
  if (bytes[0] != kVersion) {
    return absl::FailedPreconditionError(
        absl::StrCat("the record of a client has format version ", static_cast<uint8_t>(bytes[0]),
                     ", this program knows version ", int{kVersion}, " only"));
  }
  bytes.remove_prefix(1);
  const auto store_id = base::ConsumeLengthPrefixed(&bytes);
  const auto issue_time = base::ConsumeVarint64(&bytes);
  const auto floor = base::ConsumeVarint64(&bytes);
  if (!store_id || !issue_time || !floor || !bytes.empty()) return Damaged();
  return ClientRecord{.store_id = std::string(*store_id),
                      .issue_time = static_cast<base::UnixMs>(*issue_time),
                      .floor = *floor};
}

}  // namespace tarn::storage
