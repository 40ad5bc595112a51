#include "storage/store_identity.h"

#include <algorithm>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "storage/base/error.h"
#include "storage/base/status.h"
#include "storage/text_record.h"

namespace tarn::storage {
namespace {

constexpr int kStoreIdBytes = 16;
constexpr uint64_t kReservationPoint = uint64_t{1} << (kCounterBits - 1);

// What DATA_DIR/store says.
struct StoreFile {
  std::string id;
  std::string engine;
};

absl::Status DamagedFile(const std::string& path, absl::string_view what) {
  return base::MakeError(absl::StatusCode::kDataLoss, base::Reason::kDataLoss,
                         absl::StrCat(path, " is damaged: ", what));
}

// Nothing when there is no such file.
absl::StatusOr<std::optional<std::vector<std::string>>> ReadRecord(
    base::FileSystem& files, const std::string& path, absl::string_view kind,
    absl::Span<const absl::string_view> names) {
  const absl::StatusOr<std::string> content = base::ReadFile(files, path);
  if (absl::IsNotFound(content.status())) return std::optional<std::vector<std::string>>();
  if (absl::IsOutOfRange(content.status())) return DamagedFile(path, content.status().message());
  TARN_RETURN_IF_ERROR(content.status());
  absl::StatusOr<std::vector<std::string>> values = DecodeTextRecord(kind, names, *content);
  if (absl::IsDataLoss(values.status())) return DamagedFile(path, values.status().message());
  if (!values.ok()) return base::Annotate(values.status(), path);
  return std::optional(*std::move(values));
}

absl::StatusOr<std::optional<int64_t>> ReadNumber(base::FileSystem& files, const std::string& path,
                                                  absl::string_view kind, absl::string_view name) {
  TARN_ASSIGN_OR_RETURN(const auto values, ReadRecord(files, path, kind, {name}));
  if (!values) return std::optional<int64_t>();
  int64_t number = 0;
  if (!absl::SimpleAtoi(values->front(), &number) || number < 0)
    return DamagedFile(path, "it does not hold a number");
  return std::optional(number);
}

absl::Status WriteNumber(base::FileSystem& files, const std::string& path, absl::string_view kind,
                         absl::string_view name, int64_t number) {
  const std::string value = absl::StrCat(number);
  return base::ReplaceFile(files, path, EncodeTextRecord(kind, {{name, value}}));
}

std::string StorePath(const std::string& directory) { return base::JoinPath(directory, "store"); }
std::string IncarnationPath(const std::string& directory) {
  return base::JoinPath(directory, "incarnation");
}
std::string ClockPath(const std::string& directory) { return base::JoinPath(directory, "clock"); }
std::string CatalogPath(const std::string& directory) {
  return base::JoinPath(directory, "catalog");
}
std::string BeginningPath(const std::string& directory) {
  return base::JoinPath(directory, "beginning");
}

absl::StatusOr<std::optional<StoreFile>> ReadStoreFile(base::FileSystem& files,
                                                       const std::string& directory) {
  TARN_ASSIGN_OR_RETURN(auto values,
                        ReadRecord(files, StorePath(directory), "store", {"id", "engine"}));
  if (!values) return std::optional<StoreFile>();
  return std::optional(StoreFile{.id = std::move((*values)[0]), .engine = std::move((*values)[1])});
}

absl::Status Refuse(absl::string_view message) { return absl::FailedPreconditionError(message); }

// Whether what the engine and the directory say can be of one store.
absl::Status CheckSameStore(const Engine& engine, const std::optional<StoreMeta>& in_engine,
                            const std::string& path, const std::optional<StoreMeta>& in_directory) {
  if (in_engine && !in_directory && engine.is_shared()) return absl::OkStatus();
  if (in_engine && !in_directory) {
    return Refuse(absl::StrCat("the ", engine.name(), " engine holds store ", in_engine->store_id,
                               ", but the data directory ", path, " was never initialised"));
  }
  if (in_engine && in_engine->store_id != in_directory->store_id) {
    return Refuse(absl::StrCat("the ", engine.name(), " engine holds store ", in_engine->store_id,
                               ", but the data directory ", path, " belongs to store ",
                               in_directory->store_id));
  }
  // Incarnation 0: the very first start was cut short before it reached the engine.
  const bool may_be_empty =
      engine.starts_empty() || !in_directory || in_directory->incarnation == 0;
  if (in_engine || may_be_empty) return absl::OkStatus();
  return Refuse(absl::StrCat("the data directory ", path, " belongs to store ",
                             in_directory->store_id, ", but the ", engine.name(),
                             " engine was never initialised"));
}

absl::Status WriteEverywhere(Engine& engine, DataDirectory& directory, const StoreMeta& meta) {
  if (meta.incarnation > kMaxIncarnation) {
    return Refuse(absl::StrCat("store ", meta.store_id, " has used up all ", kMaxIncarnation,
                               " incarnations"));
  }
  // The engine first: while the directory has incarnation 0, an empty engine is the first start's,
  // cut short.
  TARN_RETURN_IF_ERROR(engine.WriteMeta(meta));
  return directory.WriteMeta(meta, engine.name());
}

}  // namespace

DataDirectory::DataDirectory(base::FileSystem& files, std::string path,
                             std::unique_ptr<base::FileLock> lock)
    : files_(files), path_(std::move(path)), lock_(std::move(lock)) {}

absl::StatusOr<std::unique_ptr<DataDirectory>> DataDirectory::Open(base::FileSystem& files,
                                                                   const std::string& path,
                                                                   absl::string_view holder) {
  TARN_RETURN_IF_ERROR(files.CreateDirectories(path));
  auto lock = files.Lock(base::JoinPath(path, "LOCK"), holder);
  if (!lock.ok())
    return base::Annotate(lock.status(), absl::StrCat("cannot use the data directory ", path));
  return std::unique_ptr<DataDirectory>(new DataDirectory(files, path, *std::move(lock)));
}

absl::StatusOr<std::optional<StoreMeta>> DataDirectory::ReadMeta() const {
  TARN_ASSIGN_OR_RETURN(auto store, ReadStoreFile(files_, path_));
  TARN_ASSIGN_OR_RETURN(const auto incarnation,
                        ReadNumber(files_, IncarnationPath(path_), "incarnation", "incarnation"));
  if (store && !incarnation)
    return DamagedFile(IncarnationPath(path_), "it is missing, though there is a store");
  if (store) {
    return std::optional(StoreMeta{.store_id = std::move(store->id),
                                   .incarnation = static_cast<Incarnation>(*incarnation)});
  }
  // The first start writes 0 there before it names the store: only then may the name be missing.
  if (incarnation.value_or(0) != 0)
    return DamagedFile(StorePath(path_), "it is missing, though there are incarnations");
  return std::optional<StoreMeta>();
}

absl::Status DataDirectory::WriteMeta(const StoreMeta& meta, absl::string_view engine) {
  TARN_RETURN_IF_ERROR(WriteNumber(files_, IncarnationPath(path_), "incarnation", "incarnation",
                                   static_cast<int64_t>(meta.incarnation)));
  TARN_ASSIGN_OR_RETURN(const auto store, ReadStoreFile(files_, path_));
  if (store && store->id == meta.store_id && store->engine == engine) return absl::OkStatus();
  return base::ReplaceFile(files_, StorePath(path_),
                           EncodeTextRecord("store", {{"id", meta.store_id}, {"engine", engine}}));
}

absl::Status DataDirectory::CheckEngine(absl::string_view engine) const {
  TARN_ASSIGN_OR_RETURN(const auto store, ReadStoreFile(files_, path_));
  if (!store || store->engine == engine) return absl::OkStatus();
  return Refuse(absl::StrCat("the data directory ", path_, " was initialised by the ",
                             store->engine, " engine; it cannot be used with the ", engine,
                             " engine"));
}

absl::StatusOr<base::UnixMs> DataDirectory::ReadClock() const {
  TARN_ASSIGN_OR_RETURN(const auto milliseconds,
                        ReadNumber(files_, ClockPath(path_), "clock", "unix_ms"));
  return milliseconds.value_or(0);
}

absl::Status DataDirectory::WriteClock(base::UnixMs now) {
  return WriteNumber(files_, ClockPath(path_), "clock", "unix_ms", now);
}

absl::StatusOr<std::optional<std::string>> DataDirectory::ReadCatalogPath() const {
  TARN_ASSIGN_OR_RETURN(auto values, ReadRecord(files_, CatalogPath(path_), "catalog", {"path"}));
  if (!values) return std::optional<std::string>();
  return std::optional(std::move(values->front()));
}

absl::Status DataDirectory::WriteCatalogPath(const std::string& path) {
  return base::ReplaceFile(files_, CatalogPath(path_),
                           EncodeTextRecord("catalog", {{"path", path}}));
}

absl::StatusOr<std::optional<StoreBeginning>> DataDirectory::ReadBeginning() const {
  TARN_ASSIGN_OR_RETURN(const auto values, ReadRecord(files_, BeginningPath(path_), "beginning",
                                                      {"incarnation", "newest"}));
  if (!values) return std::optional<StoreBeginning>();
  StoreBeginning beginning;
  if (!absl::SimpleAtoi((*values)[0], &beginning.incarnation) ||
      !absl::SimpleAtoi((*values)[1], &beginning.newest))
    return DamagedFile(BeginningPath(path_), "it does not hold two numbers");
  return std::optional(beginning);
}

absl::Status DataDirectory::WriteBeginning(const StoreBeginning& beginning) {
  const std::string incarnation = absl::StrCat(beginning.incarnation);
  const std::string newest = absl::StrCat(beginning.newest);
  return base::ReplaceFile(
      files_, BeginningPath(path_),
      EncodeTextRecord("beginning", {{"incarnation", incarnation}, {"newest", newest}}));
}

absl::StatusOr<StoreMeta> AgreeOnStore(Engine& engine, DataDirectory& directory,
                                       base::RandomSource& random,
                                       const StoreElsewhere& elsewhere) {
  TARN_RETURN_IF_ERROR(directory.CheckEngine(engine.name()));
  TARN_ASSIGN_OR_RETURN(std::optional<StoreMeta> in_directory, directory.ReadMeta());
  TARN_ASSIGN_OR_RETURN(const std::optional<StoreMeta> in_engine, engine.ReadMeta());
  TARN_RETURN_IF_ERROR(CheckSameStore(engine, in_engine, directory.path(), in_directory));
  // Only a shared engine may know what the directory does not.
  if (!in_directory && in_engine) in_directory = StoreMeta{.store_id = in_engine->store_id};
  if (in_directory && elsewhere.store_id && in_directory->store_id != *elsewhere.store_id) {
    return Refuse(absl::StrCat("the data directory ", directory.path(), " belongs to store ",
                               in_directory->store_id, ", but ", elsewhere.place,
                               " belongs to store ", *elsewhere.store_id));
  }
  if (!in_directory) {
    in_directory =
        StoreMeta{.store_id = elsewhere.store_id ? *elsewhere.store_id
                                                 : base::RandomHex(random, kStoreIdBytes)};
  }
  if (in_directory->incarnation == 0) {
    // Before the engine is touched, so that whatever a crash leaves in it is known to be this
    // store's.
    TARN_RETURN_IF_ERROR(directory.WriteMeta(*in_directory, engine.name()));
  }
  StoreMeta meta = *std::move(in_directory);
  meta.incarnation =
      std::max({meta.incarnation, in_engine ? in_engine->incarnation : 0, elsewhere.highest});
  return meta;
}

absl::Status StartIncarnation(Engine& engine, DataDirectory& directory, const StoreMeta& meta) {
  return WriteEverywhere(engine, directory, meta);
}

absl::StatusOr<StoreMeta> OpenStoreIdentity(Engine& engine, DataDirectory& directory,
                                            base::RandomSource& random) {
  TARN_ASSIGN_OR_RETURN(StoreMeta meta, AgreeOnStore(engine, directory, random, {}));
  ++meta.incarnation;
  TARN_RETURN_IF_ERROR(WriteEverywhere(engine, directory, meta));
  return meta;
}

absl::Status ReserveNextIncarnation(Engine& engine, DataDirectory& directory,
                                    const StoreMeta& meta) {
  return WriteEverywhere(engine, directory,
                         {.store_id = meta.store_id, .incarnation = meta.incarnation + 1});
}

absl::Status KeepIncarnationReserved(Engine& engine, DataDirectory& directory, Revision newest) {
  if (CounterOf(newest) < kReservationPoint) return absl::OkStatus();
  TARN_ASSIGN_OR_RETURN(const std::optional<StoreMeta> meta, directory.ReadMeta());
  if (!meta)
    return absl::FailedPreconditionError(absl::StrCat(directory.path(), " was never initialised"));
  if (meta->incarnation > IncarnationOf(newest)) return absl::OkStatus();
  return ReserveNextIncarnation(engine, directory,
                                {.store_id = meta->store_id, .incarnation = IncarnationOf(newest)});
}

}  // namespace tarn::storage
