#include "storage/rocksdb/generations.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "storage/base/error.h"
#include "storage/base/status.h"

namespace tarn::storage::rocks {
namespace {

using base::MakeError;
using base::Reason;

// NOTE: persisted.
constexpr absl::string_view kPointerName = "CURRENT_DB";
constexpr absl::string_view kMagic = "tarn-rocksdb";
constexpr absl::string_view kCreatingWord = "creating";
constexpr absl::string_view kReadyWord = "ready";
constexpr absl::string_view kDatabasePrefix = "db-";
constexpr uint64_t kPointerFormat = 1;

absl::Status DataLoss(absl::string_view message) {
  return MakeError(absl::StatusCode::kDataLoss, Reason::kDataLoss, message);
}

std::optional<uint64_t> NumberOf(absl::string_view name) {
  uint64_t number = 0;
  if (!absl::ConsumePrefix(&name, kDatabasePrefix) || !absl::SimpleAtoi(name, &number)) {
    return std::nullopt;
  }
  return number;
}

std::string NameOf(uint64_t number) { return absl::StrCat(kDatabasePrefix, number); }

// "tarn-rocksdb", format, state, name; nothing when the line is not of this shape.
std::optional<std::vector<absl::string_view>> WordsOf(absl::string_view content) {
  if (!absl::ConsumeSuffix(&content, "\n")) return std::nullopt;
  std::vector<absl::string_view> words = absl::StrSplit(content, ' ');
  if (words.size() < 2 || words[0] != kMagic) return std::nullopt;
  return words;
}

}  // namespace

std::string EncodePointer(const Pointer& pointer) {
  const bool ready = pointer.state == Pointer::State::kReady;
  return absl::StrCat(kMagic, " ", kPointerFormat, " ", ready ? kReadyWord : kCreatingWord, " ",
                      pointer.name, "\n");
}

std::optional<uint64_t> FormatOfPointer(absl::string_view content) {
  const auto words = WordsOf(content);
  uint64_t format = 0;
  if (!words || !absl::SimpleAtoi((*words)[1], &format)) return std::nullopt;
  return format;
}

std::optional<Pointer> DecodePointer(absl::string_view content) {
  const auto words = WordsOf(content);
  if (!words || words->size() != 4 || FormatOfPointer(content) != kPointerFormat) {
    return std::nullopt;
  }
  const absl::string_view state = (*words)[2];
  if (state != kReadyWord && state != kCreatingWord) return std::nullopt;
  if (!NumberOf((*words)[3])) return std::nullopt;
  return Pointer{state == kReadyWord ? Pointer::State::kReady : Pointer::State::kCreating,
                 std::string((*words)[3])};
}

absl::StatusOr<std::unique_ptr<Generations>> Generations::Open(base::FileSystem& files,
                                                               const std::string& directory) {
  TARN_RETURN_IF_ERROR(files.CreateDirectories(directory));
  std::unique_ptr<Generations> generations(new Generations(files, directory));
  TARN_RETURN_IF_ERROR(generations->Load());
  TARN_RETURN_IF_ERROR(generations->RemoveLeftOvers());
  return generations;
}

absl::Status Generations::Load() {
  const std::string path = base::JoinPath(directory_, kPointerName);
  TARN_ASSIGN_OR_RETURN(const bool exists, files_.Exists(path));
  if (!exists) return Begin();
  TARN_ASSIGN_OR_RETURN(const std::string content, base::ReadFile(files_, path));
  const std::optional<uint64_t> format = FormatOfPointer(content);
  if (format && *format > kPointerFormat) {
    return absl::FailedPreconditionError(absl::StrCat(path, " has format ", *format,
                                                      ", this program knows formats up to ",
                                                      kPointerFormat, ": use a newer one"));
  }
  std::optional<Pointer> pointer = DecodePointer(content);
  if (!pointer) return DataLoss(absl::StrCat(path, " is damaged"));
  pointer_ = *std::move(pointer);
  newest_number_ = *NumberOf(pointer_.name);
  if (creating()) return absl::OkStatus();
  TARN_ASSIGN_OR_RETURN(const bool there, files_.Exists(current_path()));
  if (!there) return DataLoss(absl::StrCat(current_path(), " is missing, and ", path, " names it"));
  return absl::OkStatus();
}

// The first start. Says what is coming before it comes, so that a start that dies in the middle is
// told from a pointer that was lost.
absl::Status Generations::Begin() {
  TARN_ASSIGN_OR_RETURN(const std::vector<std::string> names, files_.List(directory_));
  for (const std::string& name : names) {
    if (NumberOf(name)) {
      return DataLoss(absl::StrCat(directory_, " holds the database ", name, " but ", kPointerName,
                                   ", which says whether it is in use, is missing"));
    }
  }
  newest_number_ = 1;
  return WritePointer({Pointer::State::kCreating, NameOf(1)});
}

absl::Status Generations::FinishCreation() {
  return WritePointer({Pointer::State::kReady, pointer_.name});
}

absl::Status Generations::RemoveLeftOvers() {
  TARN_ASSIGN_OR_RETURN(const std::vector<std::string> names, files_.List(directory_));
  for (const std::string& name : names) {
    const std::optional<uint64_t> number = NumberOf(name);
    if (!number) continue;
    newest_number_ = std::max(newest_number_.load(), *number);
    if (name == pointer_.name && !creating()) continue;
    TARN_RETURN_IF_ERROR(files_.RemoveRecursively(base::JoinPath(directory_, name)));
  }
  return absl::OkStatus();
}

std::string Generations::current_path() const { return base::JoinPath(directory_, pointer_.name); }

std::string Generations::NewPath() { return base::JoinPath(directory_, NameOf(++newest_number_)); }

absl::Status Generations::WritePointer(const Pointer& pointer) {
  TARN_RETURN_IF_ERROR(
      base::ReplaceFile(files_, base::JoinPath(directory_, kPointerName), EncodePointer(pointer)));
  pointer_ = pointer;
  return absl::OkStatus();
}

absl::Status Generations::SwitchTo(const std::string& path) {
  const Pointer old = pointer_;
  const std::string name = path.substr(directory_.size() + 1);
  // The new database's own entry in the directory must not come to the medium after the pointer.
  TARN_RETURN_IF_ERROR(files_.SyncDirectory(directory_));
  const absl::Status status = WritePointer({Pointer::State::kReady, name});
  if (status.ok()) return status;
  // The rename may have happened all the same: put the old one back, which leaves no doubt.
  if (const absl::Status restored = WritePointer(old); !restored.ok()) {
    return DataLoss(absl::StrCat("it is not known whether ", old.name, " or ", name,
                                 " is in use: ", status.message(), "; ", restored.message()));
  }
  return status;
}

}  // namespace tarn::storage::rocks
