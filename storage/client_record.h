// How it is kept that a client id was issued: as an entry of the system namespace.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "storage/base/clock.h"
#include "storage/revision.h"

namespace tarn::storage {

// All keys of these entries begin so; what follows is the id.
inline constexpr absl::string_view kClientKeyPrefix = "client/";

// Its revision becomes the next client id.
inline constexpr absl::string_view kLastClientKey = "last-client";

struct ClientRecord {
  std::string store_id;  // Where it was issued: ids mean nothing to another store.
  base::UnixMs issue_time = 0;
  uint64_t floor = 1;  // The lowest request id of which it is known whether it was used.
};

std::string ClientKey(Revision client);
// Nothing when it is not the key of a client's record.
std::optional<Revision> ParseClientKey(absl::string_view key);

// A version byte, the store's id with its length, then integers; see the golden bytes in the tests.
std::string EncodeClientRecord(const ClientRecord& record);

// DATA_LOSS when it is anything but what the encoder makes; FAILED_PRECONDITION when it has a
// version that this program does not know.
absl::StatusOr<ClientRecord> DecodeClientRecord(absl::string_view bytes);

}  // namespace tarn::storage
