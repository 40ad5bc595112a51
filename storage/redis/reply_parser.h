// Turns the bytes of a connection into replies, and bytes that a sane server never sends into an
// error before they cost memory.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "hiredis/hiredis.h"
#include "storage/redis/reply.h"

namespace tarn::storage::redis {

struct ReplyLimits {
  // Of one reply, those of nested arrays included. Pages of scans are far smaller.
  size_t max_elements = size_t{1} << 20;
  int max_depth = 7;  // Arrays in arrays; hiredis 0.14 has room for no more.
  // Of one reply that is not complete yet. Sixteen times what a client may be answered.
  size_t max_bytes = size_t{64} << 20;
};

// Of one connection. After an error it is of no more use: where the next reply begins is lost. Not
// thread-safe.
class ReplyParser {
 public:
  explicit ReplyParser(const ReplyLimits& limits);

  ReplyParser(const ReplyParser&) = delete;
  ReplyParser& operator=(const ReplyParser&) = delete;

  // INTERNAL (ENGINE_ERROR) when a reply grows above its limit. Call Next until it gives nothing,
  // then feed more.
  absl::Status Feed(absl::string_view bytes);

  // The next complete reply; nothing while there is none. INTERNAL (ENGINE_ERROR) when the bytes
  // are no reply, or one above a limit.
  absl::StatusOr<std::optional<Reply>> Next();

  // What replies have left: used by the functions that hiredis calls.
  struct Budget {
    size_t elements = 0;
    int depth = 0;
  };

 private:
  struct Free {
    void operator()(redisReader* reader) const { redisReaderFree(reader); }
  };

  const ReplyLimits limits_;
  Budget budget_;  // Of the reply that is being read.
  std::unique_ptr<redisReader, Free> reader_;
};

}  // namespace tarn::storage::redis
