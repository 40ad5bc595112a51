#include "storage/memory/entry_table.h"

#include <map>
#include <random>
#include <string>

#include "absl/strings/str_cat.h"
#include "tests/catch.h"

namespace tarn::storage::memory {
namespace {

// Owns the entries of a table.
class Entries {
 public:
  ~Entries() {
    for (auto& [key, entry] : entries_) Entry::Delete(pool_, entry);
  }

  void Insert(const std::string& key) {
    Entry* const entry = New(key);
    table_.Insert(entry, Probe(1, entry->key()).hash);
    entries_[key] = entry;
  }
  void Replace(const std::string& key) {
    Entry* const old = entries_.at(key);
    Entry* const entry = New(key);
    table_.Replace(old, entry, Probe(1, key).hash);
    Entry::Delete(pool_, old);
    entries_[key] = entry;
  }
  void Erase(const std::string& key) {
    table_.Erase(entries_.at(key), Probe(1, key).hash);
    Entry::Delete(pool_, entries_.at(key));
    entries_.erase(key);
  }
  bool Has(const std::string& key) const { return entries_.contains(key); }

  // That it finds everything, and each once.
  bool AreAllThere() const {
    size_t visited = 0;
    table_.ForEach([&](const Entry*) { ++visited; });
    if (visited != entries_.size() || table_.size() != entries_.size()) return false;
    for (const auto& [key, entry] : entries_) {
      if (table_.Find(Probe(1, key)) != entry) return false;
    }
    return true;
  }

  EntryTable& table() { return table_; }

 private:
  Entry* New(const std::string& key) {
    return Entry::New(pool_, {Entry::Kind::kLive, 1, 1, base::kNever, key, "v", {}});
  }

  PageSource pages_;
  EntryPool pool_{pages_};
  EntryTable table_;
  std::map<std::string, Entry*> entries_;
};

TEST_CASE("An empty table finds nothing") {
  const EntryTable table;
  CHECK(table.Find(Probe(1, "a")) == nullptr);
  CHECK(table.Guess(7) == nullptr);
  table.PrefetchBucket(7);
}

TEST_CASE("A table finds what was inserted, and nothing else, however far it grows") {
  Entries entries;
  for (int i = 0; i < 50'000; ++i) entries.Insert(absl::StrCat("key", i));
  CHECK(entries.AreAllThere());
  for (int i = 0; i < 50'000; ++i)
    REQUIRE(entries.table().Find(Probe(1, absl::StrCat("other", i))) == nullptr);
  CHECK(entries.table().Find(Probe(2, "key1")) == nullptr);
}

TEST_CASE("A table that is filled and emptied again and again does not grow or slow down") {
  Entries entries;
  for (int i = 0; i < 100'000; ++i) {
    entries.Insert(absl::StrCat(i));
    if (i >= 300) entries.Erase(absl::StrCat(i - 300));
  }
  CHECK(entries.AreAllThere());
  CHECK(entries.table().size() == 300);
}

TEST_CASE("A table does at random what a map does") {
  Entries entries;
  std::mt19937 random(tarn::testing::Seed());
  for (int i = 0; i < 200'000; ++i) {
    const std::string key = absl::StrCat(random() % 5'000);
    if (!entries.Has(key)) {
      entries.Insert(key);
    } else if (random() % 2 == 0) {
      entries.Replace(key);
    } else {
      entries.Erase(key);
    }
    if (i % 20'000 == 0) REQUIRE(entries.AreAllThere());
  }
  CHECK(entries.AreAllThere());
}

}  // namespace
}  // namespace tarn::storage::memory
