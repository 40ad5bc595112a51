#include "storage/resume_token.h"

#include <optional>

#include "absl/strings/str_cat.h"
#include "storage/base/checksum.h"
#include "storage/base/coding.h"
#include "storage/base/error.h"

namespace tarn::storage {
namespace {

constexpr char kVersion = 1;
constexpr size_t kChecksumBytes = sizeof(uint64_t);

}  // namespace

absl::Status InvalidResumeToken(absl::string_view why) {
  return base::MakeError(absl::StatusCode::kInvalidArgument, base::Reason::kInvalidResumeToken,
                         absl::StrCat("the resume token ", why, "; begin the scan anew"));
}

ResumeTokenCodec::ResumeTokenCodec(absl::string_view store_id)
    : seed_(base::Checksum64(store_id)) {}

std::string ResumeTokenCodec::Encode(const ResumeToken& token) const {
  std::string bytes(1, kVersion);
  base::AppendFixed64(&bytes, token.session);
  base::AppendFixed32(&bytes, token.ns);
  base::AppendFixed64(&bytes, token.request_digest);
  base::AppendLengthPrefixed(&bytes, token.last_key);
  base::AppendFixed64(&bytes, base::Checksum64(bytes, seed_));
  return bytes;
}

absl::StatusOr<ResumeToken> ResumeTokenCodec::Decode(absl::string_view bytes) const {
  constexpr absl::string_view kNotIssued = "was not issued by this store";
  if (bytes.size() <= kChecksumBytes || bytes[0] != kVersion) return InvalidResumeToken(kNotIssued);
  const absl::string_view checked = bytes.substr(0, bytes.size() - kChecksumBytes);
  if (base::DecodeFixed64(bytes.data() + checked.size()) != base::Checksum64(checked, seed_)) {
    return InvalidResumeToken(kNotIssued);
  }
  absl::string_view rest = checked.substr(1);
  const auto session = base::ConsumeFixed64(&rest);
  const auto ns = base::ConsumeFixed32(&rest);
  const auto digest = base::ConsumeFixed64(&rest);
  const auto last_key = base::ConsumeLengthPrefixed(&rest);
  if (!session || !ns || !digest || !last_key || !rest.empty()) {
    return InvalidResumeToken(kNotIssued);
  }
  return ResumeToken{.session = *session,
                     .ns = *ns,
                     .request_digest = *digest,
                     .last_key = std::string(*last_key)};
}

uint64_t DigestOfScan(absl::string_view ns_name, const KeyRange& range,
                      const ScanOptions& options) {
  std::string bytes;
  base::AppendLengthPrefixed(&bytes, ns_name);
  base::AppendLengthPrefixed(&bytes, range.start);
  base::AppendLengthPrefixed(&bytes, range.end);
  bytes.push_back(static_cast<char>(options.direction));
  bytes.push_back(static_cast<char>(options.content));
  return base::Checksum64(bytes);
}

}  // namespace tarn::storage
