#include "checkpoint/checkpoint_id.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace tarn::checkpoint {
namespace {

constexpr size_t kIncarnationDigits = 8;  // An incarnation has 24 bits.
constexpr size_t kSequenceDigits = 10;    // Enough for one a second over three centuries.
constexpr size_t kStoreIdDigits = 2 * kStoreIdBytes;

constexpr absl::string_view kPublishedEnding = ".ckpt";
constexpr absl::string_view kTemporaryEnding = ".tmp";
constexpr absl::string_view kQuarantinedEnding = ".ckpt.corrupt";
constexpr absl::string_view kPinEnding = ".pin";

std::optional<uint64_t> ParseNumber(absl::string_view digits) {
  uint64_t number = 0;
  if (!std::all_of(digits.begin(), digits.end(), absl::ascii_isdigit) ||
      !absl::SimpleAtoi(digits, &number)) {
    return std::nullopt;
  }
  return number;
}

std::optional<CheckpointNumber> ParseCheckpointNumber(absl::string_view text) {
  if (text.size() != kIncarnationDigits + 1 + kSequenceDigits || text[kIncarnationDigits] != '-')
    return std::nullopt;
  const std::optional<uint64_t> incarnation = ParseNumber(text.substr(0, kIncarnationDigits));
  const std::optional<uint64_t> sequence = ParseNumber(text.substr(kIncarnationDigits + 1));
  if (!incarnation || !sequence || *incarnation > storage::kMaxIncarnation) return std::nullopt;
  return CheckpointNumber{*incarnation, *sequence};
}

bool IsLowerHex(char c) { return absl::ascii_isdigit(c) || (c >= 'a' && c <= 'f'); }

// What a name with `ending` begins with, as an id.
std::optional<CheckpointId> IdBefore(absl::string_view ending, absl::string_view name) {
  if (!absl::ConsumeSuffix(&name, ending)) return std::nullopt;
  return ParseCheckpointId(name);
}

}  // namespace

std::string ToString(const CheckpointId& id) {
  return absl::StrCat(id.other_store, id.other_store.empty() ? "" : "-",
                      absl::Dec(id.number.incarnation, absl::kZeroPad8), "-",
                      absl::Dec(id.number.sequence, absl::kZeroPad10));
}

std::optional<CheckpointId> ParseCheckpointId(absl::string_view text) {
  CheckpointId id;
  if (text.size() > kStoreIdDigits && text[kStoreIdDigits] == '-') {
    id.other_store = std::string(text.substr(0, kStoreIdDigits));
    if (!std::all_of(id.other_store.begin(), id.other_store.end(), IsLowerHex)) return std::nullopt;
    text.remove_prefix(kStoreIdDigits + 1);
  }
  const std::optional<CheckpointNumber> number = ParseCheckpointNumber(text);
  if (!number) return std::nullopt;
  id.number = *number;
  return id;
}

std::string FileName(const CheckpointId& id, CatalogFileKind kind) {
  switch (kind) {
    case CatalogFileKind::kPublished:
      return absl::StrCat(ToString(id), kPublishedEnding);
    case CatalogFileKind::kTemporary:
      return absl::StrCat(ToString(id), kPublishedEnding, kTemporaryEnding);
    case CatalogFileKind::kQuarantined:
      return absl::StrCat(ToString(id), kQuarantinedEnding);
    case CatalogFileKind::kPin:
      break;
  }
  return absl::StrCat(ToString(id), kPinEnding);
}

std::optional<CatalogFileName> ParseFileName(absl::string_view name) {
  const absl::string_view without_temporary = absl::StripSuffix(name, kTemporaryEnding);
  const bool temporary = without_temporary.size() != name.size();
  if (temporary) {
    for (const absl::string_view ending : {kPublishedEnding, kPinEnding}) {
      if (const auto id = IdBefore(ending, without_temporary))
        return CatalogFileName{CatalogFileKind::kTemporary, *id};
    }
    return std::nullopt;
  }
  if (const auto id = IdBefore(kPublishedEnding, name))
    return CatalogFileName{CatalogFileKind::kPublished, *id};
  if (const auto id = IdBefore(kQuarantinedEnding, name))
    return CatalogFileName{CatalogFileKind::kQuarantined, *id};
  if (const auto id = IdBefore(kPinEnding, name))
    return CatalogFileName{CatalogFileKind::kPin, *id};
  return std::nullopt;
}

}  // namespace tarn::checkpoint
