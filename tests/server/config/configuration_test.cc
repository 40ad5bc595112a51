#include "server/config/configuration.h"

#include <fstream>

#include "absl/strings/str_cat.h"
#include "tests/catch.h"
#include "tests/support/temp_dir.h"

namespace tarn::server {
namespace {

// Everything that configures a daemon, put together step by step.
class Given {
 public:
  Given& Flags(std::vector<std::string> flags) {
    flags_ = std::move(flags);
    return *this;
  }
  Given& Variable(const std::string& name, const std::string& value) {
    environment_[name] = value;
    return *this;
  }
  Given& File(const std::string& content) {
    std::ofstream(path()) << content;
    flags_.insert(flags_.end(), {"--config", path()});
    return *this;
  }
  std::string path() const { return dir_ / "tarn.toml"; }

  absl::StatusOr<Configuration> Load() const {
    const auto command_line = ParseCommandLine(flags_, OptionTable());
    if (!command_line.ok()) return command_line.status();
    Options defaults;
    defaults.data_dir = "/default";
    defaults.memory_limit = 1 << 30;
    return LoadConfiguration(*command_line, {environment_, base::PosixFileSystem(), defaults});
  }
  Options Loaded() const {
    const auto configuration = Load();
    INFO(configuration.status().message());
    REQUIRE(configuration.ok());
    return configuration->options;
  }
  std::string Error() const {
    const auto configuration = Load();
    return configuration.ok() ? "OK" : std::string(configuration.status().message());
  }
  std::string Origin(const std::string& option) const { return Load()->origins.at(option); }

