#include "storage/rocksdb/consistency.h"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "storage/base/error.h"
#include "storage/base/status.h"
#include "storage/rocksdb/layout.h"
#include "storage/rocksdb/rocksdb_status.h"
#include "storage/rocksdb/row.h"
#include "storage/rocksdb/slice.h"

namespace tarn::storage::rocks {
namespace {

absl::Status Differs(absl::string_view message) {
  return base::MakeError(absl::StatusCode::kDataLoss, base::Reason::kDataLoss, message);
}

class Check {
 public:
  explicit Check(const Database& database) : database_(database) {
    options_.snapshot = database.db().GetSnapshot();
    options_.fill_cache = false;
  }
  ~Check() { database_.db().ReleaseSnapshot(options_.snapshot); }

  absl::Status Run() {
    TARN_RETURN_IF_ERROR(CountEntries());
    TARN_RETURN_IF_ERROR(CompareUsage());
    return CountIndex();
  }

 private:
  using IteratorPtr = std::unique_ptr<rocksdb::Iterator>;

  absl::Status CountEntries();
  absl::Status CompareUsage();
  absl::Status CountIndex();
  absl::Status CheckIndexed(absl::string_view index_key);

  const Database& database_;
  rocksdb::ReadOptions options_;
  std::map<NamespaceId, Usage> usage_;
  uint64_t expiring_ = 0;
};

absl::Status Check::CountEntries() {
  const IteratorPtr it(database_.db().NewIterator(options_, database_.entries()));
  for (it->SeekToFirst(); it->Valid(); it->Next()) {
    const std::optional<NamespacedKey> key = DecodeEntryKey(ToView(it->key()));
    const std::optional<StoredEntry> entry = DecodeEntry(ToView(it->value()));
    if (!key || !entry) return Undecodable("entry");
    usage_[key->ns] += {1, static_cast<int64_t>(key->key.size() + entry->value.size())};
    if (entry->deadline != base::kNever) ++expiring_;
  }
  return ToStatus(it->status(), "reading the entries");
}

absl::Status Check::CompareUsage() {
  TARN_ASSIGN_OR_RETURN(const auto recorded, database_.ReadUsage(options_.snapshot));
  if (recorded.size() != usage_.size()) {
    return Differs(absl::StrCat(usage_.size(), " namespaces have entries, ", recorded.size(),
                                " have a usage record"));
  }
  for (const auto& [ns, usage] : recorded) {
    const Usage& counted = usage_[ns];
    if (counted.entries == usage.entries && counted.bytes == usage.bytes) continue;
    return Differs(absl::StrCat("namespace ", ns, " has ", counted.entries, " entries of ",
                                counted.bytes, " bytes, its usage record says ", usage.entries,
                                " of ", usage.bytes));
  }
  return absl::OkStatus();
}

absl::Status Check::CheckIndexed(absl::string_view index_key) {
  const std::optional<ExpiryKey> indexed = DecodeExpiryKey(index_key);
  if (!indexed) return Undecodable("key in the expiry index");
  rocksdb::PinnableSlice value;
  const rocksdb::Status status =
      database_.db().Get(options_, database_.entries(), ToSlice(indexed->entry_key), &value);
  TARN_ASSIGN_OR_RETURN(const Row row, InterpretGet(status, value));
  if (row.exists && row.entry.deadline == indexed->deadline) return absl::OkStatus();
  return Differs(absl::StrCat("the expiry index has deadline ", indexed->deadline,
                              " for an entry that has not"));
}

// As many as entries with a deadline, each right: so every such entry is indexed.
absl::Status Check::CountIndex() {
  const IteratorPtr it(database_.db().NewIterator(options_, database_.expiry()));
  uint64_t indexed = 0;
  for (it->SeekToFirst(); it->Valid(); it->Next(), ++indexed) {
    TARN_RETURN_IF_ERROR(CheckIndexed(ToView(it->key())));
  }
  TARN_RETURN_IF_ERROR(ToStatus(it->status(), "reading the expiry index"));
  if (indexed == expiring_) return absl::OkStatus();
  return Differs(absl::StrCat(expiring_, " entries have a deadline, ", indexed, " are indexed"));
}

}  // namespace

absl::Status CheckConsistency(const Database& database) { return Check(database).Run(); }

}  // namespace tarn::storage::rocks
