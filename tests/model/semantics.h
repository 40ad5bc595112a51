// What the documentation says one operation does, written a second time: from batch.h, not from the
// daemon's code.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "storage/batch.h"
#include "storage/limits.h"
#include "tests/contract/language.h"

namespace tarn::testing {

struct Entry {
  std::string value;
  Revision revision = 0;
  UnixMs deadline = kNever;
};

inline bool IsLive(const Entry& entry, UnixMs now) {
  return entry.deadline == kNever || now < entry.deadline;
}

// What follows for the entry and for the caller.
struct Verdict {
  enum class Change : uint8_t { kNothing, kWrite, kErase };
  Change change = Change::kNothing;
  Entry after;    // kWrite; its revision is the commit's.
  Answer answer;  // A mutation's revision is 0 here if it changes nothing, and else the commit's.
};

// `live` is what the key holds, nullptr when that is nothing or has expired. `revision` is the
// commit's.
Verdict Judge(const storage::Operation& operation, const Entry* live, Revision revision,
              const storage::Limits& limits);

}  // namespace tarn::testing
