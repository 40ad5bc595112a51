#include "tests/bench/window_data.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdlib>

#include "absl/strings/str_cat.h"
#include "storage/base/coding.h"
#include "storage/base/sha256.h"
#include "tests/bench/measure.h"

namespace tarn::bench {
namespace {

constexpr uint64_t kSeed = 20260803;
constexpr size_t kWindowsPerKey = 4;
constexpr uint64_t kFirstWindow = 1'767'225'600'000;  // 2026-01-01, in milliseconds.
constexpr uint64_t kWindowMs = 60'000;
constexpr size_t kHistogramBytes = 40;
constexpr size_t kBucketsHit = 3;

struct Pin {
  size_t entries;
  const char* sha256;  // Of key, value, key, value... since the pin before.
};

constexpr Pin kPins[] = {
    {10'000, "cca5b943a03b24d92a8d61b38dd9b95aca6eccae91579b437a613ab57fc533a0"},
    {100'000, "b61d5b51d8427b0385f5b730baecb68d01d43728dea15ca36f1af26023a904e7"},
    {1'000'000, "c7f31718501e29cc6809ef25cd809cd3ef9dc2bd0ebcd61655a2340b618c4202"},
    {10'000'000, "7bdab664953da3dac2f3dca954c0825c4771868ac37804d17a315d68695e90f4"},
};

// Big endian: keys then sort as their numbers do.
void AppendOrdered64(std::string* target, uint64_t value) {
  for (int shift = 56; shift >= 0; shift -= 8) target->push_back(static_cast<char>(value >> shift));
}

// One window of one key while events arrive: amounts in cents around what is usual for the key.
struct Window {
  uint64_t key_number = 0;
  uint64_t start = 0;
  uint64_t count = 0;
  int64_t sum = 0;
  int64_t min = 0;
  int64_t max = 0;
  uint64_t last_event = 0;
  std::string histogram = std::string(kHistogramBytes, '\0');
};

Window MakeWindow(uint64_t key_number, size_t index, SplitMix& random) {
  Window window;
  window.key_number = key_number;
  window.start = kFirstWindow + index * kWindowMs;
  window.count = 1 + random.Below(200);
  const auto usual = static_cast<int64_t>(500 + key_number % 20'000);
  const auto width = static_cast<size_t>(usual / 2);
  window.min = usual - static_cast<int64_t>(random.Below(width));
  window.max = usual + static_cast<int64_t>(random.Below(width));
  window.sum =
      static_cast<int64_t>(window.count) * usual + static_cast<int64_t>(random.Below(width));
  window.last_event = window.start + random.Below(kWindowMs);
  // Most events fall into few buckets next to each other.
  const size_t first = random.Below(kHistogramBytes - kBucketsHit);
  for (size_t bucket = 0; bucket < kBucketsHit; ++bucket)
    window.histogram[first + bucket] = static_cast<char>(1 + random.Below(window.count));
  return window;
}

// Fixed-width fields, as a struct that was written out has them.
std::string Encode(const Window& window) {
  std::string value;
  value.push_back(3);  // A version and a kind.
  value.push_back(1);
  value.append(2, '\0');
  base::AppendFixed32(&value, static_cast<uint32_t>(window.count));
  base::AppendFixed64(&value, window.start);
  base::AppendFixed64(&value, window.start + kWindowMs);
  base::AppendFixed64(&value, static_cast<uint64_t>(window.sum));
  base::AppendFixed64(&value, static_cast<uint64_t>(window.min));
  base::AppendFixed64(&value, static_cast<uint64_t>(window.max));
  base::AppendFixed64(&value, window.last_event);
  base::AppendFixed64(&value, window.key_number);
  // The mean, as a double has it: hardly to be compressed.
  const double mean = static_cast<double>(window.sum) / static_cast<double>(window.count);
  base::AppendFixed64(&value, std::bit_cast<uint64_t>(mean));
  value += window.histogram;
  value.resize(kValueBytes, '\0');
  return value;
}

}  // namespace

WindowData::WindowData(size_t entries) {
  if (entries < kMinEntries)
    Fail(absl::StrCat("checkpoints are measured on at least ", kMinEntries, " entries"));
  bytes_.reserve(entries * (kKeyBytes + kValueBytes));
  SplitMix random(kSeed);
  uint64_t key_number = 0;
  for (size_t i = 0; i < entries; ++i) {
    if (i % kWindowsPerKey == 0) key_number = random.Next() >> 24;
    const Window window = MakeWindow(key_number, i % kWindowsPerKey, random);
    AppendOrdered64(&bytes_, window.key_number);
    AppendOrdered64(&bytes_, window.start);
    bytes_ += Encode(window);
  }
  CheckPins();
}

void WindowData::CheckPins() const {
  base::Sha256 hash;
  size_t hashed = 0;
  for (const Pin& pin : kPins) {
    if (pin.entries > size()) return;
    const size_t end = pin.entries * (kKeyBytes + kValueBytes);
    hash.Update(absl::string_view(bytes_).substr(hashed, end - hashed));
    hashed = end;
    if (const std::string found = base::ToHex(hash.Finish()); found != pin.sha256)
      Fail(absl::StrCat("the generator made other bytes than it should: ", found, " up to entry ",
                        pin.entries));
  }
}

}  // namespace tarn::bench
