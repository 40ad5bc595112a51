// The Lua scripts that run inside Redis. Each checks everything first and writes last, so that an
// error it raises means that nothing was written. Numbers of 64 bits are bytes of fixed width, or
// decimal text that Lua never computes with.
#pragma once

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace tarn::storage::redis {

struct Script {
  explicit Script(absl::string_view text);

  const std::string source;
  const std::string sha1;  // 40 hexadecimal digits, as Redis knows it.
};

// Reads several entries at one moment.
//   KEYS  entries
//   ARGV  1 bytes of records that may be returned for 'f', 2 the same for 'p', 3 one letter a key:
//         'h' the header, 'a' the header and a few bytes, 'f' or 'p' all of it, but where that were
//         more bytes than may be, only the headers of all with that letter
// Gives, for each key, "" or the length of its record (4 bytes) and what was asked of it.
const Script& ReadScript();
inline constexpr size_t kReadSomeBytes = 41;  // What 'a' returns at most.

// Changes several entries, if all of them are what they are expected to be.
//   KEYS  for each change: entry, index, deadlines; behind them, where something is deleted: the
//         newest revision of what is gone
//   ARGV  for each change: the header expected ("" for none), then
//         'S' a record, to be stored in its place
//         'A' bytes, to be appended
//         'T' nothing, only the header changes
//         'D' nothing, it is deleted
//         the new header (A and T), the milliseconds of PX or "", the index' member, the deadline
//         or
//         "" when there is none (D: anything when there was one); behind them, where something is
//         deleted: the revision, 8 bytes big-endian
// Gives 0 when all is done, or the number of the first that was not as expected; then nothing is.
const Script& CommitScript();

// Removes what has expired, and what is only in an index, and puts deadlines right.
//   KEYS  index, deadlines, the newest revision of what is gone, entries
//   ARGV  the time, and for each entry its member
// Gives for each entry the length of the record that was removed, or 0.
const Script& SweepScript();

// Takes the store if it is as it was seen: KEYS owner record, heartbeat; ARGV both as seen ("" for
// none), and both anew. Gives 1 or 0.
const Script& AcquireScript();

// Renews the heartbeat of who still is the owner: KEYS and ARGV owner record, heartbeat. Gives 1 or
// 0, and both as they were before.
const Script& BeatScript();

// Raises the owner record of one partition: KEYS and ARGV owner record. 1, or 0 when it names a
// later owner.
const Script& RaiseScript();

// The source of all of them, to be loaded into each server.
std::vector<std::string> AllScripts();

}  // namespace tarn::storage::redis
