// tarn-bench: measures Tarn against what the same machine could do without it, in the same run.
#include <fstream>
#include <iostream>

#include "CLI/CLI.hpp"
#include "absl/synchronization/mutex.h"
#include "tests/bench/benches.h"
#include "tests/bench/echo_server.h"
#include "tests/bench/processes.h"

namespace {

constexpr char kFooter[] =
    "Each figure is the median of its rounds, with minimum and maximum in brackets. Rates of one "
    "machine at one hour\n"
    "compare with each other, not with another hour's: read the ratios.\n"
    "Exit codes: 0 measured (whatever the figures), 1 failed, 2 wrong usage, 3 the yardstick was "
    "not fair: the run is void,\n"
    "4 with --check, a figure misses its bound.";

}  // namespace

int main(int argc, char** argv) {
  // See docs/decisions/006-libabsl-deadlock-detector.md.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  tarn::bench::BenchOptions options;
  options.tarnd = tarn::bench::ProgramBeside(argv[0], "tarnd");
  std::string json;
  bool check = false;

  CLI::App app("Benchmarks of Tarn.", "tarn-bench");
  app.footer(kFooter);
  app.require_subcommand(1);
  const auto add = [&](const std::string& name, const std::string& what) {
    CLI::App* const command = app.add_subcommand(name, what);
    command->add_option("--json", json,
                        "Also write the figures to this file, as one flat JSON object");
    command->add_option("--entries", options.entries, "Entries of 16-byte keys and 128-byte values")
        ->capture_default_str();
    command->add_option("--rounds", options.rounds, "Rounds of each measurement")
        ->capture_default_str();
    command->add_option("--seconds", options.seconds, "Length of one measurement over gRPC")
        ->capture_default_str();
    command->add_option("--tarnd", options.tarnd, "The daemon to measure")->capture_default_str();
    command->add_flag("--check", check, "Exit with 4 when a figure misses its bound");
    return command;
  };
  const CLI::App* const engine = add("engine", "The memory engine in this process");
  CLI::App* const rpc = add("rpc", "tarnd against a bare gRPC server with the same messages");
  rpc->add_option("--only", options.only, "One part of it")
      ->check(CLI::IsMember({"start", "unary", "pipeline", "scan", "gets-during-scan"}));
  CLI::App* const checkpoint = add("checkpoint", "Checkpoints, and what they cost writers");
  checkpoint->add_option("--only", options.only, "One part of it")
      ->check(CLI::IsMember({"create", "codecs", "restore", "writers", "rpc-writers"}));
  const CLI::App* const locks = add("locks", "Locks and fenced writes, and many who wait");
  CLI::App* const redis = add("redis", "tarnd on a Redis of its own, against Redis without it");
  redis->add_option("--only", options.only, "One part of it")
      ->check(CLI::IsMember({"index", "unary", "pipeline", "checkpoint"}));
  const CLI::App* const all = add("all", "Everything");
  const CLI::App* const echo =
      app.add_subcommand("echo-server", "Serve the yardstick alone, until stdin ends");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }

  if (echo->parsed()) return tarn::bench::RunEchoServer();
  tarn::bench::Report report;
  bool fair = true;
  if (engine->parsed() || all->parsed()) tarn::bench::RunEngineBench(options, report);
  if (checkpoint->parsed() || all->parsed()) tarn::bench::RunCheckpointBench(options, report);
  if (locks->parsed() || all->parsed()) tarn::bench::RunLockBench(options, report);
  if (redis->parsed() || all->parsed()) tarn::bench::RunRedisBench(options, report);
  if (rpc->parsed() || all->parsed()) fair = tarn::bench::RunRpcBench(options, report);
  if (!json.empty() && !(std::ofstream(json) << report.ToJson())) {
    std::cerr << "tarn-bench: cannot write " << json << "\n";
    return 1;
  }
  if (!fair) return 3;
  return check && !report.all_met() ? 4 : 0;
}
