#include "storage/key_range.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "storage/base/error.h"

namespace tarn::storage {
namespace {

absl::Status InvalidRange(absl::string_view message) {
  return base::MakeError(absl::StatusCode::kInvalidArgument, base::Reason::kInvalidRange, message);
}

}  // namespace

std::string PrefixEnd(absl::string_view prefix) {
  std::string end(prefix);
  while (!end.empty() && end.back() == '\xff') end.pop_back();
  if (!end.empty()) end.back() = static_cast<char>(end.back() + 1);
  return end;
}

absl::StatusOr<KeyRange> ToKeyRange(NamespaceId ns, const KeyBounds& bounds, const Limits& limits) {
  const size_t longest = std::max({bounds.prefix.size(), bounds.start.size(), bounds.end.size()});
  // The key that follows the longest one has a zero byte more.
  if (longest > limits.max_key_bytes + 1) {
    return InvalidRange(absl::StrCat("a bound has ", longest, " bytes, at most ",
                                     limits.max_key_bytes + 1, " are allowed"));
  }
  if (!bounds.prefix.empty()) {
    if (!bounds.start.empty() || !bounds.end.empty()) {
      return InvalidRange("a prefix cannot be combined with a start or an end");
    }
    return KeyRange{.ns = ns, .start = bounds.prefix, .end = PrefixEnd(bounds.prefix)};
  }
  if (!bounds.end.empty() && absl::string_view(bounds.end) < absl::string_view(bounds.start)) {
    return InvalidRange("the range ends before it starts");
  }
  return KeyRange{.ns = ns, .start = bounds.start, .end = bounds.end};
}

KeyRange RangeBehind(const KeyRange& range, absl::string_view key, ScanDirection direction) {
  KeyRange rest = range;
  if (direction == ScanDirection::kDescending) {
    rest.end = std::string(key);
  } else {
    rest.start = absl::StrCat(key, absl::string_view("\0", 1));
  }
  return rest;
}

bool Contains(const KeyRange& range, absl::string_view key) {
  return key >= range.start && (range.end.empty() || key < range.end);
}

}  // namespace tarn::storage
