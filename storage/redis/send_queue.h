// What waits to be sent on one connection.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "storage/redis/connection.h"
#include "storage/redis/outcome.h"

namespace tarn::storage::redis {

struct Request {
  CommandKind kind = CommandKind::kRead;
  std::string command;
  AnswerHandler done;
  std::vector<AnswerHandler> others;  // Of commands that were joined to it.
};

// Keeps the order of the commands, except that a ZADD or RPUSH of one member joins one to the same
// key that waits already: a new entry costs Redis half of a command less. So it is executed earlier
// than it was sent, which is why it joins only where nothing but SET, GET and such commands stands
// in between: none of them takes a member out of a set or a list, or looks into one. Not
// thread-safe.
class SendQueue {
 public:
  // So that no command keeps Redis for long.
  static constexpr size_t kMaxMembers = 256;

  enum class Added : uint8_t { kFirst, kBehindOthers, kJoined };
  Added Add(CommandKind kind, std::string command, AnswerHandler done);

  // Of all that wait.
  size_t bytes() const { return bytes_; }

  // In the order in which they are to be sent; the queue is empty then.
  std::vector<Request> Take();

 private:
  // Where the one that may be joined waits.
  Request* Find(absl::string_view command);

  std::vector<Request> requests_;
  size_t bytes_ = 0;
  absl::flat_hash_map<uint64_t, size_t> adds_;  // Places of those that others may join, by key.
};

}  // namespace tarn::storage::redis
