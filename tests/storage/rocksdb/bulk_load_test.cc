// Replacing everything: whatever happens on the way, the old content is there or the new one.
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/catch.h"
#include "tests/storage/rocksdb/fault_env.h"
#include "tests/storage/rocksdb/fixture.h"

namespace tarn::testing {
namespace {

namespace fs = std::filesystem;

const storage::StoreMeta kLoadedMeta{"fedcba9876543210fedcba9876543210", 40};

class LoadableStore : public RocksStore {
 public:
  explicit LoadableStore(rocksdb::Env* chosen = nullptr) {
    env = chosen;
    MustOpen();
    MustDo(Put("old", "v"));
  }
  ~LoadableStore() { Close(); }

  std::unique_ptr<storage::BulkLoad> Begin() { return Value(engine().BeginBulkLoad()); }
  std::vector<std::string> Databases() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(directory())) {
      if (entry.is_directory()) names.push_back(entry.path().filename().string());
    }
    std::sort(names.begin(), names.end());
    return names;
  }
};

absl::Status Add(storage::BulkLoad& load, const std::string& key, UnixMs deadline = kNever) {
  const storage::EntryView entry{kNs, storage::FirstRevision(9) + 1, deadline, key, "loaded"};
  return load.Add({&entry, 1});
}

const std::vector<std::string> kOld = {"old=v"};
const std::vector<std::string> kNew = {"new=loaded"};

TEST_CASE("A published load is a database of its own, and the old one is gone") {
  LoadableStore store;
  CHECK(store.Databases() == std::vector<std::string>{"db-1"});
  auto load = store.Begin();
  CHECK(store.Databases() == std::vector<std::string>{"db-1", "db-2"});
  REQUIRE(Add(*load, "new").ok());
  REQUIRE(load->Publish(kLoadedMeta).ok());
  load.reset();
  CHECK(store.Databases() == std::vector<std::string>{"db-2"});
  CHECK(store.Content() == kNew);
  CHECK(storage::IncarnationOf(store.engine().Stats().revision) == 40);
  CHECK(Brief(store.engine().CheckConsistency()) == "OK");
  store.Reopen();
  CHECK(store.Content() == kNew);
}

TEST_CASE("A load that is given up leaves no files") {
  LoadableStore store;
  auto load = store.Begin();
  REQUIRE(Add(*load, "new").ok());
  load.reset();
  CHECK(store.Databases() == std::vector<std::string>{"db-1"});
  CHECK(store.Content() == kOld);
}

TEST_CASE("A load that a dead process left is removed at the next start") {
  LoadableStore store;
  const auto load = store.Begin();
  REQUIRE(Add(*load, "new").ok());
  // What that process would have left, in a directory of its own.
  const TempDir copy;
  fs::copy(store.directory(), copy / "store", fs::copy_options::recursive);
  RocksStore after;
  after.options.path = copy / "store";
  after.MustOpen();
  CHECK(after.Content() == kOld);
  CHECK_FALSE(fs::exists(copy / "store/db-2"));
}

TEST_CASE("A crash at any step of the switch leaves the old content or the new one") {
  bool published = false;
  for (int step = 0; !published; ++step) {
    INFO("step " << step);
    LoadableStore store;
    auto load = store.Begin();
    REQUIRE(Add(*load, "new").ok());
    store.disk().FailNamesAfter(step);
    const absl::Status status = load->Publish(kLoadedMeta);
    published = status.ok();
    // The process dies here: what it left is copied before anything is tidied up.
    const TempDir copy;
    fs::copy(store.directory(), copy / "store", fs::copy_options::recursive);
    store.disk().Heal();
    load.reset();
    RocksStore after;
    after.options.path = copy / "store";
    REQUIRE(Brief(after.Open()) == "OK");
    const auto found = after.Content();
    CHECK((found == kOld || found == kNew));
    if (published) CHECK(found == kNew);
    REQUIRE(step < 20);
  }
}

TEST_CASE("A switch that fails once leaves a store that goes on with its old content") {
  for (int step = 0; step < 20; ++step) {
    INFO("step " << step);
    LoadableStore store;
    auto load = store.Begin();
    REQUIRE(Add(*load, "new").ok());
    store.disk().FailNamesAfter(step, 1);
    const absl::Status status = load->Publish(kLoadedMeta);
    if (status.ok()) break;
    CHECK(status.code() == absl::StatusCode::kInternal);
    load.reset();
    CHECK(store.Content() == kOld);
    store.MustDo(Put("later", "w"));
    store.Reopen();
    CHECK(store.Content() == std::vector<std::string>{"later=w", "old=v"});
  }
}

