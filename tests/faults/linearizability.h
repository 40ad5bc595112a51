// Whether what concurrent clients were told about one key can be true: linearizability.
//
// Every acknowledged write has a revision of its own, and revisions are the order of the commits.
// So the check is a sort: each commit must be able to take effect between its call and its answer,
// after all commits of lower revisions, with each read between the commit that it saw and the next
// one. A write whose outcome is unknown may have been done at any time since it was called, once,
// or never; a write that was refused was never done.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

namespace tarn::testing {

enum class CallKind : uint8_t { kGet, kPut, kDelete, kTake, kIncrement };

enum class Fate : uint8_t {
  kDone,
  kRefused,   // It was not done.
  kMismatch,  // It was not done, since what it expected was not so.
  kUnknown,
};

// What a write expects of the entry.
struct Expectation {
  enum class Kind : uint8_t { kNothing, kAbsent, kRevision };
  Kind kind = Kind::kNothing;
  uint64_t revision = 0;
};

// One call, and what was told of it. Values that are put are unique among all calls of the key;
// increments add 1 each; a key is either put or incremented.
struct Call {
  CallKind kind = CallKind::kGet;
  int64_t begin = 0;  // By one clock for all clients.
  int64_t end = 0;
  Fate fate = Fate::kDone;
  Expectation expects;
  bool found = false;     // Get, delete, take: there was an entry.
  std::string value;      // What was put, or what was read, taken, or the sum.
  uint64_t revision = 0;  // Of the commit; of what was read.
};

// Whether writes that were not acknowledged may be seen and then be lost, as in a failover to a
// replica that does not have them. Those that were acknowledged may not.
enum class Unacknowledged : uint8_t { kStays, kMayVanish };

// Why the calls, all of one key that nobody had written to before, cannot have gone as they were
// told; nothing when they can.
std::optional<std::string> FindAnomaly(const std::vector<Call>& calls,
                                       Unacknowledged seen = Unacknowledged::kStays);

// For messages: "increment [12, 40] = 7 at revision 5".
std::string Show(const Call& call);

}  // namespace tarn::testing
