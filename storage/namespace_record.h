// How a namespace's settings are kept: as an entry of the system namespace.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "storage/limits.h"
#include "storage/namespaces.h"

namespace tarn::storage {

// All keys of these entries begin so; what follows is the name.
inline constexpr absl::string_view kNamespaceKeyPrefix = "ns/";

// Numbers that no namespace has: the system's, and one that nothing is ever written to, in which
// what is not there can be read.
inline constexpr NamespaceId kNowhere = UsageLedger::kMaxNamespaceIds - 1;

struct NamespaceRecord {
  NamespaceId id = 0;
  NamespaceSettings settings;
  base::UnixMs create_time = 0;
};

std::string NamespaceKey(absl::string_view name);

// A version byte, then integers; see the golden bytes in the tests.
std::string EncodeNamespaceRecord(const NamespaceRecord& record);

// DATA_LOSS when it is anything but what the encoder makes; FAILED_PRECONDITION when it has a
// version that this program does not know.
absl::StatusOr<NamespaceRecord> DecodeNamespaceRecord(absl::string_view bytes);

// INVALID_NAMESPACE_NAME unless it matches [a-z0-9][a-z0-9._-]{0,62}.
absl::Status CheckNamespaceName(absl::string_view name);

// INVALID_TTL, or INVALID_REQUEST for a negative quota and an unknown placement.
absl::Status CheckNamespaceSettings(const NamespaceSettings& settings, const Limits& limits);

}  // namespace tarn::storage
