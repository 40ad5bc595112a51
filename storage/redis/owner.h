// Who may write a store.
//
// The owner record in every partition names one process by a random token. Each connection of an
// owner carries that token in its name and, after it has set the name, finds the token in the
// record, or is not used. Whoever takes the store over raises the records first and then kills
// every connection of another name's: so a deposed owner, one that slept included, can write
// nothing more, and read nothing stale, and no write pays for it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/notification.h"
#include "storage/base/clock.h"
#include "storage/base/random.h"
#include "storage/redis/asking.h"
#include "storage/redis/layout.h"
#include "storage/redis/store_records.h"

namespace tarn::storage::redis {

// Told while another daemon owns the store and this one waits: that one's name. "" when it waits
// for it no longer.
using OnStandBy = std::function<void(absl::string_view owner)>;

enum class TakeOver : uint8_t {
  kWhenLapsed,  // Waits while another owner gives signs of life.
  kAtOnce,
};

struct OwnerOptions {
  std::string holder;  // Whoever has the same one is dead: it holds what only one process can.
  std::string name;    // For those who wait: where this daemon is.
  TakeOver take_over = TakeOver::kWhenLapsed;
  int64_t beat_ms = 2000;    // Between signs of life.
  int64_t lapse_ms = 10000;  // Without one, by the clock of the one who waits.
  int64_t poll_ms = 500;
};

// The name of an owner's connections: kOwnerNameStart, the key prefix, ':', the token in
// hexadecimal.
std::string ConnectionName(absl::string_view key_prefix, const OwnerRecord& owner);

// What the store was when it was taken.
struct Taken {
  OwnerRecord mine;
  std::optional<Heartbeat> before;  // The last sign of life of the owner before.
};

// Takes the store, when that may be; blocks. Whoever waits says so in the log, once.
class OwnerTaker {
 public:
  OwnerTaker(Asking& asking, const Layout& layout, absl::string_view key_prefix,
             const OwnerOptions& options, const base::Clock& clock, base::RandomSource& random,
             OnStandBy on_stand_by)
      : asking_(asking),
        layout_(layout),
        key_prefix_(key_prefix),
        options_(options),
        clock_(clock),
        random_(random),
        on_stand_by_(std::move(on_stand_by)) {}

  // CANCELLED when `stop` comes first. Tries for as long as Redis is away.
  absl::StatusOr<Taken> Take(const absl::Notification& stop);

 private:
  // What the records were when they were looked at.
  struct Seen {
    std::string owner;
    std::string heartbeat;

    friend bool operator==(const Seen&, const Seen&) = default;
  };

  absl::StatusOr<std::optional<Taken>> TryOnce();
  bool MayTake(const Seen& seen);
  void StandBy(const Heartbeat& owner);
  absl::StatusOr<bool> Acquire(const Seen& seen, const OwnerRecord& mine);
  absl::Status RaiseEverywhere(const OwnerRecord& mine);
  absl::Status KillOthers(const OwnerRecord& mine);
  absl::StatusOr<int> KillOthersOnce(absl::string_view own_name);

  Asking& asking_;
  const Layout& layout_;
  const std::string key_prefix_;
  const OwnerOptions options_;
  const base::Clock& clock_;  // Of spans only.
  base::RandomSource& random_;
  const OnStandBy on_stand_by_;
  Seen last_seen_;
  int64_t seen_since_ns_ = 0;
  int times_seen_ = 0;     // In a row, and answered each time.
  std::string waits_for_;  // As it was told.
};

}  // namespace tarn::storage::redis
