#include "storage/redis/reply.h"

#include <algorithm>
#include <cstdlib>

namespace tarn::storage::redis {

ReplyView::Kind ReplyView::kind() const {
  switch (reply_->type) {
    case REDIS_REPLY_STATUS:
      return Kind::kStatus;
    case REDIS_REPLY_ERROR:
      return Kind::kError;
    case REDIS_REPLY_INTEGER:
      return Kind::kInteger;
    case REDIS_REPLY_STRING:
      return Kind::kString;
    case REDIS_REPLY_NIL:
      return Kind::kNil;
    case REDIS_REPLY_ARRAY:
      return Kind::kArray;
    default:  // What later versions of the protocol add; nobody asks for them.
      return Kind::kOther;
  }
}

absl::string_view ReplyView::text() const {
  const Kind of = kind();
  if (of != Kind::kStatus && of != Kind::kError && of != Kind::kString) return {};
  return {reply_->str, static_cast<size_t>(reply_->len)};
}

int64_t ReplyView::integer() const { return kind() == Kind::kInteger ? reply_->integer : 0; }

size_t ReplyView::size() const { return kind() == Kind::kArray ? reply_->elements : 0; }

// By hiredis' own rules: it frees what malloc gave, and texts end with a zero.
std::optional<Reply> CopyOf(ReplyView reply) {
  const ReplyView::Kind kind = reply.kind();
  const bool has_text = kind == ReplyView::Kind::kStatus || kind == ReplyView::Kind::kError;
  if (!has_text && kind != ReplyView::Kind::kInteger) return std::nullopt;
  auto* const copy = static_cast<redisReply*>(std::calloc(1, sizeof(redisReply)));
  if (copy == nullptr) std::abort();  // Memory is exhausted.
  copy->type = kind == ReplyView::Kind::kInteger  ? REDIS_REPLY_INTEGER
               : kind == ReplyView::Kind::kStatus ? REDIS_REPLY_STATUS
                                                  : REDIS_REPLY_ERROR;
  copy->integer = reply.integer();
  Reply owned(copy);
  if (!has_text) return owned;
  const absl::string_view text = reply.text();
  copy->str = static_cast<char*>(std::calloc(1, text.size() + 1));
  if (copy->str == nullptr) std::abort();
  std::copy(text.begin(), text.end(), copy->str);
  copy->len = text.size();
  return owned;
}

}  // namespace tarn::storage::redis
