#include "checkpoint/namespace_ids.h"

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "storage/base/error.h"
#include "storage/base/status.h"
#include "storage/namespace_record.h"

namespace tarn::checkpoint {
namespace {

absl::Status Damaged(const CheckpointReader& reader, uint64_t offset, absl::string_view what) {
  return base::MakeError(absl::StatusCode::kDataLoss, base::Reason::kDataLoss,
                         absl::StrCat(reader.path(), " is damaged at byte ", offset, ": ", what));
}

// Adds what one entry of the system section says. Anything but a namespace is passed over.
absl::Status AddRecord(const storage::EntryView& entry, NamespaceIds& ids,
                       absl::flat_hash_set<storage::NamespaceId>& taken) {
  absl::string_view name = entry.key;
  if (!absl::ConsumePrefix(&name, storage::kNamespaceKeyPrefix)) return absl::OkStatus();
  TARN_RETURN_IF_ERROR(storage::CheckNamespaceName(name));
  TARN_ASSIGN_OR_RETURN(const storage::NamespaceRecord record,
                        storage::DecodeNamespaceRecord(entry.value));
  if (!taken.insert(record.id).second)
    return absl::DataLossError(absl::StrCat("two namespaces have the number ", record.id));
  ids[name] = {record.id, record.settings.placement};
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<NamespaceIds> ReadNamespaceIds(const CheckpointReader& reader) {
  NamespaceIds ids;
  absl::flat_hash_set<storage::NamespaceId> taken;
  const auto on_block = [&](const BlockInfo& block, absl::Span<const storage::EntryView> entries) {
    for (const storage::EntryView& entry : entries) {
      const absl::Status status = AddRecord(entry, ids, taken);
      if (!status.ok()) return Damaged(reader, block.offset, status.message());
    }
    return absl::OkStatus();
  };
  TARN_RETURN_IF_ERROR(reader.ReadSystem(on_block));
  for (const BlockInfo& block : reader.blocks()) {
    if (block.section == Section::kEntries && !ids.contains(block.ns))
      return Damaged(reader, block.offset, "its namespace has no record");
  }
  return ids;
}

}  // namespace tarn::checkpoint
