// tarnd on Redis, next to its own memory engine, to redis-benchmark and to a bare hiredis client.
// Every Redis is one of its own without persistence. All of them, and all daemons, are reached by
// TCP over the loopback interface, as redis-benchmark does it by itself.
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "tests/bench/benches.h"
#include "tests/bench/data_set.h"
#include "tests/bench/load.h"
#include "tests/bench/processes.h"
#include "tests/bench/redis_yardstick.h"
#include "tests/bench/server_jobs.h"

namespace tarn::bench {
namespace {

using Samples = std::vector<double>;

constexpr int kInFlight = 64;
constexpr size_t kBatch = 128;
constexpr PipelineShape kStreams{.streams = 4, .outstanding = 4};
// Requests of redis-benchmark for each second of a measurement: about what it does.
constexpr double kBenchmarkRate = 80'000;
// Few enough to be measured several times, many enough that Redis' own growth is part of it. The
// engine puts members into the index by 256 for each partition: so many times that, that it does so
// four times while they are measured. Those before are not measured, so that none of it begins or
// ends at the edge.
constexpr size_t kIndexEntries = size_t{4} * 256 * 256;
constexpr size_t kIndexEntriesBefore = size_t{128} * 256;

std::unique_ptr<ServerProcess> StartTarndOn(const BenchOptions& options,
                                            const ServerProcess& redis) {
  return StartTarnd(options.tarnd, "redis", {"--redis-url", "redis://" + redis.endpoint()});
}

// All servers of a run. They idle while another is measured.
struct Servers {
  Servers(const BenchOptions& options, const DataSet& data)
      : bare_redis(StartRedis()),
        redis(StartRedis()),
        memory_process(StartTarnd(options.tarnd, "memory")),
        tarnd(StartTarndOn(options, *redis)),
        bare(bare_redis->endpoint()),
        memory(memory_process->endpoint(), data),
        load(tarnd->endpoint(), data) {
    bare.Fill(data, kBatch);
    memory.Fill();
    load.Fill();
  }

  std::unique_ptr<ServerProcess> bare_redis;
  std::unique_ptr<ServerProcess> redis;
  std::unique_ptr<ServerProcess> memory_process;
  std::unique_ptr<ServerProcess> tarnd;
  BareClient bare;
  Load memory;
  Load load;
};

// Processor time for each of so many operations, of tarnd and of the Redis behind it: steadier than
// rates where others use the machine too.
class CpuOf {
 public:
  CpuOf(const ServerProcess& tarnd, const ServerProcess* redis)
      : tarnd_(tarnd), redis_(redis), tarnd_before_(tarnd.CpuSeconds()), redis_before_(OfRedis()) {}

  double TarndNanos(double operations) const {
    return (tarnd_.CpuSeconds() - tarnd_before_) * 1e9 / operations;
  }
  double RedisNanos(double operations) const {
    return (OfRedis() - redis_before_) * 1e9 / operations;
  }

 private:
  double OfRedis() const { return redis_ == nullptr ? 0 : redis_->MainThreadSeconds(); }

  const ServerProcess& tarnd_;
  const ServerProcess* const redis_;  // Null when there is none behind it.
  const double tarnd_before_;
  const double redis_before_;
};

// Unary gets from one daemon.
struct UnarySamples {
  Samples calls, p50, p99, tarnd_cpu, redis_cpu;

  void Measure(const ServerProcess& tarnd, const ServerProcess* redis, Load& load, double seconds) {
    const CpuOf cpu(tarnd, redis);
    const UnaryResult result = load.Unary(Call::kGet, kInFlight, seconds);
    calls.push_back(result.calls_per_second);
    p50.push_back(result.p50_us);
    p99.push_back(result.p99_us);
    tarnd_cpu.push_back(cpu.TarndNanos(result.calls_per_second * seconds));
    redis_cpu.push_back(cpu.RedisNanos(result.calls_per_second * seconds));
  }
  void Say(const std::string& name, Report& report) const {
    report.Add(name + "_unary_get_calls_per_second", SpreadOf(calls));
    report.Add(name + "_unary_get_p50_us", SpreadOf(p50));
    report.Add(name + "_unary_get_p99_us", SpreadOf(p99));
    report.Add(name + "_unary_get_tarnd_cpu_ns", SpreadOf(tarnd_cpu));
  }
};

void MeasureUnary(Servers& servers, const BenchOptions& options, Report& report) {
  Samples benchmark;
  UnarySamples memory, redis;
  const auto requests = static_cast<size_t>(kBenchmarkRate * options.seconds);
  for (int round = 0; round < options.rounds; ++round) {
    benchmark.push_back(
        RedisBenchmarkGets(servers.bare_redis->endpoint(), options.entries, requests));
    memory.Measure(*servers.memory_process, nullptr, servers.memory, options.seconds);
    redis.Measure(*servers.tarnd, servers.redis.get(), servers.load, options.seconds);
  }
  report.Add("redis_benchmark_gets_per_second", SpreadOf(benchmark));
  memory.Say("memory", report);
  redis.Say("redis", report);
  report.Add("redis_unary_get_redis_cpu_ns", SpreadOf(redis.redis_cpu));
  report.Add("unary_get_vs_memory_ratio", SpreadOf(Ratios(redis.calls, memory.calls)),
             AtLeast(0.7));
  report.Add("unary_get_vs_redis_benchmark_ratio", SpreadOf(Ratios(redis.calls, benchmark)),
             AtLeast(0.5));
  // What the RPC alone leaves of it.
  report.Add("memory_unary_get_vs_redis_benchmark_ratio",
             SpreadOf(Ratios(memory.calls, benchmark)));
  report.Add("unary_get_p99_ratio", SpreadOf(Ratios(redis.p99, memory.p99)), AtMost(3));
}

// Pipelined operations of one kind: tarnd's rate, that of a bare client, and what they cost.
struct PipelineSamples {
  Samples bare, rate, tarnd_cpu, redis_cpu;

