// What Redis answered: hiredis' replies, owned, and read without knowing hiredis.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include "absl/strings/string_view.h"
#include "hiredis/hiredis.h"

namespace tarn::storage::redis {

// A reply, or a part of one. Valid as long as the Reply that it belongs to.
class ReplyView {
 public:
  enum class Kind : uint8_t { kStatus, kError, kInteger, kString, kNil, kArray, kOther };

  explicit ReplyView(const redisReply* reply) : reply_(reply) {}

  Kind kind() const;
  // Of a status, an error (without its '-') or a string; empty otherwise.
  absl::string_view text() const;
  // Of an integer; 0 otherwise.
  int64_t integer() const;
  // Elements of an array; 0 otherwise.
  size_t size() const;
  ReplyView operator[](size_t index) const { return ReplyView(reply_->element[index]); }

 private:
  const redisReply* reply_;
};

// Move-only.
class Reply {
 public:
  explicit Reply(redisReply* reply) : reply_(reply) {}

  ReplyView view() const { return ReplyView(reply_.get()); }

 private:
  struct Free {
    void operator()(redisReply* reply) const { freeReplyObject(reply); }
  };
  std::unique_ptr<redisReply, Free> reply_;
};

// Of a status, an error or an integer; nothing of others.
std::optional<Reply> CopyOf(ReplyView reply);

}  // namespace tarn::storage::redis
