// A start reads all receipts before anybody is served.
#include <chrono>
#include <string>
#include <vector>

#include "storage/client_record.h"
#include "storage/outstanding.h"
#include "storage/receipts.h"
#include "storage/request_registry.h"
#include "tests/catch.h"
#include "tests/contract/subject.h"

namespace tarn::testing {
namespace {

using storage::kSystemNamespace;
using storage::RequestRegistry;

constexpr Revision kClient = 7;
const std::string kStore(32, 'a');
// Of a start in a soak run, for as many receipts as fit into what they may take together.
constexpr std::chrono::seconds kPatience{60};

Op ReceiptOf(uint64_t request) {
  const std::string header = storage::ReceiptHeader({.digest = {1, request}, .time = kStart});
  const storage::Operation add{.kind = storage::OperationKind::kAdd};
  const storage::OperationResult sum{.revision = request, .number = 1};
  return Put(storage::ReceiptKey({.client = kClient, .request = request}),
             storage::EncodeReceipt(header, 0, {&add, 1}, {&sum, 1}))
      .In(kSystemNamespace);
}

void WriteReceipts(Subject& subject, uint64_t count) {
  const storage::ClientRecord record{.store_id = kStore, .issue_time = kStart};
  subject.MustDo(
      Put(storage::ClientKey(kClient), storage::EncodeClientRecord(record)).In(kSystemNamespace));
  constexpr uint64_t kAtATime = 1000;
  for (uint64_t next = 1; next <= count;) {
    std::vector<Op> some;
    for (; next <= count && some.size() < kAtATime; ++next) some.push_back(ReceiptOf(next));
    for (const Answer& answer : subject.Independent(std::move(some)).results)
      REQUIRE(answer.status.ok());
  }
}

TEST_CASE("A start knows all of very many receipts, and is soon done with it") {
  const uint64_t count = Count(20'000, 1'000'000);
  Subject subject;
  WriteReceipts(subject, count);
  subject.Reopen();
  storage::Outstanding tasks;
  const auto begin = std::chrono::steady_clock::now();
  const auto registry =
      RequestRegistry::Load({subject.engine(), subject.clock(), tasks}, kStore, {});
  const auto took = std::chrono::steady_clock::now() - begin;
  REQUIRE(Why(registry.status()) == "OK");
  CHECK((*registry)->stats().requests == count);
  const auto known = [&](uint64_t request) {
    RequestRegistry::Waiter waiter = [] {};
    const auto begun = (*registry)->Begin({kClient, request}, {1, request}, waiter);
    return begun.ok() && begun->standing == storage::RequestWindow::Standing::kKnown;
  };
  CHECK(known(1));
  CHECK(known(count));
  CHECK_FALSE(known(count + 1));
  if (!Soak()) return;
  WARN(count << " receipts were read in "
             << std::chrono::duration_cast<std::chrono::milliseconds>(took).count() << " ms");
  CHECK(took < kPatience);
}

}  // namespace
}  // namespace tarn::testing