  void Measure(Servers& servers, Call call, double seconds) {
    const CpuOf cpu(*servers.tarnd, servers.redis.get());
    rate.push_back(servers.load.Pipeline(call, kBatch, kStreams, seconds));
    tarnd_cpu.push_back(cpu.TarndNanos(rate.back() * seconds));
    redis_cpu.push_back(cpu.RedisNanos(rate.back() * seconds));
  }
  void Say(const std::string& operations, Report& report) const {
    report.Add("hiredis_pipeline128_" + operations + "_per_second", SpreadOf(bare));
    report.Add("redis_pipeline128_" + operations + "_per_second", SpreadOf(rate));
    report.Add("redis_pipeline128_" + operations + "_tarnd_cpu_ns", SpreadOf(tarnd_cpu));
    report.Add("redis_pipeline128_" + operations + "_redis_cpu_ns", SpreadOf(redis_cpu));
  }
};

void MeasurePipeline(Servers& servers, const DataSet& data, const BenchOptions& options,
                     Report& report) {
  PipelineSamples gets, puts;
  for (int round = 0; round < options.rounds; ++round) {
    gets.bare.push_back(servers.bare.Gets(data, kBatch, options.seconds));
    gets.Measure(servers, Call::kGet, options.seconds);
    puts.bare.push_back(servers.bare.Sets(data, kBatch, options.seconds));
    puts.Measure(servers, Call::kPut, options.seconds);
  }
  gets.Say("gets", report);
  puts.Say("puts", report);
  report.Add("pipeline128_vs_hiredis_ratio", SpreadOf(Ratios(gets.rate, gets.bare)), AtLeast(1.0));
  report.Add("pipeline128_put_vs_hiredis_ratio", SpreadOf(Ratios(puts.rate, puts.bare)));
}

// Of checkpoints, or of restores.
struct JobSamples {
  Samples rate, tarnd_cpu, redis_cpu;

