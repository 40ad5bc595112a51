// A disk that has no room: nothing grows, everything else works, and it passes by itself.
#include <errno.h>
#include <sys/mount.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <map>
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

TEST_CASE("When nearly nothing is left, nothing is written at all") {
  TightStore store;
  store.Free(kReserve / 4 - 1);
  for (const Op& op : {Put("k", "less"), Delete("k"), Add("n", 1), Touch("k", kNever)}) {
    CHECK(store.Try(op) == kFull);
  }
  store.clock().Advance(1'000'000);
  CHECK(Brief(store.engine().SweepExpired(10).status()) == kFull);
  CHECK(store.Try(Get("n")) == "OK");
  CHECK_FALSE(store.engine().Stats().writable);
  store.Free(kReserve / 4);
  CHECK(store.Try(Delete("n")) == "OK");
  CHECK(store.Usage() == "1 entries, 6 bytes");
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
  CHECK(watch.room() == Room::kNoGrowth);
  disk.SetFree(100);
  for (int i = 0; i < 10; ++i) CHECK(watch.room() == Room::kNoGrowth);
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
  disk.SetFree(99);
  clock.Advance(kSecond);
  CHECK(watch.room() == Room::kNoGrowth);
  counting.fails = true;
  clock.Advance(kSecond);
  CHECK(watch.room() == Room::kNoGrowth);
}

TEST_CASE("A quarter of the reserve is left untouched") {
  SmallDisk disk;
  base::ManualClock clock(kStart);
  DiskWatch watch(disk, clock, "/", 100);
  disk.SetFree(25);
  CHECK(watch.room() == Room::kNoGrowth);
  disk.SetFree(24);
  CHECK(watch.FreeBytesNow() == 24);
  CHECK(watch.room() == Room::kNoWrites);
}

TEST_CASE("Without a reserve there is always enough room") {
  SmallDisk disk;
  base::ManualClock clock(kStart);
  DiskWatch watch(disk, clock, "/", 0);
  disk.SetFree(0);
  CHECK(watch.room() == Room::kEnough);
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

// A store on a small disk of its own, and what is known of each key: every state that it may be in.
class StoreOnSmallMount {
 public:
  explicit StoreOnSmallMount(const storage::RocksDbOptions& options)
      : mount_(temp_ / "disk"), random_(Seed()) {
    store_.options = options;
    store_.options.path = temp_ / "disk/store";
    if (!mount_.mounted()) return;
    store_.disk().AskReally();
    store_.MustOpen();
  }

  bool mounted() const { return mount_.mounted(); }
  RocksStore& store() { return store_; }

  // Leaves `bytes` of the disk.
  void FillUp(uint64_t bytes) {
    const uint64_t free = std::filesystem::space(temp_ / "disk").available;
    WriteWhole(temp_ / "disk/ballast", std::string(free > bytes ? free - bytes : 0, 'x'));
  }
  void MakeSpace() { std::filesystem::remove(temp_ / "disk/ballast"); }

  // Random writes, until one is not acknowledged: its outcome.
  std::string WriteUntilRefused() {
    std::string outcome = "OK";
    for (int i = 0; i < 20'000 && outcome == "OK"; ++i) outcome = WriteSomething();
    return outcome;
  }
  std::string WriteSomething() {
    const std::string key = absl::StrCat("key", random_() % 100);
    const std::string value = random_() % 8 == 0 ? "" : RandomValue();
    const std::string outcome =
        Brief(store_.Do(value.empty() ? Delete(key) : Put(key, value)).status);
    std::vector<std::string>& states = states_[key];
    if (outcome == "OK") states = {value};
    if (outcome == "UNKNOWN OUTCOME_UNKNOWN") {
      if (states.empty()) states = {""};
      states.push_back(value);
    }
    store_.clock().Advance(kSecond / 10);
    return outcome;
  }

  // Every key is in one of its states; from now on it stays in it.
  void CheckContent() {
    for (auto& [key, states] : states_) {
      const Answer answer = store_.Do(Get(key));
      INFO(key << " in one of " << states.size() << " states: " << Brief(answer.status));
      REQUIRE(answer.status.ok());
      if (states.empty()) states = {""};
      REQUIRE(std::count(states.begin(), states.end(), answer.value) > 0);
    }
    CHECK(Brief(store_.engine().CheckConsistency()) == "OK");
  }
  void Settle() {
    for (auto& [key, states] : states_) states = {store_.Do(Get(key)).value};
  }

 private:
  // One that does not compress.
  std::string RandomValue() {
    const size_t size = 1 + random_() % (random_() % 2 == 0 ? 100 : 60'000);
    return noise_.substr(random_() % (noise_.size() - size), size);
  }
  static std::string Noise(std::mt19937& random) {
    std::string noise(1 << 18, '\0');
    for (char& byte : noise) byte = static_cast<char>(random());
    return noise;
  }

  const TempDir temp_;
  const SmallMount mount_;
  std::mt19937 random_;
  const std::string noise_ = Noise(random_);
  RocksStore store_;
  std::map<std::string, std::vector<std::string>> states_;  // Empty: there is no entry.
};

storage::RocksDbOptions Small(uint64_t reserve, storage::Durability durability) {
  storage::RocksDbOptions options;
  options.min_free_disk_bytes = reserve;
  options.durability = durability;
  options.memory_bytes = 4 << 20;
  return options;
}

// Without a reserve, RocksDB finds the end of the disk: with its log, a flush, a compaction or its
// manifest.
TEST_CASE("On a disk that is really full nothing acknowledged is lost, and space brings it back") {
  const uint64_t reserve = GENERATE(uint64_t{0}, uint64_t{4} << 20);
  const auto durability = GENERATE(storage::Durability::kOs, storage::Durability::kDisk);
  StoreOnSmallMount subject(Small(reserve, durability));
  if (!subject.mounted()) return;
  for (int round = 0; round < 2; ++round) {
    subject.FillUp(reserve + 1'000'000 * round + 500'000);
    const std::string refused = subject.WriteUntilRefused();
    INFO("round " << round << ", then " << refused);
    if (reserve != 0) {
      CHECK(refused == kFull);
    } else {
      CHECK((refused == "UNKNOWN OUTCOME_UNKNOWN" || refused == "UNAVAILABLE ENGINE_UNAVAILABLE"));
    }
    for (int i = 0; i < 20; ++i) subject.WriteSomething();
    subject.CheckContent();
    subject.MakeSpace();
    subject.store().clock().Advance(60 * kSecond);
    CHECK(subject.store().Try(Put("after", "v")) == "OK");
    subject.CheckContent();
    subject.Settle();
    subject.store().Reopen();
    subject.CheckContent();
  }
  subject.store().Close();
}

TEST_CASE("What is closed on a full disk opens when there is space") {
  const auto durability = GENERATE(storage::Durability::kOs, storage::Durability::kDisk);
  StoreOnSmallMount subject(Small(0, durability));
  if (!subject.mounted()) return;
  for (int round = 0; round < 2; ++round) {
    subject.FillUp(1'000'000 * round + 100'000);
    CHECK(subject.WriteUntilRefused() != "OK");
    for (int attempt = 0; attempt < 3; ++attempt) {
      subject.store().Close();
      const std::string opened = Brief(subject.store().Open());
      CHECK((opened == "OK" || opened == kFull));
    }
    subject.store().Close();
    subject.MakeSpace();
    subject.store().MustOpen();
    subject.CheckContent();
    subject.Settle();
  }
  subject.store().Close();
}

}  // namespace
}  // namespace tarn::testing
