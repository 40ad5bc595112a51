// How keys and records become bytes in RocksDB. All of it is persisted: golden bytes are in the
// tests, and whatever changes here needs a new kFormatVersion.
//
//   column family   key                                    value
//   entries         namespace:4 key                        1:1 revision:8 deadline:8 value
//   expiry          deadline:8 namespace:4 key             -
//   default         "format"                               version:4
//                   "store"                                incarnation:8 store id
//                   "commit"                               revision:8
//                   "usage" namespace:4                    entries:8 bytes:8
//
// Numbers are big-endian, so that the order of the bytes is the order of the numbers.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/container/inlined_vector.h"
#include "absl/strings/string_view.h"
#include "storage/base/clock.h"
#include "storage/batch.h"
#include "storage/engine.h"
#include "storage/revision.h"
#include "storage/usage.h"

namespace tarn::storage::rocks {

// NOTE: persisted. A database of a higher version is refused.
inline constexpr uint32_t kFormatVersion = 1;

// NOTE: persisted.
inline constexpr char kEntriesFamily[] = "entries";
inline constexpr char kExpiryFamily[] = "expiry";

inline constexpr size_t kNamespaceBytes = 4;

// --- entries ---

// The namespace and the key, as `entries` orders them. Needs no allocation for keys of usual size.
class EntryKey {
 public:
  EntryKey(NamespaceId ns, absl::string_view key) : bytes_(kNamespaceBytes + key.size()) {
    Write(ns, key, bytes_.data());
  }

  static size_t Size(absl::string_view key) { return kNamespaceBytes + key.size(); }
  // `target` has room for Size(key) bytes.
  static void Write(NamespaceId ns, absl::string_view key, char* target);

  absl::string_view view() const { return {bytes_.data(), bytes_.size()}; }

 private:
  absl::InlinedVector<char, 124> bytes_;
};

struct NamespacedKey {
  NamespaceId ns = kSystemNamespace;
  absl::string_view key;
};

// Nothing when `bytes` is too short to be one.
std::optional<NamespacedKey> DecodeEntryKey(absl::string_view bytes);

// What a row of `entries` holds besides its key.
struct StoredEntry {
  Revision revision = 0;
  base::UnixMs deadline = base::kNever;
  absl::string_view value;
};

inline constexpr size_t kEntryHeaderBytes = 1 + 8 + 8;
using EntryHeader = std::array<char, kEntryHeaderBytes>;

// What stands before the value.
EntryHeader EncodeEntryHeader(Revision revision, base::UnixMs deadline);

// Nothing when the bytes are not an entry of a known form.
std::optional<StoredEntry> DecodeEntry(absl::string_view bytes);

// --- expiry ---

std::string EncodeExpiryKey(base::UnixMs deadline, absl::string_view entry_key);

// Comes after the keys of all deadlines up to `deadline`, and before all others.
std::string ExpiryBoundAfter(base::UnixMs deadline);

struct ExpiryKey {
  base::UnixMs deadline = base::kNever;
  absl::string_view entry_key;
};

std::optional<ExpiryKey> DecodeExpiryKey(absl::string_view bytes);

// --- default: what the store says of itself ---

inline constexpr absl::string_view kFormatKey = "format";
inline constexpr absl::string_view kStoreKey = "store";
inline constexpr absl::string_view kCommitKey = "commit";
inline constexpr absl::string_view kUsagePrefix = "usage";

std::string EncodeFormat(uint32_t version);
std::optional<uint32_t> DecodeFormat(absl::string_view bytes);

std::string EncodeStore(const StoreMeta& meta);
std::optional<StoreMeta> DecodeStore(absl::string_view bytes);

// The revision of the newest commit. Written with every commit.
std::string EncodeCommit(Revision revision);
std::optional<Revision> DecodeCommit(absl::string_view bytes);

std::string EncodeUsageKey(NamespaceId ns);
std::optional<NamespaceId> DecodeUsageKey(absl::string_view bytes);
std::string EncodeUsage(const Usage& usage);
std::optional<Usage> DecodeUsage(absl::string_view bytes);

}  // namespace tarn::storage::rocks