  template <typename Job>
  ServerJobs::Done Measure(const Servers& servers, size_t entries, Job job) {
    const auto keys = static_cast<double>(entries);
    const CpuOf cpu(*servers.tarnd, servers.redis.get());
    ServerJobs::Done done = job();
    rate.push_back(keys / done.seconds);
    tarnd_cpu.push_back(cpu.TarndNanos(keys));
    redis_cpu.push_back(cpu.RedisNanos(keys));
    return done;
  }
  void Say(const std::string& name, Report& report) const {
    report.Add(name + "_keys_per_second", SpreadOf(rate), AtLeast(200'000));
    report.Add(name + "_tarnd_cpu_ns", SpreadOf(tarnd_cpu));
    report.Add(name + "_redis_cpu_ns", SpreadOf(redis_cpu));
  }
};

void MeasureCheckpoints(Servers& servers, const BenchOptions& options, Report& report) {
  ServerJobs jobs(servers.tarnd->endpoint());
  JobSamples created, restored;
  for (int round = 0; round < options.rounds; ++round) {
    const std::string id =
        created.Measure(servers, options.entries, [&] { return jobs.CreateCheckpoint(); })
            .checkpoint;
    restored.Measure(servers, options.entries, [&] { return jobs.Restore(id); });
  }
  created.Say("checkpoint", report);
  restored.Say("restore", report);
}

// What Redis spends on writes: processor time of its main thread for each.
class CostOfWrites {
 public:
  CostOfWrites(const ServerProcess& redis, size_t writes)
      : redis_(redis), writes_(writes), before_(redis.MainThreadSeconds()) {}

  double Nanos() const {
    return (redis_.MainThreadSeconds() - before_) * 1e9 / static_cast<double>(writes_);
  }

 private:
  const ServerProcess& redis_;
  const size_t writes_;
  const double before_;
};

// Of one round: nanoseconds a write, bytes a key.
struct IndexCost {
  double insert_ns = 0;
  double overwrite_ns = 0;
  double bytes = 0;
};

// What goes on behind the answers belongs to the writes.
void AwaitIdle(const ServerProcess& redis) {
  constexpr double kIdleShare = 0.03;
  constexpr std::chrono::milliseconds kLook(50);
  double before = 0;
  double now = redis.MainThreadSeconds();
  do {
    before = now;
    std::this_thread::sleep_for(kLook);
    now = redis.MainThreadSeconds();
  } while (now - before > kIdleShare * std::chrono::duration<double>(kLook).count());
}

// Puts keys of the data set from one to another.
using PutKeys = std::function<void(size_t from, size_t to)>;

IndexCost MeasureWrites(const DataSet& data, const ServerProcess& redis, const PutKeys& put) {
  BareClient bare(redis.endpoint());
  const double bytes_before = bare.UsedMemoryBytes();
  put(0, kIndexEntriesBefore);
  AwaitIdle(redis);
  IndexCost cost;
  const auto measure = [&] {
    const CostOfWrites writes(redis, data.size() - kIndexEntriesBefore);
    put(kIndexEntriesBefore, data.size());
    AwaitIdle(redis);
    return writes.Nanos();
  };
  cost.insert_ns = measure();
  cost.bytes = (bare.UsedMemoryBytes() - bytes_before) / static_cast<double>(data.size());
  cost.overwrite_ns = measure();
  return cost;
}

IndexCost MeasureWithoutIndex(const DataSet& data) {
  const auto redis = StartRedis();
  BareClient bare(redis->endpoint());
  return MeasureWrites(data, *redis,
                       [&](size_t from, size_t to) { bare.PutRecords(data, from, to, kBatch); });
}

IndexCost MeasureWithIndex(const DataSet& data, const BenchOptions& options) {
  const auto redis = StartRedis();
  const auto tarnd = StartTarndOn(options, *redis);
  Load load(tarnd->endpoint(), data);
  return MeasureWrites(data, *redis, [&](size_t from, size_t to) { load.Fill(kBatch, from, to); });
}

void MeasureIndex(const BenchOptions& options, Report& report) {
  const DataSet data(kIndexEntriesBefore + kIndexEntries);
  Samples bare_insert, insert, bare_overwrite, overwrite, bare_bytes, bytes;
  for (int round = 0; round < options.rounds; ++round) {
    const IndexCost without = MeasureWithoutIndex(data);
    const IndexCost with = MeasureWithIndex(data, options);
    bare_insert.push_back(without.insert_ns);
    insert.push_back(with.insert_ns);
    bare_overwrite.push_back(without.overwrite_ns);
    overwrite.push_back(with.overwrite_ns);
    bare_bytes.push_back(without.bytes);
    bytes.push_back(with.bytes);
  }
  report.Add("plain_insert_redis_cpu_ns", SpreadOf(bare_insert));
  report.Add("indexed_insert_redis_cpu_ns", SpreadOf(insert));
  report.Add("plain_overwrite_redis_cpu_ns", SpreadOf(bare_overwrite));
  report.Add("indexed_overwrite_redis_cpu_ns", SpreadOf(overwrite));
  report.Add("plain_bytes_per_key", SpreadOf(bare_bytes));
  report.Add("indexed_bytes_per_key", SpreadOf(bytes));
  report.Add("index_overwrite_cost_ratio", SpreadOf(Ratios(overwrite, bare_overwrite)),
             AtMost(1.3));
  report.Add("index_insert_cost_ratio", SpreadOf(Ratios(insert, bare_insert)), AtMost(2.0));
}

}  // namespace

void RunRedisBench(const BenchOptions& options, Report& report) {
  const auto wanted = [&options](const std::string& part) {
    return options.only.empty() || options.only == part;
  };
  if (wanted("index")) MeasureIndex(options, report);
  if (options.only == "index") return;
  const DataSet data(options.entries);
  Servers servers(options, data);
  if (wanted("unary")) MeasureUnary(servers, options, report);
  if (wanted("pipeline")) MeasurePipeline(servers, data, options, report);
  if (wanted("checkpoint")) MeasureCheckpoints(servers, options, report);
}

}  // namespace tarn::bench
