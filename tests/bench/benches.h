// The parts of tarn-bench.
#pragma once

#include <cstddef>
#include <string>

#include "tests/bench/report.h"

namespace tarn::bench {

struct BenchOptions {
  size_t entries = 1'000'000;
  int rounds = 5;        // Of each measurement, alternating between what is compared.
  double seconds = 1.5;  // Of one measurement over the network.
  std::string tarnd;     // The program to measure.
  std::string only;      // One part of the run; empty: all of them.
};

// The memory engine in this process: rates on one thread and two, batches, scans, memory an entry.
// First, because it measures how the process grows.
void RunEngineBench(const BenchOptions& options, Report& report);

// Checkpoints of the memory engine in this process, against what the same machine needs for
// hashing, compressing and writing alone.
void RunCheckpointBench(const BenchOptions& options, Report& report);

// tarnd against a bare gRPC server with the same messages. False when the yardstick is not fair, so
// that the run is void.
bool RunRpcBench(const BenchOptions& options, Report& report);

// Locks, fenced writes and writes with request ids of tarnd against plain writes, and many who
// wait.
void RunLockBench(const BenchOptions& options, Report& report);

// tarnd on Redis against its memory engine, redis-benchmark and a bare hiredis client; what the
// index costs. Starts redis-server itself.
void RunRedisBench(const BenchOptions& options, Report& report);

}  // namespace tarn::bench
