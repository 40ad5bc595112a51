// How integers become bytes, on disk and in keys. Every persisted format of Tarn is built from
// these.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"

namespace tarn::base {

// Big-endian, so that the order of the bytes is the order of the numbers.
inline void AppendFixed32(std::string* target, uint32_t value) {
  for (int shift = 24; shift >= 0; shift -= 8) target->push_back(static_cast<char>(value >> shift));
}

inline void AppendFixed64(std::string* target, uint64_t value) {
  for (int shift = 56; shift >= 0; shift -= 8) target->push_back(static_cast<char>(value >> shift));
}

// Decodes the first 4 or 8 bytes; `bytes` must hold them.
inline uint32_t DecodeFixed32(const char* bytes) {
  uint32_t value;
  std::memcpy(&value, bytes, sizeof(value));
  return __builtin_bswap32(value);
}

inline uint64_t DecodeFixed64(const char* bytes) {
  uint64_t value;
  std::memcpy(&value, bytes, sizeof(value));
  return __builtin_bswap64(value);
}

// Take a number off the front of `input`, or return nothing and leave it when it is too short or
// malformed.
std::optional<uint32_t> ConsumeFixed32(absl::string_view* input);
std::optional<uint64_t> ConsumeFixed64(absl::string_view* input);

// LEB128, at most 10 bytes. A longer or overflowing encoding, and one with needless trailing zero
// groups, is malformed: every number has one encoding.
void AppendVarint64(std::string* target, uint64_t value);
inline std::optional<uint64_t> ConsumeVarint64(absl::string_view* input);
std::optional<uint64_t> ConsumeLongVarint64(absl::string_view* input);  // Its general case.

// Most numbers are small, and decoding them must not cost a call.
inline std::optional<uint64_t> ConsumeVarint64(absl::string_view* input) {
  if (input->empty() || (input->front() & 0x80) != 0) return ConsumeLongVarint64(input);
  const uint64_t value = static_cast<uint8_t>(input->front());
  input->remove_prefix(1);
  return value;
}

// A varint length, then the bytes. The length is checked against what is there before anything is
// taken.
void AppendLengthPrefixed(std::string* target, absl::string_view bytes);
inline std::optional<absl::string_view> ConsumeLengthPrefixed(absl::string_view* input) {
  absl::string_view rest = *input;
  const std::optional<uint64_t> size = ConsumeVarint64(&rest);
  if (!size || *size > rest.size()) return std::nullopt;
  *input = rest;
  input->remove_prefix(*size);
  rest.remove_suffix(rest.size() - *size);
  return rest;
}

static_assert(std::endian::native == std::endian::little, "the decoders swap bytes");

}  // namespace tarn::base
