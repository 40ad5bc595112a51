#include "storage/base/random.h"

#include <set>

#include "tests/catch.h"

namespace tarn::base {
namespace {

class Counting final : public RandomSource {
 public:
  uint64_t Next() override { return 0x0706050403020100 + 0x0808080808080808 * calls_++; }

 private:
  uint64_t calls_ = 0;
};

TEST_CASE("the kernel's numbers differ") {
  std::set<uint64_t> numbers;
  for (int i = 0; i < 1000; ++i) numbers.insert(SystemRandom().Next());
  CHECK(numbers.size() == 1000);
}

TEST_CASE("hexadecimal shows exactly as many bytes as asked for") {
  Counting random;
  CHECK(RandomHex(random, 16) == "000102030405060708090a0b0c0d0e0f");
  CHECK(RandomHex(random, 3) == "101112");
  CHECK(RandomHex(random, 0).empty());
}

}  // namespace
}  // namespace tarn::base
