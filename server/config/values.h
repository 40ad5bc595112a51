// How values are written in flags, variables and files, and read back. Errors say what was wrong
// and what would be right.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace tarn::server {

// Bytes: "4096", "64KiB", "2MiB", "1GiB", "1TiB", and the decimal "kB", "MB", "GB", "TB".
absl::StatusOr<uint64_t> ParseSize(absl::string_view text);
std::string ShowSize(uint64_t bytes);  // The largest binary unit that divides it.

// "500ms", "10s", "5m", "1h", and sums such as "1m30s". Not negative.
absl::StatusOr<absl::Duration> ParseDuration(absl::string_view text);
std::string ShowDuration(absl::Duration duration);

absl::StatusOr<uint64_t> ParseNumber(absl::string_view text);

// "true", "false", "1", "0", "on", "off", "yes", "no".
absl::StatusOr<bool> ParseSwitch(absl::string_view text);

// Names between commas; spaces around them do not count, and empty ones neither.
std::vector<std::string> ParseList(absl::string_view text);

// The address to listen on: HOST:PORT, [IPV6]:PORT, or unix:PATH where sockets are allowed.
struct ListenAddress {
  std::string host;  // Without brackets; empty for a Unix socket.
  int port = 0;
  std::string unix_path;

  // A Unix socket, a loopback address, or the name "localhost".
  bool IsLoopback() const;
};
absl::StatusOr<ListenAddress> ParseListenAddress(absl::string_view text);

// The one of `words` that `wrong` was probably meant to be; empty when none is near.
std::string Nearest(absl::string_view wrong, const std::vector<std::string>& words);

}  // namespace tarn::server
