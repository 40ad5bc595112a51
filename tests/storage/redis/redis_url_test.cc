#include "storage/redis/redis_url.h"

#include <random>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/catch.h"
#include "tests/support/status.h"

namespace tarn::storage::redis {
namespace {

using testing::Value;

RedisUrl Parsed(const std::string& text) { return Value(ParseRedisUrl(text)); }

std::string Error(const std::string& text) {
  const absl::StatusOr<RedisUrl> url = ParseRedisUrl(text);
  if (url.ok()) return "";
  CHECK(testing::Brief(url) == "INVALID_ARGUMENT INVALID_REQUEST");
  return std::string(url.status().message());
}

TEST_CASE("a Redis URL names one server, its port and its database") {
  const RedisUrl url = Parsed("redis://db.example:7000/3");
  CHECK(url.topology == Topology::kStandalone);
  CHECK(url.tls == TlsMode::kOff);
  CHECK(url.hosts == std::vector<Endpoint>{{"db.example", 7000}});
  CHECK(url.database == 3);
  CHECK(Parsed("redis://h").hosts == std::vector<Endpoint>{{"h", 6379}});
  CHECK(Parsed("REDIS://h/").database == 0);
  CHECK(Parsed("redis://h?db=5").database == 5);
}

TEST_CASE("user and password of a Redis URL are percent-decoded") {
  const RedisUrl url = Parsed("redis://a%40b:p%2F%3f%23%25:x@h");
  CHECK(url.user == "a@b");
  CHECK(url.password == "p/?#%:x");
  CHECK(Parsed("redis://:secret@h").password == "secret");
  CHECK(Parsed("redis://:secret@h").user.empty());
  CHECK(Parsed("redis://only@h").user == "only");
  CHECK(Parsed("redis://u:p@ss@h").password == "p@ss");
}

TEST_CASE("rediss speaks TLS and verifies unless it is told otherwise") {
  CHECK(Parsed("rediss://h").tls == TlsMode::kVerified);
  CHECK(Parsed("rediss://h?tls_verify=full").tls == TlsMode::kVerified);
  CHECK(Parsed("rediss://h?tls_verify=none").tls == TlsMode::kUnverified);
  CHECK(Parsed("rediss+cluster://h").tls == TlsMode::kVerified);
  CHECK(Parsed("rediss+sentinel://h/m").tls == TlsMode::kVerified);
  CHECK(Parsed("rediss://10.0.0.1?tls_server_name=db.example").tls_server_name == "db.example");
}

TEST_CASE("a Sentinel URL names several Sentinels, the master and its database") {
  const RedisUrl url = Parsed(
      "redis+sentinel://u:p@s1,s2:2000,[fe80::1]:2001/my%2Fmaster/2"
      "?sentinel_user=su&sentinel_password=s%26p&wait_replicas=1");
  CHECK(url.topology == Topology::kSentinel);
  CHECK(url.hosts == std::vector<Endpoint>{{"s1", 26379}, {"s2", 2000}, {"fe80::1", 2001}});
  CHECK(url.master == "my/master");
  CHECK(url.database == 2);
  CHECK(url.sentinel_user == "su");
  CHECK(url.sentinel_password == "s&p");
  CHECK(url.wait_replicas == 1);
}

TEST_CASE("a cluster URL names some of its nodes") {
  const RedisUrl url = Parsed("redis+cluster://n1:7000,n2:7001/0");
  CHECK(url.topology == Topology::kCluster);
  CHECK(url.hosts == std::vector<Endpoint>{{"n1", 7000}, {"n2", 7001}});
}

TEST_CASE("a Unix URL names a socket") {
  const RedisUrl url = Parsed("unix://u:p@/run/redis%20a.sock?db=2");
  CHECK(url.unix_path == "/run/redis a.sock");
  CHECK(url.hosts.empty());
  CHECK(url.user == "u");
  CHECK(url.database == 2);
}

TEST_CASE("a wrong Redis URL is refused with the part that is wrong") {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"", "must begin with one of redis://"},
      {"localhost:6379", "must begin with one of"},
      {"http://h", "must begin with one of"},
      {"redis://", "host 1 is missing"},
      {"redis:///1", "host 1 is missing"},
      {"redis://h h", "host 1 is missing or is no host name"},
      {"redis://[::1", "host 1"},
      {"redis://[]:1", "host 1"},
      {"redis://[::1]x", "the port of host 1"},
      {"redis://h:", "the port of host 1"},
      {"redis://h:0", "from 1 to 65535"},
      {"redis://h:65536", "from 1 to 65535"},
      {"redis://h:+1", "from 1 to 65535"},
      {"redis://h:99999999999", "from 1 to 65535"},
      {"redis://a,b", "redis:// names one host"},
      {"redis+cluster://a,,b", "host 2 is missing"},
      {"redis://h/x", "the database must be a number from 0 to 65535"},
      {"redis://h/-1", "the database must be"},
      {"redis://h/65536", "the database must be"},
      {"redis://h/1/2", "the database must be"},
      {"redis+cluster://h/1", "a cluster has database 0 only"},
      {"redis+cluster://h?db=1", "a cluster has database 0 only"},
      {"redis+sentinel://h", "needs the master's name"},
      {"redis+sentinel://h//1", "needs the master's name"},
      {"redis://h#x", "a '#' must be written as %23"},
      {"redis://u:p%2@h", "a '%' in the password needs two hexadecimal digits"},
      {"redis://u%:p@h", "a '%' in the user"},
      {"redis://u:p%zz@h", "a '%' in the password"},
      {"redis://u:pa/ss@h", "an '@' follows the hosts"},
      {"redis://u:pa?ss@h", "an '@' follows the hosts"},
      {"redis://h?dv=1", "option 1 is none of db, sentinel_password"},
      {"redis://h?db=1&", "option 2 is none of"},
      {"redis://h?db", "option db has no value"},
      {"redis://h?db=1&db=2", "option db is given twice"},
      {"redis://h?db=%1", "a '%' in option db"},
      {"redis://h?tls_verify=none", "tls_verify needs rediss://"},
      {"rediss://h?tls_verify=no", "tls_verify must be full or none"},
      {"redis://h?tls_server_name=a", "tls_server_name needs rediss://"},
      {"rediss://h?tls_server_name=a%20b", "tls_server_name is no host name"},
      {"redis://h?sentinel_user=a", "sentinel_user needs Sentinels"},
      {"redis://h?sentinel_password=a", "sentinel_password needs Sentinels"},
      {"redis://h?wait_replicas=65", "wait_replicas must be a number from 0 to 64"},
      {"unix://", "needs the absolute path"},
      {"unix:///", "needs the absolute path"},
      {"unix://h/path", "names no host"},
      {"unix:///a%00b", "zero byte"},
      {"unix:///" + std::string(107, 'a'), "longer than 107 bytes"},
      {"redis://" + std::string(5000, 'a'), "longer than 4096 bytes"},
  };
  for (const auto& [text, wanted] : cases) {
    INFO(text);
    CHECK_THAT(Error(text), Catch::Matchers::Contains(wanted));
  }
}

