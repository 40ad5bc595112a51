// The bytes of a checkpoint file. docs/checkpoint-format.md is the specification; this encodes and
// decodes it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "checkpoint/compression.h"
#include "storage/base/checksum.h"
#include "storage/base/clock.h"
#include "storage/base/sha256.h"
#include "storage/revision.h"
#include "storage/snapshot.h"

namespace tarn::checkpoint {

inline constexpr absl::string_view kMagic = "TARNCKPT";
inline constexpr uint32_t kFormatVersion = 1;
inline constexpr size_t kHeaderBytes = 256;
inline constexpr size_t kRootOffset =
    kHeaderBytes - sizeof(base::Sha256Digest);  // The root is the header's last field.
inline constexpr size_t kStoreIdBytes = 16;
inline constexpr size_t kEngineNameBytes = 16;

// Which checkpoint of a store: ordered by incarnation, then by sequence within it. {0, 0} is none.
struct CheckpointNumber {
  storage::Incarnation incarnation = 0;
  uint64_t sequence = 0;

  // NOLINTNEXTLINE(modernize-use-nullptr): version 14 takes a comparison with 0 for a pointer.
  friend auto operator<=>(const CheckpointNumber&, const CheckpointNumber&) = default;
};

struct Header {
  std::string store_id;  // 32 lower-case hexadecimal digits.
  CheckpointNumber number;
  CheckpointNumber parent;  // Reserved for incremental checkpoints; none.
  storage::Revision revision = 0;
  base::UnixMs create_time = 0;
  base::UnixMs as_of = 0;  // When expiry was judged: what expired by then is not in it.
  uint64_t entries = 0;
  uint64_t data_bytes = 0;  // Of all keys and values.
  base::Hash128 content_digest;
  uint64_t blocks = 0;
  uint64_t index_offset = 0;
  uint64_t index_bytes = 0;
  Compression compression;  // What the writer was told; each block says what it has.
  std::string engine;
  uint64_t system_entries = 0;
  base::Sha256Digest system_digest{};
  base::Sha256Digest root{};  // SHA-256 over the header before this field, then the index.
};

// NOTE: do not change the values: they are part of the file format.
enum class Section : uint8_t {
  kEntries = 0,  // What clients stored.
  kSystem = 1,   // What Tarn keeps about itself: namespaces' settings.
};

struct BlockInfo {
  Section section = Section::kEntries;
  Codec codec = Codec::kNone;
  std::string ns;  // Name of the one namespace whose entries it holds; empty in the system section.
  std::string first_key;
  uint64_t offset = 0;
  uint64_t stored_bytes = 0;
  uint64_t raw_bytes = 0;
  uint64_t entries = 0;
  base::Sha256Digest hash{};  // Over the stored bytes.
};

// All but the root, which covers it.
std::string EncodeHeader(const Header& header);

// DATA_LOSS when these are not kHeaderBytes of a checkpoint; FAILED_PRECONDITION naming both
// versions when it is of a newer format.
absl::StatusOr<Header> DecodeHeader(absl::string_view bytes);

void AppendBlockInfo(const BlockInfo& info, std::string* index);

// Decodes a whole index of `blocks` records. DATA_LOSS saying at which byte of the index it is
// malformed.
absl::StatusOr<std::vector<BlockInfo>> DecodeIndex(absl::string_view index, uint64_t blocks);

// Entries within a block. Revisions and deadlines are differences to the header's, which are small.
struct EntryOrigin {
  storage::Revision revision = 0;
  base::UnixMs as_of = 0;
};

void AppendEntry(const EntryOrigin& origin, const storage::EntryView& entry, std::string* raw);

// The next entry of a block, whose keys and values view it; nothing when it is malformed. Its `ns`
// is not set.
std::optional<storage::EntryView> ConsumeEntry(const EntryOrigin& origin, absl::string_view* raw);

}  // namespace tarn::checkpoint
