// What the Store adds to a batch on its way to the engine: no allocation. A program of its own,
// because it replaces operator new.
#include <atomic>
#include <cstdlib>
#include <new>
#include <string>
#include <vector>

#include "tests/catch.h"
#include "tests/storage/store_subject.h"

namespace {

std::atomic<uint64_t> allocations{0};

}  // namespace

void* operator new(size_t size) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  if (void* const memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t /*size*/) noexcept { std::free(memory); }

namespace tarn::storage {
namespace {

constexpr int kBatches = 100;

// A completion that needs no allocation itself.
void Ignore(BatchResult& result) {
  if (!result.status.ok()) std::abort();
}

// How many allocations a function makes in a hundred calls.
template <typename Function>
uint64_t AllocationsOf(Function function) {
  function();  // Whatever is made once is made now.
  const uint64_t before = allocations.load();
  for (int i = 0; i < kBatches; ++i) function();
  return allocations.load() - before;
}

// The difference that going through the Store makes.
int64_t AddedByStore(StoreSubject& subject, Engine& engine, std::vector<Operation>& operations) {
  const auto id = testing::Value(subject.store().GetNamespace("orders")).id;
  const uint64_t through_store = AllocationsOf([&] {
    subject.store().Run({.ns = "orders", .operations = absl::MakeSpan(operations)}, Ignore);
  });
  for (Operation& operation : operations) operation.ns = id;
  const uint64_t engine_alone =
      AllocationsOf([&] { engine.Run({.operations = operations}, Ignore); });
  return static_cast<int64_t>(through_store) - static_cast<int64_t>(engine_alone);
}

std::vector<Operation> Repeated(const Op& op, size_t count) {
  return std::vector<Operation>(count, op.View());
}

TEST_CASE("a batch in a known namespace allocates nothing on its way through the Store") {
  const size_t size = GENERATE(1U, 128U);
  StoreSubject subject;
  const Op get = Get("k");
  const Op put = Put("k", "v").For(1000);
  REQUIRE(subject.Do(put, "orders").status.ok());
  std::vector<Operation> reads = Repeated(get, size);
  CHECK(AddedByStore(subject, *subject.engine, reads) == 0);
  // The engine here may answer later, so a write takes along what keeps its namespace open.
  std::vector<Operation> writes = Repeated(put, size);
  CHECK(AddedByStore(subject, *subject.engine, writes) == kBatches);
}

TEST_CASE("with an engine that answers inline, a write allocates nothing either") {
  StoreSubject subject;
  const auto direct = testing::Value(Store::Open(
      {*subject.memory, subject.ledger, subject.clock, subject.executor, subject.random},
      subject.meta, StoreSubject::Options()));
  const Op put = Put("k", "v").For(1000);
  std::vector<Operation> writes = Repeated(put, 1);
  const uint64_t through_store = AllocationsOf(
      [&] { direct->Run({.ns = "default", .operations = absl::MakeSpan(writes)}, Ignore); });
  // The same operations, as the Store has completed them.
  CHECK(through_store ==
        AllocationsOf([&] { subject.memory->Run({.operations = writes}, Ignore); }));
}

}  // namespace
}  // namespace tarn::storage
