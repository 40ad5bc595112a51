// Where the primary is, as Sentinels say.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "storage/base/clock.h"
#include "storage/base/random.h"
#include "storage/redis/connection.h"
#include "storage/redis/reply.h"
#include <asio/io_context.hpp>

namespace tarn::storage::redis {

struct SentinelWatchOptions {
  std::vector<Endpoint> sentinels;
  std::string master;            // Their name of it.
  ConnectionOptions connection;  // To each of them: the endpoint and the role are filled in.
  // They are asked again so often, although a switch is heard of when it happens: who subscribes
  // may be cut off without noticing, and so may a Sentinel.
  int64_t poll_interval_ms = 5000;
  // After nobody answered, and at least between two questions: doubling, with full jitter,
  int64_t ask_again_base_ms = 100;
  int64_t ask_again_cap_ms = 1000;   // up to this.
  int64_t check_interval_ms = 1000;  // A subscription is asked for a sign of life so often.
};

struct SentinelWatchStats {
  int subscribed = 0;          // Sentinels that would tell of a switch.
  uint64_t announcements = 0;  // Switches of this primary that were published.
  uint64_t questions = 0;      // Rounds of asking them one after the other,
  uint64_t unanswered = 0;     // in which none knew the primary.
};

// Subscribes to all Sentinels and asks one of them: the first that answers is asked first from then
// on. It believes each of them; that the address is a primary's is for who connects to find out.
// Thread-safe. Lives on an event loop, which outlives it.
class SentinelWatch {
 public:
  // `on_primary` is called on the loop's thread, with the first address and whenever it is another
  // one; not after Close has run there. It must not call back into the watch's owner's destructor.
  static std::shared_ptr<SentinelWatch> Create(asio::io_context& context, const base::Clock& clock,
                                               base::RandomSource& random,
                                               const SentinelWatchOptions& options,
                                               std::function<void(const Endpoint&)> on_primary);

  virtual ~SentinelWatch() = default;

  // What was told last does not serve: they are asked again soon, another one first.
  virtual void Doubt() = 0;

  // Ends its connections. The loop ends only after it.
  virtual void Close() = 0;

  virtual SentinelWatchStats Stats() const = 0;
};

// The answer to SENTINEL get-master-addr-by-name; nothing when it does not know, or it is no
// address.
std::optional<Endpoint> ParsePrimaryAddress(ReplyView reply);

// Where a published +switch-master leads; nothing when it is about another primary, or malformed.
std::optional<Endpoint> ParseSwitch(absl::string_view text, absl::string_view master);

}  // namespace tarn::storage::redis
