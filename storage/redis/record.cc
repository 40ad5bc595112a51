#include "storage/redis/record.h"

#include <algorithm>
#include <limits>

#include "absl/strings/str_cat.h"
#include "storage/base/coding.h"

namespace tarn::storage::redis {

std::string EncodeRecord(const Record& record) {
  std::string bytes;
  bytes.reserve(kRecordHeaderBytes + record.value.size());
  bytes.push_back(kRecordVersion);
  base::AppendFixed64(&bytes, record.revision);
  base::AppendFixed64(&bytes, static_cast<uint64_t>(record.deadline));
  absl::StrAppend(&bytes, record.value);
  return bytes;
}

std::optional<Record> DecodeRecord(absl::string_view bytes) {
  if (bytes.size() < kRecordHeaderBytes || bytes.front() != kRecordVersion) return std::nullopt;
  const Revision revision = base::DecodeFixed64(bytes.data() + kRecordRevisionOffset);
  const uint64_t deadline = base::DecodeFixed64(bytes.data() + kRecordDeadlineOffset);
  constexpr auto kMaxDeadline = static_cast<uint64_t>(std::numeric_limits<base::UnixMs>::max());
  if (revision == 0 || deadline > kMaxDeadline) return std::nullopt;
  return Record{revision, static_cast<base::UnixMs>(deadline), bytes.substr(kRecordHeaderBytes)};
}

std::optional<base::UnixMs> GarbageTime(base::UnixMs deadline) {
  if (deadline == base::kNever) return std::nullopt;
  constexpr base::UnixMs kLatest = std::numeric_limits<base::UnixMs>::max() - kGarbageDelayMs;
  return std::min(deadline, kLatest) + kGarbageDelayMs;
}

}  // namespace tarn::storage::redis
