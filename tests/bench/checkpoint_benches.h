// The parts of tarn-bench checkpoint that have files of their own.
#pragma once

#include "tests/bench/benches.h"
#include "tests/bench/window_data.h"

namespace tarn::bench {

// One writing thread in this process, without and with checkpoints back to back.
void MeasureWriters(const WindowData& data, const BenchOptions& options, Report& report);

// The same over gRPC, 64 calls in flight, against a tarnd of its own.
void MeasureRpcWriters(const WindowData& windows, const BenchOptions& options, Report& report);

}  // namespace tarn::bench
