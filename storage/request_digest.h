// Tells whether two requests are the same.
#pragma once

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "storage/base/checksum.h"
#include "storage/batch.h"

namespace tarn::storage {

// Of what a caller asks for: namespace, mode, and of each operation its kind, key, value or delta,
// precondition and TTL, as they were sent and not as the Store resolves them. Kept in receipts.
base::Hash128 RequestDigest(absl::string_view ns, BatchMode mode,
                            absl::Span<const Operation> operations);

}  // namespace tarn::storage
