#include "storage/base/coding.h"

namespace tarn::base {
namespace {

constexpr int kMaxVarintBytes = 10;
constexpr uint8_t kMoreGroups = 0x80;

}  // namespace

std::optional<uint32_t> ConsumeFixed32(absl::string_view* input) {
  if (input->size() < sizeof(uint32_t)) return std::nullopt;
  const uint32_t value = DecodeFixed32(input->data());
  input->remove_prefix(sizeof(uint32_t));
  return value;
}

std::optional<uint64_t> ConsumeFixed64(absl::string_view* input) {
  if (input->size() < sizeof(uint64_t)) return std::nullopt;
  const uint64_t value = DecodeFixed64(input->data());
  input->remove_prefix(sizeof(uint64_t));
  return value;
}

void AppendVarint64(std::string* target, uint64_t value) {
  for (; value >= kMoreGroups; value >>= 7)
    target->push_back(static_cast<char>(value | kMoreGroups));
  target->push_back(static_cast<char>(value));
}

std::optional<uint64_t> ConsumeLongVarint64(absl::string_view* input) {
  uint64_t value = 0;
  for (int i = 0; i < kMaxVarintBytes && static_cast<size_t>(i) < input->size(); ++i) {
    const auto byte = static_cast<uint8_t>((*input)[static_cast<size_t>(i)]);
    // The tenth group has one bit left.
    if (i == kMaxVarintBytes - 1 && byte > 1) return std::nullopt;
    value |= uint64_t{byte & 0x7fU} << (7 * i);
    if ((byte & kMoreGroups) != 0) continue;
    if (byte == 0 && i > 0) return std::nullopt;
    input->remove_prefix(static_cast<size_t>(i) + 1);
    return value;
  }
  return std::nullopt;
}

void AppendLengthPrefixed(std::string* target, absl::string_view bytes) {
  AppendVarint64(target, bytes.size());
  target->append(bytes.data(), bytes.size());
}

}  // namespace tarn::base
