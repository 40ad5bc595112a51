#include "storage/base/arena.h"

#include <string>
#include <vector>

#include "tests/catch.h"

namespace tarn::base {
namespace {

TEST_CASE("copies stay where they are, however many follow") {
  Arena arena;
  std::vector<std::string> originals;
  std::vector<absl::string_view> copies;
  for (int i = 0; i < 2000; ++i) {
    originals.emplace_back(static_cast<size_t>(i % 97), static_cast<char>('a' + i % 26));
    copies.push_back(arena.Copy(originals.back()));
  }
  for (size_t i = 0; i < copies.size(); ++i) CHECK(copies[i] == originals[i]);
}

TEST_CASE("an arena copies what is larger than its blocks") {
  Arena arena;
  const std::string large(1 << 20, 'x');
  const absl::string_view small = arena.Copy("small");
  CHECK(arena.Copy(large) == large);
  CHECK(arena.Copy("").empty());
  CHECK(small == "small");
  CHECK(arena.bytes_used() == (1 << 20) + 5);
}

TEST_CASE("an arena that was reset begins anew") {
  Arena arena;
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 100; ++i)
      CHECK(arena.Copy(std::string(1000, 'a')) == std::string(1000, 'a'));
    CHECK(arena.bytes_used() == 100'000);
    arena.Reset();
    CHECK(arena.bytes_used() == 0);
  }
}

}  // namespace
}  // namespace tarn::base
