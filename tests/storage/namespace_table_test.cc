#include "storage/namespace_table.h"

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/catch.h"

namespace tarn::storage {
namespace {

TEST_CASE("a table finds what was put into it, and nothing else") {
  NamespaceTable table;
  LiveNamespace a("a", 1);
  CHECK(table.Find("a") == nullptr);
  table.Put(a);
  CHECK(table.Find("a") == &a);
  CHECK(table.Find("b") == nullptr);
  CHECK(table.Find("") == nullptr);
}

TEST_CASE("a later namespace takes the place of an earlier one of its name") {
  NamespaceTable table;
  LiveNamespace first("a", 1);
  LiveNamespace second("a", 2);
  table.Put(first);
  table.Put(second);
  CHECK(table.Find("a") == &second);
}

TEST_CASE("a table that grows keeps everything, for readers on other threads as well") {
  constexpr size_t kNames = 3000;
  std::vector<std::unique_ptr<LiveNamespace>> all;
  for (NamespaceId i = 0; i < kNames; ++i) {
    all.push_back(std::make_unique<LiveNamespace>(absl::StrCat("name-", i), i));
  }
  NamespaceTable table;
  std::atomic<size_t> published{0};
  std::atomic<size_t> lost{0};
  std::thread reader([&] {
    while (published.load() < kNames) {
      const size_t count = published.load();
      for (size_t i = 0; i < count; i += 7) {
        if (table.Find(all[i]->name) != all[i].get()) lost.fetch_add(1);
      }
    }
  });
  for (const auto& ns : all) {
    table.Put(*ns);
    published.fetch_add(1);
  }
  reader.join();
  CHECK(lost == 0);
  for (const auto& ns : all) CHECK(table.Find(ns->name) == ns.get());
}

}  // namespace
}  // namespace tarn::storage
