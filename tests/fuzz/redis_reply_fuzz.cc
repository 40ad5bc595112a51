// Any bytes from a connection: the same replies however the network cuts them, within their limits;
// each error has one row of the table, which agrees with itself; what a server says of itself is
// read without trusting it.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "absl/strings/str_cat.h"
#include "storage/redis/outcome.h"
#include "storage/redis/reply_parser.h"
#include "storage/redis/survey.h"

namespace tarn::storage::redis {
namespace {

constexpr ReplyLimits kLimits{.max_elements = 1000, .max_depth = 4, .max_bytes = 1 << 16};

void Require(bool truth) {
  if (!truth) std::abort();
}

void CheckOutcome(const Outcome& outcome) {
  const absl::Status status = ToStatus(outcome, "node");
  Require(status.code() == outcome.code);
  // What may be sent again by itself was not done.
  const bool again = outcome.action == Action::kRetry || outcome.action == Action::kFollow;
  Require(!again || outcome.executed == Executed::kNo);
  Require(outcome.executed != Executed::kUnknown || !status.ok());
}

size_t Walk(ReplyView reply, int depth, std::string& shown) {
  Require(depth <= kLimits.max_depth + 1);
  absl::StrAppend(&shown, static_cast<int>(reply.kind()), ":", reply.integer(), ":", reply.text(),
                  "(");
  if (reply.kind() == ReplyView::Kind::kError) {
    for (const CommandKind kind : {CommandKind::kRead, CommandKind::kWrite}) {
      CheckOutcome(ClassifyError(reply.text(), kind));
    }
  }
  size_t elements = reply.size();
  for (size_t i = 0; i < reply.size(); ++i) elements += Walk(reply[i], depth + 1, shown);
  shown.push_back(')');
  return elements;
}

// All replies, and how it ended, when the bytes come in pieces of that size.
std::string Parse(absl::string_view bytes, size_t piece) {
  ReplyParser parser{kLimits};
  std::string shown;
  while (!bytes.empty()) {
    const absl::string_view next = bytes.substr(0, piece);
    bytes.remove_prefix(next.size());
    if (!parser.Feed(next).ok()) return absl::StrCat(shown, "!");
    for (;;) {
      const auto reply = parser.Next();
      if (!reply.ok()) return absl::StrCat(shown, "!");
      if (!reply->has_value()) break;
      Require(Walk((*reply)->view(), 0, shown) <= kLimits.max_elements);
      ParseAppendFsync((*reply)->view());
      ParseServerInfo((*reply)->view().text());
    }
  }
  return shown;
}

void Check(absl::string_view bytes) {
  const std::string whole = Parse(bytes, std::max<size_t>(bytes.size(), 1));
  if (bytes.size() > kLimits.max_bytes) return;
  Require(whole == Parse(bytes, 1));
  Require(whole == Parse(bytes, 7));
}

}  // namespace
}  // namespace tarn::storage::redis

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  tarn::storage::redis::Check({reinterpret_cast<const char*>(data), size});
  return 0;
}
