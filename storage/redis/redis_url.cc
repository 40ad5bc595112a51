#include "storage/redis/redis_url.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "storage/base/error.h"
#include "storage/base/status.h"

namespace tarn::storage::redis {
namespace {

struct Scheme {
  absl::string_view name;
  Topology topology;
  TlsMode tls;
};

constexpr std::array kSchemes = {
    Scheme{"redis", Topology::kStandalone, TlsMode::kOff},
    Scheme{"rediss", Topology::kStandalone, TlsMode::kVerified},
    Scheme{"redis+sentinel", Topology::kSentinel, TlsMode::kOff},
    Scheme{"rediss+sentinel", Topology::kSentinel, TlsMode::kVerified},
    Scheme{"redis+cluster", Topology::kCluster, TlsMode::kOff},
    Scheme{"rediss+cluster", Topology::kCluster, TlsMode::kVerified},
    Scheme{"unix", Topology::kStandalone, TlsMode::kOff},
};
constexpr absl::string_view kUnixScheme = "unix";

absl::Status Wrong(absl::string_view what) {
  return base::MakeError(absl::StatusCode::kInvalidArgument, base::Reason::kInvalidRequest,
                         absl::StrCat("the Redis URL: ", what));
}

// The text in its parts, still encoded.
struct Parts {
  const Scheme* scheme = nullptr;
  absl::string_view user_info;
  absl::string_view hosts;
  absl::string_view path;  // With its first '/'.
  absl::string_view query;
};

absl::StatusOr<const Scheme*> FindScheme(absl::string_view name) {
  const auto* const found =
      std::find_if(kSchemes.begin(), kSchemes.end(),
                   [&](const Scheme& scheme) { return absl::EqualsIgnoreCase(scheme.name, name); });
  if (found != kSchemes.end()) return found;
  return Wrong(
      absl::StrCat("it must begin with one of ",
                   absl::StrJoin(kSchemes, ", ", [](std::string* out, const Scheme& scheme) {
                     absl::StrAppend(out, scheme.name, "://");
                   })));
}

absl::StatusOr<Parts> Divide(absl::string_view text) {
  if (text.size() > kMaxUrlBytes) {
    return Wrong(absl::StrCat("it is longer than ", kMaxUrlBytes, " bytes"));
  }
  const size_t colon = text.find("://");
  Parts parts;
  TARN_ASSIGN_OR_RETURN(parts.scheme, FindScheme(text.substr(0, colon == text.npos ? 0 : colon)));
  text.remove_prefix(colon + 3);
  if (absl::StrContains(text, '#')) return Wrong("a '#' must be written as %23");
  if (const size_t mark = text.find('?'); mark != text.npos) {
    parts.query = text.substr(mark + 1);
    text = text.substr(0, mark);
  }
  const size_t slash = std::min(text.find('/'), text.size());
  parts.path = text.substr(slash);
  parts.hosts = text.substr(0, slash);
  // Encoded or not, what stands before the last '@' is who logs in.
  if (const size_t at = parts.hosts.rfind('@'); at != parts.hosts.npos) {
    parts.user_info = parts.hosts.substr(0, at);
    parts.hosts.remove_prefix(at + 1);
  } else if (absl::StrContains(parts.path, '@') || absl::StrContains(parts.query, '@')) {
    return Wrong("an '@' follows the hosts: in a password, '/' is written as %2F and '?' as %3F");
  }
  return parts;
}

std::optional<int> HexDigit(char digit) {
  if (absl::ascii_isdigit(digit)) return digit - '0';
  if (absl::ascii_isxdigit(digit)) return absl::ascii_tolower(digit) - 'a' + 10;
  return std::nullopt;
}

absl::StatusOr<std::string> PercentDecode(absl::string_view text, absl::string_view what) {
  std::string decoded;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded.push_back(text[i]);
      continue;
    }
    const auto high = i + 2 < text.size() ? HexDigit(text[i + 1]) : std::nullopt;
    const auto low = high ? HexDigit(text[i + 2]) : std::nullopt;
    if (!low) return Wrong(absl::StrCat("a '%' in ", what, " needs two hexadecimal digits"));
    decoded.push_back(static_cast<char>(*high * 16 + *low));
    i += 2;
  }
  return decoded;
}

