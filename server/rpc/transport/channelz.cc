#include "server/rpc/transport/channelz.h"

#include <memory>
#include <optional>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/string_view.h"
#include <grpc/grpc.h>
#include <grpc/support/alloc.h>

namespace tarn::server {
namespace {

constexpr int64_t kPageSize = 500;  // The most that channelz gives at a time.

// channelz answers in JSON, which it allocates.
std::string Take(char* json) {
  const std::unique_ptr<char, decltype(&gpr_free)> owned(json, gpr_free);
  return json == nullptr ? std::string() : std::string(json);
}

// The number in `"name":"123"` at or after `*position`, which moves behind it.
std::optional<int64_t> NextNumber(absl::string_view json, absl::string_view quoted_name,
                                  size_t* position) {
  const size_t found = json.find(quoted_name, *position);
  if (found == absl::string_view::npos) return std::nullopt;
  const size_t begin = json.find_first_of("0123456789", found + quoted_name.size());
  if (begin == absl::string_view::npos) return std::nullopt;
  const size_t end = std::min(json.find_first_not_of("0123456789", begin), json.size());
  *position = end;
  int64_t number = 0;
  if (!absl::SimpleAtoi(json.substr(begin, end - begin), &number)) return std::nullopt;
  return number;
}

int64_t CountSocketsOf(int64_t server) {
  int64_t count = 0;
  int64_t start = 0;
  while (true) {
    const std::string json = Take(grpc_channelz_get_server_sockets(server, start, kPageSize));
    int64_t in_page = 0;
    size_t position = 0;
    while (const auto socket = NextNumber(json, "\"socketId\"", &position)) {
      start = *socket + 1;
      ++in_page;
    }
    count += in_page;
    if (in_page < kPageSize) return count;
  }
}

}  // namespace

int64_t CountServerSockets() {
  int64_t count = 0;
  const std::string json = Take(grpc_channelz_get_servers(0));
  size_t position = 0;
  while (const auto server = NextNumber(json, "\"serverId\"", &position))
    count += CountSocketsOf(*server);
  return count;
}

}  // namespace tarn::server