TEST_CASE("more hosts than allowed in a Redis URL are refused") {
  std::string text = "redis+cluster://h";
  for (size_t i = 1; i < kMaxUrlHosts; ++i) text += ",h";
  CHECK(Parsed(text).hosts.size() == kMaxUrlHosts);
  CHECK_THAT(Error(text + ",h"), Catch::Matchers::Contains("more than 64 hosts"));
}

TEST_CASE("a Redis URL for logs holds neither user nor password") {
  CHECK(Redacted(Parsed("rediss://user:secret@h/2?tls_verify=none")) == "rediss://h:6379/2");
  CHECK(Redacted(Parsed("redis+sentinel://:s@a,[::1]/m?sentinel_password=s")) ==
        "redis+sentinel://a:26379,[::1]:26379/m/0");
  CHECK(Redacted(Parsed("redis+cluster://u@a:1,b:2")) == "redis+cluster://a:1,b:2");
  CHECK(Redacted(Parsed("unix://u:p@/run/r.sock")) == "unix:///run/r.sock?db=0");
}

TEST_CASE("no error about a Redis URL quotes a password, however the URL is broken") {
  const std::string secret = "XSECRETX";
  std::minstd_rand random(testing::Seed());
  const std::vector<std::string> pieces = {"redis",
                                           "rediss",
                                           "redis+sentinel",
                                           "unix",
                                           "://",
                                           ":",
                                           "@",
                                           "/",
                                           "?",
                                           "#",
                                           "%",
                                           "%4",
                                           "[",
                                           "]",
                                           ",",
                                           "&",
                                           "=",
                                           "db",
                                           "h",
                                           "1",
                                           "70000",
                                           "tls_verify",
                                           secret,
                                           secret,
                                           " ",
                                           "redis://u:",
                                           "wait_replicas",
                                           std::string(1, '\0')};
  for (int i = 0; i < 20'000; ++i) {
    std::string text = random() % 2 == 0 ? "redis://" : "";
    for (auto count = random() % 12; count > 0; --count) text += pieces[random() % pieces.size()];
    const std::string error = Error(text);
    if (absl::StrContains(error, "SECRET")) FAIL("quoted from " << text << ": " << error);
  }
}

}  // namespace
}  // namespace tarn::storage::redis
