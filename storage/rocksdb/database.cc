#include "storage/rocksdb/database.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "rocksdb/sst_file_reader.h"
#include "storage/base/status.h"
#include "storage/rocksdb/layout.h"
#include "storage/rocksdb/rocksdb_status.h"
#include "storage/rocksdb/slice.h"

namespace tarn::storage::rocks {
namespace {

// Fails only for batches of gigabytes, which the limits exclude.
void Put(rocksdb::WriteBatch& batch, rocksdb::ColumnFamilyHandle* family, absl::string_view key,
         absl::string_view value) {
  batch.Put(family, ToSlice(key), ToSlice(value)).PermitUncheckedError();
}

// RocksDB blames the manifest when it cannot open a table that the manifest names.
std::string DamagedTables(rocksdb::Env& env, const std::string& path) {
  std::vector<std::string> names;
  env.GetChildren(path, &names).PermitUncheckedError();
  rocksdb::Options options;
  options.env = &env;
  std::string damaged;
  for (const std::string& name : names) {
    if (!absl::EndsWith(name, ".sst")) continue;
    const rocksdb::Status status = rocksdb::SstFileReader(options).Open(path + "/" + name);
    if (status.IsCorruption()) absl::StrAppend(&damaged, ", in which ", name, " is damaged");
  }
  return damaged;
}

}  // namespace

Database::Database(std::string path, std::shared_ptr<Health> health)
    : path_(std::move(path)), health_(std::move(health)) {}

Database::~Database() {
  if (db_ == nullptr) return;
  for (rocksdb::ColumnFamilyHandle* family : families_) {
    db_->DestroyColumnFamilyHandle(family).PermitUncheckedError();
  }
  db_->Close().PermitUncheckedError();
}

absl::Status Database::Start(const rocksdb::Status& opened, rocksdb::DB* db, rocksdb::Env& env) {
  db_.reset(db);
  if (opened.ok()) return absl::OkStatus();
  return ToStatus(opened, absl::StrCat("opening the database ", path_, DamagedTables(env, path_)));
}

absl::StatusOr<std::unique_ptr<Database>> Database::Create(const Machinery& machinery,
                                                           const std::string& path,
                                                           DatabaseUse use) {
  auto health = std::make_shared<Health>(machinery.errors);
  std::unique_ptr<Database> database(new Database(path, health));
  rocksdb::DBOptions options = DatabaseOptions(machinery, health);
  options.create_if_missing = true;
  options.create_missing_column_families = true;
  options.error_if_exists = true;
  // RocksDB makes it too, but first complains that it is not there.
  TARN_RETURN_IF_ERROR(ToStatus(machinery.env->CreateDirIfMissing(path), "creating a database"));
  rocksdb::DB* db = nullptr;
  const rocksdb::Status opened =
      rocksdb::DB::Open(options, path, ColumnFamilies(machinery, use), &database->families_, &db);
  TARN_RETURN_IF_ERROR(database->Start(opened, db, *machinery.env));
  rocksdb::WriteBatch batch;
  Put(batch, database->meta(), kFormatKey, EncodeFormat(kFormatVersion));
  TARN_RETURN_IF_ERROR(database->WriteDurably(batch));
  return database;
}

absl::StatusOr<std::unique_ptr<Database>> Database::Open(const Machinery& machinery,
                                                         const std::string& path) {
  auto health = std::make_shared<Health>(machinery.errors);
  std::unique_ptr<Database> database(new Database(path, health));
  rocksdb::DB* db = nullptr;
  const rocksdb::Status opened = rocksdb::DB::Open(DatabaseOptions(machinery, health), path,
                                                   ColumnFamilies(machinery, DatabaseUse::kServing),
                                                   &database->families_, &db);
  TARN_RETURN_IF_ERROR(database->Start(opened, db, *machinery.env));
  TARN_RETURN_IF_ERROR(database->CheckFormat());
  return database;
}

absl::StatusOr<std::unique_ptr<Database>> Database::OpenReadOnly(const Machinery& machinery,
                                                                 const std::string& path,
                                                                 const std::string& cause) {
  auto health = std::make_shared<Health>(machinery.errors);
  std::unique_ptr<Database> database(new Database(path, health));
  rocksdb::DB* db = nullptr;
  const rocksdb::Status opened = rocksdb::DB::OpenForReadOnly(
      DatabaseOptions(machinery, health), path, ColumnFamilies(machinery, DatabaseUse::kServing),
      &database->families_, &db);
  TARN_RETURN_IF_ERROR(database->Start(opened, db, *machinery.env));
  TARN_RETURN_IF_ERROR(database->CheckFormat());
  health->ReadOnly(cause);
  return database;
}

absl::Status Database::CheckFormat() const {
  TARN_ASSIGN_OR_RETURN(const std::optional<std::string> record, ReadRecord(kFormatKey, nullptr));
  if (!record) return Undecodable(absl::StrCat("format record (none) in ", path_));
  const std::optional<uint32_t> version = DecodeFormat(*record);
  if (!version) return Undecodable(absl::StrCat("format record in ", path_));
  if (*version <= kFormatVersion) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(path_, " has format ", *version,
                                                    ", this program knows formats up to ",
                                                    kFormatVersion, ": use a newer one"));
}

