#include "storage/redis/reply_kinds.h"

#include <string>
#include <vector>

#include "storage/redis/command.h"
#include "storage/redis/scripts.h"
#include "tests/catch.h"

namespace tarn::storage::redis {
namespace {

using Kind = ReplyView::Kind;

// Which kinds may answer it, as a word of their first letters.
std::string KindsOf(const std::vector<absl::string_view>& words) {
  const ReplyKinds kinds = KindsOfReply(FormatCommand(words));
  std::string letters;
  if (kinds.Has(Kind::kStatus)) letters += 'O';
  if (kinds.Has(Kind::kInteger)) letters += 'i';
  if (kinds.Has(Kind::kString)) letters += 's';
  if (kinds.Has(Kind::kNil)) letters += 'n';
  if (kinds.Has(Kind::kArray)) letters += 'a';
  return letters;
}

TEST_CASE("a command has replies of its own kinds") {
  CHECK(KindsOf({"GET", "k"}) == "sn");
  CHECK(KindsOf({"MGET", "k", "l"}) == "a");
  CHECK(KindsOf({"GETRANGE", "k", "0", "16"}) == "s");
  CHECK(KindsOf({"STRLEN", "k"}) == "i");
  CHECK(KindsOf({"SET", "k", "v", "GET"}) == "sn");
  CHECK(KindsOf({"SET", "k", "v", "PX", "1", "GET"}) == "sn");
  CHECK(KindsOf({"ZADD", "k", "0", "m"}) == "i");
  CHECK(KindsOf({"MSET", "k", "v"}) == "O");
}

TEST_CASE("a script has replies of its own kind") {
  CHECK(KindsOf({"EVALSHA", CommitScript().sha1, "1", "k"}) == "i");
  CHECK(KindsOf({"EVALSHA", ReadScript().sha1, "1", "k"}) == "a");
  CHECK(KindsOf({"EVALSHA", SweepScript().sha1, "1", "k"}) == "a");
}

TEST_CASE("what is not known may have any reply, and an error is none of its kinds") {
  for (const auto& words : std::vector<std::vector<absl::string_view>>{
           {"X"}, {"EVAL", "return 1", "0"}, {"EVALSHA", "0", "0"}, {"EVALSHA"}, {""}, {"INFO"}}) {
    CHECK(KindsOf(words) == "Oisna");
    CHECK_FALSE(KindsOfReply(FormatCommand(words)).Has(Kind::kError));
    CHECK_FALSE(KindsOfReply(FormatCommand(words)).Has(Kind::kOther));
  }
  for (const absl::string_view text : {"", "\n", "*1", "*1\r\n", "*1\r\n$3", "*1\r\n$3\r\nGET"}) {
    CHECK((KindsOfReply(text).Has(Kind::kStatus) || text == "*1\r\n$3\r\nGET"));
  }
}

}  // namespace
}  // namespace tarn::storage::redis
