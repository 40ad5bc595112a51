#include "storage/redis/reply_parser.h"

#include "absl/strings/str_cat.h"
#include "storage/base/error.h"

namespace tarn::storage::redis {
namespace {

absl::Status Malformed(absl::string_view why) {
  return base::MakeError(absl::StatusCode::kInternal, base::Reason::kEngineError,
                         absl::StrCat("Redis sent what is no reply: ", why));
}

redisReplyObjectFunctions DefaultFunctions() {
  redisReader* const reader = redisReaderCreate();
  const redisReplyObjectFunctions functions = *reader->fn;
  redisReaderFree(reader);
  return functions;
}

const redisReplyObjectFunctions& Defaults() {
  static const redisReplyObjectFunctions defaults = DefaultFunctions();
  return defaults;
}

int DepthOf(const redisReadTask* task) {
  int depth = 1;
  for (const redisReadTask* parent = task->parent; parent != nullptr; parent = parent->parent) {
    ++depth;
  }
  return depth;
}

// Whether an array of that size is within what its reply may have; if so, it is taken from that.
bool Take(const redisReadTask* task, size_t elements) {
  auto* const budget = static_cast<ReplyParser::Budget*>(task->privdata);
  if (DepthOf(task) > budget->depth || elements > budget->elements) return false;
  budget->elements -= elements;
  return true;
}

// hiredis makes room for an array as soon as it has read its size. Null is an error to it.
redisReplyObjectFunctions GuardedFunctions() {
  redisReplyObjectFunctions functions = Defaults();
  // The type of a size differs between the versions of hiredis.
  functions.createArray = [](const redisReadTask* task, auto elements) -> void* {
    if (!Take(task, static_cast<size_t>(elements))) return nullptr;
    return Defaults().createArray(task, elements);
  };
  return functions;
}

redisReplyObjectFunctions* Functions() {
  // hiredis takes a pointer to what it never changes.
  static redisReplyObjectFunctions functions = GuardedFunctions();
  return &functions;
}

}  // namespace

ReplyParser::ReplyParser(const ReplyLimits& limits)
    : limits_(limits),
      budget_{limits.max_elements, limits.max_depth},
      reader_(redisReaderCreateWithFunctions(Functions())) {
  reader_->privdata = &budget_;
}

absl::Status ReplyParser::Feed(absl::string_view bytes) {
  if (reader_->len - reader_->pos + bytes.size() > limits_.max_bytes) {
    return Malformed(absl::StrCat("it is longer than ", limits_.max_bytes, " bytes"));
  }
  if (redisReaderFeed(reader_.get(), bytes.data(), bytes.size()) != REDIS_OK) {
    return Malformed(reader_->errstr);
  }
  return absl::OkStatus();
}

absl::StatusOr<std::optional<Reply>> ReplyParser::Next() {
  void* reply = nullptr;
  if (redisReaderGetReply(reader_.get(), &reply) != REDIS_OK) return Malformed(reader_->errstr);
  if (reply == nullptr) return std::nullopt;
  budget_ = {limits_.max_elements, limits_.max_depth};
  return Reply(static_cast<redisReply*>(reply));
}

}  // namespace tarn::storage::redis
