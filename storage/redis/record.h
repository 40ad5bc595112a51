// The one value that holds all of an entry: value, revision and deadline are set by one command and
// can never disagree.
//
//   version:1  revision:8  deadline:8  value
//
// Numbers are big-endian and of fixed width, so that a Lua script cuts them out by position and
// compares revisions as strings for equality: as Lua numbers, which are doubles, they would lose
// their last bits, and Lua's order of strings depends on the server's locale. All of it is
// persisted: golden bytes are in the tests.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "storage/base/clock.h"
#include "storage/revision.h"

namespace tarn::storage::redis {

// NOTE: persisted, in the first byte of each record.
inline constexpr char kRecordVersion = 1;
inline constexpr size_t kRecordRevisionOffset = 1;
inline constexpr size_t kRecordDeadlineOffset = 9;
inline constexpr size_t kRecordHeaderBytes = 17;

struct Record {
  Revision revision = 0;
  base::UnixMs deadline = base::kNever;
  absl::string_view value;

  friend bool operator==(const Record&, const Record&) = default;
};

// `record.deadline` is not negative.
std::string EncodeRecord(const Record& record);

// Nothing when the bytes are not a record of a known version: too short, no revision, a deadline
// that no encoder writes. Views `bytes`.
std::optional<Record> DecodeRecord(absl::string_view bytes);

// How long Redis keeps what has expired before it collects it by itself. The deadline in the record
// decides, by Tarn's clock; this only cleans up behind an owner that never came back, and must
// outlast any difference between the two clocks.
inline constexpr int64_t kGarbageDelayMs = 3'600'000;

// The PXAT of a record with that deadline; nothing for one that never expires.
std::optional<base::UnixMs> GarbageTime(base::UnixMs deadline);

}  // namespace tarn::storage::redis
