#include "storage/memory/passed_ranges.h"

#include <algorithm>
#include <utility>

namespace tarn::storage::memory {
namespace {

// An end that is empty has nothing behind it.
bool Touch(const KeyRange& first, const KeyRange& second) {
  return first.ns == second.ns && !first.end.empty() && first.end == second.start;
}

}  // namespace

void PassedRanges::Add(uint64_t serial, KeyRange range) {
  if (serial != serial_) ranges_.clear();
  serial_ = serial;
  const auto before = std::find_if(ranges_.begin(), ranges_.end(),
                                   [&](const KeyRange& other) { return Touch(other, range); });
  if (before != ranges_.end()) {
    range.start = std::move(before->start);
    ranges_.erase(before);
  }
  const auto after = std::find_if(ranges_.begin(), ranges_.end(),
                                  [&](const KeyRange& other) { return Touch(range, other); });
  if (after != ranges_.end()) {
    range.end = std::move(after->end);
    ranges_.erase(after);
  }
  ranges_.push_back(std::move(range));
}

bool PassedRanges::Contain(uint64_t serial, NamespaceId ns, absl::string_view key) const {
  if (serial != serial_) return false;
  return std::any_of(ranges_.begin(), ranges_.end(), [&](const KeyRange& range) {
    return range.ns == ns && key >= range.start && (range.end.empty() || key < range.end);
  });
}

}  // namespace tarn::storage::memory
