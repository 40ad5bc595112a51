#include "storage/redis/store_records.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "storage/base/coding.h"
#include "storage/base/error.h"

namespace tarn::storage::redis {
namespace {

constexpr char kVersion = 1;
constexpr size_t kStoreIdBytes = 32;

std::string Begin() { return std::string(1, kVersion); }

bool TakeVersion(absl::string_view& bytes) {
  if (bytes.empty() || bytes.front() != kVersion) return false;
  bytes.remove_prefix(1);
  return true;
}

absl::Status Damaged(absl::string_view what) {
  return base::MakeError(absl::StatusCode::kDataLoss, base::Reason::kDataLoss,
                         absl::StrCat("Redis holds something else than ", what, " of a store"));
}

}  // namespace

std::string EncodeFormat(uint32_t version) {
  std::string bytes;
  base::AppendFixed32(&bytes, version);
  return bytes;
}

absl::Status CheckFormat(absl::string_view bytes) {
  const std::optional<uint32_t> version = base::ConsumeFixed32(&bytes);
  if (!version || *version == 0 || !bytes.empty()) return Damaged("the format record");
  if (*version <= kFormatVersion) return absl::OkStatus();
  return base::MakeError(absl::StatusCode::kFailedPrecondition, base::Reason::kNewerFormat,
                         absl::StrCat("the store in Redis has format ", *version,
                                      "; this tarnd knows up to ", kFormatVersion));
}

std::string EncodeMeta(const MetaRecord& record) {
  std::string bytes = Begin();
  base::AppendFixed64(&bytes, record.meta.incarnation);
  base::AppendFixed32(&bytes, record.generation);
  absl::StrAppend(&bytes, record.meta.store_id);
  return bytes;
}

absl::StatusOr<MetaRecord> DecodeMeta(absl::string_view bytes) {
  if (!TakeVersion(bytes)) return Damaged("the meta record");
  const std::optional<uint64_t> incarnation = base::ConsumeFixed64(&bytes);
  const std::optional<uint32_t> generation = base::ConsumeFixed32(&bytes);
  if (!generation || *generation == 0 || bytes.size() != kStoreIdBytes) {
    return Damaged("the meta record");
  }
  return MetaRecord{{std::string(bytes), *incarnation}, *generation};
}

std::string EncodeOwner(const OwnerRecord& record) {
  std::string bytes = Begin();
  base::AppendFixed64(&bytes, record.epoch);
  absl::StrAppend(&bytes, record.token);
  return bytes;
}

std::optional<OwnerRecord> DecodeOwner(absl::string_view bytes) {
  if (!TakeVersion(bytes)) return std::nullopt;
  const std::optional<uint64_t> epoch = base::ConsumeFixed64(&bytes);
  if (!epoch || bytes.size() != kTokenBytes) return std::nullopt;
  return OwnerRecord{*epoch, std::string(bytes)};
}

std::string EncodeHeartbeat(const Heartbeat& heartbeat) {
  std::string bytes = Begin();
  bytes.push_back(static_cast<char>(heartbeat.state));
  base::AppendFixed64(&bytes, heartbeat.epoch);
  base::AppendFixed64(&bytes, heartbeat.beat);
  base::AppendFixed64(&bytes, heartbeat.revision);
  absl::StrAppend(&bytes, heartbeat.holder);
  if (!heartbeat.name.empty()) absl::StrAppend(&bytes, " ", heartbeat.name);
  return bytes;
}

std::optional<Heartbeat> DecodeHeartbeat(absl::string_view bytes) {
  if (!TakeVersion(bytes) || bytes.empty()) return std::nullopt;
  Heartbeat heartbeat;
  if (bytes.front() < 1 || bytes.front() > 2) return std::nullopt;
  heartbeat.state = static_cast<Heartbeat::State>(bytes.front());
  bytes.remove_prefix(1);
  const std::optional<uint64_t> epoch = base::ConsumeFixed64(&bytes);
  const std::optional<uint64_t> beat = base::ConsumeFixed64(&bytes);
  const std::optional<uint64_t> revision = base::ConsumeFixed64(&bytes);
  if (!revision) return std::nullopt;
  heartbeat.epoch = *epoch;
  heartbeat.beat = *beat;
  heartbeat.revision = *revision;
  const size_t end = std::min(bytes.find(' '), bytes.size());
  heartbeat.holder = std::string(bytes.substr(0, end));
  if (end < bytes.size()) heartbeat.name = std::string(bytes.substr(end + 1));
  return heartbeat;
}

}  // namespace tarn::storage::redis
