// A blocking client of one server, for what tests do to servers and look up in them.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "hiredis/hiredis.h"

namespace tarn::testing {

// Connects when it is first asked, and again after it was cut off.
class RedisClient {
 public:
  explicit RedisClient(uint16_t port, std::string password = "")
      : port_(port), password_(std::move(password)) {}

  // As redis-cli would show it, in one line: OK, "text", (integer) 1, (nil), [...]; an error as it
  // came; "gone" when there is no answer.
  std::string Ask(const std::vector<std::string>& words);
  // The strings of a list, as they are: for names that hold any bytes. Throws when it is none.
  std::vector<std::string> AskList(const std::vector<std::string>& words);

 private:
  struct Free {
    void operator()(redisContext* context) const { redisFree(context); }
  };

  struct FreeReply {
    void operator()(redisReply* reply) const { freeReplyObject(reply); }
  };
  using OwnedReply = std::unique_ptr<redisReply, FreeReply>;

  bool Connect();
  // Null when there is none, and the connection is closed.
  OwnedReply SendTo(const std::vector<std::string>& words);
  std::string Send(const std::vector<std::string>& words);

  const uint16_t port_;
  const std::string password_;
  std::unique_ptr<redisContext, Free> context_;
};

}  // namespace tarn::testing
