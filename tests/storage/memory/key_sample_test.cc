#include "storage/memory/key_sample.h"

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "tests/catch.h"

namespace tarn::storage::memory {
namespace {

KeySample SampleOf(int count) {
  KeySample sample;
  for (int i = 0; i < count; ++i) {
    if (sample.WantsNext()) sample.Add(absl::StrCat(1'000'000 + i));
  }
  return sample;
}

TEST_CASE("Few keys are all taken") { CHECK(SampleOf(1'000).keys().size() == 1'000); }

TEST_CASE("Of many keys, some at equal distances are taken, in order") {
  const KeySample sample = SampleOf(300'000);
  const std::vector<std::string>& keys = sample.keys();
  CHECK(keys.size() >= 500);
  CHECK(keys.size() < 1'024);
  CHECK(std::is_sorted(keys.begin(), keys.end()));
  const int distance = std::stoi(keys[1]) - std::stoi(keys[0]);
  for (size_t i = 1; i < keys.size(); ++i)
    CHECK(std::stoi(keys[i]) - std::stoi(keys[i - 1]) == distance);
}

}  // namespace
}  // namespace tarn::storage::memory
