// What a write leaves behind so that it is recognised when it is repeated: in the same step as the
// write, or not at all.
#include "storage/receipts.h"

#include <atomic>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/catch.h"
#include "tests/contract/subject.h"

namespace tarn::testing {
namespace {

using storage::kSystemNamespace;

Op GetReceipt(const ReceiptText& receipt) { return Get(receipt.key).In(kSystemNamespace); }

// "found, revision +0, deadline 0, number 0, size 0, value": what an answer says, its revision as
// compared with `since`.
std::string Say(bool found, Revision revision, UnixMs deadline, int64_t number, uint64_t size,
                absl::string_view value, Revision since) {
  const std::string when =
      revision == 0 ? "none" : absl::StrCat("+", static_cast<int64_t>(revision - since));
  return absl::StrCat(found ? "found" : "not found", ", revision ", when, ", deadline ", deadline,
                      ", number ", number, ", size ", size, ", value ", value);
}

std::string Say(const Answer& answer, Revision since) {
  return Say(answer.found, answer.revision, answer.deadline, answer.number, answer.size,
             answer.value, since);
}

// What the receipt says that the operations were answered; one line for each.
std::vector<std::string> Recall(Subject& subject, const ReceiptText& receipt,
                                const std::vector<Op>& ops, Revision since) {
  const Answer kept = subject.Do(GetReceipt(receipt));
  REQUIRE(kept.found);
  std::vector<storage::Operation> operations;
  for (const Op& op : ops) operations.push_back(op.View());
  storage::BatchResult result;
  REQUIRE(Why(storage::DecodeReceipt(kept.value, operations, result)) == "OK");
  REQUIRE(absl::StartsWith(kept.value, receipt.header));
  std::vector<std::string> lines = {absl::StrCat("batch ", result.revision)};
  for (const storage::OperationResult& one : result.results) {
    lines.push_back(
        Say(one.found, one.revision, one.deadline, one.number, one.size, one.value, since));
  }
  return lines;
}

TEST_CASE("Every kind of write leaves its answer behind, at its own revision") {
  Subject subject;
  const std::vector<Op> ops = {Put("new", "v").Until(kStart + 100),
                               Put("old", "v"),
                               Add("counter", -5),
                               Add("counter", 12),
                               Append("log", "text"),
                               Touch("log", kStart + 200),
                               Take("text"),
                               Delete("gone")};
  const Revision before = subject.MustDo(Put("old", "0"));
  subject.MustDo(Put("text", std::string(3000, 'x')));
  subject.MustDo(Put("gone", "v"));
  for (size_t i = 0; i < ops.size(); ++i) {
    INFO(Show(ops[i]));
    const ReceiptText receipt = ReceiptOf(ops[i], i + 1);
    const Answer answer = subject.Do(ops[i].Leaving(receipt));
    REQUIRE(Why(answer) == "OK");
    CHECK(Recall(subject, receipt, {ops[i]}, before) ==
          std::vector<std::string>{"batch 0", Say(answer, before)});
    CHECK(subject.Do(GetReceipt(receipt)).revision == answer.revision);
    CHECK(subject.Do(GetReceipt(receipt)).deadline == kNever);
  }
}

TEST_CASE("A write that changes nothing leaves its answer too, and has no revision all the same") {
  Subject subject;
  const Revision before = subject.MustDo(Put("k", "v"));
  uint64_t request = 0;
  for (const Op& op : {Delete("missing"), Take("missing"), Touch("missing", kNever)}) {
    const ReceiptText receipt = ReceiptOf(op, ++request);
    const Answer answer = subject.Do(op.Leaving(receipt));
    CHECK(answer.revision == 0);
    CHECK(Recall(subject, receipt, {op}, before).back() == Say(answer, before));
    CHECK(subject.Do(GetReceipt(receipt)).revision > before);
  }
  CHECK(subject.MustDo(Put("k", "v")) > before);
}

TEST_CASE("An operation that fails leaves nothing, and those beside it do") {
  Subject subject;
  subject.MustDo(Put("text", "v"));
  const ReceiptText first = ReceiptOf(Add("a", 1), 1, 0);
  const ReceiptText failed = ReceiptOf(Add("text", 1), 1, 1);
  const ReceiptText last = ReceiptOf(Add("a", 1), 1, 3);
  const BatchAnswer answer =
      subject.Independent({Add("a", 1).Leaving(first), Add("text", 1).Leaving(failed), Get("a"),
                           Add("a", 1).Leaving(last)});
  CHECK(Why(answer.results.at(1)) == "FAILED_PRECONDITION NOT_AN_INTEGER");
  CHECK_FALSE(subject.Do(GetReceipt(failed)).found);
  const Revision since = answer.results.at(0).revision;
  CHECK(Recall(subject, first, {Add("a", 1)}, since).back() == Say(answer.results.at(0), since));
  CHECK(Recall(subject, last, {Add("a", 1)}, since).back() == Say(answer.results.at(3), since));
  CHECK(answer.results.at(3).number == 2);
}

TEST_CASE("An atomic batch leaves one receipt with every answer, and the values it read") {
  Subject subject;
  const Revision before = subject.MustDo(Put("taken", "old"));
  subject.MustDo(Put("read", "seen"));
  const std::vector<Op> ops = {Get("read"), Take("taken"), Add("n", 3), Delete("missing")};
  const ReceiptText receipt = ReceiptOf(ops[0], 1);
  const BatchAnswer answer = AtomicLeaving(subject.engine(), receipt, ops);
  REQUIRE(Why(answer) == "OK");
  std::vector<std::string> expected = {absl::StrCat("batch ", answer.revision)};
  for (const Answer& one : answer.results) expected.push_back(Say(one, before));
  CHECK(Recall(subject, receipt, ops, before) == expected);
  CHECK(subject.Do(GetReceipt(receipt)).revision == answer.revision);
  CHECK(answer.results.at(1).revision == answer.revision);
}

TEST_CASE("An atomic batch that changes nothing leaves its receipt") {
  Subject subject;
  const ReceiptText receipt = ReceiptOf(Delete("missing"), 1);
  const BatchAnswer answer = AtomicLeaving(subject.engine(), receipt, {Delete("missing")});
  CHECK(answer.revision == 0);
  CHECK(answer.results.at(0).revision == 0);
  CHECK(Recall(subject, receipt, {Delete("missing")}, 0).front() == "batch 0");
}

TEST_CASE("An atomic batch that fails leaves nothing") {
  Subject subject;
  const ReceiptText receipt = ReceiptOf(Put("a", "1"), 1);
  CHECK(Why(AtomicLeaving(subject.engine(), receipt, {Put("a", "1"), Get("b").IfPresent()})) ==
        "FAILED_PRECONDITION KEY_NOT_FOUND");
  CHECK_FALSE(subject.Do(GetReceipt(receipt)).found);
  CHECK_FALSE(subject.Do(Get("a")).found);
}

TEST_CASE("A write that the quota refuses leaves nothing") {
  Subject subject;
  subject.ledger().SetQuota(kNs, {1, 0});
  subject.MustDo(Put("a", "1"));
  const ReceiptText one = ReceiptOf(Put("b", "1"), 1);
  const ReceiptText all = ReceiptOf(Put("b", "1"), 2);
  CHECK(Why(subject.Do(Put("b", "1").Leaving(one))) == "RESOURCE_EXHAUSTED QUOTA_EXCEEDED");
  CHECK(Why(AtomicLeaving(subject.engine(), all, {Put("b", "1")})) ==
        "RESOURCE_EXHAUSTED QUOTA_EXCEEDED");
  CHECK(subject.All(kSystemNamespace).empty());
  CHECK(UsageOf(subject, kSystemNamespace) == "0 entries, 0 bytes");
}

TEST_CASE("Receipts are counted in the system namespace, and are removed like any entry") {
  Subject subject;
  const ReceiptText one = ReceiptOf(Add("a", 1), 1);
  const ReceiptText two = ReceiptOf(Add("b", 1), 2);
  subject.Do(Add("a", 1).Leaving(one));
  AtomicLeaving(subject.engine(), two, {Add("b", 1)});
  const std::vector<Row> kept = subject.All(kSystemNamespace);
  REQUIRE(kept.size() == 2);
  size_t bytes = 0;
  for (const Row& row : kept) bytes += row.key.size() + row.value.size();
  CHECK(UsageOf(subject, kSystemNamespace) == absl::StrCat("2 entries, ", bytes, " bytes"));
  CHECK(UsageOf(subject) == "2 entries, 4 bytes");
  subject.Atomic({Delete(one.key).In(kSystemNamespace), Delete(two.key).In(kSystemNamespace)});
  CHECK(UsageOf(subject, kSystemNamespace) == "0 entries, 0 bytes");
  CHECK_FALSE(subject.Do(GetReceipt(one)).found);
}

TEST_CASE("A batch as large as the limit leaves a receipt for each operation") {
  Subject subject;
  const storage::Limits limits;
  std::vector<Op> ops;
  for (size_t i = 0; i < limits.max_batch_operations; ++i) {
    const Op add = Add(absl::StrCat("key", i % 100), 1);
    ops.push_back(add.Leaving(ReceiptOf(add, 1, static_cast<uint32_t>(i))));
  }
  const BatchAnswer answer = subject.Independent(ops);
  REQUIRE(answer.results.size() == ops.size());
  CHECK(subject.All(kSystemNamespace).size() == ops.size());
  const Revision since = answer.results.back().revision;
  CHECK(Recall(subject, *ops.back().receipt, {ops.back()}, since).back() ==
        Say(answer.results.back(), since));
}

// What several threads do while snapshots are opened: every addition leaves a receipt.
void AddWithReceipts(Subject& subject, int thread, int count) {
  for (int i = 0; i < count; ++i) {
    const auto request = static_cast<uint64_t>(thread * count + i + 1);
    const Op one = Add("n", 1);
    const Op other = Add(absl::StrCat("other", i), 1);
    if (i % 2 == 0) {
      AtomicLeaving(subject.engine(), ReceiptOf(one, request), {one});
    } else {
      subject.Independent(
          {one.Leaving(ReceiptOf(one, request, 0)), other.Leaving(ReceiptOf(other, request, 1))});
    }
  }
}

TEST_CASE("A snapshot shows a write and its receipt, or neither") {
  constexpr int kThreads = 3;
  constexpr int kCount = 200;
  Subject subject;
  std::atomic<int> writing{kThreads};
  InParallel(kThreads + 1, [&](int thread) {
    if (thread < kThreads) {
      AddWithReceipts(subject, thread, kCount);
      --writing;
      return;
    }
    while (writing > 0) {
      const auto snapshot = subject.Snapshot();
      int64_t additions = 0;
      for (const Row& row : ReadAll(*snapshot, subject.now())) additions += std::stoll(row.value);
      REQUIRE(ReadAll(*snapshot, subject.now(), kSystemNamespace).size() ==
              static_cast<size_t>(additions));
    }
  });
  CHECK(subject.Do(Get("n")).value == absl::StrCat(kThreads * kCount));
}

}  // namespace
}  // namespace tarn::testing
