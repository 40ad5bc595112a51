#include "server/rpc/pipeline_codec.h"

#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "tests/catch.h"
#include "tests/server/rpc/fakes.h"

namespace tarn::server {
namespace {

using Operation = tarn::v1::Operation;
using Request = tarn::v1::PipelineRequest;
using storage::OperationKind;

Request SomeRequest() {
  Request request;
  request.set_batch_id(300);
  request.set_namespace_("orders");
  request.set_mode(tarn::v1::BATCH_MODE_ATOMIC);
  request.add_operations()->set_key("a");
  request.add_operations()->mutable_get();
  return request;
}

// What the view understood of the bytes, as the message they stand for.
Request Understood(const PipelineRequestView& view) {
  Request request;
  request.set_batch_id(view.batch_id());
  request.set_namespace_(std::string(view.ns()));
  request.set_mode(view.mode());
  for (const absl::string_view operation : view.operations()) {
    REQUIRE(request.add_operations()->ParseFromArray(operation.data(),
                                                     static_cast<int>(operation.size())));
  }
  if (const auto& lock = view.fence().lock) {
    request.mutable_fence()->set_lock(std::string(lock->name));
    request.mutable_fence()->set_token(lock->token);
  }
  if (const auto& group = view.fence().group) {
    request.mutable_group_epoch()->set_group(std::string(group->name));
    request.mutable_group_epoch()->set_epoch(group->token);
  }
  request.set_client_id(view.id().client);
  request.set_request_id(view.id().request);
  return request;
}

void CheckUnderstood(const std::string& bytes, const Request& expected) {
  PipelineRequestView view;
  REQUIRE(view.Parse(bytes));
  CHECK(Understood(view).SerializeAsString() == expected.SerializeAsString());
}

TEST_CASE("a request is understood as Protocol Buffers would") {
  const Request request = SomeRequest();
  CheckUnderstood(request.SerializeAsString(), request);
  CheckUnderstood("", Request());
}

TEST_CASE("a request of a newer client is understood as far as it can be") {
  // Field 15, a varint, in front; field 9, a string, behind.
  CheckUnderstood(std::string("\x78\x05") + SomeRequest().SerializeAsString() + "\x4a\x01x",
                  SomeRequest());
}

Request FencedRequest(const std::string& lock) {
  Request request = SomeRequest();
  request.mutable_fence()->set_lock(lock);
  request.mutable_fence()->set_token(uint64_t{7} << 40);
  request.mutable_group_epoch()->set_group("workers");
  request.mutable_group_epoch()->set_epoch(3);
  return request;
}

TEST_CASE("a fence and an epoch are understood, whatever the lock's name") {
  for (const char* lock : {"leader", "",
                           "l\xc3\xb6"
                           "ck"})
    CheckUnderstood(FencedRequest(lock).SerializeAsString(), FencedRequest(lock));
  Request empty;
  empty.mutable_fence();
  CheckUnderstood(empty.SerializeAsString(), empty);
}

TEST_CASE("the ids of a client and of its request are understood, and half of them too") {
  Request request = FencedRequest("leader");
  request.set_client_id(uint64_t{9} << 40);
  CheckUnderstood(request.SerializeAsString(), request);
  request.set_request_id(129);
  CheckUnderstood(request.SerializeAsString(), request);
  request.clear_client_id();
  CheckUnderstood(request.SerializeAsString(), request);
  // The largest number there is, and one that is longer than any number may be.
  PipelineRequestView view;
  REQUIRE(view.Parse("\xb0\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"));
  CHECK(view.id().client == std::numeric_limits<uint64_t>::max());
  CHECK_FALSE(view.Parse("\xb0\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"));
  CHECK(view.id().client == 0);
}

TEST_CASE("a fence that comes in two parts is put together") {
  Request first;
  first.mutable_fence()->set_lock("leader");
  Request second;
  second.mutable_fence()->set_token(5);
  Request both = first;
  both.mutable_fence()->set_token(5);
  CheckUnderstood(first.SerializeAsString() + second.SerializeAsString(), both);
}

TEST_CASE("a fence of a newer client is understood as far as it can be") {
  // Fence (field 20) with a field 9 in it.
  CheckUnderstood(std::string("\xa2\x01\x04\x10\x05\x48\x01", 7), [] {
    Request request;
    request.mutable_fence()->set_token(5);
    return request;
  }());
}

TEST_CASE("a lock's name that is no text makes the request none") {
  PipelineRequestView view;
  CHECK_FALSE(view.Parse(std::string("\xa2\x01\x03\x0a\x01\xff", 6)));
  CHECK_FALSE(view.Parse(std::string("\xa2\x01\x05\x0a\x01", 5)));
  CHECK(view.fence().empty());
}

TEST_CASE("of a field that comes twice the last counts") {
  Request request = SomeRequest();
  request.set_batch_id(7);
  CheckUnderstood(SomeRequest().SerializeAsString() + "\x08\x07", request);
}

TEST_CASE("a number may be written longer than it need be") {
  Request request;
  request.set_batch_id(1);
  CheckUnderstood(std::string("\x08\x81\x80\x00", 4), request);
}

TEST_CASE("a mode that is not known is kept as it is") {
  Request request;
  request.set_mode(static_cast<tarn::v1::BatchMode>(-3));
  CheckUnderstood(request.SerializeAsString(), request);
}

TEST_CASE("bytes that are no request are refused, wherever they break off") {
  const std::string bytes = SomeRequest().SerializeAsString();
  for (size_t size = 0; size <= bytes.size(); ++size) {
    const std::string part = bytes.substr(0, size);
    CAPTURE(size);
    CHECK(PipelineRequestView().Parse(part) == Request().ParseFromString(part));
  }
}

TEST_CASE("of bytes that are no request, the id that came before is kept") {
  PipelineRequestView view;
  CHECK_FALSE(view.Parse("\x08\x07\x22\x7f"));
  CHECK(view.batch_id() == 7);
  CHECK(view.operations().empty());
}

TEST_CASE("a view that is used again has nothing of before") {
  PipelineRequestView view;
  Request full = FencedRequest("leader");
  full.set_client_id(1);
  full.set_request_id(2);
  REQUIRE(view.Parse(full.SerializeAsString()));
  REQUIRE(view.Parse(""));
  CHECK(Understood(view).SerializeAsString().empty());
}

TEST_CASE("plain operations are decoded in place") {
  Operation message;
  message.set_key("key");
  message.mutable_put()->set_value("value");
  std::string bytes = message.SerializeAsString();
  storage::Operation operation;
  REQUIRE(DecodePlainOperation(bytes, operation));
  CHECK(operation.kind == OperationKind::kPut);
  CHECK(operation.key == "key");
  CHECK(operation.value == "value");
  CHECK(operation.key.data() > bytes.data());
  CHECK(operation.key.data() < bytes.data() + bytes.size());

  message.mutable_get();
  REQUIRE(DecodePlainOperation(bytes = message.SerializeAsString(), operation));
  CHECK(operation.kind == OperationKind::kGet);
  message.mutable_delete_();
  REQUIRE(DecodePlainOperation(bytes = message.SerializeAsString(), operation));
  CHECK(operation.kind == OperationKind::kDelete);
  message.mutable_take();
  REQUIRE(DecodePlainOperation(bytes = message.SerializeAsString(), operation));
  CHECK(operation.kind == OperationKind::kTake);
  message.mutable_put();
  REQUIRE(DecodePlainOperation(bytes = message.SerializeAsString(), operation));
  CHECK(operation.value.empty());
}

TEST_CASE("whatever is not plain is left to Protocol Buffers") {
  storage::Operation operation;
  Operation message;
  message.set_key("k");
  CHECK_FALSE(DecodePlainOperation(message.SerializeAsString(), operation));  // No action.
  message.mutable_get();
  message.mutable_precondition()->set_present(true);
  CHECK_FALSE(DecodePlainOperation(message.SerializeAsString(), operation));
  message.clear_precondition();
  message.mutable_put()->mutable_ttl()->set_never(true);
  CHECK_FALSE(DecodePlainOperation(message.SerializeAsString(), operation));
  message.mutable_increment();
  CHECK_FALSE(DecodePlainOperation(message.SerializeAsString(), operation));
  message.mutable_get();
  message.clear_key();
  CHECK_FALSE(DecodePlainOperation(message.SerializeAsString(), operation));
  message.set_key("k");
  const std::string get = message.SerializeAsString();
  CHECK_FALSE(DecodePlainOperation(get + get, operation));
  CHECK_FALSE(DecodePlainOperation(get + "\x78\x05", operation));  // A field of a newer client.
  CHECK_FALSE(DecodePlainOperation("", operation));
  for (size_t size = 0; size < get.size(); ++size)
    CHECK_FALSE(DecodePlainOperation(absl::string_view(get).substr(0, size), operation));
}

storage::OperationResult Result(uint64_t number) {
  storage::OperationResult result;
  result.found = number % 2 == 1;
  result.revision = number;
  result.deadline = static_cast<base::UnixMs>(number);
  result.number = -static_cast<int64_t>(number);
  result.size = number;
  return result;
}

TEST_CASE("an answer is encoded as Protocol Buffers would") {
  storage::BatchResult result;
  const std::string value(130, 'v');  // Longer than a length of one byte can say.
  for (const uint64_t number : {uint64_t{0}, uint64_t{1}, uint64_t{127}, uint64_t{128},
                                uint64_t{1} << 40, uint64_t{std::numeric_limits<int64_t>::max()}}) {
    result.results.push_back(Result(number));
    if (number > 100) result.results.back().value = value;
    result.results.back().replayed = number % 2 == 0;
  }
  result.revision = 99;

  tarn::v1::PipelineResponse expected;
  expected.set_batch_id(1 << 14);
  expected.set_revision(99);
  for (const storage::OperationResult& one : result.results) {
    auto* message = expected.add_results();
    message->set_found(one.found);
    message->set_value(std::string(one.value));
    message->set_revision(one.revision);
    message->set_expire_time_ms(one.deadline);
    message->set_number(one.number);
    message->set_size_bytes(one.size);
    message->set_replayed(one.replayed);
  }
  CHECK(std::string(EncodePipelineResponse(1 << 14, result).view()) ==
        expected.SerializeAsString());
}

}  // namespace
}  // namespace tarn::server