// Digits alone: no sign, no blanks. Nothing when it is no such number or above `max`.
std::optional<int> ParseNumber(absl::string_view text, int max) {
  int number = 0;
  if (text.empty() || text.size() > 9) return std::nullopt;
  for (const char digit : text) {
    if (!absl::ascii_isdigit(digit)) return std::nullopt;
    number = number * 10 + (digit - '0');
  }
  return number <= max ? std::optional<int>(number) : std::nullopt;
}

absl::Status ParseUserInfo(absl::string_view text, RedisUrl& url) {
  const size_t colon = std::min(text.find(':'), text.size());
  TARN_ASSIGN_OR_RETURN(url.user, PercentDecode(text.substr(0, colon), "the user"));
  if (colon == text.size()) return absl::OkStatus();
  TARN_ASSIGN_OR_RETURN(url.password, PercentDecode(text.substr(colon + 1), "the password"));
  return absl::OkStatus();
}

bool IsHostName(absl::string_view host) {
  return !host.empty() && host.size() <= 253 && std::all_of(host.begin(), host.end(), [](char c) {
    return absl::ascii_isalnum(c) || c == '.' || c == '-' || c == '_';
  });
}

bool IsBracketedAddress(absl::string_view host) {
  return !host.empty() && host.size() <= 64 && std::all_of(host.begin(), host.end(), [](char c) {
    return absl::ascii_isxdigit(c) || c == ':' || c == '.';
  });
}

// "host", "host:port", "[address]", "[address]:port". Nothing when the host is wrong; the port's
// text is left in `port`, with its colon.
std::optional<std::string> TakeHost(absl::string_view text, absl::string_view& port) {
  if (absl::StartsWith(text, "[")) {
    const size_t end = text.find(']');
    if (end == text.npos || !IsBracketedAddress(text.substr(1, end - 1))) return std::nullopt;
    port = text.substr(end + 1);
    return std::string(text.substr(1, end - 1));
  }
  const size_t colon = std::min(text.find(':'), text.size());
  port = text.substr(colon);
  if (!IsHostName(text.substr(0, colon))) return std::nullopt;
  return std::string(text.substr(0, colon));
}

absl::StatusOr<Endpoint> ParseHost(absl::string_view text, size_t number, uint16_t default_port) {
  absl::string_view port;
  const std::optional<std::string> host = TakeHost(text, port);
  if (!host) return Wrong(absl::StrCat("host ", number, " is missing or is no host name"));
  if (port.empty()) return Endpoint{*host, default_port};
  const std::optional<int> value =
      port.front() == ':' ? ParseNumber(port.substr(1), 65535) : std::nullopt;
  if (!value || *value == 0) {
    return Wrong(absl::StrCat("the port of host ", number, " must be a number from 1 to 65535"));
  }
  return Endpoint{*host, static_cast<uint16_t>(*value)};
}

absl::Status ParseHosts(absl::string_view text, RedisUrl& url) {
  const uint16_t port = url.topology == Topology::kSentinel ? kDefaultSentinelPort : kDefaultPort;
  for (const absl::string_view host : absl::StrSplit(text, ',')) {
    if (url.hosts.size() == kMaxUrlHosts) {
      return Wrong(absl::StrCat("it names more than ", kMaxUrlHosts, " hosts"));
    }
    TARN_ASSIGN_OR_RETURN(Endpoint endpoint, ParseHost(host, url.hosts.size() + 1, port));
    url.hosts.push_back(std::move(endpoint));
  }
  if (url.topology == Topology::kStandalone && url.hosts.size() > 1) {
    return Wrong(
        "redis:// names one host; several belong to redis+sentinel:// or redis+cluster://");
  }
  return absl::OkStatus();
}

