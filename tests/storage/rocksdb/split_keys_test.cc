// Where a namespace is cut, so that several threads can read it.
#include <algorithm>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "storage/rocksdb/key_samples.h"
#include "tests/catch.h"
#include "tests/storage/rocksdb/fixture.h"

namespace tarn::testing {
namespace {

using storage::rocks::KeySamples;

constexpr int kParts = 8;
constexpr int kEntries = 16'000;  // Some hundred samples.

class SplitStore : public RocksStore {
 public:
  SplitStore() { MustOpen(); }

  // Random keys, more of them in the first half of the alphabet.
  void Fill(const std::string& prefix, int count) {
    std::vector<Op> puts;
    for (int i = 0; i < count; ++i) {
      const std::string key =
          absl::StrCat(prefix, i % 4 == 0 ? "q" : "m", random_() % 100'000'000, "-", i);
      // Values that compress well: files are much smaller than what is in memory.
      puts.push_back(Put(key, std::string(1'000, static_cast<char>('a' + random_() % 26))));
      if (puts.size() < 1'000 && i + 1 < count) continue;
      Independent(engine(), std::exchange(puts, {}));
    }
  }

  // How many entries each part has.
  std::vector<size_t> Parts(size_t parts) {
    const auto snapshot = Value(engine().OpenSnapshot(storage::SnapshotPurpose::kCheckpoint));
    std::vector<std::string> bounds = snapshot->SplitKeys(kNs, parts);
    CHECK(std::is_sorted(bounds.begin(), bounds.end()));
    bounds.insert(bounds.begin(), "");
    bounds.emplace_back();
    std::vector<size_t> sizes;
    for (size_t i = 0; i + 1 < bounds.size(); ++i) {
      sizes.push_back(
          Reader(*snapshot, {kNs, bounds[i], bounds[i + 1]}).Rest({}, clock().Now()).size());
    }
    return sizes;
  }
  // As far as some hundred samples can tell: five standard deviations.
  void CheckBalance() {
    const auto entries = static_cast<size_t>(ledger().Get(kNs).entries);
    for (const size_t parts : {2, kParts}) {
      const std::vector<size_t> sizes = Parts(parts);
      REQUIRE(sizes.size() == parts);
      const size_t least = parts == 2 ? 70 : 20;
      const size_t most = parts == 2 ? 130 : 200;
      size_t total = 0;
      for (const size_t size : sizes) {
        CHECK(size > entries / parts * least / 100);
        CHECK(size < entries / parts * most / 100);
        total += size;
      }
      CHECK(total == entries);
    }
  }

 private:
  std::mt19937 random_{Seed()};
};

TEST_CASE("What is in files is divided into parts of about the same size, whatever the keys") {
  SplitStore store;
  store.Fill(GENERATE(std::string(), std::string("a/long/common/prefix/of/keys/")), kEntries);
  store.Reopen();
  store.CheckBalance();
}

TEST_CASE("So is what is still in memory") {
  SplitStore store;
  store.options.memory_bytes = 256 << 20;
  store.Reopen();
  store.Fill(GENERATE(std::string(), std::string("a/long/common/prefix/of/keys/")), kEntries);
  store.CheckBalance();
}

TEST_CASE("So is what is partly in memory, though files are compressed") {
  SplitStore store;
  store.options.memory_bytes = 256 << 20;
  store.Fill("a", kEntries);
  store.Reopen();
  store.Fill("b", kEntries);
  store.CheckBalance();
}

TEST_CASE("A few keys that are far from all others do not spoil the division") {
  SplitStore store;
  store.MustDo(Put("!", "v"));
  store.MustDo(Put("~", "v"));
  store.Fill("all/keys/but/two/have/a/prefix/that/is/longer/than/eight/bytes/", kEntries);
  if (GENERATE(0, 1) == 1) store.Reopen();
  store.CheckBalance();
}

TEST_CASE("What is in memory of another namespace does not count") {
  SplitStore store;
  store.Fill("", kEntries);
  for (int i = 0; i < 3'000; ++i) {
    store.MustDo(Put(absl::StrCat(i), std::string(1'000, 'v')).In(kNs + 1));
  }
  store.CheckBalance();
}

TEST_CASE("A store that is too small for samples is read in one part") {
  SplitStore store;
  store.MustDo(Put("a", "v"));
  store.MustDo(Put("b", "v"));
  CHECK(store.Parts(kParts) == std::vector<size_t>{2});
}

TEST_CASE("A key is sampled as often as it is large") {
  KeySamples samples;
  for (int i = 0; i < 64; ++i) samples.Note("b", KeySamples::kBytesEach / 32);
  samples.Note("a", 3 * KeySamples::kBytesEach);
  CHECK(samples.Newest(100 * KeySamples::kBytesEach) ==
        std::vector<std::string>{"a", "a", "a", "b", "b"});
  CHECK(samples.Newest(2 * KeySamples::kBytesEach) == std::vector<std::string>{"a", "a"});
  CHECK(samples.Newest(KeySamples::kBytesEach - 1).empty());
}

TEST_CASE("The oldest samples give way") {
  KeySamples samples;
  samples.Note("old", KeySamples::kBytesEach);
  samples.Note("new", KeySamples::kMaxSamples * KeySamples::kBytesEach);
  const std::vector<std::string> all = samples.Newest(uint64_t{1} << 40);
  CHECK(all.size() == KeySamples::kMaxSamples);
  CHECK(all.back() == "new");
}

}  // namespace
}  // namespace tarn::testing
