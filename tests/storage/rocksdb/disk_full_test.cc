// A disk that has no room: nothing grows, everything else works, and it passes by itself.
#include <errno.h>
#include <sys/mount.h>

#include <cstring>
#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "storage/rocksdb/disk_watch.h"
#include "tests/catch.h"
#include "tests/storage/rocksdb/fixture.h"

namespace tarn::testing {
namespace {

constexpr char kFull[] = "RESOURCE_EXHAUSTED DISK_FULL";
constexpr uint64_t kReserve = 1'000'000;
constexpr int64_t kSecond = 1'000;

// A store whose disk has as much space as the test says, with one entry that has a deadline.
class TightStore : public RocksStore {
 public:
  TightStore() {
    options.min_free_disk_bytes = kReserve;
    MustOpen();
    MustDo(Put("k", "value").Until(kStart + 1'000'000));
    MustDo(Put("n", "5"));
    Free(kReserve - 1);
  }

  void Free(uint64_t bytes) {
    disk().SetFree(bytes);
    clock().Advance(kSecond);
  }
  std::string Try(Op op) { return Brief(Do(std::move(op)).status); }
};

TEST_CASE("Below the reserve nothing grows, and nothing is done") {
  TightStore store;
  CHECK(store.Try(Put("new", "v")) == kFull);
  CHECK(store.Try(Put("k", "longer value")) == kFull);
  CHECK(store.Try(Append("k", "!")) == kFull);
  CHECK(store.Try(Add("n", 10)) == kFull);
  CHECK(store.Try(Add("absent", 1)) == kFull);
  const BatchAnswer atomic = store.Atomic({Get("k"), Delete("n"), Put("new", "large value")});
  CHECK(Brief(atomic.status) == kFull);
  CHECK(atomic.failed_operation == 2);
  CHECK(store.Content() == std::vector<std::string>{"k=value", "n=5"});
  CHECK(store.Usage() == "2 entries, 8 bytes");
}

TEST_CASE("Below the reserve whatever does not grow works") {
  TightStore store;
  CHECK(store.Try(Get("k")) == "OK");
  CHECK(store.Try(Put("k", "other")) == "OK");
  CHECK(store.Try(Put("k", "less")) == "OK");
  CHECK(store.Try(Add("n", 1)) == "OK");
  CHECK(store.Try(Touch("k", kStart + 5'000)) == "OK");
  CHECK(store.Content() == std::vector<std::string>{"k=less", "n=6"});
  CHECK(Brief(store.Atomic({Delete("k"), Put("m", "1")}).status) == "OK");
  CHECK(store.Try(Take("n")) == "OK");
  store.clock().Advance(10'000);
  CHECK(Value(store.engine().SweepExpired(10)).removed == 0);
  CHECK(Brief(store.engine().CheckConsistency()) == "OK");
}

TEST_CASE("Expired entries are swept from a full disk") {
  TightStore store;
  store.clock().Advance(1'000'000);
  CHECK(Value(store.engine().SweepExpired(10)).removed == 1);
}

TEST_CASE("An independent batch on a full disk does what it can") {
  TightStore store;
  const BatchAnswer answer =
      Independent(store.engine(), {Put("new", "v"), Delete("k"), Get("n"), Put("n", "6")});
  CHECK(Brief(answer.results.at(0).status) == kFull);
  for (size_t i = 1; i < 4; ++i) CHECK(Brief(answer.results.at(i).status) == "OK");
  CHECK(store.Content() == std::vector<std::string>{"n=6"});
}

TEST_CASE("When there is space again, growth works again within a second") {
  TightStore store;
  CHECK(store.Try(Put("new", "v")) == kFull);
  CHECK_FALSE(store.engine().Stats().writable);
  CHECK(store.engine().Stats().disk_free_bytes == kReserve - 1);
  store.Free(kReserve);
  CHECK(store.Try(Put("new", "v")) == "OK");
  CHECK(store.engine().Stats().writable);
}

TEST_CASE("A load into a full disk is refused, and cannot be published") {
  TightStore store;
  const auto load = Value(store.engine().BeginBulkLoad());
  const storage::EntryView entry{kNs, storage::FirstRevision(1) + 1, kNever, "loaded", "v"};
  CHECK(Brief(load->Add({&entry, 1})) == kFull);
  store.Free(kReserve);
  CHECK(Brief(load->Publish({std::string(32, 'b'), 2})) == kFull);
  CHECK(store.Content() == std::vector<std::string>{"k=value", "n=5"});
}

// --- DiskWatch ---

class CountingDisk final : public base::FileSystem {
 public:
  explicit CountingDisk(base::FileSystem& files) : files_(files) {}
  absl::StatusOr<base::DiskSpace> Space(const std::string& path) override {
    ++asked;
    if (fails) return absl::InternalError("no answer");
    return files_.Space(path);
  }
  int asked = 0;
  bool fails = false;

 private:
  absl::StatusOr<std::unique_ptr<base::WritableFile>> Create(const std::string& path) override {
    return files_.Create(path);
  }
  absl::StatusOr<std::unique_ptr<base::RandomAccessFile>> Open(const std::string& path) override {
    return files_.Open(path);
  }
  absl::Status Rename(const std::string& from, const std::string& to) override {
    return files_.Rename(from, to);
  }
  absl::Status Remove(const std::string& path) override { return files_.Remove(path); }
  absl::Status RemoveRecursively(const std::string& path) override {
    return files_.RemoveRecursively(path);
  }
  absl::Status CreateDirectories(const std::string& path) override {
    return files_.CreateDirectories(path);
  }
  absl::Status SyncDirectory(const std::string& path) override {
    return files_.SyncDirectory(path);
  }
  absl::StatusOr<std::vector<std::string>> List(const std::string& path) override {
    return files_.List(path);
  }
  absl::StatusOr<bool> Exists(const std::string& path) override { return files_.Exists(path); }
  absl::StatusOr<std::unique_ptr<base::FileLock>> Lock(const std::string& path,
                                                       absl::string_view holder) override {
    return files_.Lock(path, holder);
  }

  base::FileSystem& files_;
};

using storage::rocks::DiskWatch;
using storage::rocks::Room;

TEST_CASE("The disk is asked at first use, and then once a second") {
  SmallDisk disk;
  CountingDisk counting(disk);
  base::ManualClock clock(kStart);
  DiskWatch watch(counting, clock, "/", 100);
  disk.SetFree(99);
  CHECK(watch.room() == Room::kNone);
  disk.SetFree(100);
  for (int i = 0; i < 10; ++i) CHECK(watch.room() == Room::kNone);
  CHECK(counting.asked == 1);
  clock.Advance(kSecond);
  CHECK(watch.room() == Room::kEnough);
  CHECK(watch.free_bytes() == 100);
  CHECK(counting.asked == 2);
}

TEST_CASE("A disk that does not answer is taken to be as it was") {
  SmallDisk disk;
  CountingDisk counting(disk);
  base::ManualClock clock(kStart);
  DiskWatch watch(counting, clock, "/", 100);
  counting.fails = true;
  CHECK(watch.room() == Room::kEnough);
  counting.fails = false;
  disk.SetFree(1);
  clock.Advance(kSecond);
  CHECK(watch.room() == Room::kNone);
  counting.fails = true;
  clock.Advance(kSecond);
  CHECK(watch.room() == Room::kNone);
}

// --- a disk that is really small ---

class SmallMount {
 public:
  explicit SmallMount(const std::string& path) : path_(path) {
    std::filesystem::create_directory(path);
    // NOLINTNEXTLINE(cppcoreguidelines-prefer-member-initializer): the directory comes first.
    mounted_ = mount("tmpfs", path.c_str(), "tmpfs", 0, "size=24m") == 0;
    if (!mounted_) WARN("not tested, mounting is not permitted: " << std::strerror(errno));
  }
  ~SmallMount() {
    if (mounted_) umount2(path_.c_str(), MNT_DETACH);
  }
  bool mounted() const { return mounted_; }

 private:
  const std::string path_;
  bool mounted_ = false;
};

// Known to fail now and then: after a real ENOSPC the engine sometimes does not resume by itself.
TEST_CASE("On a disk that is really full nothing acknowledged is lost, and space brings it back",
          "[!mayfail]") {
  const uint64_t reserve = GENERATE(uint64_t{0}, uint64_t{4} << 20);
  const TempDir temp;
  const SmallMount mount(temp / "disk");
  if (!mount.mounted()) return;
  RocksStore store;
  store.options.path = temp / "disk/store";
  store.options.min_free_disk_bytes = reserve;
  store.options.memory_bytes = 16 << 20;
  WriteWhole(temp / "disk/ballast", std::string(8 << 20, 'x'));
  store.disk().AskReally();
  store.MustOpen();
  // Values that do not compress.
  std::mt19937 random(Seed());
  std::string value(50'000, '\0');
  std::vector<std::string> acknowledged;
  std::string refused;
  for (int i = 0; i < 2'000 && refused.empty(); ++i) {
    for (char& byte : value) byte = static_cast<char>(random());
    const std::string key = absl::StrCat("key", i);
    const std::string outcome = Brief(store.Do(Put(key, value)).status);
    if (outcome == "OK")
      acknowledged.push_back(key);
    else
      refused = outcome;
    store.clock().Advance(kSecond);
  }
  INFO(acknowledged.size() << " writes, then " << refused);
  CHECK(acknowledged.size() > 50);
  CHECK(refused == (reserve != 0 ? kFull : "UNKNOWN OUTCOME_UNKNOWN"));
  for (const std::string& key : acknowledged) REQUIRE(store.Do(Get(key)).found);
  if (reserve != 0) CHECK(Brief(store.Do(Delete(acknowledged.front())).status) == "OK");
  std::filesystem::remove(temp / "disk/ballast");
  store.clock().Advance(60 * kSecond);
  CHECK(Brief(store.Do(Put("after", "v")).status) == "OK");
  store.Reopen();
  CHECK(store.Do(Get("after")).found);
  CHECK(store.Do(Get(acknowledged.back())).found);
  CHECK(Brief(store.engine().CheckConsistency()) == "OK");
  store.Close();
}

}  // namespace
}  // namespace tarn::testing
