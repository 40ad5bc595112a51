#include "server/config/configuration.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "server/config/config_file.h"
#include "server/config/values.h"
#include "storage/base/status.h"

namespace tarn::server {
namespace {

constexpr char kConfigVariable[] = "TARN_CONFIG";

const OptionSpec* Find(absl::string_view name) {
  const std::vector<OptionSpec>& table = OptionTable();
  const auto found = std::find_if(table.begin(), table.end(),
                                  [&](const OptionSpec& one) { return one.name == name; });
  return found == table.end() ? nullptr : &*found;
}

// Variables that other programs own: those of tarnctl and the tests, and those which Kubernetes
// puts into every container for a service called "tarn".
bool IsForeign(const std::string& variable) {
  static constexpr absl::string_view kOthers[] = {"TARN_ENDPOINT", "TARN_NAMESPACE",
                                                  "TARN_BIN_DIR",  "TARN_SOURCE_DIR",
                                                  "TARN_SOAK",     "TARN_SEED"};
  if (std::find(std::begin(kOthers), std::end(kOthers), variable) != std::end(kOthers)) return true;
  return absl::EndsWith(variable, "_SERVICE_HOST") ||
         absl::StrContains(variable, "_SERVICE_PORT") || absl::EndsWith(variable, "_PORT") ||
         absl::StrContains(variable, "_TCP");
}

absl::Status UnknownName(const std::string& wrong, absl::string_view what,
                         const std::vector<std::string>& known) {
  const std::string nearest = Nearest(wrong, known);
  const std::string hint =
      nearest.empty() ? "see tarnd --help" : absl::StrCat("did you mean ", nearest, "?");
  return absl::InvalidArgumentError(absl::StrCat("unknown ", what, " ", wrong, ": ", hint));
}

// A value with the place it comes from.
struct Given {
  std::string text;
  std::string origin;
};
using GivenByName = std::map<std::string, Given>;

absl::StatusOr<GivenByName> FromEnvironment(const Environment& environment) {
  std::map<std::string, std::string> names;  // By variable.
  std::vector<std::string> known = {kConfigVariable};
  for (const OptionSpec& option : OptionTable()) {
    names[VariableOf(option)] = option.name;
    known.push_back(VariableOf(option));
  }
  GivenByName given;
  for (const auto& [variable, value] : environment) {
    if (!absl::StartsWith(variable, "TARN_") || variable == kConfigVariable) continue;
    const auto name = names.find(variable);
    if (name != names.end()) {
      given[name->second] = {value, variable};
    } else if (!IsForeign(variable)) {
      return UnknownName(variable, "environment variable", known);
    }
  }
  return given;
}

absl::Status AddFileSetting(const std::string& path, const FileSetting& setting,
                            GivenByName* given) {
  std::vector<std::string> known;
  for (const OptionSpec& option : OptionTable()) known.push_back(option.name);
  const std::string origin = absl::StrCat(path, ":", setting.line);
  if (Find(setting.key) == nullptr) {
    const absl::Status unknown = UnknownName(setting.key, "key", known);
    return absl::InvalidArgumentError(absl::StrCat(origin, ": ", unknown.message()));
  }
  (*given)[setting.key] = {absl::StrJoin(setting.values, ","), origin};
  return absl::OkStatus();
}

absl::StatusOr<GivenByName> FromFile(const std::string& path, base::FileSystem& files) {
  GivenByName given;
  if (path.empty()) return given;
  const absl::StatusOr<std::string> content = base::ReadFile(files, path);
  if (!content.ok()) return absl::InvalidArgumentError(content.status().message());
  const absl::StatusOr<std::vector<FileSetting>> settings = ParseConfigFile(*content);
  if (!settings.ok())
    return absl::InvalidArgumentError(absl::StrCat(path, ", ", settings.status().message()));
  for (const FileSetting& setting : *settings)
    TARN_RETURN_IF_ERROR(AddFileSetting(path, setting, &given));
  return given;
}

GivenByName FromFlags(const CommandLine& command_line) {
  GivenByName given;
  for (const auto& [name, value] : command_line.flags)
    given[name] = {value, absl::StrCat("--", name)};
  return given;
}

absl::Status Wrong(absl::string_view what) { return absl::InvalidArgumentError(what); }

absl::Status CheckTls(const Options& options) {
  if (options.tls_cert.empty() != options.tls_key.empty())
    return Wrong("--tls-cert and --tls-key need each other");
  if (!options.tls_client_ca.empty() && options.tls_cert.empty()) {
    return Wrong("--tls-client-ca needs --tls-cert and --tls-key");
  }
  if (!options.admin_names.empty() && options.tls_client_ca.empty()) {
    return Wrong("--admin-names needs --tls-client-ca: without it no caller has a name");
  }
  return absl::OkStatus();
}

absl::Status CheckListening(const Options& options) {
  TARN_ASSIGN_OR_RETURN(const ListenAddress grpc, ParseListenAddress(options.listen));
  const bool plain = options.tls_cert.empty();
  if (plain && !grpc.IsLoopback() && options.insecure_listen == Switch::kOff) {
    return Wrong(absl::StrCat(
        "--listen ", options.listen, " is beyond loopback and without TLS: give --tls-cert and ",
        "--tls-key, or --insecure-listen to let anyone who gets there read and write"));
  }
  TARN_ASSIGN_OR_RETURN(const ListenAddress http, ParseListenAddress(options.http_listen));
  if (!http.IsLoopback() && options.insecure_http_listen == Switch::kOff) {
    return Wrong(absl::StrCat("--http-listen ", options.http_listen,
                              " is beyond loopback, and HTTP is plain: give ",
                              "--insecure-http-listen if that is meant"));
  }
  return absl::OkStatus();
}

std::string Quoted(const std::string& text) {
  const bool number = !text.empty() && std::all_of(text.begin(), text.end(),
                                                   [](char c) { return c >= '0' && c <= '9'; });
  if (number || text == "true" || text == "false") return text;
  return absl::StrCat("\"", text, "\"");
}

std::string Shown(const OptionSpec& option, const Options& options) {
  const std::string value = option.show(options);
  return option.secrecy == Secrecy::kRedacted && !value.empty() ? "(redacted)" : value;
}

}  // namespace

Options DefaultOptions(const Environment& environment, uint32_t user) {
  Options options;
  options.data_dir = DefaultDataDir(environment, user);
  // Whole MiB, for people who read it.
  options.memory_limit = DefaultMemoryLimit(ReadMachineMemory()) >> 20 << 20;
  return options;
}

absl::StatusOr<Configuration> LoadConfiguration(const CommandLine& command_line,
                                                const ConfigurationSources& sources) {
  std::string path = command_line.config_file;
  const auto variable = sources.environment.find(kConfigVariable);
  if (path.empty() && variable != sources.environment.end()) path = variable->second;
  const GivenByName flags = FromFlags(command_line);
  TARN_ASSIGN_OR_RETURN(const GivenByName environment, FromEnvironment(sources.environment));
  TARN_ASSIGN_OR_RETURN(const GivenByName file, FromFile(path, sources.files));
  Configuration configuration;
  configuration.options = sources.defaults;
  for (const OptionSpec& option : OptionTable()) {
    configuration.origins[option.name] = "default";
    for (const GivenByName* given : {&flags, &environment, &file}) {
      const auto found = given->find(option.name);
      if (found == given->end()) continue;
      const absl::Status set = option.set(found->second.text, &configuration.options);
      if (!set.ok()) {
        // A flag or variable has the option's name already.
        const std::string name = given == &file ? absl::StrCat(option.name, ": ") : "";
        return Wrong(absl::StrCat(found->second.origin, ": ", name, set.message()));
      }
      configuration.origins[option.name] = found->second.origin;
      break;
    }
  }
  Options& options = configuration.options;
  if (options.checkpoint_dir.empty())
    options.checkpoint_dir = base::JoinPath(options.data_dir, "checkpoints");
  TARN_RETURN_IF_ERROR(CheckTls(configuration.options));
  TARN_RETURN_IF_ERROR(CheckListening(configuration.options));
  return configuration;
}

std::string PrintConfiguration(const Configuration& configuration,
                               const std::vector<OptionSpec>& table) {
  std::string text;
  std::string group;
  for (const OptionSpec& option : table) {
    if (option.group != std::exchange(group, option.group))
      absl::StrAppend(&text, "# ", group, "\n");
    const auto origin = configuration.origins.find(option.name);
    absl::StrAppend(&text, option.name, " = ", Quoted(Shown(option, configuration.options)), "  # ",
                    origin == configuration.origins.end() ? "default" : origin->second, "\n");
  }
  return text;
}

ConfigurationChange CompareConfigurations(const Options& running, const Options& wanted) {
  ConfigurationChange change;
  for (const OptionSpec& option : OptionTable()) {
    if (option.show(running) == option.show(wanted)) continue;
    const std::string line =
        absl::StrCat(option.name, ": ", Shown(option, running), " -> ", Shown(option, wanted));
    (option.change == Change::kAtReload ? change.applied : change.deferred).push_back(line);
  }
  return change;
}

}  // namespace tarn::server
