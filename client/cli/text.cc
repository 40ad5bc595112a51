#include "client/cli/text.h"

#include <array>
#include <cctype>
#include <charconv>

#include "absl/strings/escaping.h"
#include "absl/strings/str_format.h"
#include "absl/time/time.h"

namespace tarn::cli {
namespace {

// The length of the UTF-8 character that begins here; 0 if none does. Table 3-7 of the Unicode
// standard.
size_t CharacterLength(std::string_view text) {
  const auto byte = [&text](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return 1;
  const size_t length = first >= 0xc2 && first <= 0xdf   ? 2
                        : first >= 0xe0 && first <= 0xef ? 3
                        : first >= 0xf0 && first <= 0xf4 ? 4
                                                         : 0;
  if (length == 0 || text.size() < length) return 0;
  const unsigned char low = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
  const unsigned char high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
  if (byte(1) < low || byte(1) > high) return 0;
  for (size_t i = 2; i < length; ++i) {
    if (byte(i) < 0x80 || byte(i) > 0xbf) return 0;
  }
  return length;
}

constexpr std::array<std::pair<char, char>, 6> kEscapes = {
    {{'\\', '\\'}, {'\n', 'n'}, {'\t', 't'}, {'\r', 'r'}, {'"', '"'}, {'\'', '\''}}};

void AppendEscaped(char c, std::string& out) {
  for (const auto& [plain, letter] : kEscapes) {
    if (plain == c && c != '"' && c != '\'') {
      out += '\\';
      out += letter;
      return;
    }
  }
  absl::StrAppendFormat(&out, "\\x%02x", static_cast<unsigned char>(c));
}

bool NeedsEscape(char c) { return c == '\\' || static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::optional<char> HexByte(std::string_view two) {
  if (two.size() < 2 || HexDigit(two[0]) < 0 || HexDigit(two[1]) < 0) return std::nullopt;
  return static_cast<char>(HexDigit(two[0]) * 16 + HexDigit(two[1]));
}

struct Unit {
  std::string_view name;
  int64_t milliseconds;
};

// Longest first where one begins another.
constexpr Unit kUnits[] = {
    {"ms", 1}, {"s", 1'000}, {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}};

// Takes the unit that text begins with off it.
std::optional<int64_t> ConsumeUnit(std::string_view& text) {
  for (const Unit& unit : kUnits) {
    if (text.substr(0, unit.name.size()) != unit.name) continue;
    text.remove_prefix(unit.name.size());
    return unit.milliseconds;
  }
  return std::nullopt;
}

}  // namespace

bool IsUtf8(std::string_view bytes) {
  while (!bytes.empty()) {
    const size_t length = CharacterLength(bytes);
    if (length == 0) return false;
    bytes.remove_prefix(length);
  }
  return true;
}

std::string Escape(std::string_view bytes) {
  std::string out;
  while (!bytes.empty()) {
    const size_t length = CharacterLength(bytes);
    if (length == 0 || NeedsEscape(bytes[0])) {
      AppendEscaped(bytes[0], out);
      bytes.remove_prefix(1);
    } else {
      out.append(bytes.substr(0, length));
      bytes.remove_prefix(length);
    }
  }
  return out;
}

std::optional<std::string> Unescape(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    if (text[0] != '\\') {
      out += text[0];
      text.remove_prefix(1);
      continue;
    }
    if (text.size() < 2) return std::nullopt;
    if (text[1] == 'x') {
      const auto byte = HexByte(text.substr(2));
      if (!byte.has_value()) return std::nullopt;
      out += *byte;
      text.remove_prefix(4);
      continue;
    }
    const auto found = std::find_if(kEscapes.begin(), kEscapes.end(),
                                    [&text](const auto& e) { return e.second == text[1]; });
    if (found == kEscapes.end()) return std::nullopt;
    out += found->first;
    text.remove_prefix(2);
  }
  return out;
}

std::string HexEncode(std::string_view bytes) {
  return absl::BytesToHexString({bytes.data(), bytes.size()});
}

std::optional<std::string> HexDecode(std::string_view text) {
  if (text.size() % 2 != 0) return std::nullopt;
  std::string out;
  for (; !text.empty(); text.remove_prefix(2)) {
    const auto byte = HexByte(text);
    if (!byte.has_value()) return std::nullopt;
    out += *byte;
  }
  return out;
}

std::string JsonString(std::string_view bytes) {
  std::string out = "\"";
  for (const char c : bytes) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      absl::StrAppendFormat(&out, "\\u%04x", static_cast<unsigned char>(c));
    } else {
      out += c;
    }
  }
  return out + "\"";
}

std::optional<std::chrono::milliseconds> ParseDuration(std::string_view text) {
  if (text.empty()) return std::nullopt;
  int64_t total = 0;
  while (!text.empty()) {
    int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || number < 0) return std::nullopt;
    text.remove_prefix(static_cast<size_t>(end - text.data()));
    const auto unit = ConsumeUnit(text);
    int64_t part = 0;
    if (!unit.has_value() || __builtin_mul_overflow(number, *unit, &part) ||
        __builtin_add_overflow(total, part, &total)) {
      return std::nullopt;
    }
  }
  return std::chrono::milliseconds(total);
}

std::string FormatDuration(std::chrono::milliseconds span) {
  int64_t left = span.count();
  if (left == 0) return "0s";
  std::string out;
  for (const Unit& unit : {kUnits[4], kUnits[3], kUnits[2], kUnits[1], kUnits[0]}) {
    const int64_t count = left / unit.milliseconds;
    left %= unit.milliseconds;
    if (count > 0) absl::StrAppendFormat(&out, "%d%s", count, std::string(unit.name));
  }
  return out;
}

std::string FormatCount(uint64_t number) {
  std::string digits = std::to_string(number);
  for (size_t i = digits.size(); i > 3; i -= 3) digits.insert(i - 3, ",");
  return digits;
}

std::string FormatBytes(uint64_t bytes) {
  constexpr const char* kNames[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
  if (bytes < 1024) return absl::StrFormat("%d B", bytes);
  double size = static_cast<double>(bytes);
  size_t unit = 0;
  for (; size >= 1024 && unit + 1 < std::size(kNames); ++unit) size /= 1024;
  return absl::StrFormat("%.1f %s", size, kNames[unit]);
}

std::string FormatTime(Timestamp time) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ",
                          absl::FromUnixMillis(time.time_since_epoch().count()),
                          absl::UTCTimeZone());
}

}  // namespace tarn::cli
