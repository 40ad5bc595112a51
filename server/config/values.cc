#include "server/config/values.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace tarn::server {
namespace {

struct Unit {
  absl::string_view name;
  uint64_t bytes;
};

constexpr std::array<Unit, 10> kUnits = {{{"TiB", uint64_t{1} << 40},
                                          {"GiB", uint64_t{1} << 30},
                                          {"MiB", uint64_t{1} << 20},
                                          {"KiB", uint64_t{1} << 10},
                                          {"TB", 1'000'000'000'000},
                                          {"GB", 1'000'000'000},
                                          {"MB", 1'000'000},
                                          {"kB", 1'000},
                                          {"KB", 1'000},
                                          {"B", 1}}};

absl::Status Wrong(absl::string_view text, absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("\"", text, "\" is not ", what));
}

absl::StatusOr<int> ParsePort(absl::string_view text, absl::string_view whole) {
  int port = 0;
  const bool digits = !text.empty() && std::all_of(text.begin(), text.end(), absl::ascii_isdigit);
  if (digits && absl::SimpleAtoi(text, &port) && port <= 65535) return port;
  return Wrong(whole, "HOST:PORT with a port from 0 to 65535");
}

// The number of edits between two words.
size_t Distance(absl::string_view left, absl::string_view right) {
  std::vector<size_t> row(right.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 1; i <= left.size(); ++i) {
    size_t diagonal = std::exchange(row[0], i);
    for (size_t j = 1; j <= right.size(); ++j) {
      const size_t substituted = diagonal + (left[i - 1] == right[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, substituted});
    }
  }
  return row.back();
}

}  // namespace

absl::StatusOr<uint64_t> ParseNumber(absl::string_view text) {
  uint64_t number = 0;
  const bool digits = !text.empty() && std::all_of(text.begin(), text.end(), absl::ascii_isdigit);
  if (digits && absl::SimpleAtoi(text, &number)) return number;
  return Wrong(text, "a whole number");
}

absl::StatusOr<uint64_t> ParseSize(absl::string_view text) {
  constexpr absl::string_view kWhat = "a size such as 4096, 64KiB, 512MiB or 2GiB";
  uint64_t unit = 1;
  absl::string_view digits = text;
  for (const Unit& one : kUnits) {
    if (!absl::ConsumeSuffix(&digits, one.name)) continue;
    unit = one.bytes;
    break;
  }
  const absl::StatusOr<uint64_t> number = ParseNumber(absl::StripTrailingAsciiWhitespace(digits));
  if (!number.ok()) return Wrong(text, kWhat);
  if (*number > std::numeric_limits<int64_t>::max() / unit)
    return Wrong(text, "a size below 8 EiB");
  return *number * unit;
}

std::string ShowSize(uint64_t bytes) {
  for (const Unit& unit : {kUnits[0], kUnits[1], kUnits[2], kUnits[3]}) {
    if (bytes >= unit.bytes && bytes % unit.bytes == 0)
      return absl::StrCat(bytes / unit.bytes, unit.name);
  }
  return absl::StrCat(bytes);
}

absl::StatusOr<absl::Duration> ParseDuration(absl::string_view text) {
  absl::Duration duration;
  if (!absl::ParseDuration(text, &duration) || duration < absl::ZeroDuration() ||
      duration == absl::InfiniteDuration()) {
    return Wrong(text, "a duration such as 500ms, 10s, 5m or 1h30m");
  }
  return duration;
}

std::string ShowDuration(absl::Duration duration) {
  const int64_t milliseconds = absl::ToInt64Milliseconds(duration);
  if (milliseconds % 1000 != 0) return absl::StrCat(milliseconds, "ms");
  return absl::StrCat(milliseconds / 1000, "s");
}

absl::StatusOr<bool> ParseSwitch(absl::string_view text) {
  const std::string word = absl::AsciiStrToLower(text);
  for (const absl::string_view yes : {"true", "1", "on", "yes"}) {
    if (word == yes) return true;
  }
  for (const absl::string_view no : {"false", "0", "off", "no"}) {
    if (word == no) return false;
  }
  return Wrong(text, "true or false");
}

std::vector<std::string> ParseList(absl::string_view text) {
  std::vector<std::string> names;
  for (absl::string_view name : absl::StrSplit(text, ',')) {
    name = absl::StripAsciiWhitespace(name);
    if (!name.empty()) names.emplace_back(name.data(), name.size());
  }
  return names;
}

bool ListenAddress::IsLoopback() const {
  return !unix_path.empty() || host == "localhost" || host == "::1" ||
         absl::StartsWith(host, "127.");
}

absl::StatusOr<ListenAddress> ParseListenAddress(absl::string_view text) {
  ListenAddress address;
  if (absl::string_view path = text; absl::ConsumePrefix(&path, "unix:")) {
    if (path.empty()) return Wrong(text, "unix:PATH");
    address.unix_path = std::string(path.data(), path.size());
    return address;
  }
  const size_t colon = text.rfind(':');
  if (colon == absl::string_view::npos || colon == 0) return Wrong(text, "HOST:PORT");
  absl::string_view host = text.substr(0, colon);
  const bool bracketed = absl::ConsumePrefix(&host, "[");
  if (bracketed != absl::ConsumeSuffix(&host, "]") ||
      (!bracketed && absl::StrContains(host, ":"))) {
    return Wrong(text, "HOST:PORT, or [ADDRESS]:PORT for IPv6");
  }
  const absl::StatusOr<int> port = ParsePort(text.substr(colon + 1), text);
  if (!port.ok()) return port.status();
  address.host = std::string(host.data(), host.size());
  address.port = *port;
  return address;
}

std::string Nearest(absl::string_view wrong, const std::vector<std::string>& words) {
  std::string nearest;
  size_t least = std::max<size_t>(2, wrong.size() / 3) + 1;
  for (const std::string& word : words) {
    const size_t distance = Distance(wrong, word);
    if (distance >= least) continue;
    least = distance;
    nearest = word;
  }
  return nearest;
}

}  // namespace tarn::server
