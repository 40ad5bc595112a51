// How one entry lies in memory: everything of it in one allocation.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "absl/hash/hash.h"
#include "absl/strings/string_view.h"
#include "storage/base/clock.h"
#include "storage/base/coding.h"
#include "storage/batch.h"
#include "storage/memory/entry_pool.h"
#include "storage/memory/prefetch.h"

namespace tarn::storage::memory {

// 16 bytes of header, 8 of deadline if there is one, the key, the value. Guarded by the mutex of
// the shard that it is in.
//
// An entry is live, or a tombstone: a key that is gone, kept while a snapshot may still ask what it
// was.
class Entry {
 public:
  static constexpr size_t kMaxKeyBytes = UINT16_MAX;
  static constexpr size_t kMaxValueBytes = (size_t{1} << 30) - 1;

  enum class Kind : uint8_t { kLive, kTombstone };

  struct Fields {
    Kind kind = Kind::kLive;
    NamespaceId ns = 0;
    Revision revision = 0;
    base::UnixMs deadline = base::kNever;
    absl::string_view key;
    absl::string_view head;  // The value is `head` followed by `tail`.
    absl::string_view tail;
  };

  // Given back with Delete, to the same pool.
  static Entry* New(EntryPool& pool, const Fields& fields);
  static Entry* Clone(EntryPool& pool, const Entry& original);
  static void Delete(EntryPool& pool, Entry* entry);

  Entry(const Entry&) = delete;
  Entry& operator=(const Entry&) = delete;

  NamespaceId ns() const { return ns_; }
  Revision revision() const { return revision_; }
  bool is_tombstone() const { return (size_and_flags_ & kTombstoneFlag) != 0; }
  bool has_deadline() const { return (size_and_flags_ & kDeadlineFlag) != 0; }
  base::UnixMs deadline() const {
    if (!has_deadline()) return base::kNever;
    base::UnixMs deadline;
    std::memcpy(&deadline, body(), sizeof(deadline));
    return deadline;
  }
  absl::string_view key() const { return {key_start(), key_size_}; }
  absl::string_view value() const { return {key_start() + key_size_, value_size()}; }

  // Bytes of key and value: what quotas count. 0 for a tombstone.
  size_t data_bytes() const { return is_tombstone() ? 0 : size_t{key_size_} + value_size(); }
  // An estimate of the memory it takes, the indexes over it included.
  size_t footprint() const;

  // Has the lines of a small entry fetched into the cache.
  void Prefetch() const {
    for (size_t offset = 0; offset < kPrefetchBytes; offset += kCacheLineBytes) {
      PrefetchLine(reinterpret_cast<const char*>(this) + offset);
    }
  }

  // Whether Overwrite could store a value of that size and a deadline, or none.
  bool Fits(size_t value_size, base::UnixMs deadline) const {
    return !is_tombstone() && value_size == this->value_size() &&
           has_deadline() == (deadline != base::kNever);
  }
  // `head` and `tail` may view this entry's own value where it is.
  void Overwrite(Revision revision, base::UnixMs deadline, absl::string_view head,
                 absl::string_view tail);

 private:
  static constexpr size_t kCacheLineBytes = 64;
  static constexpr size_t kPrefetchBytes = 3 * kCacheLineBytes;
  static constexpr uint32_t kTombstoneFlag = 1u << 31;
  static constexpr uint32_t kDeadlineFlag = 1u << 30;
  static constexpr uint32_t kSizeMask = kDeadlineFlag - 1;

  explicit Entry(const Fields& fields);

  size_t value_size() const { return size_and_flags_ & kSizeMask; }
  size_t allocated_bytes() const {
    return sizeof(Entry) + deadline_bytes() + key_size_ + value_size();
  }
  size_t deadline_bytes() const { return has_deadline() ? sizeof(base::UnixMs) : 0; }
  const char* body() const { return reinterpret_cast<const char*>(this + 1); }
  char* body() { return reinterpret_cast<char*>(this + 1); }
  const char* key_start() const { return body() + deadline_bytes(); }

  Revision revision_;
  uint32_t size_and_flags_;
  uint16_t ns_;
  uint16_t key_size_;
};

static_assert(sizeof(Entry) == 16,
              "a key of 16 and a value of 128 bytes fill an allocation of 160 exactly");

// A key to be found, with its hash computed once.
struct Probe {
  Probe() = default;
  Probe(NamespaceId n, absl::string_view k) : ns(n), key(k), hash(absl::HashOf(n, k)) {}

  NamespaceId ns = 0;
  absl::string_view key;
  size_t hash = 0;
};

// The order of entries by (namespace, key), made cheap: most comparisons are decided by this number
// alone.
inline uint64_t OrderPrefix(NamespaceId ns, absl::string_view key) {
  char head[8] = {};
  std::memcpy(head + 2, key.data(), key.size() < 6 ? key.size() : 6);
  return (uint64_t{ns} << 48) | base::DecodeFixed64(head);
}

inline NamespaceId NamespaceOf(uint64_t prefix) { return static_cast<NamespaceId>(prefix >> 48); }

}  // namespace tarn::storage::memory
