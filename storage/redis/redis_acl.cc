#include <array>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "storage/redis/redis_engine.h"

namespace tarn::storage {
namespace {

// All that the engine ever sends, and what its scripts call.
constexpr std::array kCommands = {
    "append",        "asking",   "client|id",   "client|kill",   "client|list", "client|setname",
    "cluster|slots", "del",      "eval",        "evalsha",       "exists",      "get",
    "getrange",      "info",     "lrange",      "mget",          "mset",        "persist",
    "pexpire",       "ping",     "role",        "rpush",         "script|load", "select",
    "set",           "setrange", "strlen",      "unlink",        "wait",        "zadd",
    "zlexcount",     "zrange",   "zrangebylex", "zrangebyscore", "zrem",        "zrevrangebylex",
};

}  // namespace

std::string RedisAclLine(absl::string_view user, absl::string_view key_prefix) {
  return absl::StrCat("user ", user, " on ~", key_prefix, "{* resetchannels -@all +",
                      absl::StrJoin(kCommands, " +"));
}

}  // namespace tarn::storage
