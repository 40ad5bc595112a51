#include "storage/receipts.h"

#include <limits>
#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "tests/catch.h"
#include "tests/support/status.h"

namespace tarn::storage {
namespace {

using testing::Brief;
using testing::Value;

constexpr ReceiptName kName{
    .client = (uint64_t{1} << 40) | 7, .request = 258, .operation = 3, .route = 0xABCD};
constexpr char kGoldenKey[] =
    "72712f00000100000000070000000000000102"
    "00000003abcd";
constexpr char kGoldenHeader[] =
    "01"
    "00000000000000010000000000000002"
    "0000018bcfe56800";

std::string Header() {
  return ReceiptHeader({.digest = {.high = 1, .low = 2}, .time = 1'700'000'000'000});
}

Operation Of(OperationKind kind) {
  Operation operation;
  operation.kind = kind;
  return operation;
}

// A take, an addition, an append and a delete that found nothing.
const std::vector<Operation> kOperations = {Of(OperationKind::kTake), Of(OperationKind::kAdd),
                                            Of(OperationKind::kAppend), Of(OperationKind::kDelete)};

std::vector<OperationResult> Results() {
  std::vector<OperationResult> results(4);
  results[0].found = true;
  results[0].revision = 9;
  results[0].value = "taken";
  results[1].revision = 9;
  results[1].deadline = 1'700'000'000'500;
  results[1].number = -42;
  results[2].found = true;
  results[2].revision = 9;
  results[2].size = 70'000;
  return results;
}

std::string Receipt() { return EncodeReceipt(Header(), 9, kOperations, Results()); }

constexpr char kGoldenResults[] =
    "0000000000000009"
    "01000000000000000900000000000000000000000000000005"
    "74616b656e"
    "0000000000000000090000018bcfe569f40000000000000003"
    "2d3432"
    "01000000000000000900000000000000000001117000000000"
    "00000000000000000000000000000000000000000000000000";

TEST_CASE("the key of a receipt has golden bytes, and leads back to its name") {
  const std::string key = ReceiptKey(kName);
  CHECK(absl::BytesToHexString(key) == kGoldenKey);
  const auto name = ParseReceiptKey(key);
  REQUIRE(name);
  CHECK(name->client == kName.client);
  CHECK(name->request == 258);
  CHECK(name->operation == 3);
  CHECK(name->route == 0xABCD);
  CHECK(RouteInReceiptKey(key) == 0xABCD);
}

TEST_CASE("a key that is no receipt's has neither name nor route") {
  const std::string key = ReceiptKey(kName);
  for (const std::string& other :
       {std::string("ns/default"), std::string(), key + 'x', key.substr(1), 'R' + key.substr(1)}) {
    CHECK(!ParseReceiptKey(other));
    CHECK(!RouteInReceiptKey(other));
  }
}

TEST_CASE("keys of receipts are in the order of client, request and operation") {
  const auto key = [](uint64_t client, uint64_t request, uint32_t operation) {
    return ReceiptKey({.client = client, .request = request, .operation = operation, .route = 0});
  };
  CHECK(key(1, 255, 9) < key(1, 256, 0));
  CHECK(key(1, 256, 255) < key(1, 256, 256));
  CHECK(key(1, 999, 9) < key(2, 1, 0));
}

TEST_CASE("a route is pinned, differs by namespace and key, and by neither key in one place") {
  CHECK(RouteOf(Placement::kSpread, 1, "a") != RouteOf(Placement::kSpread, 1, "b"));
  CHECK(RouteOf(Placement::kSpread, 1, "a") != RouteOf(Placement::kSpread, 2, "a"));
  CHECK(RouteOf(Placement::kTogether, 1, "a") == RouteOf(Placement::kTogether, 1, "b"));
  CHECK(RouteOf(Placement::kTogether, 1, "a") == RouteOf(Placement::kSpread, 1, ""));
  CHECK(RouteOf(Placement::kSpread, 1, "a") ==
        static_cast<ReceiptRoute>(base::Checksum64("a", 1) & 0xFFFF));
}

TEST_CASE("a receipt has golden bytes") {
  CHECK(absl::BytesToHexString(Receipt()) == absl::StrCat(kGoldenHeader, kGoldenResults));
}

TEST_CASE("the head of a receipt comes back") {
  const ReceiptHead head = Value(DecodeReceiptHead(Receipt()));
  CHECK(head.digest == base::Hash128{.high = 1, .low = 2});
  CHECK(head.time == 1'700'000'000'000);
}

TEST_CASE("the answer comes back, marked as replayed") {
  BatchResult answer;
  REQUIRE(Brief(DecodeReceipt(Receipt(), kOperations, answer)) == "OK");
  CHECK(answer.revision == 9);
  REQUIRE(answer.results.size() == 4);
  for (const OperationResult& result : answer.results) CHECK(result.replayed);
  CHECK(answer.results[0].found);
  CHECK(answer.results[0].value == "taken");
  CHECK(answer.results[0].revision == 9);
  CHECK(!answer.results[1].found);
  CHECK(answer.results[1].number == -42);
  CHECK(answer.results[1].value.empty());
  CHECK(answer.results[1].deadline == 1'700'000'000'500);
  CHECK(answer.results[2].size == 70'000);
  CHECK(!answer.results[3].found);
  CHECK(answer.results[3].revision == 0);
}

TEST_CASE("the smallest and the largest sum come back") {
  for (const int64_t sum :
       {std::numeric_limits<int64_t>::min(), std::numeric_limits<int64_t>::max()}) {
    OperationResult result;
    result.number = sum;
    const Operation add = Of(OperationKind::kAdd);
    BatchResult answer;
    const std::string receipt = EncodeReceipt(Header(), 0, {&add, 1}, {&result, 1});
    REQUIRE(Brief(DecodeReceipt(receipt, {&add, 1}, answer)) == "OK");
    CHECK(answer.results[0].number == sum);
  }
}

TEST_CASE("a receipt that is cut off, longer, or of other operations is refused") {
  const std::string whole = Receipt();
  for (size_t size = 0; size < whole.size(); ++size) {
    BatchResult answer;
    CHECK(Brief(DecodeReceipt(whole.substr(0, size), kOperations, answer)) ==
          "DATA_LOSS DATA_LOSS");
  }
  BatchResult longer;
  CHECK(Brief(DecodeReceipt(whole + '\0', kOperations, longer)) == "DATA_LOSS DATA_LOSS");
  BatchResult fewer;
  CHECK(Brief(DecodeReceipt(whole, absl::MakeConstSpan(kOperations).first(3), fewer)) ==
        "DATA_LOSS DATA_LOSS");
  const std::vector<Operation> sums(4, Of(OperationKind::kAdd));
  BatchResult others;
  CHECK(Brief(DecodeReceipt(whole, sums, others)) == "DATA_LOSS DATA_LOSS");
}

TEST_CASE("a receipt of another version or with an impossible flag is refused") {
  std::string newer = Receipt();
  newer[0] = 2;
  CHECK(Brief(DecodeReceiptHead(newer)) == "FAILED_PRECONDITION");
  BatchResult answer;
  CHECK(Brief(DecodeReceipt(newer, kOperations, answer)) == "FAILED_PRECONDITION");
  std::string flagged = Receipt();
  flagged[kReceiptHeaderBytes + 8] = 2;
  BatchResult other;
  CHECK(Brief(DecodeReceipt(flagged, kOperations, other)) == "DATA_LOSS DATA_LOSS");
}

}  // namespace
}  // namespace tarn::storage
