#include "storage/admission.h"

#include <string>
#include <vector>

#include "tests/catch.h"
#include "tests/storage/store_subject.h"

namespace tarn::storage {
namespace {

using testing::Brief;

constexpr base::UnixMs kNow = 1'700'000'000'000;
constexpr NamespaceId kNs = 7;

// What becomes of an operation in a namespace.
struct Admitted {
  std::string status;
  Operation operation;
};

Admitted Admit(const Op& op, int64_t default_ttl_ms = 0, base::UnixMs now = kNow) {
  const base::ManualClock clock(now);
  const Limits limits;
  Admission admission(limits, clock, kNs, default_ttl_ms);
  Admitted admitted;
  admitted.operation = op.View();
  admitted.status = Brief(admission.Admit(admitted.operation));
  return admitted;
}

std::string Key(size_t size) { return std::string(size, 'k'); }

std::optional<size_t> DuplicateIn(const std::vector<Op>& ops) {
  std::vector<Operation> operations;
  for (const Op& op : ops) operations.push_back(op.View());
  const auto refusal = FindDuplicateMutation(operations);
  if (!refusal) return std::nullopt;
  CHECK(Brief(refusal->status) == "INVALID_ARGUMENT DUPLICATE_KEY");
  return refusal->index;
}

TEST_CASE("an admitted operation gets the number of its namespace") {
  for (const Op& op : {Get("k"), Put("k", "v"), Delete("k"), Take("k"), Add("k", 1),
                       Append("k", "v"), Touch("k").For(1)}) {
    const Admitted admitted = Admit(op);
    CHECK(admitted.status == "OK");
    CHECK(admitted.operation.ns == kNs);
  }
}

TEST_CASE("a key has at least one byte and at most the limit, whatever the operation") {
  for (const Op& op : {Get(""), Put("", "v"), Delete(""), Take(""), Add("", 1), Append("", "v")}) {
    CHECK(Admit(op).status == "INVALID_ARGUMENT INVALID_KEY");
  }
  CHECK(Admit(Get(Key(4096))).status == "OK");
  CHECK(Admit(Get(Key(4097))).status == "INVALID_ARGUMENT KEY_TOO_LARGE");
  CHECK(Admit(Get(std::string("\0*?[]{}\xff", 8))).status == "OK");
}

TEST_CASE("a value has at most the limit, and may be empty") {
  const std::string largest(2 << 20, 'v');
  CHECK(Admit(Put("k", largest)).status == "OK");
  CHECK(Admit(Put("k", "")).status == "OK");
  CHECK(Admit(Put("k", largest + "v")).status == "INVALID_ARGUMENT VALUE_TOO_LARGE");
  CHECK(Admit(Append("k", largest + "v")).status == "INVALID_ARGUMENT VALUE_TOO_LARGE");
}

TEST_CASE("revision 0 is no precondition") {
  CHECK(Admit(Put("k", "v").IfRevision(0)).status == "INVALID_ARGUMENT INVALID_PRECONDITION");
  CHECK(Admit(Get("k").IfRevision(0)).status == "INVALID_ARGUMENT INVALID_PRECONDITION");
  CHECK(Admit(Put("k", "v").IfRevision(1)).status == "OK");
  Op unknown = Get("k");
  unknown.precondition.kind = static_cast<Precondition::Kind>(77);
  CHECK(Admit(unknown).status == "INVALID_ARGUMENT INVALID_PRECONDITION");
}

TEST_CASE("a TTL in milliseconds becomes a deadline in milliseconds, not rounded to seconds") {
  for (const Op& op : {Put("k", "v"), Append("k", "v"), Add("k", 1), Touch("k")}) {
    const Admitted admitted = Admit(op.For(1));
    CHECK(admitted.status == "OK");
    CHECK(admitted.operation.deadline == kNow + 1);
    CHECK(admitted.operation.deadline_rule == DeadlineRule::kSet);
  }
}

TEST_CASE("a TTL that is not positive, too long, or ends after the year 9999 is refused") {
  constexpr int64_t kLongest = int64_t{100} * 365 * 24 * 3600 * 1000;
  CHECK(Admit(Put("k", "v").For(0)).status == "INVALID_ARGUMENT INVALID_TTL");
  CHECK(Admit(Put("k", "v").For(-1)).status == "INVALID_ARGUMENT INVALID_TTL");
  CHECK(Admit(Put("k", "v").For(INT64_MIN)).status == "INVALID_ARGUMENT INVALID_TTL");
  CHECK(Admit(Put("k", "v").For(kLongest)).status == "OK");
  CHECK(Admit(Put("k", "v").For(kLongest + 1)).status == "INVALID_ARGUMENT INVALID_TTL");
  CHECK(Admit(Put("k", "v").For(INT64_MAX)).status == "INVALID_ARGUMENT INVALID_TTL");
  const base::UnixMs late = kMaxDeadline - 1000;
  CHECK(Admit(Put("k", "v").For(1000), 0, late).operation.deadline == kMaxDeadline);
  CHECK(Admit(Put("k", "v").For(1001), 0, late).status == "INVALID_ARGUMENT INVALID_TTL");
}

TEST_CASE("a touch needs a TTL") {
  CHECK(Admit(Touch("k")).status == "INVALID_ARGUMENT INVALID_TTL");
  CHECK(Admit(Touch("k"), 5000).status == "INVALID_ARGUMENT INVALID_TTL");
  CHECK(Admit(Touch("k").ForEver()).operation.deadline == base::kNever);
}

TEST_CASE("an unset TTL takes the namespace's default; add and append keep what an entry has") {
  CHECK(Admit(Put("k", "v"), 5000).operation.deadline == kNow + 5000);
  CHECK(Admit(Put("k", "v"), 5000).operation.deadline_rule == DeadlineRule::kSet);
  CHECK(Admit(Put("k", "v"), 0).operation.deadline == base::kNever);
  for (const Op& op : {Append("k", "v"), Add("k", 1)}) {
    CHECK(Admit(op, 5000).operation.deadline == kNow + 5000);
    CHECK(Admit(op, 5000).operation.deadline_rule == DeadlineRule::kKeepExisting);
  }
}

TEST_CASE("a TTL of never overrides the default") {
  for (const Op& op : {Put("k", "v"), Append("k", "v"), Add("k", 1)}) {
    const Admitted admitted = Admit(op.ForEver(), 5000);
    CHECK(admitted.operation.deadline == base::kNever);
    CHECK(admitted.operation.deadline_rule == DeadlineRule::kSet);
  }
}

TEST_CASE("the default TTL never makes a write fail") {
  CHECK(Admit(Put("k", "v"), 5000, kMaxDeadline - 1).operation.deadline == kMaxDeadline);
}

TEST_CASE("admitting again judges the deadline anew") {
  base::ManualClock clock(kNow);
  const Limits limits;
  Operation operation = Append("k", "v").View();
  REQUIRE(Admission(limits, clock, 1, 1000).Admit(operation).ok());
  clock.Advance(10);
  REQUIRE(Admission(limits, clock, 2, 0).Admit(operation).ok());
  CHECK(operation.ns == 2);
  CHECK(operation.deadline == base::kNever);
}

TEST_CASE("a batch has at least one operation and at most the limit") {
  CHECK(Brief(CheckBatchSize(0, {})) == "INVALID_ARGUMENT INVALID_REQUEST");
  CHECK(Brief(CheckBatchSize(4096, {})) == "OK");
  CHECK(Brief(CheckBatchSize(4097, {})) == "INVALID_ARGUMENT BATCH_TOO_LARGE");
}

TEST_CASE("the second mutation of a key is found, in small batches and large ones") {
  const size_t padding = GENERATE(0, 5, 100, 4000);
  std::vector<Op> ops;
  for (size_t i = 0; i < padding; ++i) ops.push_back(Put("p" + std::to_string(i), "v"));
  ops.push_back(Get("a"));
  ops.push_back(Put("a", "1"));
  ops.push_back(Get("a"));
  ops.push_back(Delete("b"));
  CHECK_FALSE(DuplicateIn(ops));
  ops.push_back(Take("a"));
  ops.push_back(Put("b", "2"));
  CHECK(DuplicateIn(ops) == padding + 4);
}

}  // namespace
}  // namespace tarn::storage
