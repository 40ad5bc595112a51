#include "storage/request_digest.h"

#include <cstdint>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "tests/catch.h"

namespace tarn::storage {
namespace {

Operation Sample() {
  Operation operation;
  operation.kind = OperationKind::kPut;
  operation.key = "key";
  operation.value = "value";
  return operation;
}

using Digest = std::pair<uint64_t, uint64_t>;

Digest Of(const std::vector<Operation>& operations, absl::string_view ns = "ns",
          BatchMode mode = BatchMode::kIndependent) {
  const base::Hash128 hash = RequestDigest(ns, mode, operations);
  return {hash.high, hash.low};
}

TEST_CASE("the digest of a request is pinned") {
  const base::Hash128 hash = RequestDigest("default", BatchMode::kAtomic, {Sample()});
  CHECK(hash.high == 0xd1031b297fac6400);
  CHECK(hash.low == 0x67308c02c3e17580);
}

TEST_CASE("everything that a caller asks for is in the digest") {
  std::set<Digest> digests = {Of({Sample()}), Of({Sample()}, "other"),
                              Of({Sample()}, "ns", BatchMode::kAtomic), Of({Sample(), Sample()})};
  const auto with = [&](auto change) {
    Operation changed = Sample();
    change(changed);
    digests.insert(Of({changed}));
  };
  with([](Operation& o) { o.kind = OperationKind::kAppend; });
  with([](Operation& o) { o.key = "kez"; });
  with([](Operation& o) { o.value = "valuf"; });
  with([](Operation& o) { o.delta = 1; });
  with([](Operation& o) { o.precondition.kind = Precondition::Kind::kAbsent; });
  with([](Operation& o) { o.precondition = {Precondition::Kind::kRevision, 7}; });
  with([](Operation& o) { o.ttl.kind = Ttl::Kind::kNever; });
  with([](Operation& o) { o.ttl = {Ttl::Kind::kDuration, 5}; });
  // Nothing can move from one field to the next.
  with([](Operation& o) { std::tie(o.key, o.value) = std::make_pair("keyv", "alue"); });
  CHECK(digests.size() == 13);
}

TEST_CASE("a long value is in the digest as well as a short one") {
  std::set<Digest> digests;
  std::vector<std::string> values = {std::string(256, 'a'), std::string(257, 'a'),
                                     std::string(257, 'b'), std::string(100'000, 'a')};
  for (const std::string& value : values) {
    Operation operation = Sample();
    operation.value = value;
    digests.insert(Of({operation}));
  }
  CHECK(digests.size() == values.size());
}

TEST_CASE("what only the Store fills in is not in the digest") {
  Operation resolved = Sample();
  resolved.ns = 9;
  resolved.deadline = 12345;
  resolved.deadline_rule = DeadlineRule::kKeepExisting;
  const Receipt receipt;
  resolved.receipt = &receipt;
  CHECK(Of({resolved}) == Of({Sample()}));
}

}  // namespace
}  // namespace tarn::storage
