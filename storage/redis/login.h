// What a new connection says before anything else, and what it expects to hear.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "storage/redis/connection.h"
#include "storage/redis/reply.h"

namespace tarn::storage::redis {

enum class LoginStep : uint8_t {
  kAuth,
  kSetName,
  kClientId,
  kSelect,
  kRole,
  kRunId,
  kScript,
  kGuard,  // The last one: see ConnectionOptions.
};

struct LoginCommand {
  LoginStep step;
  std::string bytes;
};

// RESP2 throughout: HELLO is not sent, so that older servers and proxies are served alike.
std::vector<LoginCommand> LoginCommands(const ConnectionOptions& options);

// Takes what the answer tells into `peer`. INTERNAL (ENGINE_ERROR) when the server refuses the
// log-in for good, UNAVAILABLE (ENGINE_UNAVAILABLE) when another attempt, or another server, may
// help; with NOT_OWNER when the guard refuses. Never holds what the server said.
absl::Status CheckLogin(LoginStep step, const ConnectionOptions& options, ReplyView reply,
                        Connection::Peer& peer);

}  // namespace tarn::storage::redis
