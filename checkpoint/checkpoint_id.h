// What checkpoints are called: by users, and in the directory of a catalog.
#pragma once

#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "checkpoint/format.h"

namespace tarn::checkpoint {

// Names one checkpoint in a catalog. As text "00000007-0000000042": incarnation and sequence, wide
// enough that the order of names is the order of checkpoints. One that was imported from another
// store has that store's id and a dash before it.
struct CheckpointId {
  std::string other_store;  // Empty: the catalog's own.
  CheckpointNumber number;

  // NOLINTNEXTLINE(modernize-use-nullptr): version 14 takes a comparison with 0 for a pointer.
  friend auto operator<=>(const CheckpointId&, const CheckpointId&) = default;
};

std::string ToString(const CheckpointId& id);

// Exactly what ToString makes; nothing for all else.
std::optional<CheckpointId> ParseCheckpointId(absl::string_view text);

// NOTE: the endings are on disk; do not change them.
enum class CatalogFileKind {
  kPublished,    // <id>.ckpt
  kTemporary,    // <id>.ckpt.tmp and <id>.pin.tmp
  kQuarantined,  // <id>.ckpt.corrupt
  kPin,          // <id>.pin
};

struct CatalogFileName {
  CatalogFileKind kind = CatalogFileKind::kPublished;
  CheckpointId id;
};

std::string FileName(const CheckpointId& id, CatalogFileKind kind);

// Nothing when a catalog makes no such name: the file is somebody else's and is left alone.
std::optional<CatalogFileName> ParseFileName(absl::string_view name);

}  // namespace tarn::checkpoint
