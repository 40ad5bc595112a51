#include "checkpoint/catalog_directory.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "storage/base/error.h"
#include "storage/base/status.h"
#include "storage/text_record.h"

namespace tarn::checkpoint {
namespace {

constexpr size_t kMaxPinReasonBytes = 256;
constexpr absl::string_view kStoreFile = "store";
constexpr absl::string_view kStoreKind = "catalog";
constexpr absl::string_view kPinKind = "pin";

absl::Status Damaged(const std::string& path, absl::string_view what) {
  return base::MakeError(absl::StatusCode::kDataLoss, base::Reason::kDataLoss,
                         absl::StrCat(path, " is damaged: ", what));
}

// Nothing when there is no such file.
absl::StatusOr<std::optional<std::vector<std::string>>> ReadRecord(
    base::FileSystem& files, const std::string& path, absl::string_view kind,
    absl::Span<const absl::string_view> names) {
  const absl::StatusOr<std::string> content = base::ReadFile(files, path);
  if (absl::IsNotFound(content.status())) return std::optional<std::vector<std::string>>();
  if (absl::IsOutOfRange(content.status())) return Damaged(path, content.status().message());
  TARN_RETURN_IF_ERROR(content.status());
  absl::StatusOr<std::vector<std::string>> values =
      storage::DecodeTextRecord(kind, names, *content);
  if (absl::IsDataLoss(values.status())) return Damaged(path, values.status().message());
  if (!values.ok()) return base::Annotate(values.status(), path);
  return std::optional(*std::move(values));
}

absl::StatusOr<std::optional<Pin>> ReadPinFile(base::FileSystem& files, const std::string& path) {
  TARN_ASSIGN_OR_RETURN(auto values, ReadRecord(files, path, kPinKind, {"reason", "time"}));
  if (!values) return std::optional<Pin>();
  Pin pin{.reason = std::move((*values)[0])};
  if (!absl::SimpleAtoi((*values)[1], &pin.time)) return Damaged(path, "its time is not a number");
  return std::optional(std::move(pin));
}

Health HealthOf(const absl::Status& status) {
  if (status.ok()) return Health::kIntact;
  if (absl::IsDataLoss(status)) return Health::kDamaged;
  return absl::IsFailedPrecondition(status) ? Health::kNewerFormat : Health::kUnreadable;
}

absl::Status MisnamedError(const CheckpointInfo& info, const CheckpointId& holds) {
  return base::MakeError(
      absl::StatusCode::kDataLoss, base::Reason::kDataLoss,
      absl::StrCat(info.path, " is damaged at byte 0: it holds checkpoint ", ToString(holds)));
}

}  // namespace

absl::Status CheckPinReason(absl::string_view reason) {
  const bool printable = std::none_of(reason.begin(), reason.end(), absl::ascii_iscntrl);
  if (!reason.empty() && reason.size() <= kMaxPinReasonBytes && printable) return absl::OkStatus();
  return base::MakeError(
      absl::StatusCode::kInvalidArgument, base::Reason::kInvalidPin,
      absl::StrCat("the reason of a pin must be one line of 1 to ", kMaxPinReasonBytes, " bytes"));
}

std::string CatalogDirectory::PathOf(const CheckpointId& id, CatalogFileKind kind) const {
  return base::JoinPath(path_, FileName(id, kind));
}

absl::StatusOr<std::vector<CatalogFileName>> CatalogDirectory::List() const {
  TARN_ASSIGN_OR_RETURN(const std::vector<std::string> names, files_.List(path_));
  std::vector<CatalogFileName> ours;
  for (const std::string& name : names) {
    if (auto parsed = ParseFileName(name)) ours.push_back(*std::move(parsed));
  }
  return ours;
}

CheckpointInfo CatalogDirectory::Inspect(const CheckpointId& id, const std::string& path,
                                         absl::string_view own_store) const {
  CheckpointInfo info{.id = id, .path = path};
  const auto reader = CheckpointReader::Open(files_, path, options_);
  info.problem = reader.status();
  info.health = HealthOf(info.problem);
  if (!reader.ok()) {
    const auto file = files_.Open(path);
    if (file.ok()) info.file_bytes = (*file)->Size().value_or(0);
    return info;
  }
  info.header = (*reader)->header();
  info.file_bytes = (*reader)->file_bytes();
  const absl::string_view expected = id.other_store.empty() ? own_store : id.other_store;
  if (!expected.empty() && info.header.store_id != expected) {
    info.health = Health::kOtherStore;
    info.problem = base::MakeError(absl::StatusCode::kFailedPrecondition, base::Reason::kOtherStore,
                                   absl::StrCat(path, " is a checkpoint of store ",
                                                info.header.store_id, ", not of store ", expected));
  } else if (info.header.number != id.number) {
    info.health = Health::kDamaged;
    info.problem = MisnamedError(info, {id.other_store, info.header.number});
  }
  return info;
}

absl::StatusOr<std::optional<std::string>> CatalogDirectory::ReadStore() const {
  TARN_ASSIGN_OR_RETURN(
      auto values, ReadRecord(files_, base::JoinPath(path_, kStoreFile), kStoreKind, {"store"}));
  if (!values) return std::optional<std::string>();
  return std::optional(std::move(values->front()));
}

absl::Status CatalogDirectory::WriteStore(absl::string_view store_id) const {
  return base::ReplaceFile(files_, base::JoinPath(path_, kStoreFile),
                           storage::EncodeTextRecord(kStoreKind, {{"store", store_id}}));
}

std::optional<Pin> CatalogDirectory::ReadPin(const CheckpointId& id) const {
  absl::StatusOr<std::optional<Pin>> pin = ReadPinFile(files_, PathOf(id, CatalogFileKind::kPin));
  if (pin.ok()) return *std::move(pin);
  return Pin{.reason = absl::StrCat("its pin cannot be read: ", pin.status().message())};
}

absl::Status CatalogDirectory::WritePin(const CheckpointId& id, const Pin& pin) const {
  const std::string time = absl::StrCat(pin.time);
  return base::ReplaceFile(
      files_, PathOf(id, CatalogFileKind::kPin),
      storage::EncodeTextRecord(kPinKind, {{"reason", pin.reason}, {"time", time}}));
}

absl::Status CatalogDirectory::Remove(const CheckpointId& id, CatalogFileKind kind) const {
  const absl::Status status = files_.Remove(PathOf(id, kind));
  return absl::IsNotFound(status) ? absl::OkStatus() : status;
}

absl::Status CatalogDirectory::Sweep(const std::set<CheckpointId>& in_use) const {
  TARN_ASSIGN_OR_RETURN(const std::vector<std::string> names, files_.List(path_));
  absl::Status first_error;
  for (const std::string& name : names) {
    const std::optional<CatalogFileName> parsed = ParseFileName(name);
    const bool ours = (parsed && parsed->kind == CatalogFileKind::kTemporary) ||
                      name == absl::StrCat(kStoreFile, ".tmp");
    const bool used = parsed && in_use.contains(parsed->id);
    if (ours && !used) first_error.Update(files_.Remove(base::JoinPath(path_, name)));
  }
  return first_error;
}

absl::Status CatalogDirectory::Rename(const CheckpointId& id, CatalogFileKind from,
                                      CatalogFileKind to) const {
  return files_.Rename(PathOf(id, from), PathOf(id, to));
}

}  // namespace tarn::checkpoint
