// Checkpoints of the memory engine in this process.
#include <algorithm>
#include <numeric>
#include <thread>
#include <vector>

#include "checkpoint/compression.h"
#include "checkpoint/format.h"
#include "storage/base/file_system.h"
#include "storage/base/sha256.h"
#include "tests/bench/benches.h"
#include "tests/bench/checkpoint_benches.h"
#include "tests/bench/checkpoint_world.h"
#include "tests/bench/measure.h"
#include "tests/bench/window_data.h"

namespace tarn::bench {
namespace {

using checkpoint::Codec;

constexpr size_t kBlockBytes = 256 << 10;
constexpr size_t kWriteBytes = 1 << 20;

int Cores() { return static_cast<int>(std::max(1u, std::thread::hardware_concurrency())); }

// The blocks that a checkpoint of the data consists of, not compressed.
std::vector<std::string> RawBlocks(const WindowData& data) {
  std::vector<size_t> order(data.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(),
            [&](size_t left, size_t right) { return data.key(left) < data.key(right); });
  const checkpoint::EntryOrigin origin{.revision = data.size() + 2, .as_of = 0};
  std::vector<std::string> blocks(1);
  for (const size_t i : order) {
    if (blocks.back().size() >= kBlockBytes) blocks.emplace_back();
    checkpoint::AppendEntry(origin, {kWindowsNamespace, i + 2, 0, data.key(i), data.value(i)},
                            &blocks.back());
  }
  return blocks;
}

// What no checkpoint of these blocks can do without: each in seconds, of one thread.
struct Limits {
  double sha256 = 0;
  double codec = 0;
  double write = 0;
  double Seconds() const { return (sha256 + codec) / Cores() + write; }
};

void WritePlainly(const std::string& path, const std::vector<std::string>& blocks) {
  auto file = base::PosixFileSystem().Create(path);
  if (!file.ok()) Fail(file.status().ToString());
  std::string buffer;
  bool good = true;
  for (const std::string& block : blocks) {
    buffer += block;
    if (buffer.size() < kWriteBytes) continue;
    good = good && (*file)->Append(buffer).ok();
    buffer.clear();
  }
  if (!good || !(*file)->Append(buffer).ok() || !(*file)->Sync().ok() || !(*file)->Close().ok())
    Fail("cannot write " + path);
}

Limits MeasureLimits(const std::vector<std::string>& raw, Codec codec,
                     const std::string& directory) {
  Limits limits;
  std::vector<std::string> stored(raw.size());
  const double start = CpuSeconds();
  for (size_t i = 0; i < raw.size(); ++i) checkpoint::Compress({codec}, raw[i], &stored[i]);
  const double compressed = CpuSeconds();
  for (const std::string& block : stored) base::Sha256Of(block);
  limits.codec = compressed - start;
  limits.sha256 = CpuSeconds() - compressed;
  const std::string path = directory + "/plain";
  limits.write = SecondsOf([&] { WritePlainly(path, stored); });
  if (!base::PosixFileSystem().Remove(path).ok()) Fail("cannot remove " + path);
  return limits;
}

void MeasureCreate(const WindowData& data, const BenchOptions& options, Report& report) {
  const WorkDirectory directory;
  const std::vector<std::string> raw = RawBlocks(data);
  BenchEngine engine;
  engine.Fill(data);
  const double state = engine.StateBytes();
  BenchCheckpointer checkpointer(engine, directory.path(), Codec::kLz4, Cores());
  std::vector<double> seconds, cpu, limit, sha256, codec, write, extra;
  for (int round = 0; round < options.rounds; ++round) {
    const Limits limits = MeasureLimits(raw, Codec::kLz4, directory.path());
    const PeakMemory peak;
    const double cpu_before = CpuSeconds();
    seconds.push_back(SecondsOf([&] { checkpointer.Create(); }));
    cpu.push_back(CpuSeconds() - cpu_before);
    extra.push_back(peak.ExtraBytes() / state);
    limit.push_back(limits.Seconds());
    sha256.push_back(limits.sha256);
    codec.push_back(limits.codec);
    write.push_back(limits.write);
  }
  std::vector<double> rates;
  for (const double one : seconds) rates.push_back(static_cast<double>(data.size()) / one);
  report.Add("limit_sha256_seconds", SpreadOf(sha256));
  report.Add("limit_lz4_seconds", SpreadOf(codec));
  report.Add("limit_write_fsync_seconds", SpreadOf(write));
  report.Add("limit_seconds", SpreadOf(limit));
  report.Add("create_seconds", SpreadOf(seconds));
  report.Add("create_cpu_seconds", SpreadOf(cpu));
  report.Add("create_entries_per_second", SpreadOf(rates));
  report.Add("create_vs_limit_ratio", SpreadOf(Ratios(seconds, limit)), AtMost(2.5));
  report.Add("state_bytes", state);
  report.Add("extra_memory_ratio", SpreadOf(extra).max, AtMost(0.10));
}

void MeasureCodecs(const WindowData& data, const BenchOptions& options, Report& report) {
  BenchEngine engine;
  engine.Fill(data);
  const auto raw = static_cast<double>(data.data_bytes());
  for (const Codec codec : {Codec::kNone, Codec::kLz4, Codec::kSnappy, Codec::kZstd}) {
    const WorkDirectory directory;
    BenchCheckpointer checkpointer(engine, directory.path(), codec, Cores());
    std::vector<double> seconds;
    double file_bytes = 0;
    for (int round = 0; round < options.rounds; ++round) {
      const checkpoint::CreateReport created = checkpointer.Create();
      seconds.push_back(absl::ToDoubleSeconds(created.duration));
      file_bytes = static_cast<double>(created.info.file_bytes);
    }
    const std::string name(checkpoint::CodecName(codec));
    std::optional<Bound> bound;
    if (codec == Codec::kLz4) bound = AtMost(0.40);
    if (codec == Codec::kZstd) bound = AtMost(0.30);
    report.Add(name + "_ratio", file_bytes / raw, bound);
    report.Add(name + "_create_seconds", SpreadOf(seconds));
  }
}

void MeasureRestore(const WindowData& data, const BenchOptions& options, Report& report) {
  const WorkDirectory directory;
  {
    BenchEngine engine;
    engine.Fill(data);
    BenchCheckpointer(engine, directory.path(), Codec::kLz4, Cores()).Create();
  }
  const auto entries = static_cast<double>(data.size());
  std::vector<double> one, two, cpu;
  for (int round = 0; round < options.rounds; ++round) {
    one.push_back(entries / RestoreNewest(directory.path(), 1));
    const double cpu_before = CpuSeconds();
    two.push_back(entries / RestoreNewest(directory.path(), 2));
    cpu.push_back(CpuSeconds() - cpu_before);
  }
  report.Add("restore_entries_per_second_1", SpreadOf(one));
  report.Add("restore_cpu_seconds", SpreadOf(cpu));
  report.Add("restore_entries_per_second", SpreadOf(two), AtLeast(1'500'000));
  report.Add("restore_scaling_2", SpreadOf(Ratios(two, one)), AtLeast(1.5));
}

}  // namespace

void RunCheckpointBench(const BenchOptions& options, Report& report) {
  const auto wanted = [&options](const std::string& part) {
    return options.only.empty() || options.only == part;
  };
  const WindowData data(options.entries);
  if (wanted("create")) MeasureCreate(data, options, report);
  if (wanted("codecs")) MeasureCodecs(data, options, report);
  if (wanted("restore")) MeasureRestore(data, options, report);
  if (wanted("writers")) MeasureWriters(data, options, report);
  if (wanted("rpc-writers")) MeasureRpcWriters(data, options, report);
}

}  // namespace tarn::bench
