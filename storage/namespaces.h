// What a namespace is and where its settings live.
#pragma once

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "storage/base/clock.h"
#include "storage/batch.h"
#include "storage/usage.h"

namespace tarn::storage {

// The namespace of requests that name none. It always exists.
inline constexpr absl::string_view kDefaultNamespace = "default";

// NOTE: persisted; do not change the values.
enum class Placement : uint8_t {
  kSpread = 1,    // Over all partitions of an engine that has some.
  kTogether = 2,  // In one partition, so that any of its keys can be in one atomic batch.
};

struct NamespaceSettings {
  int64_t default_ttl_ms = 0;  // 0: entries do not expire unless their write says so.
  Quota quota;
  Placement placement = Placement::kSpread;
};

struct NamespaceInfo {
  std::string name;
  NamespaceId id = 0;
  NamespaceSettings settings;
  base::UnixMs create_time = 0;
  Revision revision =
      0;  // Of the last change of its settings; changes may be made conditional on it.
  Usage usage;
};

}  // namespace tarn::storage
