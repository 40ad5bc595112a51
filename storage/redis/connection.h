// One pipelined connection to one server.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "storage/base/clock.h"
#include "storage/redis/outcome.h"
#include "storage/redis/reply.h"
#include "storage/redis/reply_parser.h"
#include "storage/redis/traffic.h"
#include "storage/redis/transport.h"
#include <asio/io_context.hpp>

namespace tarn::storage::redis {

// Whom a connection may end up at: an address that once was the primary's may be a replica's now.
enum class RequiredRole : uint8_t { kAny, kMaster };

struct ConnectionOptions {
  TransportOptions transport;
  std::string user;         // Empty: Redis' default user.
  std::string password;     // Empty: no log-in.
  std::string client_name;  // Shown by CLIENT LIST, and what a new owner kills by. Empty: none.
  int database = 0;
  RequiredRole role = RequiredRole::kMaster;
  // Loaded into the server before anything else goes out, so that they are called by their SHA-1.
  std::vector<std::string> scripts;
  // A key that must hold exactly this, looked at after the name was set: whoever changes it and
  // then kills all of that name knows that no other connection of the name can write. Empty: none.
  std::string guard_key;
  std::string guard_value;
  int64_t connect_timeout_ms = 5000;  // From the name's look-up to the last answer of the log-in.
  int64_t read_timeout_ms = 3000;     // Without an answer to the oldest request.
  int64_t write_timeout_ms = 3000;    // Without the kernel taking a byte.
  // What may wait to be written, besides what is being written. More means that the server reads
  // slower than it is asked.
  size_t max_queued_bytes = size_t{64} << 20;
  ReplyLimits reply_limits;
  std::shared_ptr<Traffic> traffic;  // Of all connections to the node; null: nobody counts.
  // Of a connection that subscribes: takes what is published, on the loop's thread. Without it,
  // such a message ends the connection as an answer to nothing.
  std::function<void(ReplyView message)> on_message;
};

// What became of one request.
struct Answer {
  std::optional<Reply> reply;  // Also an error's; none when the connection was lost.
  Outcome outcome;
};

// Called exactly once, on the event loop's thread or, when the connection is closed already, by the
// thread that sends. It must not block.
using AnswerHandler = absl::AnyInvocable<void(Answer&) &&>;

// Gathers requests into one write and matches replies to them in order. Thread-safe; lives on an
// event loop, which outlives it.
//
// Every request gets its answer: when the connection fails, whatever the cause, the socket is
// aborted, and each that still waits learns whether anything of it can have reached the server.
// Nothing of a request is ever sent after its answer was given. A connection that failed stays so.
// One that is open stays open until its owner calls Abort: letting go of it is not enough.
class Connection {
 public:
  // What a connection learned while it logged in.
  struct Peer {
    int64_t client_id = 0;  // CLIENT KILL ID ends this connection from another one.
    std::string run_id;     // Of the server's process: another one has other clients.
  };

  // Begins to connect. `on_open` is called once, on the loop's thread: OK, or why there is no
  // connection (UNAVAILABLE, with NOT_OWNER when the guard refuses; INTERNAL when the server
  // refuses the log-in). `on_close` is called once, after every request has been answered; also
  // when it never opened.
  static std::shared_ptr<Connection> Open(
      asio::io_context& context, const base::Clock& clock, const ConnectionOptions& options,
      absl::AnyInvocable<void(const absl::Status&) &&> on_open,
      absl::AnyInvocable<void(const absl::Status&) &&> on_close);

  virtual ~Connection() = default;

  // Requests sent before it is open wait for that.
  virtual void Send(CommandKind kind, std::string command, AnswerHandler done) = 0;

  // Fails it, as if the server had gone away.
  virtual void Abort(const absl::Status& cause) = 0;

  // Valid once it is open.
  virtual Peer peer() const = 0;

  // Requests without an answer, those that wait to be sent included.
  virtual size_t pending() const = 0;
};

}  // namespace tarn::storage::redis
