// Any text as a Redis URL: refused without quoting it, or within its limits; and what is shown of
// it to people leads to the same servers, without secrets.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "storage/redis/redis_url.h"

namespace {

using tarn::storage::redis::Endpoint;
using tarn::storage::redis::ParseRedisUrl;
using tarn::storage::redis::RedisUrl;
using tarn::storage::redis::Topology;

void Require(bool truth) {
  if (!truth) std::abort();
}

void CheckLimits(const RedisUrl& url) {
  Require(url.hosts.size() <= tarn::storage::redis::kMaxUrlHosts);
  Require(url.hosts.empty() == !url.unix_path.empty());
  Require(url.unix_path.size() <= tarn::storage::redis::kMaxUnixPathBytes);
  Require(url.database >= 0 && url.database <= tarn::storage::redis::kMaxDatabase);
  Require(url.wait_replicas >= 0 && url.wait_replicas <= tarn::storage::redis::kMaxWaitReplicas);
  Require(url.master.empty() == (url.topology != Topology::kSentinel));
  Require(url.topology == Topology::kStandalone || url.unix_path.empty());
  for (const Endpoint& host : url.hosts) {
    Require(tarn::storage::redis::IsHost(host.host) && host.port != 0);
  }
}

// A name, or a path, may hold what means something in a URL: then it is for people only.
bool IsPlain(const std::string& text) { return text.find_first_of("%/?#@&=") == std::string::npos; }

void CheckShown(const RedisUrl& url) {
  const std::string shown = tarn::storage::redis::Redacted(url);
  if (!url.unix_path.empty() || !IsPlain(url.master)) return;
  const auto again = ParseRedisUrl(shown);
  Require(again.ok());
  Require(again->hosts == url.hosts && again->topology == url.topology);
  Require(again->database == url.database && again->master == url.master);
  Require(again->user.empty() && again->password.empty());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view text(reinterpret_cast<const char*>(data), size);
  const auto url = ParseRedisUrl(text);
  if (!url.ok()) return 0;
  CheckLimits(*url);
  CheckShown(*url);
  return 0;
}