absl::Status ParseDatabase(absl::string_view text, RedisUrl& url) {
  const std::optional<int> database = ParseNumber(text, kMaxDatabase);
  if (!database) {
    return Wrong(absl::StrCat("the database must be a number from 0 to ", kMaxDatabase));
  }
  if (url.topology == Topology::kCluster && *database != 0) {
    return Wrong("a cluster has database 0 only");
  }
  url.database = *database;
  return absl::OkStatus();
}

absl::Status ParseUnixPath(absl::string_view path, RedisUrl& url) {
  TARN_ASSIGN_OR_RETURN(url.unix_path, PercentDecode(path, "the path"));
  if (url.unix_path.size() < 2) return Wrong("unix:// needs the absolute path of a socket");
  if (url.unix_path.size() > kMaxUnixPathBytes) {
    return Wrong(absl::StrCat("the path is longer than ", kMaxUnixPathBytes, " bytes"));
  }
  if (url.unix_path.find('\0') != std::string::npos) return Wrong("the path holds a zero byte");
  return absl::OkStatus();
}

absl::Status ParseMaster(absl::string_view text, RedisUrl& url) {
  TARN_ASSIGN_OR_RETURN(url.master, PercentDecode(text, "the master's name"));
  if (url.master.empty()) {
    return Wrong("redis+sentinel:// needs the master's name: redis+sentinel://host/NAME");
  }
  return absl::OkStatus();
}

absl::Status ParsePath(absl::string_view path, RedisUrl& url) {
  if (absl::StartsWith(path, "/")) path.remove_prefix(1);
  if (url.topology == Topology::kSentinel) {
    const size_t slash = std::min(path.find('/'), path.size());
    TARN_RETURN_IF_ERROR(ParseMaster(path.substr(0, slash), url));
    path.remove_prefix(std::min(slash + 1, path.size()));
  }
  return path.empty() ? absl::OkStatus() : ParseDatabase(path, url);
}

absl::Status SetTlsVerify(absl::string_view value, RedisUrl& url) {
  if (url.tls == TlsMode::kOff) return Wrong("option tls_verify needs rediss://");
  if (value == "full") return absl::OkStatus();
  if (value != "none") return Wrong("option tls_verify must be full or none");
  url.tls = TlsMode::kUnverified;
  return absl::OkStatus();
}

absl::Status SetTlsServerName(absl::string_view value, RedisUrl& url) {
  if (url.tls == TlsMode::kOff) return Wrong("option tls_server_name needs rediss://");
  if (!IsHostName(value)) return Wrong("option tls_server_name is no host name");
  url.tls_server_name = std::string(value);
  return absl::OkStatus();
}

absl::Status SetWaitReplicas(absl::string_view value, RedisUrl& url) {
  const std::optional<int> replicas = ParseNumber(value, kMaxWaitReplicas);
  if (!replicas) {
    return Wrong(
        absl::StrCat("option wait_replicas must be a number from 0 to ", kMaxWaitReplicas));
  }
  url.wait_replicas = *replicas;
  return absl::OkStatus();
}

absl::Status SetSentinelUser(absl::string_view value, RedisUrl& url) {
  if (url.topology != Topology::kSentinel) return Wrong("option sentinel_user needs Sentinels");
  url.sentinel_user = std::string(value);
  return absl::OkStatus();
}

absl::Status SetSentinelPassword(absl::string_view value, RedisUrl& url) {
  if (url.topology != Topology::kSentinel) return Wrong("option sentinel_password needs Sentinels");
  url.sentinel_password = std::string(value);
  return absl::OkStatus();
}

struct Option {
  absl::string_view name;
  absl::Status (*set)(absl::string_view value, RedisUrl& url);
};

