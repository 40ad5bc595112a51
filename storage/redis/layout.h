// How Tarn's keys are named in Redis. All of it is persisted: golden bytes are in the tests, and
// whatever changes here needs a new kFormatVersion.
//
//   key                                              type    holds
//   PREFIX{TAG}v generation namespace key            string  one entry: see record.h
//   PREFIX{TAG}i generation                          zset    members namespace:4 key, all scores 0
//   PREFIX{TAG}l generation 0 or 1                   list    members on their way there:
//   index_log.h PREFIX{TAG}x generation                          zset    the same members, scored
//   by deadline PREFIX{TAG}r generation                          string  the newest revision of
//   what is gone PREFIX{TAG}o                                     string  who may write this
//   partition PREFIX{TAG}h                                     string  its sign of life, in
//   kStorePartition PREFIX{TAG}f                                     string  the format record, in
//   kStorePartition PREFIX{TAG}m                                     string  what the store says of
//   itself, there PREFIX{TAG}g                                     string  what is to be removed
//   one day, there
//
// Records: store_records.h. TAG is the partition's (partition.h). Generation and namespace are
// varints in names, where each byte is paid for with every entry, and 4 bytes big-endian in
// members, where they must sort. A restore writes a new generation beside the old one. Names are
// never used as patterns, so a user's key may hold any bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "storage/batch.h"
#include "storage/redis/partition.h"
#include "storage/revision.h"

namespace tarn::storage::redis {

// NOTE: persisted. A store of a higher version is refused.
// Version 1 had no lists of members.
inline constexpr uint32_t kFormatVersion = 2;

inline constexpr absl::string_view kDefaultKeyPrefix = "tarn";
// It is part of every name.
inline constexpr size_t kMaxKeyPrefixBytes = 64;

// Which life of the keyspace; 1 is the first, a restore starts the next.
using Generation = uint32_t;

struct EntryName {
  Generation generation = 0;
  NamespaceId ns = kSystemNamespace;
  absl::string_view key;

  friend bool operator==(const EntryName&, const EntryName&) = default;
};

struct IndexMember {
  NamespaceId ns = kSystemNamespace;
  absl::string_view key;

  friend bool operator==(const IndexMember&, const IndexMember&) = default;
};

// Names for one key prefix. Immutable.
class Layout {
 public:
  // INVALID_ARGUMENT unless the prefix is 1 to kMaxKeyPrefixBytes letters, digits, '.', ':', '-' or
  // '_': a brace would change the slot, and the pattern of an ACL must mean the prefix alone.
  static absl::StatusOr<Layout> Create(absl::string_view prefix);

  std::string Entry(Partition partition, const EntryName& name) const;
  std::string Index(Partition partition, Generation generation) const;
  // `half`: 0 or 1.
  std::string IndexLog(Partition partition, Generation generation, int half) const;
  std::string Deadlines(Partition partition, Generation generation) const;
  std::string Removals(Partition partition, Generation generation) const;
  std::string Owner(Partition partition) const;
  std::string Heartbeat() const;
  std::string Format() const;
  std::string Meta() const;
  std::string Generations() const;

  // Takes an entry's name apart; nothing when it is none of this prefix and partition. Views
  // `name`.
  std::optional<EntryName> ParseEntry(Partition partition, absl::string_view name) const;

  // What every name begins with and no other prefix's does: the pattern of an ACL, less its '*'.
  std::string Start() const { return prefix_ + "{"; }

 private:
  explicit Layout(absl::string_view prefix) : prefix_(prefix) {}

  std::string Name(Partition partition, char kind) const;

  std::string prefix_;
};

// Ordered as the entries are: by namespace, then by key.
std::string EncodeIndexMember(const IndexMember& member);
// Nothing when `bytes` is too short to be one. Views `bytes`.
std::optional<IndexMember> DecodeIndexMember(absl::string_view bytes);

}  // namespace tarn::storage::redis
