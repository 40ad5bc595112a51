// The memory engine without a server.
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "storage/base/clock.h"
#include "storage/memory/memory_engine.h"
#include "storage/usage.h"
#include "tests/bench/benches.h"
#include "tests/bench/data_set.h"
#include "tests/bench/measure.h"

namespace tarn::bench {
namespace {

using storage::Batch;
using storage::BatchResult;
using storage::Operation;
using storage::OperationKind;

constexpr storage::NamespaceId kNamespace = 1;
constexpr size_t kBatch = 128;

Operation OperationOn(OperationKind kind, absl::string_view key, absl::string_view value) {
  Operation operation;
  operation.kind = kind;
  operation.ns = kNamespace;
  operation.key = key;
  if (kind == OperationKind::kPut) operation.value = value;
  return operation;
}

// An engine full of the data set.
class Bench {
 public:
  explicit Bench(size_t entries) : data_(entries) {
    auto opened = storage::MemoryEngine::Open({}, clock_, ledger_);
    if (!opened.ok()) Fail("the memory engine does not open");
    engine_ = *std::move(opened);
    const size_t before = ResidentBytes();
    for (size_t i = 0; i < data_.size(); ++i) RunOne(OperationKind::kPut, data_.key(i));
    const double growth =
        static_cast<double>(ResidentBytes() - before) / static_cast<double>(entries);
    overhead_bytes_ = growth - kKeyBytes - kValueBytes;
  }

  double overhead_bytes() const { return overhead_bytes_; }

  // Operations a second of `threads` threads that each do `count`, one at a time, on random keys.
  double SingleRate(OperationKind kind, int threads, size_t count) {
    return RateOf(threads, count, [this, kind, count](size_t first) {
      for (size_t i = 0; i < count; ++i) RunOne(kind, data_.shuffled_key(first + i));
    });
  }

  // The same in batches of kBatch.
  double BatchRate(OperationKind kind, int threads, size_t count) {
    return RateOf(threads, count, [this, kind, count](size_t first) {
      std::vector<Operation> operations(kBatch);
      for (size_t done = 0; done < count; done += kBatch) {
        for (size_t i = 0; i < kBatch; ++i) {
          operations[i] = OperationOn(kind, data_.shuffled_key(first + done + i), data_.value());
        }
        RunBatch(operations);
      }
    });
  }

  // Entries a second of an ordered scan over everything.
  double ScanRate() {
    size_t entries = 0;
    const double seconds = SecondsOf([&] { entries = ScanAll(); });
    if (entries != data_.size()) Fail("a scan missed entries");
    return static_cast<double>(entries) / seconds;
  }

 private:
  // Each thread starts at another place.
  double RateOf(int threads, size_t count, const std::function<void(size_t first)>& work) {
    const double seconds = SecondsOf([&] {
      std::vector<std::thread> workers;
      for (int i = 0; i < threads; ++i) {
        workers.emplace_back([&work, first = random_.Below(data_.size())] { work(first); });
      }
      for (std::thread& worker : workers) worker.join();
    });
    return static_cast<double>(count) * threads / seconds;
  }

  void RunOne(OperationKind kind, absl::string_view key) {
    const Operation operation = OperationOn(kind, key, data_.value());
    RunBatch(absl::MakeConstSpan(&operation, 1));
  }

  void RunBatch(absl::Span<const Operation> operations) {
    Batch batch;
    batch.operations = operations;
    engine_->Run(batch, [](BatchResult& result) {
      if (!result.status.ok() || !result.results.back().status.ok()) Fail("an operation failed");
    });
  }

  size_t ScanAll() {
    const auto snapshot = engine_->OpenSnapshot(storage::SnapshotPurpose::kScan);
    if (!snapshot.ok()) Fail("no snapshot");
    const auto cursor = (*snapshot)->NewCursor({kNamespace, "", ""}, {});
    size_t entries = 0;
    for (bool at_end = false; !at_end;) {
      cursor->Next({}, clock_.Now(), [&](const absl::Status& status, storage::Page& page) {
        if (!status.ok()) Fail("a scan failed");
        entries += page.entries.size();
        at_end = page.at_end;
      });
    }
    return entries;
  }

  const DataSet data_;
  const base::SystemClock clock_;
  storage::UsageLedger ledger_;
  std::unique_ptr<storage::MemoryEngine> engine_;
  double overhead_bytes_ = 0;
  SplitMix random_{1};
};

struct Rates {
  std::vector<double> gets_1, gets_2, puts_1, puts_2, batch_gets, batch_puts, scans;
};

}  // namespace

void RunEngineBench(const BenchOptions& options, Report& report) {
  Bench bench(options.entries);
  report.Add("memory_overhead_bytes", bench.overhead_bytes(), AtMost(96));
  Rates rates;
  const size_t count = options.entries;
  for (int round = 0; round < options.rounds; ++round) {
    rates.gets_1.push_back(bench.SingleRate(OperationKind::kGet, 1, count));
    rates.gets_2.push_back(bench.SingleRate(OperationKind::kGet, 2, count));
    rates.puts_1.push_back(bench.SingleRate(OperationKind::kPut, 1, count));
    rates.puts_2.push_back(bench.SingleRate(OperationKind::kPut, 2, count));
    rates.batch_gets.push_back(bench.BatchRate(OperationKind::kGet, 1, count));
    rates.batch_puts.push_back(bench.BatchRate(OperationKind::kPut, 1, count));
    rates.scans.push_back(bench.ScanRate());
  }
  report.Add("memory_gets_per_second_1", SpreadOf(rates.gets_1), AtLeast(2'000'000));
  report.Add("memory_puts_per_second_1", SpreadOf(rates.puts_1), AtLeast(1'200'000));
  report.Add("memory_gets_scaling_2", SpreadOf(Ratios(rates.gets_2, rates.gets_1)), AtLeast(1.6));
  report.Add("memory_puts_scaling_2", SpreadOf(Ratios(rates.puts_2, rates.puts_1)), AtLeast(1.6));
  report.Add("memory_batch_gets_per_second_1", SpreadOf(rates.batch_gets));
  report.Add("memory_batch_puts_per_second_1", SpreadOf(rates.batch_puts));
  report.Add("memory_batch_get_speedup", SpreadOf(Ratios(rates.batch_gets, rates.gets_1)),
             AtLeast(4));
  report.Add("memory_scan_entries_per_second", SpreadOf(rates.scans));
}

}  // namespace tarn::bench
