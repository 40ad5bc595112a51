#include "storage/rocksdb/needed_logs.h"

#include <algorithm>
#include <optional>

#include "storage/base/coding.h"

namespace tarn::storage::rocks {
namespace {

// Of the parts that a record consists of. NOTE: RocksDB's.
enum Tag : uint64_t {
  kComparator = 1,
  kLogNumber = 2,
  kNextFileNumber = 3,
  kLastSequence = 4,
  kCompactCursor = 5,
  kDeletedFile = 6,
  kPrevLogNumber = 9,
  kMinLogNumberToKeep = 10,
  kNewFile4 = 103,
  kFamily = 200,
  kFamilyAdd = 201,
  kMaxFamily = 203,
  kIgnorable = 1 << 13,  // A bit: one string follows.
};
constexpr uint64_t kLastFieldOfNewFile = 1;

// What of a record matters here.
struct Edit {
  uint64_t family = 0;
  bool adds_family = false;
  std::optional<uint64_t> log;
};

bool SkipNumbers(absl::string_view* rest, int count) {
  for (int i = 0; i < count; ++i) {
    if (!base::ConsumeVarint64(rest)) return false;
  }
  return true;
}

bool SkipStrings(absl::string_view* rest, int count) {
  for (int i = 0; i < count; ++i) {
    if (!base::ConsumeLengthPrefixed(rest)) return false;
  }
  return true;
}

// Level, number and size; the least and the greatest key; their sequence numbers; more fields.
bool SkipNewFile(absl::string_view* rest) {
  if (!SkipNumbers(rest, 3) || !SkipStrings(rest, 2) || !SkipNumbers(rest, 2)) return false;
  while (true) {
    const std::optional<uint64_t> field = base::ConsumeVarint64(rest);
    if (!field) return false;
    if (*field == kLastFieldOfNewFile) return true;
    if (!SkipStrings(rest, 1)) return false;
  }
}

bool ReadPart(uint64_t tag, absl::string_view* rest, Edit* edit) {
  if ((tag & kIgnorable) != 0) return SkipStrings(rest, 1);
  switch (tag) {
    case kComparator:
      return SkipStrings(rest, 1);
    case kNextFileNumber:
    case kLastSequence:
    case kPrevLogNumber:
    case kMinLogNumberToKeep:
    case kMaxFamily:
      return SkipNumbers(rest, 1);
    case kCompactCursor:
      return SkipNumbers(rest, 1) && SkipStrings(rest, 1);
    case kDeletedFile:
      return SkipNumbers(rest, 2);
    case kNewFile4:
      return SkipNewFile(rest);
    case kLogNumber:
      edit->log = base::ConsumeVarint64(rest);
      return edit->log.has_value();
    case kFamilyAdd:
      edit->adds_family = true;
      return SkipStrings(rest, 1);
    case kFamily: {
      const std::optional<uint64_t> family = base::ConsumeVarint64(rest);
      edit->family = family.value_or(0);
      return family.has_value();
    }
    default:
      return false;  // Of what the engine does not use, or a newer RocksDB's.
  }
}

std::optional<Edit> ReadEdit(absl::string_view record) {
  Edit edit;
  while (!record.empty()) {
    const std::optional<uint64_t> tag = base::ConsumeVarint64(&record);
    if (!tag || !ReadPart(*tag, &record, &edit)) return std::nullopt;
  }
  return edit;
}

}  // namespace

void NeededLogs::Apply(absl::string_view record) {
  const std::optional<Edit> edit = ReadEdit(record);
  if (!edit) {
    readable_ = false;
    return;
  }
  if (edit->adds_family) oldest_of_family_.try_emplace(edit->family, 0);
  if (edit->log) oldest_of_family_[edit->family] = *edit->log;
}

uint64_t NeededLogs::oldest() const {
  if (!readable_) return 0;
  const auto least = std::min_element(
      oldest_of_family_.begin(), oldest_of_family_.end(),
      [](const auto& one, const auto& other) { return one.second < other.second; });
  return least->second;
}

}  // namespace tarn::storage::rocks
