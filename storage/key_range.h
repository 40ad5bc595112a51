// From what a caller says to the range an engine walks.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "storage/limits.h"
#include "storage/snapshot.h"
#include "storage/store.h"

namespace tarn::storage {

// The first key behind all that begin with `prefix`; empty when there is none.
std::string PrefixEnd(absl::string_view prefix);

// INVALID_RANGE, as KeyBounds says.
absl::StatusOr<KeyRange> ToKeyRange(NamespaceId ns, const KeyBounds& bounds, const Limits& limits);

// What is left of `range` behind `key`, in that direction.
KeyRange RangeBehind(const KeyRange& range, absl::string_view key, ScanDirection direction);

bool Contains(const KeyRange& range, absl::string_view key);

}  // namespace tarn::storage
