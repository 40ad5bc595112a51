#include "server/rpc/conversion.h"

#include <limits>

#include "tests/catch.h"
#include "tests/support/status.h"

namespace tarn::server {
namespace {

using storage::OperationKind;
using storage::Precondition;
using storage::Ttl;
using testing::Brief;
using testing::Value;

tarn::v1::PutRequest PutWith(const tarn::v1::Precondition& precondition) {
  tarn::v1::PutRequest request;
  request.set_key("k");
  *request.mutable_precondition() = precondition;
  return request;
}

tarn::v1::PutRequest PutWith(const tarn::v1::Ttl& ttl) {
  tarn::v1::PutRequest request;
  request.set_key("k");
  *request.mutable_ttl() = ttl;
  return request;
}

TEST_CASE("a unary request becomes the operation it describes") {
  tarn::v1::PutRequest put;
  put.set_key("key");
  put.set_value("value");
  put.mutable_precondition()->set_revision(7);
  put.mutable_ttl()->set_milliseconds(1500);
  const storage::Operation operation = Value(ToOperation(put));
  CHECK(operation.kind == OperationKind::kPut);
  CHECK(operation.key == "key");
  CHECK(operation.value == "value");
  CHECK(operation.precondition.kind == Precondition::Kind::kRevision);
  CHECK(operation.precondition.revision == 7);
  CHECK(operation.ttl.kind == Ttl::Kind::kDuration);
  CHECK(operation.ttl.milliseconds == 1500);

  tarn::v1::IncrementRequest increment;
  increment.set_key("n");
  increment.set_delta(-3);
  CHECK(Value(ToOperation(increment)).kind == OperationKind::kAdd);
  CHECK(Value(ToOperation(increment)).delta == -3);
  CHECK(Value(ToOperation(increment)).ttl.kind == Ttl::Kind::kUnset);

  tarn::v1::AppendRequest append;
  append.set_suffix("more");
  CHECK(Value(ToOperation(append)).value == "more");
}

TEST_CASE("a precondition without a true condition is refused") {
  tarn::v1::Precondition precondition;
  CHECK(Brief(ToOperation(PutWith(precondition))) == "INVALID_ARGUMENT INVALID_PRECONDITION");
  precondition.set_absent(false);
  CHECK(Brief(ToOperation(PutWith(precondition))) == "INVALID_ARGUMENT INVALID_PRECONDITION");
  precondition.set_present(false);
  CHECK(Brief(ToOperation(PutWith(precondition))) == "INVALID_ARGUMENT INVALID_PRECONDITION");
  precondition.set_revision(0);
  CHECK(Brief(ToOperation(PutWith(precondition))) == "INVALID_ARGUMENT INVALID_PRECONDITION");
  precondition.set_absent(true);
  CHECK(Value(ToOperation(PutWith(precondition))).precondition.kind == Precondition::Kind::kAbsent);
  precondition.set_present(true);
  CHECK(Value(ToOperation(PutWith(precondition))).precondition.kind ==
        Precondition::Kind::kPresent);
}

TEST_CASE("a TTL that is set to neither alternative is refused") {
  tarn::v1::Ttl ttl;
  CHECK(Brief(ToOperation(PutWith(ttl))) == "INVALID_ARGUMENT INVALID_TTL");
  ttl.set_never(false);
  CHECK(Brief(ToOperation(PutWith(ttl))) == "INVALID_ARGUMENT INVALID_TTL");
  ttl.set_never(true);
  CHECK(Value(ToOperation(PutWith(ttl))).ttl.kind == Ttl::Kind::kNever);
}

TEST_CASE("touch without a TTL is refused") {
  tarn::v1::TouchRequest touch;
  touch.set_key("k");
  CHECK(Brief(ToOperation(touch)) == "INVALID_ARGUMENT INVALID_TTL");
}

TEST_CASE("an operation of a batch without an action that is known is refused") {
  tarn::v1::Operation message;
  message.set_key("no action");
  storage::Operation operation;
  CHECK(Brief(SetOperation(message, operation)) == "INVALID_ARGUMENT INVALID_REQUEST");
  CHECK_FALSE(KindOf(message));
}

TEST_CASE("an operation of a batch is refused for what a unary call is refused for") {
  tarn::v1::Operation message;
  message.mutable_touch();
  storage::Operation operation;
  CHECK(Brief(SetOperation(message, operation)) == "INVALID_ARGUMENT INVALID_TTL");
  CHECK(KindOf(message) == OperationKind::kTouch);
}

TEST_CASE("results stand where their operations stood, refused ones in between") {
  const std::vector<BadOperation> bad = {{.index = 0, .status = absl::InternalError("a")},
                                         {.index = 2, .status = absl::InternalError("b")},
                                         {.index = 4, .status = absl::InternalError("c")}};
  const std::vector<storage::Operation> operations(2);
  storage::BatchResult result;
  result.results.resize(2);
  result.results[0].revision = 11;
  result.results[1].status = absl::InternalError("engine");
  WireResults results;
  FillResults(result, operations, bad, {}, results);
  REQUIRE(results.size() == 5);
  CHECK(results[0].status().message() == "a");
  CHECK(results[1].revision() == 11);
  CHECK_FALSE(results[1].has_status());
  CHECK(results[2].status().message() == "b");
  CHECK(results[3].status().message() == "engine");
  CHECK(results[4].status().message() == "c");
}

TEST_CASE("every field of a result arrives") {
  storage::BatchResult result;
  result.results.resize(1);
  storage::OperationResult& one = result.results[0];
  one.found = true;
  one.value = result.arena.Copy("v");
  one.revision = 1;
  one.deadline = 2;
  one.number = 3;
  one.size = 4;
  const std::vector<storage::Operation> operations(1);
  WireResults results;
  FillResults(result, operations, {}, {}, results);
  CHECK(results[0].ShortDebugString() ==
        "found: true value: \"v\" revision: 1 expire_time_ms: 2 number: 3 size_bytes: 4");
}

TEST_CASE("a batch needs a mode that is known") {
  CHECK(Value(ToMode(tarn::v1::BATCH_MODE_ATOMIC)) == storage::BatchMode::kAtomic);
  CHECK(Value(ToMode(tarn::v1::BATCH_MODE_INDEPENDENT)) == storage::BatchMode::kIndependent);
  CHECK(Brief(ToMode(tarn::v1::BATCH_MODE_UNSPECIFIED)) == "INVALID_ARGUMENT INVALID_REQUEST");
  CHECK(Brief(ToMode(static_cast<tarn::v1::BatchMode>(77))) == "INVALID_ARGUMENT INVALID_REQUEST");
}

TEST_CASE("a scan request becomes the scan it describes") {
  tarn::v1::ScanRequest request;
  request.set_namespace_("orders");
  request.mutable_range()->set_prefix("p");
  request.set_order(tarn::v1::SCAN_ORDER_DESCENDING);
  request.set_keys_only(true);
  request.set_limit(9);
  request.set_resume_token("token");
  const storage::ScanRequest scan = Value(ToScanRequest(request, 1000));
  CHECK(scan.ns == "orders");
  CHECK(scan.bounds.prefix == "p");
  CHECK(scan.options.direction == storage::ScanDirection::kDescending);
  CHECK(scan.options.content == storage::ScanContent::kKeysOnly);
  CHECK(scan.limit == 9);
  CHECK(scan.resume_token == "token");
  CHECK(scan.chunk_bytes == 1000);
}

TEST_CASE("a scan with an unknown order or a chunk above the limit is refused") {
  tarn::v1::ScanRequest request;
  request.set_chunk_bytes(1001);
  CHECK(Brief(ToScanRequest(request, 1000)) == "INVALID_ARGUMENT INVALID_REQUEST");
  request.set_chunk_bytes(1000);
  CHECK(Value(ToScanRequest(request, 1000)).chunk_bytes == 1000);
  request.set_order(static_cast<tarn::v1::ScanOrder>(55));
  CHECK(Brief(ToScanRequest(request, 1000)) == "INVALID_ARGUMENT INVALID_REQUEST");
}

TEST_CASE("the outcome of an operation is counted as what it was") {
  storage::OperationResult result;
  CHECK(OutcomeOf(result) == OperationOutcome::kMiss);
  result.found = true;
  CHECK(OutcomeOf(result) == OperationOutcome::kHit);
  result.status = base::MakeError(absl::StatusCode::kAborted, base::Reason::kRevisionMismatch, "");
  CHECK(OutcomeOf(result) == OperationOutcome::kPrecondition);
  result.status = base::MakeError(absl::StatusCode::kInternal, base::Reason::kEngineError, "");
  CHECK(OutcomeOf(result) == OperationOutcome::kFailed);
}

tarn::v1::Namespace WithTtl(int64_t milliseconds) {
  tarn::v1::Namespace message;
  message.mutable_default_ttl()->set_milliseconds(milliseconds);
  return message;
}

TEST_CASE("settings of a namespace are checked") {
  CHECK(Brief(ToSettings(WithTtl(0))) == "INVALID_ARGUMENT INVALID_TTL");
  CHECK(Brief(ToSettings(WithTtl(-1))) == "INVALID_ARGUMENT INVALID_TTL");
  CHECK(Value(ToSettings(WithTtl(5))).default_ttl_ms == 5);
  tarn::v1::Namespace message;
  message.mutable_default_ttl();
  CHECK(Brief(ToSettings(message)) == "INVALID_ARGUMENT INVALID_TTL");
  message.mutable_default_ttl()->set_never(false);
  CHECK(Brief(ToSettings(message)) == "INVALID_ARGUMENT INVALID_TTL");
  message.mutable_default_ttl()->set_never(true);
  CHECK(Value(ToSettings(message)).default_ttl_ms == 0);
  message.set_quota_bytes(std::numeric_limits<uint64_t>::max());
  CHECK(Brief(ToSettings(message)) == "INVALID_ARGUMENT INVALID_REQUEST");
  message.set_quota_bytes(10);
  message.set_quota_entries(std::numeric_limits<uint64_t>::max());
  CHECK(Brief(ToSettings(message)) == "INVALID_ARGUMENT INVALID_REQUEST");
  message.set_quota_entries(20);
  message.set_placement(static_cast<tarn::v1::Placement>(9));
  CHECK(Brief(ToSettings(message)) == "INVALID_ARGUMENT INVALID_REQUEST");
  message.set_placement(tarn::v1::PLACEMENT_TOGETHER);
  CHECK(Value(ToSettings(message)).placement == storage::Placement::kTogether);
}

// The settings {ttl 1, bytes 2, entries 3} after an update to {ttl 10, bytes 20, entries 30} with
// this mask.
std::string After(const std::vector<std::string>& mask) {
  tarn::v1::UpdateNamespaceRequest request;
  request.mutable_namespace_()->mutable_default_ttl()->set_milliseconds(10);
  request.mutable_namespace_()->set_quota_bytes(20);
  request.mutable_namespace_()->set_quota_entries(30);
  for (const std::string& path : mask) request.mutable_update_mask()->add_paths(path);
  const auto changed =
      Changed({.default_ttl_ms = 1, .quota = {.max_entries = 3, .max_bytes = 2}}, request);
  if (!changed.ok()) return Brief(changed);
  return std::to_string(changed->default_ttl_ms) + " " + std::to_string(changed->quota.max_bytes) +
         " " + std::to_string(changed->quota.max_entries);
}

TEST_CASE("an update changes the fields of its mask and no others") {
  CHECK(After({"default_ttl"}) == "10 2 3");
  CHECK(After({"quota_bytes", "quota_entries"}) == "1 20 30");
  CHECK(After({"*"}) == "10 20 30");
  CHECK(After({}) == "10 20 30");
  CHECK(After({"name"}) == "INVALID_ARGUMENT INVALID_FIELD_MASK");
  CHECK(After({"placement"}) == "INVALID_ARGUMENT INVALID_FIELD_MASK");
  CHECK(After({"default_ttl.never"}) == "INVALID_ARGUMENT INVALID_FIELD_MASK");
}

TEST_CASE(
    "a field that is named in the mask and unset is cleared, one that is only unset is kept") {
  tarn::v1::UpdateNamespaceRequest request;
  const storage::NamespaceSettings old{.default_ttl_ms = 1,
                                       .quota = {.max_entries = 3, .max_bytes = 2}};
  CHECK(Value(Changed(old, request)).quota.max_bytes == 2);
  request.mutable_update_mask()->add_paths("quota_bytes");
  CHECK(Value(Changed(old, request)).quota.max_bytes == 0);
  CHECK(Value(Changed(old, request)).default_ttl_ms == 1);
}

}  // namespace
}  // namespace tarn::server
