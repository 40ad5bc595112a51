// LockService over the wire: what libtarn and any other client sees.
#include <signal.h>

#include <future>
#include <memory>
#include <thread>

#include "tarn/v1/lock.grpc.pb.h"
#include "tests/catch.h"
#include "tests/e2e/checkpoint_client.h"
#include "tests/e2e/raw_client.h"
#include "tests/support/daemon.h"
#include "tests/support/http_get.h"
#include "tests/support/temp_dir.h"

namespace tarn::testing {
namespace {

using v1::LockService;

constexpr const char* kFenced = "FAILED_PRECONDITION FENCED";
constexpr const char* kHeld = "FAILED_PRECONDITION LOCK_HELD_BY_ANOTHER";

struct World {
  explicit World(const std::string& engine = "memory")
      : daemon({.directory = dir.path(), .arguments = {"--engine", engine}}) {
    Connect();
  }
  void Connect() {
    raw = std::make_unique<RawClient>(daemon.grpc());
    stub = LockService::NewStub(raw->channel());
  }

  static v1::AcquireLockRequest Request(const std::string& holder, int64_t wait_ms = 0) {
    v1::AcquireLockRequest request;
    request.set_name("lock");
    request.set_holder(holder);
    request.set_ttl_ms(60'000);
    request.set_wait_ms(wait_ms);
    return request;
  }
  std::string Acquire(const std::string& holder, int64_t wait_ms = 0) {
    return raw->Call(*stub, &LockService::Stub::AcquireLock, Request(holder, wait_ms), &granted);
  }
  uint64_t Token(const std::string& holder) {
    REQUIRE(Acquire(holder) == "OK");
    return granted.token();
  }
  std::string Release(uint64_t token) {
    v1::ReleaseLockRequest request;
    request.set_name("lock");
    request.set_token(token);
    v1::ReleaseLockResponse response;
    return raw->Call(*stub, &LockService::Stub::ReleaseLock, request, &response);
  }
  v1::Lock Look() {
    v1::GetLockRequest request;
    request.set_name("lock");
    v1::GetLockResponse response;
    REQUIRE(raw->Call(*stub, &LockService::Stub::GetLock, request, &response) == "OK");
    return response.lock();
  }
  std::string PutUnder(uint64_t token) {
    return raw->Put("k", "v", [token](v1::PutRequest& request) {
      request.mutable_fence()->set_lock("lock");
      request.mutable_fence()->set_token(token);
    });
  }

  TempDir dir;
  DaemonProcess daemon;
  std::unique_ptr<RawClient> raw;
  std::unique_ptr<LockService::Stub> stub;
  v1::AcquireLockResponse granted;
};

TEST_CASE("a lock is taken, seen, kept and given back") {
  World w;
  const uint64_t token = w.Token("a");
  CHECK(w.granted.remaining_ms() > 0);
  CHECK(w.Acquire("b") == kHeld);
  const v1::Lock lock = w.Look();
  CHECK(lock.held());
  CHECK(lock.holder() == "a");
  CHECK(lock.token() == token);
  CHECK(lock.namespace_() == "default");
  v1::RenewLockRequest renew;
  renew.set_name("lock");
  renew.set_token(token);
  renew.set_ttl_ms(1'000'000);
  v1::RenewLockResponse renewed;
  CHECK(w.raw->Call(*w.stub, &LockService::Stub::RenewLock, renew, &renewed) == "OK");
  CHECK(renewed.remaining_ms() > 900'000);
  CHECK(w.Release(token + 1) == kHeld);
  CHECK(w.Release(token) == "OK");
  CHECK(w.Release(token) == "FAILED_PRECONDITION LOCK_NOT_HELD");
  CHECK_FALSE(w.Look().held());
}

TEST_CASE("an error names the holder, and the field that is wrong") {
  World w;
  const uint64_t first = w.Token("a");
  const auto context = w.raw->NewContext();
  const grpc::Status held = w.stub->AcquireLock(context.get(), World::Request("b"), &w.granted);
  CHECK(InfoOf(DetailsOf(held)).metadata().at("holder") == "a");
  w.Release(first);
  w.Token("c");
  const auto other = w.raw->NewContext();
  v1::PutRequest put;
  put.set_key("k");
  put.mutable_fence()->set_lock("lock");
  put.mutable_fence()->set_token(first);
  v1::PutResponse response;
  const grpc::Status fenced = w.raw->state().Put(other.get(), put, &response);
  CHECK(Brief(fenced) == kFenced);
  CHECK(InfoOf(DetailsOf(fenced)).metadata().at("holder") == "c");
  v1::AcquireLockRequest bad = World::Request("");
  CHECK(w.raw->Call(*w.stub, &LockService::Stub::AcquireLock, bad, &w.granted) ==
        "INVALID_ARGUMENT INVALID_LOCK holder");
  bad = World::Request("a");
  bad.set_ttl_ms(0);
  CHECK(w.raw->Call(*w.stub, &LockService::Stub::AcquireLock, bad, &w.granted) ==
        "INVALID_ARGUMENT INVALID_TTL ttl_ms");
  CHECK(w.PutUnder(0) == "INVALID_ARGUMENT INVALID_LOCK fence");
}

TEST_CASE("every write may be fenced") {
  World w;
  const uint64_t token = w.Token("a");
  const auto fenced = [&](uint64_t under, auto& request, auto method, auto response) {
    request.mutable_fence()->set_lock("lock");
    request.mutable_fence()->set_token(under);
    return w.raw->Call(w.raw->state(), method, request, &response);
  };
  using Stub = v1::StateService::Stub;
  for (const uint64_t under : {token, token + 1}) {
    const std::string expected = under == token ? "OK" : kFenced;
    v1::PutRequest put;
    put.set_key("k");
    CHECK(fenced(under, put, &Stub::Put, v1::PutResponse()) == expected);
    v1::TouchRequest touch;
    touch.set_key("k");
    touch.mutable_ttl()->set_milliseconds(100'000);
    CHECK(fenced(under, touch, &Stub::Touch, v1::TouchResponse()) == expected);
    v1::AppendRequest append;
    append.set_key("a");
    CHECK(fenced(under, append, &Stub::Append, v1::AppendResponse()) == expected);
    v1::IncrementRequest increment;
    increment.set_key("n");
    CHECK(fenced(under, increment, &Stub::Increment, v1::IncrementResponse()) == expected);
    v1::TakeRequest take;
    take.set_key("k");
    CHECK(fenced(under, take, &Stub::Take, v1::TakeResponse()) == expected);
    v1::DeleteRequest del;
    del.set_key("k");
    CHECK(fenced(under, del, &Stub::Delete, v1::DeleteResponse()) == expected);
    v1::BatchRequest batch;
    batch.set_mode(v1::BATCH_MODE_ATOMIC);
    *batch.add_operations() = PutOp("b", "1");
    CHECK(fenced(under, batch, &Stub::Batch, v1::BatchResponse()) == expected);
    v1::DeleteRangeRequest range;
    range.set_all(true);
    CHECK(fenced(under, range, &Stub::DeleteRange, v1::DeleteRangeResponse()) == expected);
  }
}

TEST_CASE("each batch of a pipeline is fenced by itself, however the message is encoded") {
  World w;
  const uint64_t token = w.Token("a");
  const auto context = w.raw->NewContext();
  const auto stream = w.raw->state().Pipeline(context.get());
  const auto send = [&](uint64_t id, const std::string& lock, uint64_t under) {
    v1::PipelineRequest request;
    request.set_batch_id(id);
    request.set_mode(v1::BATCH_MODE_INDEPENDENT);
    *request.add_operations() = PutOp("p" + std::to_string(id), "v");
    request.mutable_fence()->set_lock(lock);
    request.mutable_fence()->set_token(under);
    stream->Write(request);
    v1::PipelineResponse response;
    REQUIRE(stream->Read(&response));
    CHECK(response.batch_id() == id);
    return response.has_status() ? Brief(response.status()) : "OK";
  };
  CHECK(send(1, "lock", token) == "OK");
  CHECK(send(2, "lock", token + 1) == kFenced);
  CHECK(send(3, "löck", token) == kFenced);
  CHECK(send(4, "", 0) == "INVALID_ARGUMENT INVALID_LOCK fence");
  CHECK(send(5, "lock", token) == "OK");
  stream->WritesDone();
  CHECK(stream->Finish().ok());
  CHECK(w.raw->All() == "p1=v p5=v");
}

TEST_CASE("a caller that goes away leaves no ghost in the queue") {
  World w;
  const uint64_t first = w.Token("a");
  for (const bool by_deadline : {true, false}) {
    grpc::ClientContext context;
    if (by_deadline)
      context.set_deadline(std::chrono::system_clock::now() + std::chrono::milliseconds(50));
    v1::AcquireLockResponse response;
    std::thread canceller;
    if (!by_deadline) {
      canceller = std::thread([&] {
        while (w.Look().queue_length() == 0) {
        }
        context.TryCancel();
      });
    }
    const grpc::Status status =
        w.stub->AcquireLock(&context, World::Request("b", 1'000'000), &response);
    if (canceller.joinable()) canceller.join();
    CHECK_FALSE(status.ok());
    while (w.Look().queue_length() > 0) {
    }
  }
  CHECK(w.Release(first) == "OK");
  CHECK_FALSE(w.Look().held());
}

TEST_CASE("whoever waits is given the lock when it is released") {
  World w;
  const uint64_t first = w.Token("a");
  auto waiting = std::async(std::launch::async, [&] {
    RawClient other(w.daemon.grpc());
    const auto stub = LockService::NewStub(other.channel());
    v1::AcquireLockResponse response;
    const std::string brief =
        other.Call(*stub, &LockService::Stub::AcquireLock, World::Request("b", 60'000), &response);
    return brief == "OK" ? response.token() : 0;
  });
  while (w.Look().queue_length() == 0) {
  }
  CHECK(w.Release(first) == "OK");
  CHECK(waiting.get() > first);
}

TEST_CASE("a server that stops does not wait for those who wait") {
  World w;
  w.Token("a");
  auto waiting = std::async(std::launch::async, [&] {
    v1::AcquireLockResponse response;
    grpc::ClientContext context;
    return Brief(w.stub->AcquireLock(&context, World::Request("b", 1'000'000), &response));
  });
  while (w.Look().queue_length() == 0) {
  }
  CHECK(w.daemon.Stop() == 0);
  CHECK(waiting.get() == "UNAVAILABLE DRAINING");
}

TEST_CASE("locks, tokens and epochs survive kill -9") {
  World w("rocksdb");
  const uint64_t token = w.Token("a");
  v1::JoinGroupRequest join;
  join.set_group("g");
  join.set_member("w");
  v1::JoinGroupResponse joined;
  REQUIRE(w.raw->Call(*w.stub, &LockService::Stub::JoinGroup, join, &joined) == "OK");
  w.daemon.Kill();
  w.daemon.Start();
  w.Connect();
  CHECK(w.Look().holder() == "a");
  CHECK(w.Look().token() == token);
  CHECK(w.PutUnder(token) == "OK");
  const auto in_group = [&](uint64_t epoch) {
    return w.raw->Put("k", "v", [&](v1::PutRequest& request) {
      request.mutable_group_epoch()->set_group("g");
      request.mutable_group_epoch()->set_epoch(epoch);
    });
  };
  CHECK(in_group(joined.epoch()) == "OK");
  const uint64_t earlier = joined.epoch();
  REQUIRE(w.raw->Call(*w.stub, &LockService::Stub::JoinGroup, join, &joined) == "OK");
  CHECK(joined.epoch() > earlier);
  CHECK(in_group(earlier) == kFenced);
  CHECK(in_group(joined.epoch()) == "OK");
  CHECK(w.Release(token) == "OK");
  CHECK(w.Token("b") > token);
}

TEST_CASE("a restore voids the grants, and tokens go on rising") {
  for (const char* engine : {"rocksdb", "memory"}) {
    World w(engine);
    CheckpointClient checkpoints(w.daemon.grpc());
    const uint64_t before = w.Token("a");
    const std::string checkpoint = checkpoints.Create();
    w.Release(before);
    const uint64_t after = w.Token("b");
    REQUIRE(checkpoints.Restore(checkpoint) == checkpoint);
    CHECK_FALSE(w.Look().held());
    CHECK(w.PutUnder(before) == kFenced);
    CHECK(w.PutUnder(after) == kFenced);
    const uint64_t later = w.Token("c");
    CHECK(later > after);
    CHECK(w.PutUnder(later) == "OK");
  }
}

TEST_CASE("a crash of the memory engine voids the grants, and tokens go on rising") {
  World w;
  const uint64_t token = w.Token("a");
  w.daemon.Kill();
  w.daemon.Start();
  w.Connect();
  CHECK_FALSE(w.Look().held());
  CHECK(w.PutUnder(token) == kFenced);
  CHECK(w.Token("b") > token);
}

TEST_CASE("an administrator takes a lock away, and that is logged") {
  World w;
  const uint64_t token = w.Token("the-holder");
  v1::ForceReleaseLockRequest request;
  request.set_name("lock");
  v1::ForceReleaseLockResponse response;
  REQUIRE(w.raw->Call(*w.stub, &LockService::Stub::ForceReleaseLock, request, &response) == "OK");
  CHECK(response.holder() == "the-holder");
  CHECK(response.token() == token);
  w.daemon.AwaitLog("the lock lock was taken away from the-holder");
  CHECK(w.PutUnder(token) == kFenced);
}

TEST_CASE("locks and groups are listed in pages") {
  World w;
  for (const char* name : {"b", "a", "c"}) {
    v1::AcquireLockRequest request = World::Request("h");
    request.set_name(name);
    REQUIRE(w.raw->Call(*w.stub, &LockService::Stub::AcquireLock, request, &w.granted) == "OK");
    v1::JoinGroupRequest join;
    join.set_group(name);
    join.set_member("m");
    v1::JoinGroupResponse joined;
    REQUIRE(w.raw->Call(*w.stub, &LockService::Stub::JoinGroup, join, &joined) == "OK");
  }
  v1::ListLocksRequest request;
  request.set_page_size(2);
  v1::ListLocksResponse page;
  REQUIRE(w.raw->Call(*w.stub, &LockService::Stub::ListLocks, request, &page) == "OK");
  REQUIRE(page.locks_size() == 2);
  CHECK(page.locks(1).name() == "b");
  request.set_page_token(page.next_page_token());
  REQUIRE(w.raw->Call(*w.stub, &LockService::Stub::ListLocks, request, &page) == "OK");
  REQUIRE(page.locks_size() == 1);
  CHECK(page.locks(0).name() == "c");
  CHECK(page.next_page_token().empty());
  request.set_page_token("made up");
  CHECK(w.raw->Call(*w.stub, &LockService::Stub::ListLocks, request, &page) ==
        "INVALID_ARGUMENT INVALID_PAGE page_token");
  v1::ListGroupsRequest groups;
  v1::ListGroupsResponse listed;
  REQUIRE(w.raw->Call(*w.stub, &LockService::Stub::ListGroups, groups, &listed) == "OK");
  CHECK(listed.groups_size() == 3);
  groups.set_page_size(-1);
  CHECK(w.raw->Call(*w.stub, &LockService::Stub::ListGroups, groups, &listed) ==
        "INVALID_ARGUMENT INVALID_PAGE page_size");
  v1::DeleteGroupRequest del;
  del.set_group("a");
  v1::DeleteGroupResponse deleted;
  REQUIRE(w.raw->Call(*w.stub, &LockService::Stub::DeleteGroup, del, &deleted) == "OK");
  CHECK(deleted.found());
  v1::GetGroupRequest get;
  get.set_group("a");
  v1::GetGroupResponse got;
  REQUIRE(w.raw->Call(*w.stub, &LockService::Stub::GetGroup, get, &got) == "OK");
  CHECK_FALSE(got.found());
}

TEST_CASE("what is held, waited for and fenced is in the metrics") {
  World w;
  const uint64_t token = w.Token("a");
  w.Acquire("b");
  w.PutUnder(token + 1);
  v1::AcquireLockRequest brief = World::Request("c");
  brief.set_name("brief");
  brief.set_ttl_ms(1);
  v1::AcquireLockResponse granted;
  w.raw->Call(*w.stub, &LockService::Stub::AcquireLock, brief, &granted);
  v1::GetLockRequest look;
  look.set_name("brief");
  v1::GetLockResponse seen;
  do {
    REQUIRE(w.raw->Call(*w.stub, &LockService::Stub::GetLock, look, &seen) == "OK");
  } while (seen.lock().held());
  const std::string page = HttpGet(w.daemon.http(), "/metrics").body;
  for (const char* line : {"tarn_locks_held 1", "tarn_lock_waiters 0",
                           "tarn_locks_acquired_total 2", "tarn_locks_expired_total 1",
                           "tarn_lock_waits_timed_out_total 1", "tarn_fenced_writes_total 1"})
    CHECK(page.find(line) != std::string::npos);
}

}  // namespace
}  // namespace tarn::testing
