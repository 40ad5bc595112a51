// What keys held when a snapshot was opened, as far as it has been replaced since.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/container/btree_map.h"
#include "absl/strings/string_view.h"

namespace tarn::storage::redis {

// Members of the index (layout.h), from `lower` (inclusive) to `upper` (exclusive).
struct MemberRange {
  std::string lower;
  std::string upper;

  bool Contains(absl::string_view member) const { return lower <= member && member < upper; }
};

// The first member behind this one.
inline std::string Behind(absl::string_view member) {
  std::string behind(member);
  behind.push_back('\0');
  return behind;
}

// Not thread-safe.
class Overlay {
 public:
  // The record (record.h) of a key; nothing when there was none, which is to be remembered as well.
  using Image = std::optional<std::string>;
  using Images = absl::btree_map<std::string, Image>;

  bool Contains(absl::string_view member) const { return images_.contains(member); }

  // One that is there already is older, and stays.
  void Keep(absl::string_view member, std::optional<absl::string_view> record);

  // Nobody asks for them any more.
  void Drop(const MemberRange& range);

  // What `newer` has and this does not.
  void TakeOver(Overlay& newer);

  // Adds those of the range; one that is in `images` already is newer, and replaced.
  void CopyTo(Images& images, const MemberRange& range) const;

  // Of memory, estimated.
  uint64_t bytes() const { return bytes_; }

 private:
  // Of one image besides its bytes: two strings, and their share of a node.
  static constexpr size_t kImageBytes = 112;

  static size_t Cost(absl::string_view member, const Image& image);

  Images images_;
  uint64_t bytes_ = 0;
};

}  // namespace tarn::storage::redis
