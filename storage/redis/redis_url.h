// Where Redis is and how to log in there, as one line that operators write.
//
//   redis://[[user][:password]@]host[:port][/database][?options]           one server
//   redis+sentinel://[...@]host[:port][,host[:port]...]/master[/database]  found through Sentinels
//   redis+cluster://[...@]host[:port][,host[:port]...]                     a cluster
//   unix://[[user][:password]@]/path/of/socket[?db=N]                      one server, local
//
// rediss://, rediss+sentinel:// and rediss+cluster:// speak TLS. User, password, master, path and
// the options' values are percent-decoded: an '@', '/', '?', '#' or '%' in them must be encoded.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "storage/redis_stats.h"

namespace tarn::storage::redis {

enum class TlsMode : uint8_t {
  kOff,
  kVerified,    // The peer's certificate chain and its name are checked. The default of rediss.
  kUnverified,  // `tls_verify=none`: encrypted, but nobody knows with whom.
};

struct Endpoint {
  std::string host;  // A name or an address; IPv6 without its brackets.
  uint16_t port = 0;

  friend bool operator==(const Endpoint&, const Endpoint&) = default;
};

inline constexpr uint16_t kDefaultPort = 6379;
inline constexpr uint16_t kDefaultSentinelPort = 26379;

inline constexpr size_t kMaxUrlBytes = 4096;
inline constexpr size_t kMaxUrlHosts = 64;
// What a socket's address holds, less its final zero.
inline constexpr size_t kMaxUnixPathBytes = 107;
// More than any Redis is configured with: what is larger is a mistake.
inline constexpr int kMaxDatabase = 65535;
inline constexpr int kMaxWaitReplicas = 64;

struct RedisUrl {
  Topology topology = Topology::kStandalone;
  TlsMode tls = TlsMode::kOff;
  std::vector<Endpoint> hosts;  // One when standalone, none when `unix_path` is set.
  std::string unix_path;
  std::string user;  // Empty: Redis' default user.
  std::string password;
  std::string master;             // Sentinel's name of the primary.
  std::string sentinel_user;      // Option sentinel_user: Sentinels know other users.
  std::string sentinel_password;  // Option sentinel_password.
  std::string tls_server_name;    // Option: checked, and sent as SNI, in place of the host.
  int database = 0;               // From the path, or option db.
  int wait_replicas = 0;          // Option: replicas that must have a write before it is done.
};

// INVALID_ARGUMENT says which part is wrong and what is right there. It never quotes the text: a
// password that was not encoded may stand anywhere in it.
absl::StatusOr<RedisUrl> ParseRedisUrl(absl::string_view text);

// The same without secrets, for logs and for people: users and passwords are left out.
std::string Redacted(const RedisUrl& url);

// "host:port", "[address]:port".
std::string EndpointText(const Endpoint& endpoint);

// Whether it is what a host's name or an address, without brackets, looks like: what a server says
// about other servers is looked at before it is believed.
bool IsHost(absl::string_view text);

}  // namespace tarn::storage::redis
