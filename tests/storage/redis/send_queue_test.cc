#include "storage/redis/send_queue.h"

#include <future>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "storage/redis/command.h"
#include "tests/catch.h"
#include "tests/storage/redis/support/fake_redis.h"
#include "tests/storage/redis/support/subject.h"

namespace tarn::storage::redis {
namespace {

using Added = SendQueue::Added;

Added Put(SendQueue& queue, absl::Span<const absl::string_view> words) {
  return queue.Add(CommandKind::kWrite, FormatCommand(words), [](Answer&) {});
}

std::vector<std::string> Commands(SendQueue& queue) {
  std::vector<std::string> commands;
  for (const Request& request : queue.Take()) commands.push_back(request.command);
  return commands;
}

std::string Text(absl::Span<const absl::string_view> words) { return FormatCommand(words); }

TEST_CASE("commands go out in the order in which they came") {
  SendQueue queue;
  CHECK(Put(queue, {"SET", "a", "1"}) == Added::kFirst);
  CHECK(Put(queue, {"GET", "a"}) == Added::kBehindOthers);
  CHECK(Commands(queue) == std::vector<std::string>{Text({"SET", "a", "1"}), Text({"GET", "a"})});
  CHECK(queue.bytes() == 0);
  CHECK(Put(queue, {"GET", "a"}) == Added::kFirst);
}

TEST_CASE("members of the same set are added by one command, before the values behind it") {
  SendQueue queue;
  CHECK(Put(queue, {"ZADD", "s", "0", "a"}) == Added::kFirst);
  CHECK(Put(queue, {"SET", "a", "1", "GET"}) == Added::kBehindOthers);
  CHECK(Put(queue, {"ZADD", "other", "0", "b"}) == Added::kBehindOthers);
  CHECK(Put(queue, {"ZADD", "s", "7", "c\r\n"}) == Added::kJoined);
  CHECK(Put(queue, {"SET", "c\r\n", "1", "GET"}) == Added::kBehindOthers);
  CHECK(Put(queue, {"ZADD", "s", "0", ""}) == Added::kJoined);
  CHECK(Commands(queue) ==
        std::vector<std::string>{Text({"ZADD", "s", "0", "a", "7", "c\r\n", "0", ""}),
                                 Text({"SET", "a", "1", "GET"}), Text({"ZADD", "other", "0", "b"}),
                                 Text({"SET", "c\r\n", "1", "GET"})});
}

TEST_CASE("members of the same list are appended by one command, in their order") {
  SendQueue queue;
  CHECK(Put(queue, {"RPUSH", "l", "a"}) == Added::kFirst);
  CHECK(Put(queue, {"SET", "a", "1", "GET"}) == Added::kBehindOthers);
  CHECK(Put(queue, {"RPUSH", "l", "b\r\n"}) == Added::kJoined);
  CHECK(Put(queue, {"ZADD", "l", "0", "a"}) == Added::kBehindOthers);
  CHECK(Put(queue, {"RPUSH", "l", ""}) == Added::kJoined);
  CHECK(Put(queue, {"RPUSH", "l", "c", "d"}) == Added::kBehindOthers);
  CHECK(Commands(queue) == std::vector<std::string>{Text({"RPUSH", "l", "a", "b\r\n", ""}),
                                                    Text({"SET", "a", "1", "GET"}),
                                                    Text({"ZADD", "l", "0", "a"}),
                                                    Text({"RPUSH", "l", "c", "d"})});
}

TEST_CASE("nothing is joined past a command that may look into a set or take something out") {
  for (const char* between : {"EVALSHA", "ZREM", "DEL", "ZRANGEBYLEX", "UNLINK", "SETRANGE"}) {
    INFO(between);
    SendQueue queue;
    Put(queue, {"ZADD", "s", "0", "a"});
    Put(queue, {between, "s", "x"});
    CHECK(Put(queue, {"ZADD", "s", "0", "b"}) == Added::kBehindOthers);
    CHECK(Put(queue, {"ZADD", "s", "0", "c"}) == Added::kJoined);
    CHECK(queue.Take().size() == 3);
  }
}

TEST_CASE("what was taken to be sent is not joined any more") {
  SendQueue queue;
  Put(queue, {"ZADD", "s", "0", "a"});
  queue.Take();
  CHECK(Put(queue, {"ZADD", "s", "0", "b"}) == Added::kFirst);
}

TEST_CASE("a ZADD of several members, or with options, stays alone") {
  SendQueue queue;
  Put(queue, {"ZADD", "s", "0", "a", "0", "b"});
  CHECK(Put(queue, {"ZADD", "s", "0", "c"}) == Added::kBehindOthers);
  CHECK(Put(queue, {"ZADD", "s", "NX", "0", "d"}) == Added::kBehindOthers);
}

TEST_CASE("one command adds so many members and no more") {
  SendQueue queue;
  for (size_t i = 0; i < 2 * SendQueue::kMaxMembers; ++i) {
    Put(queue, {"ZADD", "s", "0", absl::StrCat(i)});
  }
  const std::vector<Request> requests = queue.Take();
  REQUIRE(requests.size() == 2);
  CHECK(requests[0].others.size() + 1 == SendQueue::kMaxMembers);
  CHECK(requests[1].others.size() + 1 == SendQueue::kMaxMembers);
}

// Three ZADDs that wait together, answered by these bytes: what each of them is told, and how many
// commands there were.
std::string Joined(const std::string& answer, size_t request_bytes = testing::FakeRedis::kUncut) {
  testing::FakeRedis::Script script;
  script.answer = [answer](const testing::FakeRedis::Command&) { return answer; };
  script.request_bytes = request_bytes;
  const testing::FakeRedis fake(script);
  testing::Subject subject(testing::To(fake));
  std::vector<std::future<std::string>> told;
  for (const char* member : {"a", "b", "c"})
    told.push_back(subject.Send({"ZADD", "s", "0", member}));
  std::string text;
  for (std::future<std::string>& one : told) absl::StrAppend(&text, testing::Await(one), ", ");
  return absl::StrCat(text, fake.commands());
}

TEST_CASE("commands that were joined are answered alike, each once") {
  CHECK(Joined(":3\r\n") == "(integer) 3, (integer) 3, (integer) 3, 1");
  CHECK(Joined("-OOM command not allowed\r\n") == "OOM: not done, OOM: not done, OOM: not done, 1");
  CHECK(Joined("-MOVED 1 h:1\r\n") == "MOVED: not done, MOVED: not done, MOVED: not done, 1");
}

TEST_CASE("commands that were joined are lost together") {
  CHECK(Joined(":3\r\n", 20) ==
        "connection lost: unknown, connection lost: unknown, connection lost: unknown, 0");
  CHECK(Joined("+what\r\n") ==
        "unexpected reply: unknown, unexpected reply: unknown, unexpected reply: unknown, 1");
}

}  // namespace
}  // namespace tarn::storage::redis
