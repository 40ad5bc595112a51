// tarnd over gRPC, next to the yardstick.
#include <atomic>
#include <iostream>
#include <memory>
#include <thread>
#include <vector>

#include "tests/bench/benches.h"
#include "tests/bench/data_set.h"
#include "tests/bench/load.h"
#include "tests/bench/processes.h"

namespace tarn::bench {
namespace {

constexpr int kInFlight = 64;
constexpr size_t kPipelineBatch = 128;
// Sixteen messages on the way, as a worker with several threads sends them, and as one stream does.
constexpr PipelineShape kStreams{.streams = 4, .outstanding = 4};
constexpr PipelineShape kOneStream{.streams = 1, .outstanding = 16};
constexpr double kFairCallsPerSecond = 40'000;

// All servers of a run. They idle while another is measured.
struct Servers {
  Servers(const BenchOptions& options, const DataSet& data)
      : echo_process(StartEchoServer()),
        memory_process(StartTarnd(options.tarnd, "memory")),
        rocksdb_process(StartTarnd(options.tarnd, "rocksdb")),
        echo(echo_process->endpoint(), data),
        memory(memory_process->endpoint(), data),
        rocksdb(rocksdb_process->endpoint(), data) {
    memory.Fill();
    rocksdb.Fill();
  }

  std::unique_ptr<ServerProcess> echo_process;
  std::unique_ptr<ServerProcess> memory_process;
  std::unique_ptr<ServerProcess> rocksdb_process;
  Load echo;
  Load memory;
  Load rocksdb;
};

using Samples = std::vector<double>;

struct UnarySamples {
  Samples calls;
  Samples p50;
  Samples p99;

  void Add(const UnaryResult& result) {
    calls.push_back(result.calls_per_second);
    p50.push_back(result.p50_us);
    p99.push_back(result.p99_us);
  }
  void Say(const std::string& name, Report& report) const {
    report.Add(name + "_calls_per_second", SpreadOf(calls));
    report.Add(name + "_p50_us", SpreadOf(p50));
    report.Add(name + "_p99_us", SpreadOf(p99));
  }
};

bool MeasureUnary(Servers& servers, const BenchOptions& options, Report& report) {
  UnarySamples echo_get, echo_put, memory_get, memory_put, rocksdb_get, rocksdb_put;
  for (int round = 0; round < options.rounds; ++round) {
    echo_get.Add(servers.echo.Unary(Call::kGet, kInFlight, options.seconds));
    memory_get.Add(servers.memory.Unary(Call::kGet, kInFlight, options.seconds));
    rocksdb_get.Add(servers.rocksdb.Unary(Call::kGet, kInFlight, options.seconds));
    echo_put.Add(servers.echo.Unary(Call::kPut, kInFlight, options.seconds));
    memory_put.Add(servers.memory.Unary(Call::kPut, kInFlight, options.seconds));
    rocksdb_put.Add(servers.rocksdb.Unary(Call::kPut, kInFlight, options.seconds));
  }
  echo_get.Say("echo_unary_get", report);
  echo_put.Say("echo_unary_put", report);
  memory_get.Say("memory_unary_get", report);
  memory_put.Say("memory_unary_put", report);
  rocksdb_get.Say("rocksdb_unary_get", report);
  rocksdb_put.Say("rocksdb_unary_put", report);
  report.Add("unary_get_ratio", SpreadOf(Ratios(memory_get.calls, echo_get.calls)), AtLeast(0.85));
  report.Add("unary_put_ratio", SpreadOf(Ratios(memory_put.calls, echo_put.calls)), AtLeast(0.85));
  report.Add("rocksdb_get_ratio", SpreadOf(Ratios(rocksdb_get.calls, echo_get.calls)),
             AtLeast(0.7));
  report.Add("rocksdb_put_ratio", SpreadOf(Ratios(rocksdb_put.calls, echo_put.calls)));
  return SpreadOf(echo_get.calls).median >= kFairCallsPerSecond;
}

// Gets and puts of one server in one shape.
struct PipelineSamples {
  Samples gets;
  Samples puts;
  Samples get_cpu_ns;  // The server's processor time for each get: steadier than rates where others
                       // use the machine too.

