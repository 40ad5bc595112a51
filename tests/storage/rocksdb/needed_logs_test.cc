// Which logs the manifest says are needed.
#include "storage/rocksdb/needed_logs.h"

#include <filesystem>
#include <string>

#include "storage/base/coding.h"
#include "tests/catch.h"
#include "tests/storage/rocksdb/fixture.h"

namespace tarn::testing {
namespace {

using storage::rocks::NeededLogs;

// A record as RocksDB writes it.
class Edit {
 public:
  Edit& Number(uint64_t number) {
    base::AppendVarint64(&bytes_, number);
    return *this;
  }
  Edit& String(const std::string& bytes) {
    base::AppendLengthPrefixed(&bytes_, bytes);
    return *this;
  }
  Edit& Family(uint64_t family) { return Number(200).Number(family); }
  Edit& AddsFamily() { return Number(201).String("name"); }
  Edit& Log(uint64_t number) { return Number(2).Number(number); }
  Edit& NewFile() {
    Number(103).Number(0).Number(7).Number(1000).String("from").String("to").Number(1).Number(9);
    return Number(5).String("time").Number(1);
  }
  // Everything else that 7.8 writes.
  Edit& Rest() {
    Number(1).String("leveldb.BytewiseComparator").Number(3).Number(12).Number(4).Number(99);
    Number(5).Number(1).String("cursor").Number(6).Number(2).Number(11).Number(9).Number(0);
    return Number(10).Number(4).Number(203).Number(2).Number((1 << 13) + 1).String("database id");
  }
  const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
};

uint64_t Oldest(const std::vector<Edit>& edits) {
  NeededLogs logs;
  for (const Edit& edit : edits) logs.Apply(edit.bytes());
  return logs.oldest();
}

TEST_CASE("The oldest log of all families is needed") {
  CHECK(Oldest({}) == 0);
  CHECK(Oldest({Edit().Log(7)}) == 7);
  CHECK(Oldest({Edit().Log(7), Edit().Family(1).AddsFamily()}) == 0);
  CHECK(Oldest({Edit().Log(7), Edit().Family(1).AddsFamily().Log(5)}) == 5);
  CHECK(Oldest({Edit().Log(7), Edit().Family(1).AddsFamily().Log(5), Edit().Family(1).Log(9)}) ==
        7);
}

TEST_CASE("What else a record says is passed over") {
  CHECK(Oldest({Edit().Rest().NewFile().Log(7).NewFile().Rest()}) == 7);
}

TEST_CASE("A record that is not understood makes every log needed") {
  const Edit unknown = Edit().Number(300).Number(1);
  CHECK(Oldest({Edit().Log(7), unknown}) == 0);
  CHECK(Oldest({unknown, Edit().Log(7)}) == 0);
}

TEST_CASE("So does one that is cut short") {
  const std::string whole = Edit().Family(0).Log(3).NewFile().Rest().bytes();
  int understood = 0;
  for (size_t size = 0; size < whole.size(); ++size) {
    NeededLogs logs;
    logs.Apply(Edit().Log(7).bytes());
    logs.Apply(absl::string_view(whole).substr(0, size));
    if (logs.oldest() != 0) ++understood;
  }
  // At its beginning, and between two of its twelve parts.
  CHECK(understood == 12);
}

// RocksDB removes them in the background, the newest first.
TEST_CASE("Logs that RocksDB had no time to remove before it was killed do no harm") {
  RocksStore store;
  store.MustOpen();
  store.MustDo(Put("a", "1"));
  const std::string old_log = store.Files(".log").back();
  const std::string old = ReadWhole(old_log);
  store.Reopen();
  store.MustDo(Put("b", "2"));
  store.Reopen();
  store.MustDo(Put("c", "3"));
  store.Close();
  REQUIRE_FALSE(std::filesystem::exists(old_log));
  WriteWhole(old_log, old);
  store.MustOpen();
  CHECK(store.Content() == std::vector<std::string>{"a=1", "b=2", "c=3"});
}

}  // namespace
}  // namespace tarn::testing
