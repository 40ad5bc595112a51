// What checkpoints cost those who write meanwhile.
#include <atomic>
#include <chrono>
#include <ctime>
#include <string>
#include <thread>
#include <vector>

#include "tests/bench/checkpoint_benches.h"
#include "tests/bench/checkpoint_world.h"
#include "tests/bench/data_set.h"
#include "tests/bench/histogram.h"
#include "tests/bench/measure.h"

namespace tarn::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kThreads = 2;  // Of a checkpoint.
constexpr double kAloneSeconds = 3;
constexpr double kCheckpointsSeconds = 10;
constexpr double kLocksSeconds = 2;

uint64_t NanosBetween(Clock::time_point from, Clock::time_point to) {
  return static_cast<uint64_t>(
      std::chrono::duration_cast<std::chrono::nanoseconds>(to - from).count());
}

// One thread that overwrites entries at random as fast as it can, and counts only while it is told
// to.
class Writer {
 public:
  Writer(BenchEngine& engine, const WindowData& data, const DataSet& keys)
      : engine_(engine), data_(data), keys_(keys), thread_([this] { Work(); }) {}

  void Count() { counting_.store(true, std::memory_order_relaxed); }
  void Pause() { counting_.store(false, std::memory_order_relaxed); }

  // Ends it.
  const Histogram& Stop() {
    stop_.store(true, std::memory_order_relaxed);
    thread_.join();
    return latencies_;
  }
  // Of what was counted.
  double PutsPerSecond() const { return static_cast<double>(latencies_.count()) * 1e9 / nanos_; }

 private:
  void Work() {
    Clock::time_point before = Clock::now();
    for (size_t i = 0; !stop_.load(std::memory_order_relaxed); ++i) {
      engine_.Put(keys_.shuffled_key(i), data_.value(i % kValues));
      const Clock::time_point after = Clock::now();
      if (counting_.load(std::memory_order_relaxed)) {
        const uint64_t nanos = NanosBetween(before, after);
        latencies_.Add(nanos);
        nanos_ += static_cast<double>(nanos);
      }
      before = after;
    }
  }

  static constexpr size_t kValues = 1024;  // Which a client would have at hand.

  BenchEngine& engine_;
  const WindowData& data_;
  const DataSet& keys_;
  Histogram latencies_;
  double nanos_ = 0;
  std::atomic<bool> counting_{false};
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

struct WriterFigures {
  double puts_per_second = 0;
  double p999_us = 0;
  double max_us = 0;
};

WriterFigures FiguresOf(Writer& writer) {
  const Histogram& latencies = writer.Stop();
  return {writer.PutsPerSecond(), latencies.PercentileUs(0.999), latencies.max_us()};
}

WriterFigures WriteAlone(BenchEngine& engine, const WindowData& data, const DataSet& keys) {
  Writer writer(engine, data, keys);
  writer.Count();
  std::this_thread::sleep_for(std::chrono::duration<double>(kAloneSeconds));
  return FiguresOf(writer);
}

// Counts from the opening of each checkpoint's snapshot to its publication.
WriterFigures WriteDuringCheckpoints(BenchEngine& engine, const WindowData& data,
                                     const DataSet& keys, BenchCheckpointer& checkpointer,
                                     double seconds, std::vector<double>* durations) {
  Writer writer(engine, data, keys);
  const Clock::time_point end = Clock::now() + std::chrono::duration_cast<Clock::duration>(
                                                   std::chrono::duration<double>(seconds));
  while (Clock::now() < end) {
    writer.Count();
    durations->push_back(absl::ToDoubleSeconds(checkpointer.Create().duration));
    writer.Pause();
  }
  return FiguresOf(writer);
}

// How long locks were held: by the clock, and by the processor time of who held them, which is what
// is left of it on a machine where threads have a processor to themselves.
class HoldTimes final : public storage::memory::LockMonitor {
 public:
  void OnLocked() override {
    if (depth++ != 0) return;
    since = NanosOf(CLOCK_MONOTONIC);
    cpu_since = NanosOf(CLOCK_THREAD_CPUTIME_ID);
  }
  void OnUnlocking() override {
    if (--depth != 0) return;
    RaiseTo(longest_cpu_, NanosOf(CLOCK_THREAD_CPUTIME_ID) - cpu_since);
    RaiseTo(longest_, NanosOf(CLOCK_MONOTONIC) - since);
  }

