// What a scan gives its caller so that it can be continued.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "storage/batch.h"
#include "storage/snapshot.h"

namespace tarn::storage {

struct ResumeToken {
  uint64_t session = 0;         // Which kept snapshot.
  NamespaceId ns = 0;           // The number that the namespace's name had.
  uint64_t request_digest = 0;  // DigestOfScan of the request it was given for.
  std::string last_key;         // The scan goes on behind it.
};

// Makes and reads the tokens of one store. The bytes are a version, the fields, and a checksum that
// depends on the store's id; so a token that was changed, or comes from another store, is noticed.
class ResumeTokenCodec {
 public:
  explicit ResumeTokenCodec(absl::string_view store_id);

  std::string Encode(const ResumeToken& token) const;

  // INVALID_RESUME_TOKEN for anything that Encode did not make.
  absl::StatusOr<ResumeToken> Decode(absl::string_view bytes) const;

 private:
  const uint64_t seed_;
};

// The same for two requests exactly when one may continue the other: the same namespace by name,
// range, direction and content.
uint64_t DigestOfScan(absl::string_view ns_name, const KeyRange& range, const ScanOptions& options);

absl::Status InvalidResumeToken(absl::string_view why);

}  // namespace tarn::storage
