// The words of Tarn as C++ values: what an entry is, and what a call may say about lifetime,
// present state and ranges.
//
// Keys and values are arbitrary bytes. A key has 1 byte or more; a value may be empty. Keys are
// ordered as strings of unsigned bytes. The largest sizes are announced by
// AdminClient::GetServerInfo.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

namespace tarn {

// Strictly increasing over the whole store, never reused. 0 = none.
using Revision = uint64_t;

// Wall time by Tarn's clock, to the millisecond.
using Timestamp = std::chrono::time_point<std::chrono::system_clock, std::chrono::milliseconds>;

// How long an entry lives, counted from the commit of the write that carries it.
class Ttl {
 public:
  enum class Kind { kDefault, kNever, kDuration };

  // Says nothing. A put, and an increment or append that creates its entry, take the namespace's
  // default; increment and append on an existing entry keep its deadline; touch is refused
  // (INVALID_TTL).
  constexpr Ttl() = default;

  // The entry never expires, whatever the namespace's default is.
  static constexpr Ttl Never() { return Ttl(Kind::kNever, std::chrono::milliseconds(0)); }

  // The entry expires after this span, which must be positive (else INVALID_TTL).
  static constexpr Ttl Of(std::chrono::milliseconds span) { return Ttl(Kind::kDuration, span); }

  constexpr Kind kind() const { return kind_; }
  constexpr std::chrono::milliseconds span() const { return span_; }  // Of kDuration.

  friend constexpr bool operator==(const Ttl&, const Ttl&) = default;

 private:
  constexpr Ttl(Kind kind, std::chrono::milliseconds span) : kind_(kind), span_(span) {}

  Kind kind_ = Kind::kDefault;
  std::chrono::milliseconds span_{0};
};

// What must be true of the key for an operation to run. A violated precondition changes nothing.
class Precondition {
 public:
  enum class Kind { kNone, kAbsent, kPresent, kRevision };

  constexpr Precondition() = default;

  // There is no entry. Else FAILED_PRECONDITION, ALREADY_EXISTS.
  static constexpr Precondition Absent() { return Precondition(Kind::kAbsent, 0); }

  // There is an entry. Else FAILED_PRECONDITION, KEY_NOT_FOUND.
  static constexpr Precondition Present() { return Precondition(Kind::kPresent, 0); }

  // There is an entry and this is its revision, which is not 0. Else, a missing entry included,
  // ABORTED, REVISION_MISMATCH. It never creates an entry.
  static constexpr Precondition AtRevision(Revision revision) {
    return Precondition(Kind::kRevision, revision);
  }

  constexpr Kind kind() const { return kind_; }
  constexpr Revision revision() const { return revision_; }  // Of kRevision.

  friend constexpr bool operator==(const Precondition&, const Precondition&) = default;

 private:
  constexpr Precondition(Kind kind, Revision revision) : kind_(kind), revision_(revision) {}

  Kind kind_ = Kind::kNone;
  Revision revision_ = 0;
};

// What must hold for a write to land (else FAILED_PRECONDITION, FENCED): see tarn/lock.h. The lock
// and the group are of the write's namespace.
struct WriteFence {
  std::string lock;
  Revision token = 0;  // The lock is held under it; 0 = no matter.
  std::string group;
  Revision epoch = 0;  // It is the group's present one; 0 = no matter.

  friend bool operator==(const WriteFence&, const WriteFence&) = default;
};

// Some keys of a namespace: those with a prefix, or those in [start, end). Without any field: all
// of them. Prefix together with a bound, or start after end, is INVALID_ARGUMENT, INVALID_RANGE.
struct KeyRange {
  std::string prefix;
  std::string start;  // Inclusive; empty = from the first key.
  std::string end;    // Exclusive; empty = to the last key.

  static KeyRange All() { return {}; }
  static KeyRange Prefix(std::string prefix) { return {std::move(prefix), {}, {}}; }
  static KeyRange Between(std::string start, std::string end) {
    return {{}, std::move(start), std::move(end)};
  }

  bool is_all() const { return prefix.empty() && start.empty() && end.empty(); }

  friend bool operator==(const KeyRange&, const KeyRange&) = default;
};

// One key with its value, as found by a scan.
struct Entry {
  std::string key;
  std::string value;  // Empty when the scan asked for keys only.
  Revision revision = 0;
  std::optional<Timestamp> expire_time;  // None = never.

  friend bool operator==(const Entry&, const Entry&) = default;
};

}  // namespace tarn
