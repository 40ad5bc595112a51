#include "storage/request_digest.h"

#include <string>

#include "storage/base/coding.h"

namespace tarn::storage {
namespace {

// Longer values are hashed by themselves instead of being copied.
constexpr size_t kMaxCopiedBytes = 256;

void AppendHash(std::string* canonical, const base::Hash128& hash) {
  base::AppendFixed64(canonical, hash.high);
  base::AppendFixed64(canonical, hash.low);
}

// The length comes first, so what follows it is known.
void AppendValue(std::string* canonical, absl::string_view value) {
  if (value.size() <= kMaxCopiedBytes) return base::AppendLengthPrefixed(canonical, value);
  base::AppendVarint64(canonical, value.size());
  AppendHash(canonical, base::Checksum128(value));
}

void AppendOperation(std::string* canonical, const Operation& operation) {
  canonical->push_back(static_cast<char>(operation.kind));
  canonical->push_back(static_cast<char>(operation.precondition.kind));
  canonical->push_back(static_cast<char>(operation.ttl.kind));
  base::AppendFixed64(canonical, operation.precondition.revision);
  base::AppendFixed64(canonical, static_cast<uint64_t>(operation.ttl.milliseconds));
  base::AppendFixed64(canonical, static_cast<uint64_t>(operation.delta));
  base::AppendLengthPrefixed(canonical, operation.key);
  AppendValue(canonical, operation.value);
}

}  // namespace

// NOTE: persisted; a receipt is recognised by it after an upgrade too.
base::Hash128 RequestDigest(absl::string_view ns, BatchMode mode,
                            absl::Span<const Operation> operations) {
  std::string canonical;
  base::AppendLengthPrefixed(&canonical, ns);
  canonical.push_back(static_cast<char>(mode));
  base::AppendVarint64(&canonical, operations.size());
  for (const Operation& operation : operations) AppendOperation(&canonical, operation);
  return base::Checksum128(canonical);
}

}  // namespace tarn::storage
