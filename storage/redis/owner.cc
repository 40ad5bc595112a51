#include "storage/redis/owner.h"

#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/time.h"
#include "storage/base/coding.h"
#include "storage/base/error.h"
#include "storage/base/logging.h"
#include "storage/base/status.h"
#include "storage/redis/command.h"

namespace tarn::storage::redis {
namespace {

constexpr absl::string_view kOwnerNameStart = "tarn-owner:";
// A connection that another daemon opens meanwhile finds the raised record: few rounds find any.
constexpr int kMaxKillRounds = 100;
// So often the heartbeat must have been seen standing still: one look says nothing.
constexpr int kMinLooks = 3;

std::string NewToken(base::RandomSource& random) {
  std::string token;
  while (token.size() < kTokenBytes) base::AppendFixed64(&token, random.Next());
  return token;
}

// One word of a line of CLIENT LIST, "name=value" between spaces.
absl::string_view FieldOf(absl::string_view line, absl::string_view name) {
  for (const absl::string_view field : absl::StrSplit(line, ' ')) {
    if (absl::StartsWith(field, name)) return field.substr(name.size());
  }
  return "";
}

}  // namespace

std::string ConnectionName(absl::string_view key_prefix, const OwnerRecord& owner) {
  return absl::StrCat(kOwnerNameStart, key_prefix, ":", absl::BytesToHexString(owner.token));
}

absl::StatusOr<Taken> OwnerTaker::Take(const absl::Notification& stop) {
  absl::Status said;
  while (!stop.HasBeenNotified()) {
    absl::StatusOr<std::optional<Taken>> taken = TryOnce();
    if (taken.ok() && taken->has_value()) return **std::move(taken);
    if (!taken.ok() && taken.status() != said) {
      said = taken.status();
      base::LogWarning("redis: the store cannot be taken yet: ", said.message());
    }
    stop.WaitForNotificationWithTimeout(absl::Milliseconds(options_.poll_ms));
  }
  return absl::CancelledError("stopped before the store was taken");
}

absl::StatusOr<std::optional<Taken>> OwnerTaker::TryOnce() {
  Seen seen;
  TARN_ASSIGN_OR_RETURN(seen.owner, asking_.Get(kStorePartition, layout_.Owner(kStorePartition)));
  TARN_ASSIGN_OR_RETURN(seen.heartbeat, asking_.Get(kStorePartition, layout_.Heartbeat()));
  if (!MayTake(seen)) return std::optional<Taken>();
  on_stand_by_("");
  const std::optional<OwnerRecord> before = DecodeOwner(seen.owner);
  const OwnerRecord mine{(before ? before->epoch : 0) + 1, NewToken(random_)};
  TARN_ASSIGN_OR_RETURN(const bool acquired, Acquire(seen, mine));
  if (!acquired) return std::optional<Taken>();
  TARN_RETURN_IF_ERROR(RaiseEverywhere(mine));
  TARN_RETURN_IF_ERROR(KillOthers(mine));
  return std::optional(Taken{mine, DecodeHeartbeat(seen.heartbeat)});
}

bool OwnerTaker::MayTake(const Seen& seen) {
  if (seen.owner.empty() || options_.take_over == TakeOver::kAtOnce) return true;
  const std::optional<Heartbeat> heartbeat = DecodeHeartbeat(seen.heartbeat);
  if (!heartbeat || heartbeat->state == Heartbeat::State::kReleased) return true;
  if (heartbeat->holder == options_.holder) return true;
  const int64_t now_ns = clock_.MonotonicNanos();
  if (!(seen == last_seen_)) {
    last_seen_ = seen;
    seen_since_ns_ = now_ns;
    times_seen_ = 0;
  }
  StandBy(*heartbeat);
  return ++times_seen_ >= kMinLooks && now_ns - seen_since_ns_ >= options_.lapse_ms * 1'000'000;
}

void OwnerTaker::StandBy(const Heartbeat& owner) {
  const std::string& name = owner.name.empty() ? owner.holder : owner.name;
  if (waits_for_ == name) return;
  waits_for_ = name;
  // Callers are told so by the time that the log says it.
  on_stand_by_(name);
  base::LogInfo("redis: standby: the store is owned by ", name);
}

absl::StatusOr<bool> OwnerTaker::Acquire(const Seen& seen, const OwnerRecord& mine) {
  // What was known to be committed stays known, also if this owner ends before it counted.
  const std::optional<Heartbeat> before = DecodeHeartbeat(seen.heartbeat);
  const Heartbeat heartbeat{Heartbeat::State::kAlive,      mine.epoch,      0,
                            before ? before->revision : 0, options_.holder, options_.name};
  TARN_ASSIGN_OR_RETURN(
      const Reply reply,
      asking_.Run(kStorePartition, AcquireScript(),
                  {layout_.Owner(kStorePartition), layout_.Heartbeat()},
                  {seen.owner, seen.heartbeat, EncodeOwner(mine), EncodeHeartbeat(heartbeat)}));
  return reply.view().integer() == 1;
}

absl::Status OwnerTaker::RaiseEverywhere(const OwnerRecord& mine) {
  std::vector<Asking::Question> raises;
  for (int partition = 0; partition < kPartitions; ++partition) {
    const auto at = static_cast<Partition>(partition);
    raises.push_back({at, FormatCommand({"EVAL", RaiseScript().source, "1", layout_.Owner(at),
                                         EncodeOwner(mine)})});
  }
  TARN_ASSIGN_OR_RETURN(const std::vector<Reply> raised,
                        asking_.AskMany(CommandKind::kWrite, std::move(raises)));
  for (const Reply& reply : raised) {
    if (reply.view().integer() == 1) continue;
    return base::MakeError(absl::StatusCode::kUnavailable, base::Reason::kNotOwner,
                           "another daemon has taken the store meanwhile");
  }
  return absl::OkStatus();
}

absl::Status OwnerTaker::KillOthers(const OwnerRecord& mine) {
  const std::string own_name = ConnectionName(key_prefix_, mine);
  for (int round = 0; round < kMaxKillRounds; ++round) {
    TARN_ASSIGN_OR_RETURN(const int killed, KillOthersOnce(own_name));
    if (killed == 0) return absl::OkStatus();
  }
  return base::MakeError(absl::StatusCode::kUnavailable, base::Reason::kEngineUnavailable,
                         "connections of the owner before come again and again");
}

// The three filters together name one connection of one node.
absl::StatusOr<int> OwnerTaker::KillOthersOnce(absl::string_view own_name) {
  TARN_ASSIGN_OR_RETURN(const std::vector<Reply> lists, asking_.AskAll({"CLIENT", "LIST"}));
  const std::string start = absl::StrCat("name=", kOwnerNameStart, key_prefix_, ":");
  int killed = 0;
  for (const Reply& list : lists) {
    for (const absl::string_view line : absl::StrSplit(list.view().text(), '\n')) {
      const absl::string_view name = FieldOf(line, "name=");
      const bool owners = absl::StartsWith(absl::StrCat("name=", name), start);
      if (!owners || name == own_name) continue;
      TARN_RETURN_IF_ERROR(asking_
                               .AskAll({"CLIENT", "KILL", "ID", FieldOf(line, "id="), "ADDR",
                                        FieldOf(line, "addr="), "LADDR", FieldOf(line, "laddr=")})
                               .status());
      ++killed;
    }
  }
  return killed;
}

}  // namespace tarn::storage::redis
