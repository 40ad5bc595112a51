// What is there after the files were cut short or damaged: everything acknowledged, or a refusal
// that names the file. Never something in between.
#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "rocksdb/db.h"
#include "tests/catch.h"
#include "tests/storage/rocksdb/fixture.h"

namespace tarn::testing {
namespace {

namespace fs = std::filesystem;

// A closed store with three commits in its log.
class Closed {
 public:
  Closed() {
    store.MustOpen();
    for (const char* key : {"a", "b", "c"}) store.MustDo(Put(key, std::string(20, 'v')));
    store.Close();
  }

  // Its files as they were.
  void Restore() {
    fs::remove_all(store.directory());
    fs::copy(kept_, store.directory(), fs::copy_options::recursive);
  }
  void Keep() {
    kept_ = copies_ / "kept";
    fs::copy(store.directory(), kept_, fs::copy_options::recursive);
  }

  // "OK" with everything, or the status when it was refused; anything else is a loss.
  std::string Outcome() {
    const absl::Status status = store.Open();
    const std::string outcome = status.ok() && store.Content().size() != 3
                                    ? absl::StrCat(store.Content().size(), " of 3 entries")
                                    : Brief(status);
    store.Close();
    return outcome;
  }

  RocksStore store;

 private:
  TempDir copies_;
  std::string kept_;
};

std::string NewestLog(const RocksStore& store) { return store.Files(".log").back(); }

TEST_CASE("A log that was cut short anywhere keeps every commit that is whole") {
  Closed closed;
  const std::string log = NewestLog(closed.store);
  const std::string whole = ReadWhole(log);
  closed.Keep();
  // From the end on: the last of a closed store's records is the empty one of its closing.
  size_t entries = 3;
  for (size_t size = whole.size(); size-- > 0;) {
    closed.Restore();
    WriteWhole(log, whole.substr(0, size));
    REQUIRE(Brief(closed.store.Open()) == "OK");
    const size_t now = closed.store.Content().size();
    REQUIRE(Brief(closed.store.engine().CheckConsistency()) == "OK");
    closed.store.Close();
    REQUIRE(now <= entries);
    REQUIRE(entries - now <= 1);
    entries = now;
    if (entries == 1) break;  // Two commits, byte by byte.
  }
  CHECK(entries == 1);
}

TEST_CASE("A flipped byte anywhere in the log is refused, naming the log") {
  Closed closed;
  const std::string log = NewestLog(closed.store);
  const std::string whole = ReadWhole(log);
  closed.Keep();
  for (size_t at = 0; at < whole.size(); ++at) {
    closed.Restore();
    std::string damaged = whole;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x41);
    WriteWhole(log, damaged);
    const absl::Status status = closed.store.Open();
    INFO("byte " << at << ": " << status);
    REQUIRE(Brief(status) == "DATA_LOSS DATA_LOSS");
    REQUIRE(absl::StrContains(status.message(), fs::path(log).filename().string()));
  }
  // Nothing was done to the files meanwhile.
  closed.Restore();
  CHECK(closed.Outcome() == "OK");
}

TEST_CASE("A flipped byte in the manifest or in CURRENT is refused, or changes nothing") {
  Closed closed;
  closed.Keep();
  std::string current = ReadWhole(closed.store.database() + "/CURRENT");
  current.pop_back();
  for (const std::string& name : {current, std::string("CURRENT")}) {
    const std::string path = closed.store.database() + "/" + name;
    const std::string whole = ReadWhole(path);
    for (size_t at = 0; at < whole.size(); at += 3) {
      closed.Restore();
      std::string damaged = whole;
      damaged[at] = static_cast<char>(damaged[at] ^ 0x05);
      WriteWhole(path, damaged);
      INFO(path << ", byte " << at);
      REQUIRE(closed.Outcome() == "DATA_LOSS DATA_LOSS");
    }
  }
}

TEST_CASE("A database that lost a file is refused") {
  Closed closed;
  closed.store.Reopen();  // What was in the log is in a table now.
  closed.store.Close();
  closed.Keep();
  const std::vector<std::string> tables = closed.store.Files(".sst");
  REQUIRE_FALSE(tables.empty());
  std::vector<std::string> needed = tables;
  needed.push_back(NewestLog(closed.store));
  needed.push_back(closed.store.database() + "/CURRENT");
  for (const std::string& path : needed) {
    closed.Restore();
    fs::remove(path);
    INFO(path);
    const absl::Status status = closed.store.Open();
    CHECK(Brief(status) == "DATA_LOSS DATA_LOSS");
    CHECK(absl::StrContains(status.message(), closed.store.database()));
  }
}

TEST_CASE("An emptied database directory is refused, not taken for a new one") {
  Closed closed;
  const std::string database = closed.store.database();
  for (const auto& entry : fs::directory_iterator(database)) fs::remove_all(entry.path());
  CHECK(closed.Outcome() == "DATA_LOSS DATA_LOSS");
  fs::remove_all(database);
  CHECK(closed.Outcome() == "DATA_LOSS DATA_LOSS");
}

TEST_CASE("A table that was cut short is refused, naming it") {
  Closed closed;
  closed.store.Reopen();
  closed.store.Close();
  const std::string table = closed.store.Files(".sst").back();
  fs::resize_file(table, fs::file_size(table) - 1);
  const absl::Status status = closed.store.Open();
  CHECK(Brief(status) == "DATA_LOSS DATA_LOSS");
  INFO(status);
  CHECK(absl::StrContains(status.message(), fs::path(table).filename().string()));
}

TEST_CASE("A damaged block of a table fails the reads that need it, naming the table") {
  RocksStore store;
  store.MustOpen();
  for (int i = 0; i < 200; ++i) store.MustDo(Put(absl::StrCat("key", i), std::string(2'000, 'v')));
  store.Reopen();
  store.Close();
  // The table of the entries is the largest; its first bytes are its first block.
  std::string table;
  for (const std::string& path : store.Files(".sst")) {
    if (table.empty() || fs::file_size(path) > fs::file_size(table)) table = path;
  }
  std::string bytes = ReadWhole(table);
  bytes[10] = static_cast<char>(bytes[10] ^ 1);
  WriteWhole(table, bytes);
  REQUIRE(Brief(store.Open()) == "OK");
  const Answer damaged = store.Do(Get("key0"));
  CHECK(Brief(damaged.status) == "DATA_LOSS DATA_LOSS");
  CHECK(absl::StrContains(damaged.status.message(), fs::path(table).filename().string()));
  CHECK(store.Do(Get("key99")).found);
  const BatchAnswer both = store.Atomic({Get("key99"), Get("key0")});
  CHECK(Brief(both.status) == "DATA_LOSS DATA_LOSS");
  CHECK(both.failed_operation == 1);
  // A write that would replace what cannot be read is not done. (Others are, until RocksDB itself
  // meets the damage and takes no more.)
  CHECK_FALSE(store.Do(Put("key0", "new")).status.ok());
  const auto snapshot = Value(store.engine().OpenSnapshot(storage::SnapshotPurpose::kScan));
  const PageCopy page = Reader(*snapshot, {kNs, "", ""}).Next({}, store.clock().Now());
  CHECK(Brief(page.status) == "DATA_LOSS DATA_LOSS");
  CHECK(page.rows.empty());
}

TEST_CASE("A store that lost its pointer is refused") {
  Closed closed;
  fs::remove(closed.store.directory() + "/CURRENT_DB");
  CHECK(closed.Outcome() == "DATA_LOSS DATA_LOSS");
}

// Changes records as a newer, or a faulty, program would.
class RawDatabase {
 public:
  explicit RawDatabase(const std::string& path) {
    const rocksdb::DBOptions options;
    const std::vector<rocksdb::ColumnFamilyDescriptor> families = {
        {"default", {}}, {"entries", {}}, {"expiry", {}}};
    rocksdb::DB* db = nullptr;
    const rocksdb::Status status = rocksdb::DB::Open(options, path, families, &families_, &db);
    if (!status.ok()) throw std::runtime_error(status.ToString());
    db_.reset(db);
  }
  ~RawDatabase() {
    for (rocksdb::ColumnFamilyHandle* family : families_) {
      db_->DestroyColumnFamilyHandle(family).PermitUncheckedError();
    }
  }

  void Put(size_t family, const std::string& key, const std::string& value) {
    db_->Put({}, families_[family], key, value).PermitUncheckedError();
  }
  void Delete(size_t family, const std::string& key) {
    db_->Delete({}, families_[family], key).PermitUncheckedError();
  }

 private:
  std::unique_ptr<rocksdb::DB> db_;
  std::vector<rocksdb::ColumnFamilyHandle*> families_;
};

TEST_CASE("A database of a newer format is refused by its number") {
  Closed closed;
  RawDatabase(closed.store.database()).Put(0, "format", std::string("\0\0\0\x09", 4));
  const absl::Status status = closed.store.Open();
  CHECK(Brief(status) == "FAILED_PRECONDITION");
  CHECK(absl::StrContains(status.message(), "format 9"));
}

TEST_CASE("A database whose records cannot be read is refused") {
  const std::string key = GENERATE(std::string("format"), std::string("store"),
                                   std::string("commit"), std::string("usage\0\0\0\1", 9));
  Closed closed;
  RawDatabase(closed.store.database()).Put(0, key, "?");
  CHECK(closed.Outcome() == "DATA_LOSS DATA_LOSS");
}

TEST_CASE("A database without a format record is none of ours") {
  Closed closed;
  RawDatabase(closed.store.database()).Delete(0, "format");
  CHECK(closed.Outcome() == "DATA_LOSS DATA_LOSS");
}

TEST_CASE("An entry of an unknown form fails what needs it, and only that") {
  Closed closed;
  RawDatabase(closed.store.database()).Put(1, std::string("\0\0\0\1b", 5), "?");
  closed.store.MustOpen();
  CHECK(Brief(closed.store.Do(Get("b")).status) == "DATA_LOSS DATA_LOSS");
  CHECK(Brief(closed.store.Do(Delete("b")).status) == "DATA_LOSS DATA_LOSS");
  CHECK(closed.store.Do(Get("a")).found);
}

// An entry's bytes: its form, then revision, deadline and value.
std::string StoredAs(const std::string& rest) { return absl::StrCat("\1", rest); }

TEST_CASE("The check of a store finds whatever disagrees with its entries") {
  const std::string entry("\0\0\0\1a", 5);
  const std::string deadline("\0\0\0\0\0\0\0\x05", 8);
  struct Harm {
    const char* what;
    std::function<void(RawDatabase&)> apply;
  };
  const std::vector<Harm> harms = {
      {"an entry that is not counted",
       [&](RawDatabase& db) {
         db.Put(1, std::string("\0\0\0\1z", 5), StoredAs(std::string(16, '\0')));
       }},
      {"an entry that is gone", [&](RawDatabase& db) { db.Delete(1, entry); }},
      {"a namespace without its record",
       [](RawDatabase& db) { db.Delete(0, std::string("usage\0\0\0\1", 9)); }},
      {"an index entry for an entry without deadline",
       [&](RawDatabase& db) { db.Put(2, deadline + entry, ""); }},
      {"an entry with a deadline that is not indexed",
       [&](RawDatabase& db) {
         db.Put(1, entry,
                StoredAs(absl::StrCat(std::string(8, '\0'), deadline, std::string(20, 'v'))));
       }},
      {"a key in the index that is none", [](RawDatabase& db) { db.Put(2, "short", ""); }},
  };
  for (const Harm& harm : harms) {
    INFO(harm.what);
    Closed closed;
    {
      RawDatabase raw(closed.store.database());
      harm.apply(raw);
    }
    closed.store.MustOpen();
    CHECK(Brief(closed.store.engine().CheckConsistency()) == "DATA_LOSS DATA_LOSS");
  }
}

}  // namespace
}  // namespace tarn::testing
