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

// Whether the bytes are the same; most are short, and comparing those must not cost a call.
inline bool SameBytes(absl::string_view left, absl::string_view right) {
  constexpr size_t kWord = sizeof(uint64_t);
  const auto word = [](const char* from) {
    uint64_t value;
    std::memcpy(&value, from, kWord);
    return value;
  };
  if (left.size() != right.size()) return false;
  if (left.size() - kWord > kWord) return left == right;  // Also when there is not even one word.
  const size_t last = left.size() - kWord;
  return word(left.data()) == word(right.data()) &&
         word(left.data() + last) == word(right.data() + last);
}

// A key to be found, with its hash computed once.
struct Probe {
  Probe() = default;
  Probe(NamespaceId n, absl::string_view k) : ns(n), key(k), hash(absl::HashOf(n, k)) {}

  NamespaceId ns = 0;
  absl::string_view key;
  size_t hash = 0;
};

// 16 bytes of header, 8 of deadline if there is one, the key, the value. Guarded by the mutex of
// the shard that it is in.
//
// An entry is live, or a tombstone: a key that is gone, kept while a snapshot may still ask what it
// was. An entry that was replaced while a snapshot may still ask for it becomes an image.
class Entry {
 public:
  static constexpr size_t kMaxKeyBytes = UINT16_MAX;
  static constexpr size_t kMaxValueBytes = (size_t{1} << 28) - 1;

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
  static void Delete(EntryPool& pool, Entry* entry);

  Entry(const Entry&) = delete;
  Entry& operator=(const Entry&) = delete;

  NamespaceId ns() const { return ns_; }
  Revision revision() const { return revision_; }  // Of an image, its place: see BecomeImage.
  bool is_tombstone() const { return Has(kTombstoneFlag); }
  bool has_deadline() const { return Has(kDeadlineFlag); }
  base::UnixMs deadline() const {
    if (!has_deadline()) return base::kNever;
    base::UnixMs deadline;
    std::memcpy(&deadline, body(), sizeof(deadline));
    return deadline;
  }
  absl::string_view key() const { return {key_start(), key_size_}; }
  absl::string_view value() const { return {key_start() + key_size_, value_size()}; }
  bool IsOf(const Probe& probe) const { return ns_ == probe.ns && SameBytes(key(), probe.key); }

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

  // Whether there are images of the key of an entry that is none itself.
  bool has_images() const { return Has(kHasImagesFlag); }
  void NoteImages() { size_and_flags_ |= kHasImagesFlag; }
  void ForgetImages() { size_and_flags_ &= ~kHasImagesFlag; }

  // It has been replaced. From now on it knows, instead of its revision, where that is noted; all
  // else of it stays.
  void BecomeImage(uint64_t place) {
    revision_ = place;
    size_and_flags_ = (size_and_flags_ | kImageFlag) & ~kHasImagesFlag;
  }
  bool is_image() const { return Has(kImageFlag); }
  uint64_t place() const { return revision_; }

 private:
  static constexpr size_t kCacheLineBytes = 64;
  static constexpr size_t kPrefetchBytes = 3 * kCacheLineBytes;
  static constexpr uint32_t kTombstoneFlag = 1u << 31;
  static constexpr uint32_t kDeadlineFlag = 1u << 30;
  static constexpr uint32_t kImageFlag = 1u << 29;
  static constexpr uint32_t kHasImagesFlag = 1u << 28;
  static constexpr uint32_t kSizeMask = kHasImagesFlag - 1;

  explicit Entry(const Fields& fields);

  bool Has(uint32_t flag) const { return (size_and_flags_ & flag) != 0; }

  size_t value_size() const { return size_and_flags_ & kSizeMask; }
  size_t allocated_bytes() const {
    return sizeof(Entry) + deadline_bytes() + key_size_ + value_size();
  }
  size_t deadline_bytes() const { return has_deadline() ? sizeof(base::UnixMs) : 0; }
  const char* body() const { return reinterpret_cast<const char*>(this + 1); }
  char* body() { return reinterpret_cast<char*>(this + 1); }
  const char* key_start() const { return body() + deadline_bytes(); }

  Revision revision_;  // Or the place of an image.
  uint32_t size_and_flags_;
  uint16_t ns_;
  uint16_t key_size_;
};

static_assert(sizeof(Entry) == 16,
              "a key of 16 and a value of 128 bytes fill an allocation of 160 exactly");

// The order of entries by (namespace, key), made cheap: most comparisons are decided by this number
// alone.
inline uint64_t OrderPrefix(NamespaceId ns, absl::string_view key) {
  // In one load where it can be: put together from parts, the number would be waited for.
  if (key.size() >= sizeof(uint64_t))
    return (uint64_t{ns} << 48) | (base::DecodeFixed64(key.data()) >> 16);
  char head[8] = {};
  std::memcpy(head + 2, key.data(), key.size() < 6 ? key.size() : 6);
  return (uint64_t{ns} << 48) | base::DecodeFixed64(head);
}

inline NamespaceId NamespaceOf(uint64_t prefix) { return static_cast<NamespaceId>(prefix >> 48); }

}  // namespace tarn::storage::memory
