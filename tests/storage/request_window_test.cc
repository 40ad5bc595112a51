#include "storage/request_window.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/catch.h"
#include "tests/support/status.h"

namespace tarn::storage {
namespace {

using testing::Brief;
using Kind = KeptAnswer::Kind;
using Standing = RequestWindow::Standing;

constexpr Revision kClient = 77;
constexpr base::UnixMs kNow = 1'000'000;

base::Hash128 Digest(uint64_t number) { return {.high = number, .low = 1}; }

KeptAnswer Answer(Kind kind, uint32_t operation = 0) {
  return {.kind = kind,
          .route = static_cast<ReceiptRoute>(operation + 100),
          .operation = operation,
          .failure = kind == Kind::kFailure || kind == Kind::kWholeFailure
                         ? absl::AbortedError("no")
                         : absl::OkStatus()};
}

KeptAnswers Answers(std::vector<KeptAnswer> answers, size_t bytes = 50) {
  KeptAnswers kept;
  for (KeptAnswer& answer : answers) kept.answers.push_back(std::move(answer));
  kept.bytes = bytes;
  return kept;
}

// "fresh", "known", "under way", or the error.
std::string Begin(RequestWindow& window, uint64_t request, uint64_t digest = 1) {
  const auto standing = window.Begin(request, Digest(digest));
  if (!standing.ok()) return Brief(standing.status());
  switch (*standing) {
    case Standing::kFresh:
      return "fresh";
    case Standing::kKnown:
      return "known";
    case Standing::kUnderWay:
      return "under way";
  }
  return "?";
}

// Requests from `first` to `last`, answered at `now` with a receipt each.
void Answer(RequestWindow& window, uint64_t first, uint64_t last, base::UnixMs now = kNow) {
  for (uint64_t request = first; request <= last; ++request) {
    REQUIRE(Begin(window, request) == "fresh");
    window.End(request, Answers({Answer(Kind::kReceipt)}), now);
  }
}

std::string Names(const RequestWindow::Removal& removal) {
  std::string text;
  for (const ReceiptName& name : removal.receipts) {
    CHECK(name.client == kClient);
    absl::StrAppend(&text, text.empty() ? "" : " ", name.request, ":", name.operation, "@",
                    name.route);
  }
  return text;
}

TEST_CASE("an id is fresh, under way, and then known") {
  RequestWindow window(kClient, 1);
  CHECK(Begin(window, 1) == "fresh");
  CHECK(window.busy());
  CHECK(Begin(window, 1) == "under way");
  window.End(1, Answers({Answer(Kind::kReceipt)}), kNow);
  CHECK_FALSE(window.busy());
  CHECK(Begin(window, 1) == "known");
  CHECK(Begin(window, 1) == "under way");
  CHECK(window.AnswersOf(1).answers.size() == 1);
}

TEST_CASE("ids arrive in any order, and gaps may be filled later") {
  RequestWindow window(kClient, 1);
  for (const uint64_t request : {5, 3, 9, 1, 4}) {
    CHECK(Begin(window, request) == "fresh");
    window.End(request, Answers({Answer(Kind::kReceipt)}), kNow);
  }
  CHECK(Begin(window, 3) == "known");
  CHECK(Begin(window, 2) == "fresh");
  CHECK(window.size() == 6);
}

TEST_CASE("an id with another digest is refused, under way and known") {
  RequestWindow window(kClient, 1);
  CHECK(Begin(window, 1, 1) == "fresh");
  CHECK(Begin(window, 1, 2) == "INVALID_ARGUMENT REQUEST_MISMATCH");
  window.End(1, Answers({Answer(Kind::kReceipt)}), kNow);
  CHECK(Begin(window, 1, 2) == "INVALID_ARGUMENT REQUEST_MISMATCH");
  CHECK(Begin(window, 1, 1) == "known");
}

TEST_CASE("without any answer an id is unused again, whatever the next digest") {
  RequestWindow window(kClient, 1);
  CHECK(Begin(window, 1, 1) == "fresh");
  const auto growth = window.End(1, {}, kNow);
  CHECK(growth.requests == 0);
  CHECK(growth.bytes == 0);
  CHECK(window.size() == 0);
  CHECK(Begin(window, 1, 2) == "fresh");
  window.Abandon(1);
  CHECK_FALSE(window.busy());
  CHECK(Begin(window, 1, 3) == "fresh");
}

TEST_CASE("later answers join the earlier ones, in place of those of the same operation") {
  RequestWindow window(kClient, 1);
  Begin(window, 1);
  window.End(1, Answers({Answer(Kind::kReceipt, 0), Answer(Kind::kPerhaps, 2)}), kNow);
  Begin(window, 1);
  window.End(1, Answers({Answer(Kind::kReceipt, 2), Answer(Kind::kFailure, 3)}), kNow);
  Begin(window, 1);
  const auto& answers = window.AnswersOf(1).answers;
  REQUIRE(answers.size() == 3);
  CHECK(answers[0].operation == 0);
  CHECK(answers[1].operation == 2);
  CHECK(answers[1].kind == Kind::kReceipt);
  CHECK(answers[2].kind == Kind::kFailure);
}

TEST_CASE("the failure of a whole batch takes the place of what was perhaps done") {
  RequestWindow window(kClient, 1);
  Begin(window, 1);
  window.End(1, Answers({Answer(Kind::kPerhaps)}), kNow);
  Begin(window, 1);
  window.End(1, Answers({Answer(Kind::kWholeFailure, 4)}), kNow);
  Begin(window, 1);
  REQUIRE(window.AnswersOf(1).answers.size() == 1);
  CHECK(window.AnswersOf(1).answers[0].kind == Kind::kWholeFailure);
}

TEST_CASE("bytes are those of receipts, of failures, and a fixed part") {
  RequestWindow window(kClient, 1);
  Begin(window, 1);
  const auto first = window.End(1, Answers({Answer(Kind::kReceipt)}, 50), kNow);
  CHECK(first.requests == 1);
  CHECK(first.bytes == static_cast<int64_t>(RequestWindow::kBytesPerRequest) + 50);
  Begin(window, 1);
  const auto second = window.End(1, Answers({Answer(Kind::kFailure, 1)}, 0), kNow);
  CHECK(second.requests == 0);
  CHECK(second.bytes == 2);  // "no".
  CHECK(window.bytes() == RequestWindow::kBytesPerRequest + 52);
  CHECK(window.Clear().bytes == RequestWindow::kBytesPerRequest + 52);
  CHECK(window.bytes() == 0);
}

TEST_CASE("below the floor nothing is known any more") {
  RequestWindow window(kClient, 10);
  CHECK(Begin(window, 9) == "OUT_OF_RANGE REQUEST_TOO_OLD");
  CHECK(Begin(window, 10) == "fresh");
}

TEST_CASE("the floor rises over what is old and exceeds the number to keep, both") {
  RequestWindow window(kClient, 1);
  Answer(window, 1, 5, kNow);
  Answer(window, 6, 10, kNow + 10);
  CHECK(window.RaiseFloor(kNow - 1, 0, 100) == 1);
  CHECK(window.RaiseFloor(kNow, 8, 100) == 3);
  CHECK(Begin(window, 2) == "OUT_OF_RANGE REQUEST_TOO_OLD");
  CHECK(window.size() == 10);
  CHECK(window.RaiseFloor(kNow, 0, 100) == 3);  // Those below it are still there.
  CHECK(Names(window.TakeBelowFloor()) == "1:0@100 2:0@100");
  CHECK(window.size() == 8);
  CHECK(window.RaiseFloor(kNow, 0, 100) == 6);
  CHECK(Names(window.TakeBelowFloor()) == "3:0@100 4:0@100 5:0@100");
  CHECK(Begin(window, 6) == "known");
}

TEST_CASE("the floor stops at a request that is under way") {
  RequestWindow window(kClient, 1);
  Answer(window, 1, 2);
  Begin(window, 3);
  Begin(window, 4);
  window.End(4, Answers({Answer(Kind::kReceipt)}), kNow);
  CHECK(window.RaiseFloor(kNow, 0, 100) == 3);
  window.End(3, Answers({Answer(Kind::kReceipt)}), kNow);
  CHECK(window.TakeBelowFloor().requests == 2);
  CHECK(window.RaiseFloor(kNow, 0, 100) == 5);
}

TEST_CASE("the floor stops at a request that is older than its neighbours but answered later") {
  RequestWindow window(kClient, 1);
  Answer(window, 1, 1, kNow);
  Answer(window, 3, 3, kNow);
  Answer(window, 2, 2, kNow + 10);
  CHECK(window.RaiseFloor(kNow, 0, 100) == 2);
}

TEST_CASE("the floor rises in steps of about so many receipts") {
  RequestWindow window(kClient, 1);
  for (const uint64_t request : {1, 2, 3}) {
    Begin(window, request);
    window.End(request, Answers({Answer(Kind::kReceipt, 0), Answer(Kind::kReceipt, 1)}), kNow);
  }
  CHECK(window.RaiseFloor(kNow, 0, 3) == 3);
  CHECK(Names(window.TakeBelowFloor()) == "1:0@100 1:1@101 2:0@100 2:1@101");
}

TEST_CASE("failures have no receipt to be removed, and what was perhaps done may have one") {
  RequestWindow window(kClient, 1);
  Begin(window, 1);
  window.End(1, Answers({Answer(Kind::kFailure, 0), Answer(Kind::kPerhaps, 1)}), kNow);
  Begin(window, 2);
  window.End(2, Answers({Answer(Kind::kWholeFailure)}), kNow);
  const auto removal = window.Clear();
  CHECK(Names(removal) == "1:1@101");
  CHECK(removal.requests == 2);
}

TEST_CASE("receipts that are found at start are known, those below the floor are not taken") {
  RequestWindow window(kClient, 5);
  const ReceiptHead head{.digest = Digest(1), .time = kNow};
  CHECK_FALSE(window.Adopt({.client = kClient, .request = 4}, head, 60));
  CHECK(window.Adopt({.client = kClient, .request = 6, .operation = 0, .route = 7}, head, 60));
  CHECK(window.Adopt({.client = kClient, .request = 6, .operation = 3, .route = 8}, head, 40));
  CHECK(window.bytes() == RequestWindow::kBytesPerRequest + 100);
  CHECK(Begin(window, 6, 2) == "INVALID_ARGUMENT REQUEST_MISMATCH");
  CHECK(Begin(window, 6, 1) == "known");
  CHECK(window.AnswersOf(6).answers.size() == 2);
  window.End(6, {}, kNow + 5);
  CHECK(window.RaiseFloor(kNow, 0, 100) == 7);
  CHECK(Names(window.TakeBelowFloor()) == "6:0@7 6:3@8");
}

}  // namespace
}  // namespace tarn::storage
