// What checkpoints cost those who write meanwhile.
#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

#include "tests/bench/checkpoint_benches.h"
#include "tests/bench/checkpoint_world.h"
#include "tests/bench/histogram.h"
#include "tests/bench/measure.h"

namespace tarn::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kThreads = 2;  // Of a checkpoint.
constexpr double kAloneSeconds = 3;
constexpr double kCheckpointsSeconds = 10;

uint64_t NanosBetween(Clock::time_point from, Clock::time_point to) {
  return static_cast<uint64_t>(
      std::chrono::duration_cast<std::chrono::nanoseconds>(to - from).count());
}

// One thread that overwrites entries at random as fast as it can, and counts only while it is told
// to.
class Writer {
 public:
  Writer(BenchEngine& engine, const WindowData& data)
      : engine_(engine), data_(data), thread_([this] { Work(); }) {}

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
    SplitMix random(77);
    Clock::time_point before = Clock::now();
    while (!stop_.load(std::memory_order_relaxed)) {
      engine_.Put(data_.key(random.Below(data_.size())), data_.value(random.Below(kValues)));
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

WriterFigures WriteAlone(BenchEngine& engine, const WindowData& data) {
  Writer writer(engine, data);
  writer.Count();
  std::this_thread::sleep_for(std::chrono::duration<double>(kAloneSeconds));
  return FiguresOf(writer);
}

// Counts from the opening of each checkpoint's snapshot to its publication.
WriterFigures WriteDuringCheckpoints(BenchEngine& engine, const WindowData& data,
                                     BenchCheckpointer& checkpointer,
                                     std::vector<double>* durations) {
  Writer writer(engine, data);
  const Clock::time_point end =
      Clock::now() + std::chrono::duration_cast<Clock::duration>(
                         std::chrono::duration<double>(kCheckpointsSeconds));
  while (Clock::now() < end) {
    writer.Count();
    durations->push_back(absl::ToDoubleSeconds(checkpointer.Create().duration));
    writer.Pause();
  }
  return FiguresOf(writer);
}

}  // namespace

void MeasureWriters(const WindowData& data, const BenchOptions& options, Report& report) {
  const WorkDirectory directory;
  const size_t before = ResidentBytes();
  BenchEngine engine;
  engine.Fill(data);
  const auto state = static_cast<double>(ResidentBytes() - before);
  BenchCheckpointer checkpointer(engine, directory.path(), checkpoint::Codec::kLz4, kThreads);
  std::vector<double> alone, during, p999_alone, p999, max_alone, max, durations, extra;
  for (int round = 0; round < options.rounds; ++round) {
    const WriterFigures without = WriteAlone(engine, data);
    const PeakMemory peak;
    const WriterFigures with = WriteDuringCheckpoints(engine, data, checkpointer, &durations);
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
}

}  // namespace tarn::bench
