#include "storage/redis/reply.h"

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

}  // namespace tarn::storage::redis
