// What a reply or an event means for the caller. The one place where Redis' errors become Tarn's.
//
// There are three outcomes only: done, not done, not known. A read is never "not known": it may be
// repeated, whatever became of it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "storage/base/error.h"
#include "storage/redis/redis_url.h"
#include "storage/redis_stats.h"

namespace tarn::storage::redis {

enum class CommandKind : uint8_t { kRead, kWrite };

enum class Executed : uint8_t { kYes, kNo, kUnknown };

// What to do next, besides telling the caller.
enum class Action : uint8_t {
  kReturn,         // Nothing: the caller gets the outcome.
  kRetry,          // The same again, on any connection, within the deadline.
  kFollow,         // Ask the node that the reply names; MOVED also makes the slot map stale.
  kDropNode,       // Every connection to that node is useless: find the primary, then retry.
  kLoadScript,     // Load the script and send the same again, once.
  kNotReady,       // Nothing helps but an operator: the daemon is not ready.
  kAbortAndRetry,  // Abort the connection and kill it on the server; then the same again.
  kSettle,         // Abort the connection and kill it on the server before anything else goes out
                   // for these keys; then find out what happened.
};

struct Outcome {
  Event event = Event::kReply;
  Executed executed = Executed::kYes;
  Action action = Action::kReturn;
  absl::StatusCode code = absl::StatusCode::kOk;  // Of the error, should it end here.
  base::Reason reason = base::Reason::kNone;

  friend bool operator==(const Outcome&, const Outcome&) = default;
};

// An error reply, without its '-'.
Outcome ClassifyError(absl::string_view error, CommandKind kind);

// How much of a request had been handed to the socket when its connection was lost, or when its
// reply did not come in time.
enum class Sent : uint8_t { kNothing, kSomething };
Outcome ClassifyLoss(Sent sent, CommandKind kind);

// A reply of a form that the command never gives, or bytes that are no reply.
Outcome ClassifyUnexpected(CommandKind kind);

// As much waits to be sent as may.
Outcome ClassifyQueueFull();

// What WAIT gave, on the connection of the write.
Outcome ClassifyWait(int64_t asked, int64_t acknowledged);

// The error that the caller gets. `node` and Redis' code word are told, never its text, which may
// quote keys.
absl::Status ToStatus(const Outcome& outcome, absl::string_view node);

// Where a MOVED or ASK leads.
struct Redirect {
  uint16_t slot = 0;
  Endpoint endpoint;  // An empty host: the one that was asked, at another port.

  friend bool operator==(const Redirect&, const Redirect&) = default;
};

// Nothing unless the error is a complete MOVED or ASK.
std::optional<Redirect> ParseRedirect(absl::string_view error);

// A request that is sent from node to node follows this many redirects at most.
inline constexpr int kMaxRedirects = 5;

}  // namespace tarn::storage::redis
