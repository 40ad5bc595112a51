#include "server/rpc/errors.h"

#include <cstdlib>
#include <fstream>
#include <map>
#include <regex>
#include <string>

#include "google/rpc/error_details.pb.h"
#include "tests/catch.h"

namespace tarn::server {
namespace {

using base::Reason;

constexpr int kReasons = static_cast<int>(Reason::kReceiptsFull) + 1;

std::string CodeName(absl::StatusCode code) { return absl::StatusCodeToString(code); }

// From the comments of errors.proto: the reason's name to the code its comment begins with.
std::map<std::string, std::string> DocumentedCodes() {
  std::ifstream proto(std::string(std::getenv("TARN_SOURCE_DIR")) + "/proto/tarn/v1/errors.proto");
  const std::regex first_line("  // ([A-Z_]+)\\. .*");
  const std::regex value("  ERROR_REASON_([A-Z_]+) = [0-9]+;");
  std::map<std::string, std::string> codes;
  std::string line;
  std::string code;
  std::smatch match;
  while (std::getline(proto, line)) {
    if (line.empty()) code.clear();
    if (code.empty() && std::regex_match(line, match, first_line)) code = match[1];
    if (std::regex_match(line, match, value)) codes[match[1]] = code;
  }
  return codes;
}

template <typename Detail>
std::optional<Detail> Find(const google::rpc::Status& status) {
  Detail detail;
  for (const auto& any : status.details()) {
    if (any.UnpackTo(&detail)) return detail;
  }
  return std::nullopt;
}

std::string FieldOf(const google::rpc::Status& status) {
  const auto bad = Find<google::rpc::BadRequest>(status);
  return bad ? bad->field_violations(0).field() : "(none)";
}

absl::Status Error(Reason reason) {
  return base::MakeError(CodeOf(reason), reason, "what went wrong");
}

TEST_CASE("every reason has its wire reason and the one code that errors.proto documents") {
  const auto documented = DocumentedCodes();
  REQUIRE(documented.size() == static_cast<size_t>(kReasons));  // Without kNone, with UNSPECIFIED.
  for (int i = 1; i < kReasons; ++i) {
    const auto reason = static_cast<Reason>(i);
    const std::string name(base::ReasonName(reason));
    INFO(name);
    CHECK(tarn::v1::ErrorReason_Name(ToWireReason(reason)) == "ERROR_REASON_" + name);
    REQUIRE(documented.count(name) == 1);
    CHECK(CodeName(CodeOf(reason)) == documented.at(name));
  }
}

TEST_CASE("every wire reason has its reason") {
  for (const auto& [name, code] : DocumentedCodes()) {
    INFO(name);
    CHECK((name == "UNSPECIFIED" || base::ReasonFromName(name) != Reason::kNone));
  }
}

TEST_CASE("an error carries its code, message and ErrorInfo") {
  const google::rpc::Status wire = ToWire(Error(Reason::kRevisionMismatch));
  CHECK(wire.code() == static_cast<int>(absl::StatusCode::kAborted));
  CHECK(wire.message() == "what went wrong");
  const auto info = Find<google::rpc::ErrorInfo>(wire);
  REQUIRE(info);
  CHECK(info->domain() == "tarn");
  CHECK(info->reason() == "REVISION_MISMATCH");
}

TEST_CASE("the reason decides the code, whatever the error says") {
  const auto wire =
      ToWire(base::MakeError(absl::StatusCode::kInternal, Reason::kKeyNotFound, "odd"));
  CHECK(wire.code() == static_cast<int>(absl::StatusCode::kFailedPrecondition));
}

TEST_CASE("an error without a reason gets one") {
  const auto reason = [](const absl::Status& status) {
    const auto info = Find<google::rpc::ErrorInfo>(ToWire(status));
    return info ? info->reason() : "(none)";
  };
  CHECK(reason(absl::InternalError("x")) == "INTERNAL");
  CHECK(reason(absl::NotFoundError("x")) == "INTERNAL");
  CHECK(reason(absl::UnknownError("x")) == "INTERNAL");
  CHECK(reason(absl::DataLossError("x")) == "DATA_LOSS");
  CHECK(reason(absl::DeadlineExceededError("x")) == "DEADLINE_EXCEEDED");
  CHECK(reason(absl::UnimplementedError("x")) == "UNSUPPORTED");
}

TEST_CASE("a cancelled call is cancelled, and that is no reason of Tarn's") {
  const auto wire = ToWire(absl::CancelledError("x"));
  CHECK(wire.code() == static_cast<int>(absl::StatusCode::kCancelled));
  CHECK(wire.details().empty());
}

TEST_CASE("waiting is advised exactly where waiting alone may help") {
  for (int i = 1; i < kReasons; ++i) {
    const auto reason = static_cast<Reason>(i);
    INFO(std::string(base::ReasonName(reason)));
    const bool passes = CodeOf(reason) == absl::StatusCode::kUnavailable ||
                        reason == Reason::kQueueFull || reason == Reason::kTooManySnapshots ||
                        reason == Reason::kLockQueueFull || reason == Reason::kReceiptsFull;
    const auto retry = Find<google::rpc::RetryInfo>(ToWire(Error(reason)));
    CHECK(retry.has_value() == passes);
    if (retry)
      CHECK(retry->retry_delay().seconds() * 1'000'000'000 + retry->retry_delay().nanos() > 0);
  }
}

TEST_CASE("an invalid argument names the field of a unary request") {
  CHECK(FieldOf(ToWire(Error(Reason::kKeyTooLarge))) == "key");
  CHECK(FieldOf(ToWire(Error(Reason::kInvalidTtl))) == "ttl");
  CHECK(FieldOf(ToWire(Error(Reason::kInvalidPrecondition))) == "precondition");
  CHECK(FieldOf(ToWire(Error(Reason::kInvalidNamespaceName))) == "namespace");
  CHECK(FieldOf(ToWire(Error(Reason::kInvalidRange))) == "range");
  CHECK(FieldOf(ToWire(Error(Reason::kInvalidResumeToken))) == "resume_token");
  storage::Operation append;
  append.kind = storage::OperationKind::kAppend;
  CHECK(FieldOf(ToWire(Error(Reason::kValueTooLarge), {.operation = &append})) == "suffix");
  CHECK(FieldOf(ToWire(Error(Reason::kNotAnInteger))) == "(none)");
}

TEST_CASE("an invalid argument names the field of an operation") {
  storage::Operation put;
  put.kind = storage::OperationKind::kPut;
  const ErrorSite site{.index = 3, .operation = &put};
  CHECK(FieldOf(ToWire(Error(Reason::kInvalidKey), site)) == "operations[3].key");
  CHECK(FieldOf(ToWire(Error(Reason::kValueTooLarge), site)) == "operations[3].put.value");
  CHECK(FieldOf(ToWire(Error(Reason::kInvalidTtl), site)) == "operations[3].put.ttl");
  CHECK(FieldOf(ToWire(Error(Reason::kInvalidRequest), site)) == "operations[3]");
  CHECK(FieldOf(ToWire(Error(Reason::kInvalidNamespaceName), site)) == "namespace");
}

TEST_CASE("what is told can be counted: reason, and advice to try again") {
  for (int i = 1; i < kReasons; ++i) {
    const auto reason = static_cast<Reason>(i);
    const google::rpc::Status wire = ToWire(Error(reason));
    CHECK(ReasonOf(wire) == reason);
    CHECK(ReasonToTell(Error(reason)) == reason);
    CHECK(AdvisesRetry(reason) == Find<google::rpc::RetryInfo>(wire).has_value());
  }
  const absl::Status foreign = absl::DataLossError("");
  CHECK(ReasonToTell(foreign) == Reason::kDataLoss);
  CHECK(ReasonOf(ToWire(foreign)) == Reason::kDataLoss);
  const absl::Status cancelled = absl::CancelledError("");
  CHECK(ReasonToTell(cancelled) == Reason::kNone);
  CHECK(ReasonOf(ToWire(cancelled)) == Reason::kNone);
}

TEST_CASE("a field that is given explicitly wins") {
  CHECK(FieldOf(ToWire(AtField(Error(Reason::kInvalidTtl), "namespace.default_ttl"))) ==
        "namespace.default_ttl");
}

TEST_CASE("an error at a limit says which, how much and how much was asked for") {
  const storage::Limits limits;
  storage::Operation put;
  put.kind = storage::OperationKind::kPut;
  const std::string key(5000, 'k');
  put.key = key;
  const auto info = Find<google::rpc::ErrorInfo>(
      ToWire(Error(Reason::kKeyTooLarge), {.limits = &limits, .index = 1, .operation = &put}));
  REQUIRE(info);
  CHECK(info->metadata().at("limit_name") == "max_key_bytes");
  CHECK(info->metadata().at("limit") == "4096");
  CHECK(info->metadata().at("actual") == "5000");
  CHECK(info->metadata().at("operation") == "1");
}

TEST_CASE("an error about a namespace names it") {
  const auto info =
      Find<google::rpc::ErrorInfo>(ToWire(Error(Reason::kNamespaceNotFound), {.ns = "orders"}));
  REQUIRE(info);
  CHECK(info->metadata().at("namespace") == "orders");
}

}  // namespace
}  // namespace tarn::server
