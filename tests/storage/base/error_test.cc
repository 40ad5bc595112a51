#include "storage/base/error.h"

#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "storage/base/status.h"
#include "tests/catch.h"
#include "tests/support/status.h"

namespace tarn::base {
namespace {

using testing::Brief;

// The names the contract documents, without their prefix and UNSPECIFIED.
std::set<std::string> DocumentedReasons() {
  const char* const source = std::getenv("TARN_SOURCE_DIR");
  std::ifstream file(absl::StrCat(source == nullptr ? "." : source, "/proto/tarn/v1/errors.proto"));
  std::set<std::string> names;
  for (std::string line; std::getline(file, line);) {
    absl::string_view rest = line;
    if (!absl::ConsumePrefix(&rest, "  ERROR_REASON_")) continue;
    const std::string name(rest.substr(0, rest.find(' ')));
    if (name != "UNSPECIFIED") names.insert(name);
  }
  return names;
}

TEST_CASE("every documented reason is a reason, and every reason is documented") {
  std::set<std::string> names;
  for (int i = 1; i <= static_cast<int>(Reason::kReceiptsFull); ++i) {
    names.emplace(ReasonName(static_cast<Reason>(i)));
  }
  CHECK(names == DocumentedReasons());
}

TEST_CASE("a reason and its name lead to each other") {
  for (int i = 0; i <= static_cast<int>(Reason::kReceiptsFull); ++i) {
    const auto reason = static_cast<Reason>(i);
    CHECK(ReasonFromName(ReasonName(reason)) == reason);
  }
  CHECK(ReasonName(Reason::kNone).empty());
  CHECK(ReasonName(Reason::kRevisionMismatch) == "REVISION_MISMATCH");
  CHECK(ReasonFromName("NO_SUCH_REASON") == Reason::kNone);
}

TEST_CASE("an error carries code, reason and message") {
  const absl::Status status =
      MakeError(absl::StatusCode::kAborted, Reason::kRevisionMismatch, "it is 7");
  CHECK(Brief(status) == "ABORTED REVISION_MISMATCH");
  CHECK(status.message() == "it is 7");
}

TEST_CASE("an error made elsewhere has no reason") {
  CHECK(ReasonOf(absl::OkStatus()) == Reason::kNone);
  CHECK(ReasonOf(absl::InternalError("x")) == Reason::kNone);
  CHECK(ReasonOf(MakeError(absl::StatusCode::kInternal, Reason::kNone, "x")) == Reason::kNone);
}

TEST_CASE("a context comes before the message and keeps code and reason") {
  const absl::Status status =
      MakeError(absl::StatusCode::kDataLoss, Reason::kDataLoss, "a bit flipped");
  const absl::Status annotated = Annotate(status, "DATA_DIR/store");
  CHECK(Brief(annotated) == "DATA_LOSS DATA_LOSS");
  CHECK(annotated.message() == "DATA_DIR/store: a bit flipped");
  CHECK(Annotate(absl::OkStatus(), "x").ok());
}

absl::StatusOr<int> Half(int number) {
  if (number % 2 != 0) return absl::InvalidArgumentError("odd");
  return number / 2;
}

absl::StatusOr<int> Quarter(int number) {
  TARN_ASSIGN_OR_RETURN(const int half, Half(number));
  TARN_RETURN_IF_ERROR(Half(half).status());
  return half / 2;
}

TEST_CASE("the status macros pass errors up and values on") {
  CHECK(*Quarter(8) == 2);
  CHECK(Quarter(7).status().message() == "odd");
  CHECK(Quarter(6).status().message() == "odd");
}

}  // namespace
}  // namespace tarn::base