  // Since it was asked before.
  double TakeLongestUs() { return static_cast<double>(longest_.exchange(0)) / 1e3; }
  double TakeLongestCpuUs() { return static_cast<double>(longest_cpu_.exchange(0)) / 1e3; }

 private:
  static int64_t NanosOf(clockid_t clock) {
    timespec time{};
    clock_gettime(clock, &time);
    return int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
  }
  static void RaiseTo(std::atomic<int64_t>& longest, int64_t nanos) {
    int64_t seen = longest.load(std::memory_order_relaxed);
    while (seen < nanos && !longest.compare_exchange_weak(seen, nanos)) {
    }
  }

  inline static thread_local int depth = 0;
  inline static thread_local int64_t since = 0;
  inline static thread_local int64_t cpu_since = 0;
  std::atomic<int64_t> longest_{0};
  std::atomic<int64_t> longest_cpu_{0};
};

// In a run of its own, because the clocks cost the writer more than its writes. The first round
// begins with an empty store: growing is part of it. What Tarn does shows in every round; what
// interrupts and the host of a virtual machine take from a holder shows in some.
void MeasureLocks(const WindowData& data, const DataSet& keys, int rounds, Report& report) {
  const WorkDirectory directory;
  HoldTimes times;
  BenchEngine engine({.lock_monitor = &times});
  engine.Fill(data);
  BenchCheckpointer checkpointer(engine, directory.path(), checkpoint::Codec::kLz4, kThreads);
  std::vector<double> durations, longest, longest_cpu;
  for (int round = 0; round < rounds; ++round) {
    WriteDuringCheckpoints(engine, data, keys, checkpointer, kLocksSeconds, &durations);
    longest.push_back(times.TakeLongestUs());
    longest_cpu.push_back(times.TakeLongestCpuUs());
  }
  report.Add("max_lock_hold_us", SpreadOf(longest_cpu), AtMost(1'000));
  report.Add("max_lock_hold_wall_us", SpreadOf(longest));
}

}  // namespace

void MeasureWriters(const WindowData& data, const BenchOptions& options, Report& report) {
  const WorkDirectory directory;
  BenchEngine engine;
  engine.Fill(data);
  const double state = engine.StateBytes();
  BenchCheckpointer checkpointer(engine, directory.path(), checkpoint::Codec::kLz4, kThreads);
  const DataSet keys(data);
  std::vector<double> alone, during, p999_alone, p999, max_alone, max, durations, extra;
  for (int round = 0; round < options.rounds; ++round) {
    const WriterFigures without = WriteAlone(engine, data, keys);
    const PeakMemory peak;
    const WriterFigures with =
        WriteDuringCheckpoints(engine, data, keys, checkpointer, kCheckpointsSeconds, &durations);
    extra.push_back(peak.ExtraBytes() / state);
    alone.push_back(without.puts_per_second);
    during.push_back(with.puts_per_second);
    p999_alone.push_back(without.p999_us);
    p999.push_back(with.p999_us);
    max_alone.push_back(without.max_us);
    max.push_back(with.max_us);
  }
  report.Add("writer_alone_puts_per_second", SpreadOf(alone));
  report.Add("writer_puts_per_second", SpreadOf(during));
  report.Add("writer_throughput_ratio", SpreadOf(Ratios(during, alone)), AtLeast(0.7));
  report.Add("writer_alone_p999_us", SpreadOf(p999_alone));
  report.Add("writer_p999_us", SpreadOf(p999), AtMost(50));
  report.Add("writer_alone_max_us", SpreadOf(max_alone));
  report.Add("writer_max_us", SpreadOf(max));
  report.Add("writing_create_seconds", SpreadOf(durations));
  report.Add("extra_memory_writing_ratio", SpreadOf(extra).max, AtMost(0.25));
  MeasureLocks(data, keys, options.rounds, report);
}

}  // namespace tarn::bench