  void Measure(ServerProcess& process, Load& load, const PipelineShape& shape, double seconds) {
    const double before = process.CpuSeconds();
    gets.push_back(load.Pipeline(Call::kGet, kPipelineBatch, shape, seconds));
    get_cpu_ns.push_back((process.CpuSeconds() - before) * 1e9 / (gets.back() * seconds));
    puts.push_back(load.Pipeline(Call::kPut, kPipelineBatch, shape, seconds));
  }
  void Say(const std::string& name, Report& report) const {
    report.Add(name + "_gets_per_second", SpreadOf(gets));
    report.Add(name + "_get_cpu_ns", SpreadOf(get_cpu_ns));
    report.Add(name + "_puts_per_second", SpreadOf(puts));
  }
};

void MeasurePipeline(Servers& servers, const BenchOptions& options, Report& report) {
  PipelineSamples echo, memory, rocksdb, echo_one, memory_one;
  const double seconds = options.seconds;
  for (int round = 0; round < options.rounds; ++round) {
    echo.Measure(*servers.echo_process, servers.echo, kStreams, seconds);
    memory.Measure(*servers.memory_process, servers.memory, kStreams, seconds);
    rocksdb.Measure(*servers.rocksdb_process, servers.rocksdb, kStreams, seconds);
    echo_one.Measure(*servers.echo_process, servers.echo, kOneStream, seconds);
    memory_one.Measure(*servers.memory_process, servers.memory, kOneStream, seconds);
  }
  echo.Say("echo_pipeline128", report);
  memory.Say("memory_pipeline128", report);
  rocksdb.Say("rocksdb_pipeline128", report);
  echo_one.Say("echo_pipeline128_one_stream", report);
  memory_one.Say("memory_pipeline128_one_stream", report);
  report.Add("pipeline128_ratio", SpreadOf(Ratios(memory.gets, echo.gets)), AtLeast(0.7));
  report.Add("pipeline128_put_ratio", SpreadOf(Ratios(memory.puts, echo.puts)));
  report.Add("pipeline128_one_stream_ratio", SpreadOf(Ratios(memory_one.gets, echo_one.gets)));
}

void MeasureScan(Servers& servers, const BenchOptions& options, Report& report) {
  Samples echo, memory, rocksdb;
  for (int round = 0; round < options.rounds; ++round) {
    const ScanResult scanned = servers.memory.Scan(options.entries, 0);
    memory.push_back(scanned.entries_per_second());
    // The bare server sends as many entries in as many messages.
    const auto chunk = static_cast<uint32_t>(scanned.bytes / scanned.messages);
    echo.push_back(servers.echo.Scan(scanned.entries, chunk).entries_per_second());
    rocksdb.push_back(servers.rocksdb.Scan(options.entries, 0).entries_per_second());
  }
  report.Add("echo_scan_entries_per_second", SpreadOf(echo));
  report.Add("memory_scan_rpc_entries_per_second", SpreadOf(memory));
  report.Add("rocksdb_scan_rpc_entries_per_second", SpreadOf(rocksdb));
  report.Add("scan_ratio", SpreadOf(Ratios(memory, echo)), AtLeast(0.6));
}

// Scans everything again and again; only whole scans count.
class BackgroundScan {
 public:
  BackgroundScan(Load& load, size_t entries)
      : thread_([this, &load, entries] {
          while (!stop_) rates_.push_back(load.Scan(entries, 0).entries_per_second());
        }) {}
  Samples Stop() {
    stop_ = true;
    thread_.join();
    return rates_;
  }

 private:
  std::atomic<bool> stop_{false};
  Samples rates_;
  std::thread thread_;
};

void MeasureGetsDuringScan(Servers& servers, const BenchOptions& options, Report& report) {
  const DataSet data(1);
  Load scanner(servers.memory_process->endpoint(),
               data);  // A client, and so a connection, of its own.
  Samples p99_ratios, rate_ratios;
  for (int round = 0; round < options.rounds; ++round) {
    const double lone_rate = scanner.Scan(options.entries, 0).entries_per_second();
    const UnaryResult alone = servers.memory.Unary(Call::kGet, kInFlight, options.seconds);
    BackgroundScan scan(scanner, options.entries);
    const UnaryResult during = servers.memory.Unary(Call::kGet, kInFlight, options.seconds);
    const Spread rate = SpreadOf(scan.Stop());
    p99_ratios.push_back(during.p99_us / alone.p99_us);
    rate_ratios.push_back(rate.median / lone_rate);
  }
  report.Add("get_p99_during_scan_ratio", SpreadOf(p99_ratios), AtMost(3));
  report.Add("scan_rate_during_gets_ratio", SpreadOf(rate_ratios), AtLeast(0.3));
}

void MeasureStart(const BenchOptions& options, Report& report) {
  Samples memory_ready, ready;
  double idle_bytes = 0;
  for (int round = 0; round < options.rounds; ++round) {
    const auto process = StartTarnd(options.tarnd, "rocksdb");
    ready.push_back(process->ready_ms());
    idle_bytes = std::max(idle_bytes, static_cast<double>(process->ResidentBytes()));
    memory_ready.push_back(StartTarnd(options.tarnd, "memory")->ready_ms());
  }
  report.Add("ready_ms", SpreadOf(ready), AtMost(100));
  report.Add("memory_ready_ms", SpreadOf(memory_ready), AtMost(100));
  report.Add("idle_rss_bytes", idle_bytes, AtMost(40 << 20));
}

}  // namespace

bool RunRpcBench(const BenchOptions& options, Report& report) {
  const auto wanted = [&options](const std::string& part) {
    return options.only.empty() || options.only == part;
  };
  if (wanted("start")) MeasureStart(options, report);
  if (options.only == "start") return true;
  const DataSet data(options.entries);
  Servers servers(options, data);
  bool fair = true;
  if (wanted("unary")) fair = MeasureUnary(servers, options, report);
  if (wanted("pipeline")) MeasurePipeline(servers, options, report);
  if (wanted("scan")) MeasureScan(servers, options, report);
  if (wanted("gets-during-scan")) MeasureGetsDuringScan(servers, options, report);
  if (!fair) {
    std::cerr
        << "tarn-bench: the bare server did less than 40,000 calls a second: the run is void\n";
  }
  return fair;
}

}  // namespace tarn::bench
