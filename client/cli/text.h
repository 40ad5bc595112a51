// Bytes as text and back.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "tarn/types.h"

namespace tarn::cli {

bool IsUtf8(std::string_view bytes);

// Printable on one line: a backslash, control characters and bytes that are not UTF-8 become \\,
// \n, \t, \r and \xNN. Unescape brings the same bytes back.
std::string Escape(std::string_view bytes);
// Nullopt if a backslash begins none of the above, nor \" or \'.
std::optional<std::string> Unescape(std::string_view text);

std::string HexEncode(std::string_view bytes);
std::optional<std::string> HexDecode(std::string_view text);

// A string of JSON, quotes included. `bytes` are UTF-8.
std::string JsonString(std::string_view bytes);

// "5s", "250ms", "1h30m", "7d": numbers with one of the units ms, s, m, h, d. Nullopt if it is
// none, or too long.
std::optional<std::chrono::milliseconds> ParseDuration(std::string_view text);
std::string FormatDuration(std::chrono::milliseconds span);

// 1234567 as "1,234,567".
std::string FormatCount(uint64_t number);
// "1.5 MiB".
std::string FormatBytes(uint64_t bytes);
// "2026-01-02T03:04:05.678Z".
std::string FormatTime(Timestamp time);

}  // namespace tarn::cli
