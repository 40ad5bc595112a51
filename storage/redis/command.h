// A command as Redis reads it.
#pragma once

#include <string>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace tarn::storage::redis {

// Its words, any bytes each; at least one.
std::string FormatCommand(absl::Span<const absl::string_view> words);

// Whether a formatted command touches, or may touch, several keys.
bool TouchesSeveralKeys(absl::string_view command);

}  // namespace tarn::storage::redis
