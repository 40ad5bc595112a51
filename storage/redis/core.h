// What the parts of the engine share: how keys are found, who is under way, what may be sent.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <string>

#include "absl/container/flat_hash_set.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "storage/base/clock.h"
#include "storage/base/random.h"
#include "storage/batch.h"
#include "storage/limits.h"
#include "storage/namespaces.h"
#include "storage/redis/backoff.h"
#include "storage/redis/due_deadlines.h"
#include "storage/redis/index_log.h"
#include "storage/redis/key_order.h"
#include "storage/redis/known_keys.h"
#include "storage/redis/layout.h"
#include "storage/redis/link.h"
#include "storage/redis/partition.h"
#include "storage/redis/write_observer.h"
#include "storage/usage.h"
#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>

namespace tarn::storage::redis {

class Unit;

// Where a key is.
struct Location {
  uint64_t hash = 0;  // Tells keys apart, and those of different namespaces.
  Partition partition = 0;
};

// Which namespaces are placed together. Thread-safe.
class Placements {
 public:
  void Set(NamespaceId ns, Placement placement);

  Location Locate(NamespaceId ns, absl::string_view key) const;

 private:
  std::array<std::atomic<bool>, UsageLedger::kMaxNamespaceIds> together_{};
};

struct CoreCounters {
  std::atomic<uint64_t> errors{0};     // Answers that should not be.
  std::atomic<uint64_t> retries{0};    // Commands sent again.
  std::atomic<uint64_t> lost{0};       // Writes whose answer was lost.
  std::atomic<uint64_t> unknown{0};    // Writes whose outcome was reported as unknown.
  std::atomic<uint64_t> settled{0};    // Writes whose answer was lost, and whose fate is known.
  std::atomic<uint64_t> healed{0};     // Entries put back into the index, ghosts taken out of it.
  std::atomic<bool> forbidden{false};  // Redis lets this user do less than it needs.
  std::atomic<Revision> committed{0};  // The newest revision that changed something.
};

// One for each engine. Unless a member says otherwise, it is the loop's thread's.
//
// Whoever removes an entry, or takes a key out of an index, does so while it holds the key alone in
// `order`, and erases it from `known` before it sends anything: a put of a known key enters no
// index. Whoever takes a lease for keys holds them in `order`, and gives the lease back before it
// leaves. Whoever writes a deadline notes it in `due` before. Whoever reads an index also reads
// `index_log`.
struct Core {
  asio::io_context& context;
  const base::Clock& clock;  // Tarn's.
  base::RandomSource& random;
  UsageLedger& ledger;
  const Limits limits;
  const Layout layout;
  const std::string address;  // For people.
  BackoffOptions backoff;

  std::shared_ptr<Link> link;         // Guarded: what goes out there is the owner's.
  WriteObserver* observer = nullptr;  // Always there while something runs.
  WritesUnderWay writes;
  KeyOrder order;
  KnownKeys known{KnownKeys::kDefaultPlaces};
  DueDeadlines due;
  IndexLog index_log{*this};
  Generation generation = 1;
  Placements placements;  // Thread-safe.
  CoreCounters counters;  // Thread-safe.

  // How long a write whose answer is lost may try to find out what became of it before its caller
  // is told that nobody knows. It goes on trying after that.
  int64_t settle_patience_ms = 5000;
  // Who waits for keys, for callers that do not wait for ever; and whether somebody looks at them.
  absl::flat_hash_set<Unit*> waiting;
  bool looks_at_waiting = false;
  bool deposed = false;                  // Another daemon has taken the store.
  bool closing = false;                  // Nothing is tried again any more, nor waited for.
  std::set<asio::steady_timer*> timers;  // Of After.

  // Says that a revision was committed that changed something.
  void NoteCommit(Revision revision);
  // What Redis said of this user's rights, as far as the outcome tells.
  void NoteRights(const Outcome& outcome);
  // From here on `closing`: what waits for a time goes on at once.
  void BeginClosing();
};

// The milliseconds of a PX for an entry with that deadline: an hour more than it has left, by
// Tarn's clock, so that a difference between that and the server's clock does not matter. Empty for
// one that never expires, and for one whose time is beyond what Redis counts.
std::string GarbagePx(base::UnixMs deadline, base::UnixMs now);

// Calls back on the loop's thread after so many milliseconds.
void After(Core& core, int64_t ms, absl::AnyInvocable<void() &&> then);

// Does `work` on the loop's thread, and waits until it tells its outcome. Not for the loop's
// thread.
using Told = absl::AnyInvocable<void(const absl::Status&) &&>;
absl::Status OnLoop(Core& core, absl::AnyInvocable<void(Told) &&> work);

// Of a request to a daemon that owns the store no more.
absl::Status NotOwner();

// The error of a command that no connection would take.
Outcome NoConnection(Leased::Result result, CommandKind kind);

}  // namespace tarn::storage::redis
