// The names of all reasons: the server's, which a test compares with proto/tarn/v1/errors.proto,
// and libtarn's own.
#pragma once

#include <span>
#include <string_view>

#include "tarn/error.h"

namespace tarn::internal {

struct NamedReason {
  Reason reason;
  std::string_view name;
};

std::span<const NamedReason> ServerReasons();
std::span<const NamedReason> OwnReasons();

// ErrorInfo.domain of either.
inline constexpr std::string_view kServerDomain = "tarn";
inline constexpr std::string_view kOwnDomain = "libtarn";

}  // namespace tarn::internal
