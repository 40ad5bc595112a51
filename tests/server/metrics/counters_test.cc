#include "server/metrics/counters.h"

#include <thread>
#include <vector>

#include "tests/catch.h"

namespace tarn::server {
namespace {

using storage::OperationKind;

uint64_t Calls(const Counters& counters, Rpc rpc, int code) {
  return counters.Read().calls[static_cast<size_t>(rpc)][static_cast<size_t>(code)];
}

TEST_CASE("calls are counted by method and code, with their latency in a bucket") {
  Counters counters;
  counters.EndCall(Rpc::kGet, 0, 60'000);
  counters.EndCall(Rpc::kGet, 0, 10);
  counters.EndCall(Rpc::kGet, 14, 25'000);
  counters.EndCall(Rpc::kPut, 0, int64_t{600} * 1'000'000'000);
  const CounterTotals totals = counters.Read();
  const auto& get = totals.latency[static_cast<size_t>(Rpc::kGet)];
  CHECK(Calls(counters, Rpc::kGet, 0) == 2);
  CHECK(Calls(counters, Rpc::kGet, 14) == 1);
  CHECK(Calls(counters, Rpc::kPut, 0) == 1);
  CHECK(get[0] == 2);  // 10 ns, and 25 us exactly.
  CHECK(get[2] == 1);  // 60 us: up to 100 us.
  CHECK(totals.latency[static_cast<size_t>(Rpc::kPut)][kLatencyBuckets - 1] == 1);
  CHECK(totals.latency_sum_ns[static_cast<size_t>(Rpc::kGet)] == 85'010);
}

TEST_CASE("a code that gRPC does not have is counted as unknown") {
  Counters counters;
  counters.EndCall(Rpc::kGet, 99, 1);
  counters.EndCall(Rpc::kGet, -1, 1);
  CHECK(Calls(counters, Rpc::kGet, 2) == 2);
}

TEST_CASE("a call is in flight from its beginning to its end") {
  Counters counters;
  counters.BeginCall();
  counters.BeginCall();
  CHECK(counters.calls_in_flight() == 2);
  counters.EndCall(Rpc::kGet, 0, 1);
  CHECK(counters.calls_in_flight() == 1);
}

TEST_CASE("the operations of a batch are counted by kind and outcome") {
  Counters counters;
  OperationTally tally;
  tally.Count(OperationKind::kGet, OperationOutcome::kHit);
  tally.Count(OperationKind::kGet, OperationOutcome::kHit);
  tally.Count(OperationKind::kTouch, OperationOutcome::kPrecondition);
  tally.bytes_in = 10;
  tally.bytes_out = 20;
  counters.AddBatch(tally);
  counters.AddOperation(OperationKind::kGet, OperationOutcome::kMiss, 1, 2);
  counters.AddScanned(5, 100);
  const CounterTotals totals = counters.Read();
  CHECK(totals.operations[0] == std::array<uint64_t, 4>{2, 1, 0, 0});
  CHECK(totals.operations[6] == std::array<uint64_t, 4>{0, 0, 1, 0});
  CHECK(totals.bytes_in == 11);
  CHECK(totals.bytes_out == 122);
  CHECK(totals.batches == 2);
  CHECK(totals.scanned_entries == 5);
}

TEST_CASE("errors are counted by reason, of calls and of operations in a batch") {
  Counters counters;
  OperationTally tally;
  tally.errors = {base::Reason::kKeyTooLarge, base::Reason::kQuotaExceeded,
                  base::Reason::kKeyTooLarge};
  counters.AddBatch(tally);
  counters.AddError(base::Reason::kQuotaExceeded);
  counters.AddError(base::Reason::kReceiptsFull);  // The last one there is.
  const CounterTotals totals = counters.Read();
  CHECK(totals.errors[static_cast<size_t>(base::Reason::kKeyTooLarge)] == 2);
  CHECK(totals.errors[static_cast<size_t>(base::Reason::kQuotaExceeded)] == 2);
  CHECK(totals.errors[base::kReasons - 1] == 1);
}

TEST_CASE("nothing that threads count at the same time is lost") {
  Counters counters;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int j = 0; j < 10'000; ++j) counters.EndCall(Rpc::kGet, 0, 1);
    });
  }
  for (auto& thread : threads) thread.join();
  CHECK(Calls(counters, Rpc::kGet, 0) == 40'000);
}

}  // namespace
}  // namespace tarn::server