 private:
  const testing::TempDir dir_;
  std::vector<std::string> flags_;
  Environment environment_;
};

TEST_CASE("without anything the defaults hold") {
  Given given;
  CHECK(given.Loaded().listen == "127.0.0.1:8276");
  CHECK(given.Loaded().http_listen == "127.0.0.1:8277");
  CHECK(given.Loaded().engine == EngineKind::kRocksDb);
  CHECK(given.Loaded().data_dir == "/default");
  CHECK(given.Origin("engine") == "default");
}

TEST_CASE("flags win over the environment, that over the file, that over the default") {
  Given given;
  given.Flags({"--max-scans", "1"})
      .Variable("TARN_MAX_SCANS", "2")
      .Variable("TARN_MAX_NAMESPACES", "2");
  given.File("max-scans = 3\nmax-namespaces = 3\nmax-batch-operations = 3\n");
  const Options options = given.Loaded();
  CHECK(options.max_scans == 1);
  CHECK(options.max_namespaces == 2);
  CHECK(options.max_batch_operations == 3);
  CHECK(options.max_pipeline_batches == 64);
  CHECK(given.Origin("max-scans") == "--max-scans");
  CHECK(given.Origin("max-namespaces") == "TARN_MAX_NAMESPACES");
  CHECK(given.Origin("max-batch-operations") == given.path() + ":3");
  CHECK(given.Origin("max-pipeline-batches") == "default");
}

TEST_CASE("checkpoints are in the data directory, unless they are put elsewhere") {
  CHECK(Given().Loaded().checkpoint_dir == "/default/checkpoints");
  CHECK(Given().Flags({"--data-dir", "/other"}).Loaded().checkpoint_dir == "/other/checkpoints");
  CHECK(Given().Flags({"--checkpoint-dir", "/c"}).Loaded().checkpoint_dir == "/c");
}

TEST_CASE("a codec may have a level, and an unknown one is named") {
  const Options options = Given().Flags({"--checkpoint-codec", "zstd:3"}).Loaded();
  CHECK(options.checkpoint_codec.codec == checkpoint::Codec::kZstd);
  CHECK(options.checkpoint_codec.level == 3);
  CHECK(Given().Loaded().checkpoint_codec.codec == checkpoint::Codec::kLz4);
  CHECK(Given().Flags({"--checkpoint-codec", "zip"}).Error().find("--checkpoint-codec") == 0);
  CHECK(Given().Flags({"--checkpoint-codec", "lz4:3"}).Error() != "OK");
  const auto printed =
      PrintConfiguration(*Given().Flags({"--checkpoint-codec", "zstd:3"}).Load(), OptionTable());
  CHECK(printed.find("checkpoint-codec = \"zstd:3\"") != std::string::npos);
}

TEST_CASE("the interval and the retention of checkpoints may change while the daemon runs") {
  const Options running = Given().Loaded();
  Options wanted = running;
  wanted.checkpoint_interval = absl::Minutes(1);
  wanted.checkpoint_retain = 20;
  wanted.checkpoint_codec = {.codec = checkpoint::Codec::kNone};
  const ConfigurationChange change = CompareConfigurations(running, wanted);
  CHECK(change.applied ==
        std::vector<std::string>{"checkpoint-interval: 10s -> 60s", "checkpoint-retain: 10 -> 20"});
  CHECK(change.deferred == std::vector<std::string>{"checkpoint-codec: lz4 -> none"});
}

TEST_CASE("the file can be named by a variable") {
  Given given;
  std::ofstream(given.path()) << "max-scans = 9\n";
  CHECK(given.Variable("TARN_CONFIG", given.path()).Loaded().max_scans == 9);
}

TEST_CASE("every option can be given by flag, variable and file") {
  Options defaults;
  defaults.data_dir = "/default";
  defaults.memory_limit = 1 << 30;
  for (const OptionSpec& option : OptionTable()) {
    INFO(option.name);
    const std::string value = option.show(defaults);
    if (value.empty()) continue;  // Its default cannot be written down.
    std::vector<std::string> flags = {"--" + option.name};
    if (option.IsSwitch()) {
      flags.back() += "=" + value;
    } else {
      flags.push_back(value);
    }
    CHECK(Given().Flags(flags).Origin(option.name) == "--" + option.name);
    CHECK(Given().Variable(VariableOf(option), value).Origin(option.name) == VariableOf(option));
    Given given;
    CHECK(given.File(option.name + " = \"" + value + "\"\n").Origin(option.name) ==
          given.path() + ":1");
  }
}

TEST_CASE("a flag may be written with an equals sign, and the last of several counts") {
  CHECK(Given().Flags({"--max-scans=7"}).Loaded().max_scans == 7);
  CHECK(Given().Flags({"--max-scans", "7", "--max-scans", "8"}).Loaded().max_scans == 8);
  CHECK(Given().Flags({"--insecure-listen"}).Loaded().insecure_listen == Switch::kOn);
  CHECK(Given().Flags({"--insecure-listen=false"}).Loaded().insecure_listen == Switch::kOff);
}

TEST_CASE("what is unknown is an error that names it, and what was probably meant") {
  CHECK(Given().Flags({"--max-scan", "1"}).Error() ==
        "unknown option --max-scan: did you mean --max-scans?");
  CHECK(Given().Flags({"--zzz"}).Error() == "unknown option --zzz: see --help");
  CHECK(Given().Flags({"serve"}).Error() == "\"serve\": tarnd takes options only");
  CHECK(Given().Variable("TARN_MAX_SCAN", "1").Error() ==
        "unknown environment variable TARN_MAX_SCAN: did you mean TARN_MAX_SCANS?");
  CHECK(Given().Variable("TARN_QQQQ", "1").Error() ==
        "unknown environment variable TARN_QQQQ: see tarnd --help");
  Given given;
  CHECK(given.File("\nmax-scan = 1\n").Error() ==
        given.path() + ":2: unknown key max-scan: did you mean max-scans?");
}

TEST_CASE("variables of other programs are none of ours") {
  CHECK(Given().Variable("PATH", "x").Variable("TARNISH", "x").Error() == "OK");
  // What Kubernetes puts into each container beside a service called "tarn".
  CHECK(Given()
            .Variable("TARN_SERVICE_HOST", "10.0.0.1")
            .Variable("TARN_SERVICE_PORT", "8276")
            .Variable("TARN_SERVICE_PORT_GRPC", "8276")
            .Variable("TARN_PORT", "tcp://10.0.0.1:8276")
            .Variable("TARN_PORT_8276_TCP", "tcp://10.0.0.1:8276")
            .Variable("TARN_PORT_8276_TCP_ADDR", "10.0.0.1")
            .Error() == "OK");
}

TEST_CASE("a wrong value is an error that names where it was given and what would be right") {
  CHECK(Given().Flags({"--max-scans", "many"}).Error() ==
        "--max-scans: \"many\" is not a whole number");
  CHECK(Given().Variable("TARN_MEMORY_LIMIT", "12XB").Error() ==
        "TARN_MEMORY_LIMIT: \"12XB\" is not a size such as 4096, 64KiB, 512MiB or "
        "2GiB");
  CHECK(Given().Flags({"--max-scans", "0"}).Error() ==
        "--max-scans: \"0\" is not between 1 and 250");
  CHECK(Given().Flags({"--max-value-size", "4MiB"}).Error() ==
        "--max-value-size: \"4MiB\" is not between 1 and 3MiB");
  CHECK(Given().Flags({"--engine", "rock"}).Error() ==
        "--engine: \"rock\" is none of rocksdb, memory, redis");
  CHECK(Given().Flags({"--drain-timeout", "48h"}).Error() ==
        "--drain-timeout: \"48h\" is more than 24h");
  CHECK(Given().Flags({"--http-listen", "unix:/x"}).Error() ==
        "--http-listen: \"unix:/x\" is not HOST:PORT");
  Given given;
  CHECK(given.File("log-level = \"loud\"\n").Error() ==
        given.path() + ":1: log-level: \"loud\" is none of debug, info, warning, error, off");
}

TEST_CASE("a flag without its value is an error") {
  CHECK(Given().Flags({"--engine"}).Error() != "OK");
}

TEST_CASE("a file that is not there, or not of the right form, is an error that names it") {
  CHECK(Given()
            .Flags({"--config", "/nonexistent/tarn.toml"})
            .Error()
            .find("/nonexistent/tarn.toml") != std::string::npos);
  Given given;
  CHECK(given.File("nonsense\n").Error() == given.path() + ", line 1: not of the form key = value");
}

TEST_CASE("TLS options need each other") {
  CHECK(Given().Flags({"--tls-cert", "c"}).Error() == "--tls-cert and --tls-key need each other");
  CHECK(Given().Flags({"--tls-key", "k"}).Error() == "--tls-cert and --tls-key need each other");
  CHECK(Given().Flags({"--tls-client-ca", "a"}).Error() ==
        "--tls-client-ca needs --tls-cert and --tls-key");
  CHECK(Given().Flags({"--admin-names", "ops"}).Error() ==
        "--admin-names needs --tls-client-ca: without it no caller has a name");
  CHECK(Given()
            .Flags({"--tls-cert", "c", "--tls-key", "k", "--tls-client-ca", "a", "--admin-names",
                    "ops, dev"})
            .Loaded()
            .admin_names == std::vector<std::string>{"ops", "dev"});
}

TEST_CASE("listening beyond loopback needs TLS or the explicit flag, HTTP its own flag") {
  CHECK(Given().Flags({"--listen", "0.0.0.0:1"}).Error().find("--insecure-listen") !=
        std::string::npos);
  CHECK(Given().Flags({"--listen", "0.0.0.0:1", "--insecure-listen"}).Error() == "OK");
  CHECK(Given().Flags({"--listen", "0.0.0.0:1", "--tls-cert", "c", "--tls-key", "k"}).Error() ==
        "OK");
  CHECK(Given().Flags({"--http-listen", "[::]:1"}).Error().find("--insecure-http-listen") !=
        std::string::npos);
  CHECK(Given().Flags({"--http-listen", "[::]:1", "--insecure-listen"}).Error() != "OK");
  CHECK(Given().Flags({"--http-listen", "[::]:1", "--insecure-http-listen"}).Error() == "OK");
}

TEST_CASE("what is printed loads as the same configuration") {
  const auto printed =
      Given().Flags({"--max-scans", "5", "--engine", "memory", "--drain-timeout", "1500ms"}).Load();
  REQUIRE(printed.ok());
  const Options again = Given().File(PrintConfiguration(*printed, OptionTable())).Loaded();
  for (const OptionSpec& option : OptionTable()) {
    INFO(option.name);
    CHECK(option.show(again) == option.show(printed->options));
  }
}

TEST_CASE("a secret is printed as redacted, and so is its change") {
  std::vector<OptionSpec> table = {OptionTable().front()};
  table.front().secrecy = Secrecy::kRedacted;
  const auto configuration = Given().Load();
  REQUIRE(configuration.ok());
  const std::string text = PrintConfiguration(*configuration, table);
  CHECK(text.find("rocksdb") == std::string::npos);
  CHECK(text.find("engine = \"(redacted)\"") != std::string::npos);
}

TEST_CASE("the URL of Redis is printed without its secrets, encoded or not") {
  const auto shown = [](const std::string& url) {
    const auto configuration = Given().Flags({"--redis-url", url}).Load();
    REQUIRE(configuration.ok());
    return PrintConfiguration(*configuration, OptionTable());
  };
  for (const std::string secret : {"hush", "hu/sh", "hu?sh", "hu@sh"}) {
    const std::string text = shown("redis://user:" + secret + "@host:1/2?sentinel_password=more");
    CHECK(text.find("redis-url = \"redis://host:1/2\"") != std::string::npos);
    CHECK(text.find(secret) == std::string::npos);
    CHECK(text.find("more") == std::string::npos);
  }
}

TEST_CASE("a change is applied or deferred as its option says") {
  const Options running;
  Options wanted = running;
  CHECK(CompareConfigurations(running, wanted).applied.empty());
  wanted.log_level = base::LogLevel::kError;
  wanted.max_scans = 3;
  const ConfigurationChange change = CompareConfigurations(running, wanted);
  CHECK(change.applied == std::vector<std::string>{"log-level: info -> error"});
  CHECK(change.deferred == std::vector<std::string>{"max-scans: 128 -> 3"});
}

TEST_CASE("actions are told from options") {
  const auto action = [](const std::string& flag) {
    return ParseCommandLine({flag}, OptionTable())->action;
  };
  CHECK(action("--help") == Action::kHelp);
  CHECK(action("--version") == Action::kVersion);
  CHECK(action("--check-config") == Action::kCheckConfig);
  CHECK(action("--print-config") == Action::kPrintConfig);
  CHECK(action("--print-redis-acl") == Action::kPrintRedisAcl);
  CHECK(ParseCommandLine({}, OptionTable())->action == Action::kServe);
}

TEST_CASE("the help has every option with its variable and default, in lines that fit") {
  const Options defaults;
  const std::string help = HelpText(defaults);
  for (const OptionSpec& option : OptionTable()) {
    INFO(option.name);
    CHECK(help.find("\n  --" + option.name) != std::string::npos);
    CHECK(help.find("[" + VariableOf(option)) != std::string::npos);
  }
  size_t begin = 0;
  for (size_t end = 0; (end = help.find('\n', begin)) != std::string::npos; begin = end + 1) {
    INFO(help.substr(begin, end - begin));
    CHECK(end - begin <= 100);
  }
}

}  // namespace
}  // namespace tarn::server
