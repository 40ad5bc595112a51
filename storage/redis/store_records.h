// What a store says of itself in Redis. All of it is persisted: golden bytes are in the tests.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "storage/engine.h"
#include "storage/redis/layout.h"

namespace tarn::storage::redis {

// Numbers are big-endian and of fixed width. A version byte comes first in each record but the
// format's, which is one.

// PREFIX{TAG}f: version:4.
std::string EncodeFormat(uint32_t version);
// FAILED_PRECONDITION (NEWER_FORMAT) when a newer program has written it, DATA_LOSS when it is
// none.
absl::Status CheckFormat(absl::string_view bytes);

// PREFIX{TAG}m: 1, incarnation:8 generation:4 store id:32. Setting it is the one step in which a
// restored generation takes the place of the one before.
struct MetaRecord {
  StoreMeta meta;
  Generation generation = 1;
};
std::string EncodeMeta(const MetaRecord& record);
absl::StatusOr<MetaRecord> DecodeMeta(absl::string_view bytes);  // DATA_LOSS

// PREFIX{TAG}o: 1, epoch:8 token:16. Whoever finds its own token in it may write the partition.
struct OwnerRecord {
  uint64_t epoch = 0;  // Of who came later it is higher.
  std::string token;   // kTokenBytes random bytes.

  friend bool operator==(const OwnerRecord&, const OwnerRecord&) = default;
};
inline constexpr size_t kTokenBytes = 16;
std::string EncodeOwner(const OwnerRecord& record);
std::optional<OwnerRecord> DecodeOwner(absl::string_view bytes);

// PREFIX{TAG}h: 1, state:1 epoch:8 beat:8 revision:8 holder, and, if there is one, ' ' and its
// name.
struct Heartbeat {
  enum class State : uint8_t { kAlive = 1, kReleased = 2 };  // NOTE: persisted.
  State state = State::kAlive;
  uint64_t epoch = 0;
  uint64_t beat = 0;      // Rises.
  Revision revision = 0;  // The newest that was committed by then.
  std::string holder;     // Of the same holder there is one process at a time. Without spaces.
  std::string name;       // For people: where that process is.
};
std::string EncodeHeartbeat(const Heartbeat& heartbeat);
std::optional<Heartbeat> DecodeHeartbeat(absl::string_view bytes);

}  // namespace tarn::storage::redis
