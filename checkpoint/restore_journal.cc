#include "checkpoint/restore_journal.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "storage/base/error.h"
#include "storage/base/status.h"
#include "storage/text_record.h"

namespace tarn::checkpoint {
namespace {

constexpr absl::string_view kKind = "range-restore";
constexpr absl::string_view kFields[] = {"target",    "target_root", "safety", "safety_root",
                                         "namespace", "start",       "end",    "done_at"};

std::optional<std::string> FromHex(absl::string_view hex) {
  const auto is_digit = [](char c) { return absl::ascii_isxdigit(static_cast<unsigned char>(c)); };
  if (hex.size() % 2 != 0 || !std::all_of(hex.begin(), hex.end(), is_digit)) return std::nullopt;
  return absl::HexStringToBytes(hex);
}

std::optional<ProvenCheckpoint> ParseProven(absl::string_view id, absl::string_view root) {
  const std::optional<CheckpointId> parsed = ParseCheckpointId(id);
  const std::optional<std::string> bytes = FromHex(root);
  ProvenCheckpoint proven;
  if (!parsed || !bytes || bytes->size() != proven.root.size()) return std::nullopt;
  proven.id = *parsed;
  std::copy(bytes->begin(), bytes->end(), proven.root.begin());
  return proven;
}

std::optional<RestoreIntent> Parse(const std::vector<std::string>& values) {
  RestoreIntent intent;
  const std::optional<ProvenCheckpoint> target = ParseProven(values[0], values[1]);
  const std::optional<ProvenCheckpoint> safety = ParseProven(values[2], values[3]);
  const std::optional<std::string> start = FromHex(values[5]);
  const std::optional<std::string> end = FromHex(values[6]);
  if (!target || !safety || !start || !end || !absl::SimpleAtoi(values[7], &intent.done_at))
    return std::nullopt;
  intent.target = *target;
  intent.safety = *safety;
  intent.ns = values[4];
  intent.start = *start;
  intent.end = *end;
  return intent;
}

absl::Status Damaged(const std::string& path, absl::string_view what) {
  return base::MakeError(absl::StatusCode::kDataLoss, base::Reason::kDataLoss,
                         absl::StrCat(path, " is damaged: ", what));
}

}  // namespace

absl::StatusOr<std::optional<RestoreIntent>> RestoreJournal::Read() const {
  const absl::StatusOr<std::string> content = base::ReadFile(files_, path_);
  if (absl::IsNotFound(content.status())) return std::optional<RestoreIntent>();
  TARN_RETURN_IF_ERROR(content.status());
  const auto values = storage::DecodeTextRecord(kKind, kFields, *content);
  if (absl::IsDataLoss(values.status())) return Damaged(path_, values.status().message());
  if (!values.ok()) return base::Annotate(values.status(), path_);
  std::optional<RestoreIntent> intent = Parse(*values);
  if (!intent) return Damaged(path_, "a field of it is malformed");
  return intent;
}

absl::Status RestoreJournal::Write(const RestoreIntent& intent) {
  const std::string values[] = {ToString(intent.target.id),
                                base::ToHex(intent.target.root),
                                ToString(intent.safety.id),
                                base::ToHex(intent.safety.root),
                                intent.ns,
                                absl::BytesToHexString(intent.start),
                                absl::BytesToHexString(intent.end),
                                absl::StrCat(intent.done_at)};
  std::vector<storage::TextField> fields;
  for (size_t i = 0; i < std::size(kFields); ++i) fields.push_back({kFields[i], values[i]});
  return base::ReplaceFile(files_, path_, storage::EncodeTextRecord(kKind, fields));
}

absl::Status RestoreJournal::Clear() {
  const absl::Status removed = files_.Remove(path_);
  if (absl::IsNotFound(removed)) return absl::OkStatus();
  TARN_RETURN_IF_ERROR(removed);
  return files_.SyncDirectory(std::string(base::DirectoryOf(path_)));
}

}  // namespace tarn::checkpoint
