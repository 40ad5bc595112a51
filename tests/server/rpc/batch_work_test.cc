#include "server/rpc/batch_work.h"

#include <string>
#include <vector>

#include "tests/catch.h"
#include "tests/server/rpc/fakes.h"

namespace tarn::server {
namespace {

using Request = tarn::v1::PipelineRequest;
using Response = tarn::v1::PipelineResponse;

// A put with a TTL, something without an action, a plain get, and something that is not a message.
std::string Mixed(tarn::v1::BatchMode mode) {
  Request request;
  request.set_mode(mode);
  auto* put = request.add_operations();
  put->set_key("put");
  put->mutable_put()->mutable_ttl()->set_milliseconds(5);
  request.add_operations()->set_key("no action");
  auto* get = request.add_operations();
  get->set_key("get");
  get->mutable_get();
  return request.SerializeAsString() + "\x22\x02\x0a\x7f";
}

std::string Brief(const google::rpc::Status& status) {
  return std::to_string(status.code()) + " " + status.message();
}

TEST_CASE("operations that are not well-formed stand aside; the others keep their order") {
  const std::string bytes = Mixed(tarn::v1::BATCH_MODE_INDEPENDENT);
  PipelineRequestView view;
  REQUIRE(view.Parse(bytes));
  BatchWork work;
  REQUIRE_FALSE(work.Prepare(view, {}));
  const storage::BatchRequest run = work.ToRun(storage::ReadOrder::kCommitted, nullptr);
  REQUIRE(run.operations.size() == 2);
  CHECK(run.operations[0].key == "put");
  CHECK(run.operations[0].ttl.milliseconds == 5);
  CHECK(run.operations[1].key == "get");

  storage::BatchResult result;
  result.results.resize(2);
  result.results[0].revision = 8;
  result.results[1].found = true;
  const auto response = testing::Decode<Response>(work.Answer(result, {}, 4));
  CHECK(response.batch_id() == 4);
  REQUIRE(response.results_size() == 4);
  CHECK(response.results(0).revision() == 8);
  CHECK(Brief(response.results(1).status()) ==
        "3 the operation has no action that this server knows");
  CHECK(response.results(2).found());
  CHECK(Brief(response.results(3).status()) == "3 the operation is not a well-formed message");
}

TEST_CASE("an atomic batch with an operation that is not well-formed fails as a whole") {
  const std::string bytes = Mixed(tarn::v1::BATCH_MODE_ATOMIC);
  PipelineRequestView view;
  REQUIRE(view.Parse(bytes));
  BatchWork work;
  const auto error = work.Prepare(view, {});
  REQUIRE(error);
  CHECK(Brief(*error) == "3 the operation has no action that this server knows");
}

TEST_CASE("a batch that failed as a whole is answered with its error alone") {
  Request request;
  request.set_mode(tarn::v1::BATCH_MODE_INDEPENDENT);
  request.add_operations()->mutable_get();
  const std::string bytes = request.SerializeAsString();
  PipelineRequestView view;
  REQUIRE(view.Parse(bytes));
  BatchWork work;
  REQUIRE_FALSE(work.Prepare(view, {}));
  storage::BatchResult result;
  result.status = absl::ResourceExhaustedError("full");
  const auto response = testing::Decode<Response>(work.Answer(result, {}, 4));
  CHECK(response.batch_id() == 4);
  CHECK(response.results().empty());
  CHECK(response.status().message() == "full");
}

TEST_CASE("work that is used again has nothing of before") {
  const std::string mixed = Mixed(tarn::v1::BATCH_MODE_INDEPENDENT);
  PipelineRequestView view;
  REQUIRE(view.Parse(mixed));
  BatchWork work;
  REQUIRE_FALSE(work.Prepare(view, {}));
  Request request;
  request.set_mode(tarn::v1::BATCH_MODE_INDEPENDENT);
  request.add_operations()->mutable_take();
  const std::string bytes = request.SerializeAsString();
  REQUIRE(view.Parse(bytes));
  REQUIRE_FALSE(work.Prepare(view, {}));
  storage::BatchResult result;
  result.results.resize(1);
  CHECK(work.ToRun(storage::ReadOrder::kCommitted, nullptr).operations.size() == 1);
  CHECK(testing::Decode<Response>(work.Answer(result, {}, 4)).results_size() == 1);
}

}  // namespace
}  // namespace tarn::server