TEST_CASE("When it is not known which database is in use, no write is taken any more") {
  LoadableStore store;
  auto load = store.Begin();
  REQUIRE(Add(*load, "new").ok());
  store.disk().FailNamesAfter(2);  // The pointer is renamed, and its directory is not synced.
  CHECK(Brief(load->Publish(kLoadedMeta)) == "DATA_LOSS DATA_LOSS");
  store.disk().Heal();
  CHECK(Brief(store.Do(Put("later", "w")).status) == "UNAVAILABLE ENGINE_UNAVAILABLE");
  CHECK_FALSE(store.engine().Stats().writable);
  CHECK(store.Content() == kOld);
}

TEST_CASE("A load whose files cannot be written is not published") {
  const std::string ending = GENERATE(std::string(".sst"), std::string());
  FaultEnv faults;
  LoadableStore store(faults.env());
  auto load = store.Begin();
  REQUIRE(Add(*load, "new").ok());
  faults.Fail(FaultEnv::Fault::kSyncFails, ending);
  CHECK_FALSE(load->Publish(kLoadedMeta).ok());
  faults.Heal();
  load.reset();
  CHECK(store.Content() == kOld);
  store.MustDo(Put("later", "w"));
  CHECK(store.Databases() == std::vector<std::string>{"db-1"});
  store.Close();
}

TEST_CASE("A load with a namespace that cannot be is refused as a whole") {
  LoadableStore store;
  const auto load = store.Begin();
  const storage::EntryView entry{storage::UsageLedger::kMaxNamespaceIds, 1, kNever, "k", "v"};
  CHECK(Brief(load->Add({&entry, 1})) == "INVALID_ARGUMENT");
  CHECK(Brief(load->Publish(kLoadedMeta)) == "INVALID_ARGUMENT");
  CHECK(store.Content() == kOld);
}

TEST_CASE("Large loads from several threads come out whole, counted and indexed") {
  LoadableStore store;
  auto load = store.Begin();
  const int each = static_cast<int>(Count(3'000, 100'000));
  InParallel(4, [&](int thread) {
    std::vector<std::string> keys;
    for (int i = 0; i < each; ++i) keys.push_back(absl::StrCat("key", thread, "-", 1'000'000 + i));
    std::vector<storage::EntryView> entries;
    for (int i = 0; i < each; ++i) {
      entries.push_back({kNs, storage::FirstRevision(9) + 1, i % 10 == 0 ? kStart + i : kNever,
                         keys[static_cast<size_t>(i)], std::string_view(keys[0]).data()});
    }
    for (size_t i = 0; i < entries.size(); i += 1'000) {
      const size_t count = std::min<size_t>(1'000, entries.size() - i);
      if (!load->Add({entries.data() + i, count}).ok()) throw std::runtime_error("Add failed");
    }
  });
  REQUIRE(load->Publish(kLoadedMeta).ok());
  load.reset();
  CHECK(store.ledger().Get(kNs).entries == 4 * each);
  CHECK(Brief(store.engine().CheckConsistency()) == "OK");
  store.clock().Advance(each);
  uint64_t swept = 0;
  while (true) {
    const storage::SweepResult result = Value(store.engine().SweepExpired(500));
    swept += result.removed;
    if (!result.more) break;
  }
  CHECK(swept == static_cast<uint64_t>(4 * each / 10));
  CHECK(Brief(store.engine().CheckConsistency()) == "OK");
}

TEST_CASE("After a load, entries that expired earlier than any before are swept") {
  LoadableStore store;
  store.clock().Advance(1'000);
  REQUIRE(Value(store.engine().SweepExpired(10)).removed == 0);
  auto load = store.Begin();
  REQUIRE(Add(*load, "new").ok());
  REQUIRE(Add(*load, "expired", kStart + 1).ok());
  REQUIRE(load->Publish(kLoadedMeta).ok());
  load.reset();
  CHECK(Value(store.engine().SweepExpired(10)).removed == 1);
  CHECK(store.Content() == kNew);
}

}  // namespace
}  // namespace tarn::testing