constexpr std::array kOptions = {
    Option{"db", ParseDatabase},
    Option{"sentinel_password", SetSentinelPassword},
    Option{"sentinel_user", SetSentinelUser},
    Option{"tls_server_name", SetTlsServerName},
    Option{"tls_verify", SetTlsVerify},
    Option{"wait_replicas", SetWaitReplicas},
};

absl::Status UnknownOption(size_t number) {
  return Wrong(absl::StrCat("option ", number, " is none of ",
                            absl::StrJoin(kOptions, ", ", [](std::string* out, const Option& o) {
                              absl::StrAppend(out, o.name);
                            })));
}

absl::Status ParseOptions(absl::string_view query, RedisUrl& url) {
  if (query.empty()) return absl::OkStatus();
  std::vector<absl::string_view> seen;
  for (const absl::string_view pair : absl::StrSplit(query, '&')) {
    const size_t equals = std::min(pair.find('='), pair.size());
    const absl::string_view name = pair.substr(0, equals);
    const auto* const option = std::find_if(kOptions.begin(), kOptions.end(),
                                            [&](const Option& o) { return o.name == name; });
    if (option == kOptions.end()) return UnknownOption(seen.size() + 1);
    const std::string what = absl::StrCat("option ", option->name);
    if (equals == pair.size()) return Wrong(absl::StrCat(what, " has no value"));
    if (std::find(seen.begin(), seen.end(), name) != seen.end()) {
      return Wrong(absl::StrCat(what, " is given twice"));
    }
    TARN_ASSIGN_OR_RETURN(const std::string value, PercentDecode(pair.substr(equals + 1), what));
    TARN_RETURN_IF_ERROR(option->set(value, url));
    seen.push_back(name);
  }
  return absl::OkStatus();
}

absl::string_view SchemeName(const RedisUrl& url) {
  const TlsMode tls = url.tls == TlsMode::kOff ? TlsMode::kOff : TlsMode::kVerified;
  for (const Scheme& scheme : kSchemes) {
    if (scheme.topology == url.topology && scheme.tls == tls) return scheme.name;
  }
  return "redis";
}

}  // namespace

absl::StatusOr<RedisUrl> ParseRedisUrl(absl::string_view text) {
  TARN_ASSIGN_OR_RETURN(const Parts parts, Divide(text));
  RedisUrl url;
  url.topology = parts.scheme->topology;
  url.tls = parts.scheme->tls;
  TARN_RETURN_IF_ERROR(ParseUserInfo(parts.user_info, url));
  if (parts.scheme->name == kUnixScheme) {
    if (!parts.hosts.empty()) return Wrong("unix:// names no host: unix:///path/of/socket");
    TARN_RETURN_IF_ERROR(ParseUnixPath(parts.path, url));
  } else {
    TARN_RETURN_IF_ERROR(ParseHosts(parts.hosts, url));
    TARN_RETURN_IF_ERROR(ParsePath(parts.path, url));
  }
  TARN_RETURN_IF_ERROR(ParseOptions(parts.query, url));
  return url;
}

std::string Redacted(const RedisUrl& url) {
  if (!url.unix_path.empty()) return absl::StrCat("unix://", url.unix_path, "?db=", url.database);
  std::string text = absl::StrCat(
      SchemeName(url), "://", absl::StrJoin(url.hosts, ",", [](std::string* out, const auto& host) {
        absl::StrAppend(out, EndpointText(host));
      }));
  if (!url.master.empty()) absl::StrAppend(&text, "/", url.master);
  if (url.topology != Topology::kCluster) absl::StrAppend(&text, "/", url.database);
  return text;
}

std::string EndpointText(const Endpoint& endpoint) {
  const bool brackets = absl::StrContains(endpoint.host, ':');
  return absl::StrCat(brackets ? "[" : "", endpoint.host, brackets ? "]" : "", ":", endpoint.port);
}

bool IsHost(absl::string_view text) { return IsHostName(text) || IsBracketedAddress(text); }

}  // namespace tarn::storage::redis