absl::StatusOr<std::optional<std::string>> Database::ReadRecord(
    absl::string_view key, const rocksdb::Snapshot* snapshot) const {
  rocksdb::ReadOptions options;
  options.snapshot = snapshot;
  std::string value;
  const rocksdb::Status status = db_->Get(options, meta(), ToSlice(key), &value);
  if (status.IsNotFound()) return std::nullopt;
  TARN_RETURN_IF_ERROR(ToStatus(status, "reading a record of the store"));
  return value;
}

absl::StatusOr<Revision> Database::ReadCommit(const rocksdb::Snapshot* snapshot) const {
  TARN_ASSIGN_OR_RETURN(const std::optional<std::string> record, ReadRecord(kCommitKey, snapshot));
  if (!record) return Revision{0};
  const std::optional<Revision> revision = DecodeCommit(*record);
  if (!revision) return Undecodable("commit record");
  return *revision;
}

absl::StatusOr<std::optional<StoreMeta>> Database::ReadStore() const {
  TARN_ASSIGN_OR_RETURN(const std::optional<std::string> record, ReadRecord(kStoreKey, nullptr));
  if (!record) return std::nullopt;
  std::optional<StoreMeta> meta = DecodeStore(*record);
  if (!meta) return Undecodable("store record");
  return meta;
}

absl::StatusOr<std::vector<std::pair<NamespaceId, Usage>>> Database::ReadUsage(
    const rocksdb::Snapshot* snapshot) const {
  std::vector<std::pair<NamespaceId, Usage>> usage;
  rocksdb::ReadOptions options;
  options.snapshot = snapshot;
  const std::unique_ptr<rocksdb::Iterator> it(db_->NewIterator(options, meta()));
  for (it->Seek(ToSlice(kUsagePrefix)); it->Valid(); it->Next()) {
    if (!absl::StartsWith(ToView(it->key()), kUsagePrefix)) break;
    const std::optional<NamespaceId> ns = DecodeUsageKey(ToView(it->key()));
    const std::optional<Usage> value = DecodeUsage(ToView(it->value()));
    if (!ns || *ns >= UsageLedger::kMaxNamespaceIds || !value) return Undecodable("usage record");
    usage.emplace_back(*ns, *value);
  }
  TARN_RETURN_IF_ERROR(ToStatus(it->status(), "reading the usage records"));
  return usage;
}

absl::StatusOr<Usage> Database::ReadUsageOf(NamespaceId ns) const {
  TARN_ASSIGN_OR_RETURN(const std::optional<std::string> record,
                        ReadRecord(EncodeUsageKey(ns), nullptr));
  if (!record) return Usage{};
  const std::optional<Usage> usage = DecodeUsage(*record);
  if (!usage) return Undecodable("usage record");
  return *usage;
}

void Database::PutCommit(Revision revision, rocksdb::WriteBatch& batch) const {
  Put(batch, meta(), kCommitKey, EncodeCommit(revision));
}

void Database::PutStore(const StoreMeta& store, rocksdb::WriteBatch& batch) const {
  Put(batch, meta(), kStoreKey, EncodeStore(store));
}

void Database::PutUsage(NamespaceId ns, const Usage& usage, rocksdb::WriteBatch& batch) const {
  const std::string key = EncodeUsageKey(ns);
  if (usage.entries != 0 || usage.bytes != 0) return Put(batch, meta(), key, EncodeUsage(usage));
  batch.Delete(meta(), key).PermitUncheckedError();
}

absl::Status Database::WriteDurably(rocksdb::WriteBatch& batch) const {
  rocksdb::WriteOptions options;
  options.sync = true;
  return ToStatus(db_->Write(options, &batch), "writing to the log");
}

}  // namespace tarn::storage::rocks
