#include "storage/redis/reply_parser.h"

#include <random>
#include <string>
#include <vector>

#include "storage/redis/command.h"
#include "tests/catch.h"
#include "tests/support/status.h"

namespace tarn::storage::redis {
namespace {

using testing::Value;
using Kind = ReplyView::Kind;

// Feeds the bytes in pieces of `step` and gives the replies, or the first error.
absl::StatusOr<std::vector<Reply>> ParseAll(const std::string& bytes, size_t step,
                                            const ReplyLimits& limits = {}) {
  ReplyParser parser(limits);
  std::vector<Reply> replies;
  for (size_t at = 0; at < bytes.size(); at += step) {
    if (absl::Status fed = parser.Feed(absl::string_view(bytes).substr(at, step)); !fed.ok()) {
      return fed;
    }
    for (;;) {
      absl::StatusOr<std::optional<Reply>> reply = parser.Next();
      if (!reply.ok()) return reply.status();
      if (!reply->has_value()) break;
      replies.push_back(*std::move(*reply));
    }
  }
  return replies;
}

std::string Error(const std::string& bytes, const ReplyLimits& limits = {}) {
  return testing::Brief(ParseAll(bytes, bytes.size(), limits));
}

const std::string kMalformed = "INTERNAL ENGINE_ERROR";

TEST_CASE("every kind of reply is read, wherever the bytes are cut") {
  const std::string bytes =
      "+OK\r\n-ERR no\r\n:-42\r\n$4\r\na\r\nb\r\n$-1\r\n"
      "*3\r\n:1\r\n*-1\r\n*1\r\n$0\r\n\r\n*0\r\n";
  for (size_t step = 1; step <= bytes.size(); ++step) {
    const std::vector<Reply> replies = Value(ParseAll(bytes, step));
    REQUIRE(replies.size() == 7);
    CHECK(replies[0].view().kind() == Kind::kStatus);
    CHECK(replies[0].view().text() == "OK");
    CHECK(replies[1].view().kind() == Kind::kError);
    CHECK(replies[1].view().text() == "ERR no");
    CHECK(replies[2].view().integer() == -42);
    CHECK(replies[3].view().text() == "a\r\nb");
    CHECK(replies[4].view().kind() == Kind::kNil);
    const ReplyView array = replies[5].view();
    REQUIRE(array.size() == 3);
    CHECK(array[0].integer() == 1);
    CHECK(array[1].kind() == Kind::kNil);
    CHECK(array[2][0].text().empty());
    CHECK(replies[6].view().size() == 0);
  }
}

TEST_CASE("a part of a reply is no reply") {
  const std::string bytes = "*2\r\n$3\r\nabc\r\n:1\r\n";
  for (size_t size = 1; size < bytes.size(); ++size) {
    CHECK(Value(ParseAll(bytes.substr(0, size), size)).empty());
  }
}

TEST_CASE("bytes that are no reply are an error") {
  for (const std::string bytes : {"?\r\n", "hello\r\n", "$x\r\n", "$-2\r\n", "*-2\r\n", ":x\r\n",
                                  "$99999999999999999999\r\n", "*99999999999999999999\r\n"}) {
    INFO(bytes);
    CHECK(Error(bytes) == kMalformed);
  }
}

TEST_CASE("an array that claims more elements than allowed is refused before it costs memory") {
  const ReplyLimits limits = {.max_elements = 10};
  CHECK(Error("*10\r\n", limits) == "OK");
  CHECK(Error("*11\r\n", limits) == kMalformed);
  CHECK(Error("*2147483647\r\n") == kMalformed);
  // All arrays of a reply share the limit; the next reply has its own.
  CHECK(Error("*2\r\n*8\r\n", limits) == "OK");
  CHECK(Error("*2\r\n*9\r\n", limits) == kMalformed);
  CHECK(Error("*1\r\n:1\r\n*10\r\n", limits) == "OK");
}

TEST_CASE("arrays that are nested deeper than allowed are refused") {
  std::string nested;
  for (int i = 0; i < 7; ++i) nested += "*1\r\n";
  CHECK(Error(nested) == "OK");
  CHECK(Error(nested + "*1\r\n") == kMalformed);
  CHECK(Error("*1\r\n*1\r\n", {.max_depth = 1}) == kMalformed);
}

TEST_CASE("a reply that grows longer than allowed is refused") {
  const ReplyLimits limits = {.max_bytes = 20};
  CHECK(Error("$12\r\nabcdefghijkl\r\n", limits) == "OK");
  CHECK(Error("$2000000000\r\nabcdefghijklm", limits) == kMalformed);
  CHECK(testing::Brief(ParseAll("$2000000000\r\nabcdefghijklm", 1, limits)) == kMalformed);
  // What was read is not counted any more.
  CHECK(testing::Brief(ParseAll("$4\r\nabcd\r\n$4\r\nabcd\r\n$4\r\nabcd\r\n", 10, limits)) == "OK");
}

TEST_CASE("any bytes at all are replies or an error") {
  std::minstd_rand random(testing::Seed());
  const std::vector<std::string> pieces = {"*", "$", ":", "+",  "-",  "1",  "9", "\r\n", "\r\n",
                                           "x", "0", "7", "-1", "\r", "\n", "%", "~",    "_"};
  for (int i = 0; i < 20'000; ++i) {
    std::string bytes;
    for (auto count = random() % 20; count > 0; --count) bytes += pieces[random() % pieces.size()];
    const auto replies = ParseAll(bytes, 1 + random() % 8, {.max_elements = 1000});
    if (!replies.ok()) CHECK(testing::Brief(replies) == kMalformed);
  }
}

TEST_CASE("a command is an array of its words, whatever bytes they hold") {
  CHECK(FormatCommand({"GET", "k"}) == "*2\r\n$3\r\nGET\r\n$1\r\nk\r\n");
  CHECK(FormatCommand({"SET", "", absl::string_view("\0\r\n", 3)}) ==
        std::string("*3\r\n$3\r\nSET\r\n$0\r\n\r\n$3\r\n\0\r\n\r\n", 28));
  CHECK(FormatCommand({absl::string_view()}) == "*1\r\n$0\r\n\r\n");
}

}  // namespace
}  // namespace tarn::storage::redis
