#include "server/config/option_table.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "server/config/values.h"

namespace tarn::server {
namespace {

constexpr char kStorage[] = "Storage";
constexpr char kRedis[] = "Redis";
constexpr char kCheckpoints[] = "Checkpoints";
constexpr char kServing[] = "Serving";
constexpr char kLimits[] = "Limits";
constexpr char kLogging[] = "Logging";

constexpr uint64_t kKiB = 1 << 10;
constexpr uint64_t kMiB = 1 << 20;
constexpr uint64_t kTiB = uint64_t{1} << 40;

// What every option says, before the kind of its value.
OptionSpec About(const char* group, std::string name, std::string placeholder, std::string help) {
  OptionSpec option;
  option.group = group;
  option.name = std::move(name);
  option.placeholder = std::move(placeholder);
  option.help = std::move(help);
  return option;
}

OptionSpec AtReload(OptionSpec option) {
  option.change = Change::kAtReload;
  return option;
}

OptionSpec Text(OptionSpec option, std::string Options::*member) {
  option.set = [member](absl::string_view text, Options* options) {
    options->*member = std::string(text.data(), text.size());
    return absl::OkStatus();
  };
  option.show = [member](const Options& options) { return options.*member; };
  return option;
}

OptionSpec List(OptionSpec option, std::vector<std::string> Options::*member) {
  option.set = [member](absl::string_view text, Options* options) {
    options->*member = ParseList(text);
    return absl::OkStatus();
  };
  option.show = [member](const Options& options) { return absl::StrJoin(options.*member, ","); };
  return option;
}

enum class Sockets : uint8_t { kTcpOnly, kTcpAndUnix };

OptionSpec Address(OptionSpec option, std::string Options::*member, Sockets sockets) {
  option.set = [member, sockets](absl::string_view text, Options* options) -> absl::Status {
    const absl::StatusOr<ListenAddress> address = ParseListenAddress(text);
    if (!address.ok()) return address.status();
    if (sockets == Sockets::kTcpOnly && !address->unix_path.empty()) {
      return absl::InvalidArgumentError(absl::StrCat("\"", text, "\" is not HOST:PORT"));
    }
    options->*member = std::string(text.data(), text.size());
    return absl::OkStatus();
  };
  option.show = [member](const Options& options) { return options.*member; };
  return option;
}

using Parse = absl::StatusOr<uint64_t> (*)(absl::string_view);
using Format = std::string (*)(uint64_t);

std::string ShowNumber(uint64_t number) { return absl::StrCat(number); }

OptionSpec InRange(OptionSpec option, uint64_t Options::*member, uint64_t least, uint64_t most,
                   Parse parse, Format format) {
  option.set = [member, least, most, parse, format](absl::string_view text,
                                                    Options* options) -> absl::Status {
    const absl::StatusOr<uint64_t> value = parse(text);
    if (!value.ok()) return value.status();
    if (*value < least || *value > most) {
      return absl::InvalidArgumentError(
          absl::StrCat("\"", text, "\" is not between ", format(least), " and ", format(most)));
    }
    options->*member = *value;
    return absl::OkStatus();
  };
  option.show = [member, format](const Options& options) { return format(options.*member); };
  return option;
}

OptionSpec Size(OptionSpec option, uint64_t Options::*member, uint64_t least, uint64_t most) {
  return InRange(std::move(option), member, least, most, ParseSize, ShowSize);
}

OptionSpec Number(OptionSpec option, uint64_t Options::*member, uint64_t least, uint64_t most) {
  return InRange(std::move(option), member, least, most, ParseNumber, ShowNumber);
}

OptionSpec Duration(OptionSpec option, absl::Duration Options::*member) {
  option.set = [member](absl::string_view text, Options* options) -> absl::Status {
    const absl::StatusOr<absl::Duration> value = ParseDuration(text);
    if (!value.ok()) return value.status();
    if (*value > absl::Hours(24)) {
      return absl::InvalidArgumentError(absl::StrCat("\"", text, "\" is more than 24h"));
    }
    options->*member = *value;
    return absl::OkStatus();
  };
  option.show = [member](const Options& options) { return ShowDuration(options.*member); };
  return option;
}

template <typename Enum>
using Words = std::vector<std::pair<std::string, Enum>>;

// One of a few words, which are the placeholder in --help too.
template <typename Enum>
OptionSpec OneOf(OptionSpec option, Enum Options::*member, const Words<Enum>& words) {
  std::vector<std::string> names;
  for (const auto& [name, value] : words) names.push_back(name);
  option.placeholder = absl::StrJoin(names, "|");
  option.set = [member, words, names](absl::string_view text, Options* options) -> absl::Status {
    for (const auto& [name, value] : words) {
      if (text != name) continue;
      options->*member = value;
      return absl::OkStatus();
    }
    return absl::InvalidArgumentError(
        absl::StrCat("\"", text, "\" is none of ", absl::StrJoin(names, ", ")));
  };
  option.show = [member, words](const Options& options) -> std::string {
    const auto found = std::find_if(words.begin(), words.end(), [&](const auto& word) {
      return word.second == options.*member;
    });
    return found == words.end() ? "" : found->first;
  };
  return option;
}

OptionSpec OnOff(OptionSpec option, Switch Options::*member) {
  option.set = [member](absl::string_view text, Options* options) -> absl::Status {
    const absl::StatusOr<bool> on = ParseSwitch(text);
    if (!on.ok()) return on.status();
    options->*member = *on ? Switch::kOn : Switch::kOff;
    return absl::OkStatus();
  };
  option.show = [member](const Options& options) -> std::string {
    return options.*member == Switch::kOn ? "true" : "false";
  };
  return option;
}

std::vector<OptionSpec> StorageOptions() {
  return {
      OneOf<EngineKind>(
          About(kStorage, "engine", "",
                "What keeps the state: this machine's disk, its memory only, or Redis."),
          &Options::engine,
          {{"rocksdb", EngineKind::kRocksDb},
           {"memory", EngineKind::kMemory},
           {"redis", EngineKind::kRedis}}),
      Text(About(kStorage, "data-dir", "DIR",
                 "Where the daemon keeps what must survive it; created when missing."),
           &Options::data_dir),
      Size(About(kStorage, "memory-limit", "SIZE",
                 "The most the memory engine may hold. The default is half of what this machine or "
                 "control group has."),
           &Options::memory_limit, kMiB, 1024 * kTiB),
      Size(About(kStorage, "rocksdb-memory", "SIZE",
                 "Block cache and write buffers of the rocksdb engine; taken as it is used."),
           &Options::rocksdb_memory, 8 * kMiB, 1024 * kTiB),
      OneOf<DurabilityChoice>(About(kStorage, "durability", "",
                                    "What an acknowledged write survives with the rocksdb engine: "
                                    "the end of the process, or of the machine."),
                              &Options::durability,
                              {{"os", DurabilityChoice::kOs}, {"disk", DurabilityChoice::kDisk}}),
      OneOf<NamespaceCreationChoice>(
          About(kStorage, "namespace-creation", "",
                "Whether the first write to a namespace creates it, or only CreateNamespace does."),
          &Options::namespace_creation,
          {{"on-first-write", NamespaceCreationChoice::kOnFirstWrite},
           {"explicit", NamespaceCreationChoice::kExplicit}}),
  };
}

// Users, passwords and options, which may hold passwords too, are shown to nobody.
std::string WithoutSecrets(const std::string& url) {
  const size_t scheme = url.find("://");
  if (scheme == url.npos) return "";
  const size_t begin = scheme + 3;
  const size_t at = url.rfind('@');
  const std::string place = url.substr(at == url.npos ? begin : at + 1);
  return absl::StrCat(url.substr(0, begin), place.substr(0, place.find('?')));
}

// Which of its parts is wrong is said when the engine is opened.
OptionSpec RedisUrlOption() {
  OptionSpec option = Text(
      About(kRedis, "redis-url", "URL",
            "Where Redis is: redis://, rediss://, redis+sentinel://, redis+cluster:// or unix://."),
      &Options::redis_url);
  option.show = [](const Options& options) { return WithoutSecrets(options.redis_url); };
  return option;
}

std::vector<OptionSpec> RedisOptions() {
  constexpr uint64_t kMostConnections = 64;
  return {
      RedisUrlOption(),
      Text(About(kRedis, "redis-key-prefix", "PREFIX",
                 "What all keys in Redis begin with: one for each store."),
           &Options::redis_key_prefix),
      Number(About(kRedis, "redis-pool-min", "N", "Connections kept open to each node."),
             &Options::redis_pool_min, 1, kMostConnections),
      Number(About(kRedis, "redis-pool-max", "N", "The most connections to each node."),
             &Options::redis_pool_max, 1, kMostConnections),
      Text(
          About(kRedis, "redis-ca", "FILE",
                "Who may have signed Redis' certificate (PEM). Default: the system's authorities."),
          &Options::redis_ca),
      Text(About(kRedis, "redis-cert", "FILE", "The certificate shown to Redis (PEM)."),
           &Options::redis_cert),
      Text(About(kRedis, "redis-key", "FILE", "The private key of that certificate (PEM)."),
           &Options::redis_key),
      Text(About(kRedis, "redis-password-file", "FILE",
                 "The password for Redis, in place of the URL's; its first line."),
           &Options::redis_password_file),
      OnOff(About(kRedis, "redis-allow-eviction", "",
                  "Start though Redis may delete state when its memory is full."),
            &Options::redis_allow_eviction),
      OnOff(About(kRedis, "take-over", "",
                  "Take the store from the daemon that owns it now, instead of waiting until it "
                  "gives no sign of life."),
            &Options::take_over),
  };
}

OptionSpec Codec(OptionSpec option, checkpoint::Compression Options::*member) {
  option.set = [member](absl::string_view text, Options* options) -> absl::Status {
    const absl::StatusOr<checkpoint::Compression> codec = checkpoint::ParseCompression(text);
    if (!codec.ok()) return codec.status();
    options->*member = *codec;
    return absl::OkStatus();
  };
  option.show = [member](const Options& options) {
    const checkpoint::Compression& codec = options.*member;
    const std::string level = codec.level == 0 ? "" : absl::StrCat(":", codec.level);
    return absl::StrCat(checkpoint::CodecName(codec.codec), level);
  };
  return option;
}

std::vector<OptionSpec> RetentionOptions() {
  constexpr uint64_t kMost = 10'000;
  return {
      AtReload(Number(About(kCheckpoints, "checkpoint-retain", "N",
                            "How many of the newest checkpoints are kept."),
                      &Options::checkpoint_retain, 1, kMost)),
      AtReload(Number(About(kCheckpoints, "checkpoint-retain-hourly", "N",
                            "For so many hours, the last checkpoint of each is kept too."),
                      &Options::checkpoint_retain_hourly, 0, kMost)),
      AtReload(Number(About(kCheckpoints, "checkpoint-retain-daily", "N",
                            "For so many days, the last checkpoint of each is kept too."),
                      &Options::checkpoint_retain_daily, 0, kMost)),
      AtReload(Size(About(kCheckpoints, "checkpoint-retain-size", "SIZE",
                          "The most that all checkpoints together may take; beyond it the oldest "
                          "go, but never a pinned one or the newest. 0: no limit."),
                    &Options::checkpoint_retain_size, 0, 1024 * kTiB)),
  };
}

std::vector<OptionSpec> RestoreOptions() {
  using checkpoint::RestorePolicy;
  return {
      OneOf<RestorePolicy>(
          About(
              kCheckpoints, "restore-on-start", "",
              "When the newest valid checkpoint is restored at the start: if the engine was "
              "never initialised (the memory engine is so at every start), in any case, or not at "
              "all."),
          &Options::restore_on_start,
          {{"if-empty", RestorePolicy::kIfEmpty},
           {"latest", RestorePolicy::kLatest},
           {"never", RestorePolicy::kNever}}),
      OnOff(About(kCheckpoints, "discard-newer", "",
                  "With --restore-on-start latest: give up what was committed after that "
                  "checkpoint."),
            &Options::discard_newer),
      OnOff(About(kCheckpoints, "allow-empty-start", "",
                  "Start with an empty store though there are checkpoints and none is valid, or "
                  "though the catalog used before is gone."),
            &Options::allow_empty_start),
  };
}

std::vector<OptionSpec> CheckpointOptions() {
  std::vector<OptionSpec> options = {
      Text(About(kCheckpoints, "checkpoint-dir", "DIR",
                 "Where checkpoints are kept; created when missing. The default is the directory "
                 "checkpoints in the data directory."),
           &Options::checkpoint_dir),
      AtReload(Duration(About(kCheckpoints, "checkpoint-interval", "DURATION",
                              "How often a checkpoint is made. 0s: only on demand, not even when "
                              "the daemon stops."),
                        &Options::checkpoint_interval)),
      Codec(About(kCheckpoints, "checkpoint-codec", "none|lz4|zstd|snappy",
                  "How checkpoints are compressed; zstd:LEVEL with a level from -7 to 19."),
            &Options::checkpoint_codec),
      Number(About(kCheckpoints, "checkpoint-threads", "N",
                   "Threads that write, verify or load one checkpoint."),
             &Options::checkpoint_threads, 1, 64),
  };
  for (const auto& part : {RetentionOptions(), RestoreOptions()})
    options.insert(options.end(), part.begin(), part.end());
  return options;
}

std::vector<OptionSpec> ServingOptions() {
  return {
      Address(About(kServing, "listen", "HOST:PORT|unix:PATH",
                    "Where gRPC listens; port 0 for any free one."),
              &Options::listen, Sockets::kTcpAndUnix),
      Address(About(kServing, "http-listen", "HOST:PORT",
                    "Where /metrics, /livez and /readyz are served, in plain text."),
              &Options::http_listen, Sockets::kTcpOnly),
      OnOff(About(kServing, "insecure-listen", "",
                  "Let gRPC listen beyond loopback without TLS: anyone who gets there may read and "
                  "write."),
            &Options::insecure_listen),
      OnOff(About(kServing, "insecure-http-listen", "",
                  "Let HTTP listen beyond loopback: it is plain, and shows names of namespaces."),
            &Options::insecure_http_listen),
      Text(About(kServing, "tls-cert", "FILE",
                 "The server's certificate chain in PEM form; followed when it changes."),
           &Options::tls_cert),
      Text(About(kServing, "tls-key", "FILE", "The private key of that certificate."),
           &Options::tls_key),
      Text(About(kServing, "tls-client-ca", "FILE",
                 "Accept only callers with a certificate that one of these authorities signed."),
           &Options::tls_client_ca),
      AtReload(
          List(About(kServing, "admin-names", "NAME,...",
                     "Certificate names that may change namespaces and checkpoints from beyond "
                     "loopback."),
               &Options::admin_names)),
      AtReload(Duration(About(kServing, "drain-timeout", "DURATION",
                              "How long a stopping server waits for calls under way."),
                        &Options::drain_timeout)),
      Text(About(kServing, "address-file", "FILE",
                 "Write grpc=HOST:PORT and http=HOST:PORT into it once requests are served."),
           &Options::address_file),
  };
}

std::vector<OptionSpec> LimitOptions() {
  return {
      Size(About(kLimits, "max-key-size", "SIZE", "The longest key."), &Options::max_key_size, 16,
           32 * kKiB),
      Size(About(kLimits, "max-value-size", "SIZE", "The longest value."), &Options::max_value_size,
           1, 3 * kMiB),
      Number(About(kLimits, "max-batch-operations", "N", "The most operations in a batch."),
             &Options::max_batch_operations, 1, 65'536),
      Number(About(kLimits, "max-namespaces", "N", "The most namespaces."),
             &Options::max_namespaces, 1, 16'384),
      Number(About(kLimits, "max-scans", "N",
                   "The most scans open or resumable; beyond it the oldest ends."),
             &Options::max_scans, 1, 250),
      Duration(About(kLimits, "scan-lifetime", "DURATION",
                     "How long a scan that was broken off can be resumed."),
               &Options::scan_lifetime),
      Size(About(kLimits, "scan-chunk", "SIZE", "Keys and values in one message of a scan."),
           &Options::scan_chunk, kKiB, kMiB),
      Number(About(kLimits, "max-pipeline-batches", "N",
                   "The most unanswered batches of one Pipeline stream."),
             &Options::max_pipeline_batches, 1, 1024),
      Size(About(kLimits, "max-pipeline-size", "SIZE",
                 "The most bytes of unanswered requests of one Pipeline stream."),
           &Options::max_pipeline_size, 64 * kKiB, 1024 * kMiB),
      Number(About(kLimits, "max-concurrent-calls", "N",
                   "The most calls under way on one connection; more wait."),
             &Options::max_concurrent_calls, 1, 65'536),
      Duration(About(kLimits, "max-lock-ttl", "DURATION",
                     "The longest time for which a lock can be had without renewing it."),
               &Options::max_lock_ttl),
      Number(About(kLimits, "max-locks", "N", "The most locks that are held or waited for."),
             &Options::max_locks, 1, 10'000'000),
      Number(About(kLimits, "max-lock-waiters", "N", "The most requests that wait for locks."),
             &Options::max_lock_waiters, 1, 1'000'000),
      Number(About(kLimits, "max-groups", "N", "The most groups of workers."), &Options::max_groups,
             1, 1'000'000),
      Size(About(kLimits, "max-receipts-size", "SIZE",
                 "Answers kept so that writes are safe to repeat; beyond it request ids are "
                 "refused."),
           &Options::max_receipts_size, kMiB, 64 * 1024 * kMiB),
      Number(About(kLimits, "max-clients", "N", "The most clients with request ids."),
             &Options::max_clients, 1, 1'000'000),
  };
}

std::vector<OptionSpec> LoggingOptions() {
  using base::LogFormat;
  using base::LogLevel;
  return {
      AtReload(OneOf<LogLevel>(About(kLogging, "log-level", "", "The least grave lines to log."),
                               &Options::log_level,
                               {{"debug", LogLevel::kDebug},
                                {"info", LogLevel::kInfo},
                                {"warning", LogLevel::kWarning},
                                {"error", LogLevel::kError},
                                {"off", LogLevel::kOff}})),
      AtReload(OneOf<LogFormat>(
          About(kLogging, "log-format", "", "Lines for people, or one JSON object a line."),
          &Options::log_format, {{"text", LogFormat::kText}, {"json", LogFormat::kJson}})),
  };
}

std::vector<OptionSpec> MakeTable() {
  std::vector<OptionSpec> table;
  for (auto part : {StorageOptions(), RedisOptions(), CheckpointOptions(), ServingOptions(),
                    LimitOptions(), LoggingOptions()}) {
    table.insert(table.end(), part.begin(), part.end());
  }
  return table;
}

}  // namespace

const std::vector<OptionSpec>& OptionTable() {
  static const auto* const table = new std::vector<OptionSpec>(MakeTable());
  return *table;
}

std::string VariableOf(const OptionSpec& option) {
  return absl::StrCat("TARN_",
                      absl::AsciiStrToUpper(absl::StrReplaceAll(option.name, {{"-", "_"}})));
}

}  // namespace tarn::server
