// What a write carries so that it lands only while its writer is still the right one.
#pragma once

#include <optional>

#include "absl/strings/string_view.h"
#include "storage/revision.h"

namespace tarn::storage {

// A view, as Operation is.
struct FencingToken {
  absl::string_view name;  // Of a lock or a group of the write's namespace.
  Revision token = 0;
};

// Each that is set must hold.
struct WriteFence {
  std::optional<FencingToken> lock;   // Held under this token.
  std::optional<FencingToken> group;  // Of this epoch.

  bool empty() const { return !lock && !group; }
};

}  // namespace tarn::storage
