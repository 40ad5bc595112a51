#include "storage/redis/reply_kinds.h"

#include <algorithm>
#include <array>

#include "absl/strings/match.h"
#include "storage/redis/scripts.h"

namespace tarn::storage::redis {
namespace {

using Kind = ReplyView::Kind;

constexpr ReplyKinds kAnyKind = {Kind::kStatus, Kind::kInteger, Kind::kString, Kind::kNil,
                                 Kind::kArray};
constexpr ReplyKinds kList = {Kind::kArray};
constexpr ReplyKinds kNumber = {Kind::kInteger};
constexpr ReplyKinds kStringOrNone = {Kind::kString, Kind::kNil};

struct Named {
  absl::string_view name;
  ReplyKinds kinds;
};
// The most frequent ones first.
// clang-format off
constexpr std::array kNamed = {
    Named{"GET", kStringOrNone},
    Named{"MGET", kList},
    Named{"ZADD", kNumber},
    Named{"RPUSH", kNumber},
    Named{"STRLEN", kNumber},
    Named{"GETRANGE", {Kind::kString}},
    Named{"MSET", {Kind::kStatus}},
    Named{"ZRANGEBYLEX", kList},
    Named{"ZREVRANGEBYLEX", kList},
    Named{"ZRANGEBYSCORE", kList},
    Named{"ZRANGE", kList},
    Named{"ZREM", kNumber},
    Named{"DEL", kNumber},
    Named{"UNLINK", kNumber},
    Named{"WAIT", kNumber},
};
// clang-format on

// The next word of a formatted command, taken off the front: "$SIZE\r\nWORD\r\n".
absl::string_view TakeWord(absl::string_view& rest) {
  rest.remove_prefix(std::min(rest.find('\n'), rest.size() - 1) + 1);
  const absl::string_view word = rest.substr(0, rest.find('\r'));
  rest.remove_prefix(std::min(word.size() + 2, rest.size()));
  return word;
}

ReplyKinds OfScript(absl::string_view sha1) {
  if (sha1 == CommitScript().sha1) return kNumber;
  if (sha1 == ReadScript().sha1 || sha1 == SweepScript().sha1) return kList;
  return kAnyKind;
}

}  // namespace

ReplyKinds KindsOfReply(absl::string_view command) {
  const size_t words = command.find('\n');
  if (words == command.npos || words + 1 == command.size()) return kAnyKind;
  absl::string_view rest = command.substr(words + 1);
  const absl::string_view name = TakeWord(rest);
  if (name == "SET") return absl::EndsWith(command, "\r\nGET\r\n") ? kStringOrNone : kAnyKind;
  if (name == "EVALSHA" && !rest.empty()) return OfScript(TakeWord(rest));
  const auto* const known = std::find_if(kNamed.begin(), kNamed.end(),
                                         [&](const Named& named) { return named.name == name; });
  return known == kNamed.end() ? kAnyKind : known->kinds;
}

}  // namespace tarn::storage::redis
