#include "client/cli/app.h"

#include <algorithm>
#include <map>
#include <memory>

#include "absl/strings/str_cat.h"
#include "client/cli/batch_command.h"
#include "client/cli/bench_command.h"
#include "client/cli/checkpoint_commands.h"
#include "client/cli/describe.h"
#include "client/cli/entry_commands.h"
#include "client/cli/file_commands.h"
#include "client/cli/group_commands.h"
#include "client/cli/job_commands.h"
#include "client/cli/lock_commands.h"
#include "client/cli/namespace_commands.h"
#include "client/cli/options.h"
#include "client/cli/range_commands.h"
#include "client/cli/server_commands.h"
#include "client/cli/text.h"
#include "tarn_version.h"
#include <CLI/CLI.hpp>

namespace tarn::cli {
namespace {

// For whoever makes manuals and completions; not for users, so not in --help.
constexpr char kDescribe[] = "--describe-commands";

// What can be said for every command, before or behind its name.
struct GlobalArguments {
  std::string endpoint = kDefaultEndpoint;
  std::string ns;
  std::string style = "simple";
  std::string timeout;
  bool hex = false;
  int retries = 3;
  bool tls = false;
  TlsOptions tls_options;
};

std::string ExitCodeTable() {
  std::string table = "Exit codes:\n";
  for (const ExitCodeMeaning& one : kExitCodes) {
    absl::StrAppend(&table, "  ", static_cast<int>(one.code), "\t", one.meaning, "\n");
  }
  return table;
}

void AddConnectionOptions(CLI::App& app, GlobalArguments& arguments) {
  app.add_option("--endpoint", arguments.endpoint, "The server: HOST:PORT or unix:PATH")
      ->envname("TARN_ENDPOINT")
      ->capture_default_str();
  app.add_option("--timeout", arguments.timeout, "How long a call may take, such as 5s")
      ->check(CheckDuration);
  app.add_option("--retries", arguments.retries,
                 "How often a failed call is repeated, if that is safe")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  app.add_flag("--tls", arguments.tls, "Use TLS, trusting the system's authorities");
  app.add_option("--tls-ca", arguments.tls_options.ca_file,
                 "Use TLS, trusting the authorities in this file");
  app.add_option("--tls-cert", arguments.tls_options.cert_file,
                 "Our certificate chain, for a server that asks");
  app.add_option("--tls-key", arguments.tls_options.key_file, "Its private key");
  app.add_option("--tls-server-name", arguments.tls_options.server_name,
                 "What the server's certificate must name, if not the endpoint's host");
}

void AddGlobalOptions(CLI::App& app, GlobalArguments& arguments) {
  AddConnectionOptions(app, arguments);
  app.add_option("-n,--namespace", arguments.ns, "The namespace; \"default\" if none is given")
      ->envname("TARN_NAMESPACE");
  app.add_option("-w,--write-out", arguments.style,
                 "How to print: simple (for scripts), table or json")
      ->check(CLI::IsMember({"simple", "table", "json"}))
      ->capture_default_str();
  app.add_flag("--hex", arguments.hex,
               "Keys and values are hexadecimal, in arguments and in what is printed");
}

void AddCommands(CLI::App& app, Command& chosen) {
  AddEntryCommands(app, chosen);
  AddRangeCommands(app, chosen);
  AddBatchCommand(app, chosen);
  AddNamespaceCommands(app, chosen);
  AddCheckpointCommands(app, chosen);
  AddJobCommands(app, chosen);
  AddLockCommands(app, chosen);
  AddGroupCommands(app, chosen);
  AddFileCommands(app, chosen);
  AddServerCommands(app, chosen);
  AddStatCommand(app, chosen);
  AddBenchCommand(app, chosen);
}

Style StyleOf(const std::string& name) {
  static const std::map<std::string, Style> styles = {
      {"simple", Style::kSimple}, {"table", Style::kTable}, {"json", Style::kJson}};
  return styles.at(name);
}

Context ContextOf(const GlobalArguments& arguments, Environment& env) {
  Context context{.env = env, .options = {}, .timeout = {}};
  context.options.endpoint = arguments.endpoint;
  context.options.ns = arguments.ns;
  const TlsOptions& tls = arguments.tls_options;
  const bool says_something = !tls.ca_file.empty() || !tls.cert_file.empty() ||
                              !tls.key_file.empty() || !tls.server_name.empty();
  if (arguments.tls || says_something) context.options.tls = tls;
  context.options.retry_policy = std::make_shared<LimitedRetryPolicy>(arguments.retries);
  if (!arguments.timeout.empty()) {
    context.timeout = ParseDuration(arguments.timeout);
    context.options.call_timeout = *ParseDuration(arguments.timeout);
  }
  context.style = StyleOf(arguments.style);
  context.encoding = arguments.hex ? Encoding::kHex : Encoding::kText;
  return context;
}

// Help and the version are asked for; everything else that ends parsing is a mistake.
ExitCode ExplainParse(const CLI::App& app, const CLI::ParseError& error, Environment& env) {
  if (error.get_exit_code() == static_cast<int>(CLI::ExitCodes::Success)) {
    app.exit(error, env.out, env.err);
    return ExitCode::kDone;
  }
  // A word that is no command shows as a missing one.
  const std::vector<std::string> unknown = app.remaining();
  const bool no_command = app.get_subcommands().empty() && !unknown.empty();
  env.err << "tarnctl: "
          << (no_command ? absl::StrCat("unknown command '", unknown.front(), "'") : error.what())
          << "\n  See tarnctl --help, or tarnctl COMMAND --help.\n";
  return ExitCode::kUsage;
}

}  // namespace

ExitCode RunTarnctl(const std::vector<std::string>& arguments, Environment& env) {
  CLI::App app("The command line of Tarn, a state store for stream processing.", "tarnctl");
  app.require_subcommand(1);
  app.fallthrough();
  app.set_version_flag("--version", absl::StrCat("tarnctl ", kVersion, " (", kCommit, ")"));
  app.footer(ExitCodeTable());
  GlobalArguments global;
  AddGlobalOptions(app, global);
  Command chosen;
  AddCommands(app, chosen);
  if (arguments == std::vector<std::string>{kDescribe}) {
    env.out << DescribeCommands(app) << "\n";
    return ExitCode::kDone;
  }
  try {
    // CLI11 takes them from the last to the first.
    app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
  } catch (const CLI::ParseError& error) {
    return ExplainParse(app, error, env);
  }
  Context context = ContextOf(global, env);
  return chosen(context);
}

}  // namespace tarn::cli
