#include "tarn/error.h"

#include <set>
#include <string>

#include "client/src/reason_names.h"
#include "client/src/status_mapping.h"
#include "google/rpc/error_details.pb.h"
#include "tarn/v1/errors.pb.h"
#include "tests/catch.h"
#include "tests/client/fake_server.h"
#include <google/protobuf/descriptor.h>

namespace tarn {
namespace {

using testing::TarnErrorProto;

constexpr char kPrefix[] = "ERROR_REASON_";

absl::Status WithErrorInfo(absl::StatusCode code, const std::string& domain,
                           const std::string& reason) {
  google::rpc::ErrorInfo info;
  info.set_domain(domain);
  info.set_reason(reason);
  absl::Status status(code, "test");
  status.SetPayload("type.googleapis.com/google.rpc.ErrorInfo",
                    absl::Cord(info.SerializeAsString()));
  return status;
}

TEST_CASE("every reason of the contract has its value here, and no value is left over") {
  const auto* reasons = v1::ErrorReason_descriptor();
  std::set<std::string> expected;
  for (int i = 0; i < reasons->value_count(); ++i) {
    if (reasons->value(i)->number() == 0) continue;
    expected.insert(reasons->value(i)->name().substr(sizeof(kPrefix) - 1));
  }
  std::set<std::string> here;
  std::set<Reason> values;
  for (const auto& named : internal::ServerReasons()) {
    here.insert(std::string(named.name));
    values.insert(named.reason);
  }
  CHECK(here == expected);
  CHECK(values.size() == expected.size());
}

TEST_CASE("a reason's name and value lead to each other") {
  for (const auto names : {internal::ServerReasons(), internal::OwnReasons()}) {
    for (const auto& named : names) {
      CHECK(ReasonName(named.reason) == named.name);
      const absl::Status made = MakeError(absl::StatusCode::kInternal, named.reason, "x");
      CHECK(ReasonOf(made) == named.reason);
      CHECK(DetailsOf(made).reason_name == named.name);
    }
  }
  CHECK(ReasonName(Reason::kNone).empty());
}

TEST_CASE(
    "an error of somebody else has no reason, one that this version does not know is kOther") {
  CHECK(ReasonOf(absl::OkStatus()) == Reason::kNone);
  CHECK(ReasonOf(absl::UnavailableError("x")) == Reason::kNone);
  CHECK(ReasonOf(WithErrorInfo(absl::StatusCode::kAborted, "example.com", "REVISION_MISMATCH")) ==
        Reason::kNone);
  const auto newer = WithErrorInfo(absl::StatusCode::kAborted, "tarn", "MOON_TOO_BRIGHT");
  CHECK(ReasonOf(newer) == Reason::kOther);
  CHECK(DetailsOf(newer).reason_name == "MOON_TOO_BRIGHT");
}

TEST_CASE("only an error that says nothing was done rules out that a write was done") {
  using absl::StatusCode;
  struct Case {
    absl::Status status;
    bool unknown;
    bool transient;
  };
  const Case cases[] = {
      {absl::OkStatus(), false, false},
      {MakeError(StatusCode::kUnavailable, Reason::kNotReady, ""), false, true},
      {MakeError(StatusCode::kUnavailable, Reason::kNotConnected, ""), false, true},
      {WithErrorInfo(StatusCode::kUnavailable, "tarn", "SOMETHING_NEW"), false, true},
      {absl::UnavailableError("connection reset"), true, false},
      {WithErrorInfo(StatusCode::kUnavailable, "proxy.example", "X"), true, false},
      {absl::DeadlineExceededError(""), true, false},
      {MakeError(StatusCode::kDeadlineExceeded, Reason::kDeadlineExceeded, ""), true, false},
      {absl::CancelledError(""), true, false},
      {MakeError(StatusCode::kCancelled, Reason::kPipelineClosed, ""), false, false},
      {MakeError(StatusCode::kUnknown, Reason::kOutcomeUnknown, ""), true, false},
      {absl::UnknownError("no ErrorInfo"), true, false},
      {MakeError(StatusCode::kAborted, Reason::kRevisionMismatch, ""), false, false},
      {MakeError(StatusCode::kResourceExhausted, Reason::kQuotaExceeded, ""), false, false},
      {absl::InternalError(""), false, false},
      {absl::DataLossError(""), false, false},
  };
  for (const Case& c : cases) {
    INFO(c.status.ToString());
    CHECK(IsOutcomeUnknown(c.status) == c.unknown);
    CHECK(IsTransient(c.status) == c.transient);
  }
}

TEST_CASE("the particulars of an error are kept") {
  auto proto = TarnErrorProto(grpc::StatusCode::RESOURCE_EXHAUSTED, "QUEUE_FULL");
  google::rpc::ErrorInfo info;
  proto.details(0).UnpackTo(&info);
  (*info.mutable_metadata())["limit"] = "7";
  proto.mutable_details(0)->PackFrom(info);
  google::rpc::RetryInfo retry;
  retry.mutable_retry_delay()->set_seconds(1);
  retry.mutable_retry_delay()->set_nanos(1);
  proto.add_details()->PackFrom(retry);
  google::rpc::BadRequest bad;
  auto* violation = bad.add_field_violations();
  violation->set_field("operations[3].key");
  violation->set_description("is empty");
  proto.add_details()->PackFrom(bad);

  const absl::Status status = internal::FromProto(proto);
  CHECK(status.code() == absl::StatusCode::kResourceExhausted);
  const ErrorDetails details = DetailsOf(status);
  CHECK(details.reason == Reason::kQueueFull);
  CHECK(details.metadata.at("limit") == "7");
  CHECK(details.retry_after == std::chrono::milliseconds(1001));  // Rounded up.
  CHECK(details.field_violations.at("operations[3].key") == "is empty");
  CHECK(RetryAfter(status) == std::chrono::milliseconds(1001));
  CHECK(IsTransient(status));
}

TEST_CASE("an error put into a context keeps its code and particulars") {
  const auto inner = MakeError(absl::StatusCode::kAborted, Reason::kRevisionMismatch, "it is 7");
  const auto outer = internal::WithContext(inner, "Put");
  CHECK(outer.code() == absl::StatusCode::kAborted);
  CHECK(outer.message() == "Put: it is 7");
  CHECK(ReasonOf(outer) == Reason::kRevisionMismatch);
}

TEST_CASE("particulars that cannot be read, and codes that do not exist, are no reason to fail") {
  absl::Status status = absl::AbortedError("x");
  status.SetPayload("type.googleapis.com/google.rpc.ErrorInfo", absl::Cord("\xff\xff"));
  CHECK(ReasonOf(status) == Reason::kNone);
  google::rpc::Status strange;
  strange.set_code(99);
  CHECK(internal::FromProto(strange).code() == absl::StatusCode::kUnknown);
  CHECK(internal::FromProto({}).ok());
}

}  // namespace
}  // namespace tarn
