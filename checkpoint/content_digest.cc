#include "checkpoint/content_digest.h"

#include "absl/strings/str_cat.h"
#include "storage/base/coding.h"

namespace tarn::checkpoint {

void ContentDigest::Add(absl::string_view ns, const storage::EntryView& entry) {
  buffer_.clear();
  base::AppendFixed32(&buffer_, static_cast<uint32_t>(ns.size()));
  base::AppendFixed32(&buffer_, static_cast<uint32_t>(entry.key.size()));
  base::AppendFixed64(&buffer_, static_cast<uint64_t>(entry.deadline));
  absl::StrAppend(&buffer_, ns, entry.key, entry.value);
  Add(base::Checksum128(buffer_));
}

void ContentDigest::Add(const base::Hash128& other) {
  const uint64_t low = sum_.low + other.low;
  sum_.high += other.high + (low < sum_.low ? 1 : 0);
  sum_.low = low;
}

std::string ToHex(const base::Hash128& digest) {
  return absl::StrCat(absl::Hex(digest.high, absl::kZeroPad16),
                      absl::Hex(digest.low, absl::kZeroPad16));
}

}  // namespace tarn::checkpoint
