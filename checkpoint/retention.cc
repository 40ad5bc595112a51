#include "checkpoint/retention.h"

#include <optional>

#include "absl/strings/str_cat.h"
#include "storage/base/error.h"

namespace tarn::checkpoint {
namespace {

constexpr int64_t kHourMs = int64_t{3600} * 1000;
constexpr int64_t kDayMs = 24 * kHourMs;

// Picks the newest one of each period of the clock, for so many periods. Asked from the newest
// checkpoint to the oldest. One that is dated in the future is young.
class PeriodPicker {
 public:
  PeriodPicker(int64_t period_ms, size_t periods, base::UnixMs now)
      : period_ms_(period_ms),
        left_(periods),
        oldest_(now - period_ms * static_cast<int64_t>(periods)) {}

  bool Picks(base::UnixMs create_time) {
    const int64_t period = create_time / period_ms_;
    if (left_ == 0 || create_time <= oldest_ || period == last_picked_) return false;
    last_picked_ = period;
    --left_;
    return true;
  }

 private:
  const int64_t period_ms_;
  size_t left_;
  const base::UnixMs oldest_;
  std::optional<int64_t> last_picked_;
};

// One checkpoint while it is judged.
struct Judged {
  const CheckpointInfo* info = nullptr;
  std::vector<std::string> reasons;
  bool untouchable = false;  // Not even for want of bytes.
  bool over_limit = false;
};

bool IsOwnAndIntact(const CheckpointInfo& info) {
  return info.id.other_store.empty() && info.health == Health::kIntact;
}

void Shield(Judged& judged, std::string reason) {
  judged.reasons.push_back(std::move(reason));
  judged.untouchable = true;
}

void ShieldByItself(const RetentionPolicy& policy, Judged& judged) {
  const CheckpointInfo& info = *judged.info;
  if (info.pin) Shield(judged, absl::StrCat("pinned: ", info.pin->reason));
  if (!info.id.other_store.empty()) {
    Shield(judged, "imported from another store");
  } else if (info.id.number.incarnation < policy.protect_before) {
    Shield(judged, "earlier incarnation, nothing was restored");
  } else if (info.health == Health::kDamaged) {
    judged.reasons.emplace_back("damaged, left to be looked at");
  } else if (info.health != Health::kIntact) {
    Shield(judged, "cannot be judged");
  }
}

void ApplyRules(const RetentionPolicy& policy, base::UnixMs now, std::vector<Judged>& all) {
  PeriodPicker hours(kHourMs, policy.hours, now);
  PeriodPicker days(kDayMs, policy.days, now);
  size_t seen = 0;
  Judged* newest = nullptr;
  for (auto judged = all.rbegin(); judged != all.rend(); ++judged) {
    if (!IsOwnAndIntact(*judged->info)) continue;
    if (newest == nullptr) newest = &*judged;
    const base::UnixMs create_time = judged->info->header.create_time;
    if (seen++ < policy.newest) judged->reasons.emplace_back("newest");
    if (hours.Picks(create_time)) judged->reasons.emplace_back("hourly");
    if (days.Picks(create_time)) judged->reasons.emplace_back("daily");
  }
  if (newest == nullptr) return;
  newest->untouchable = true;
  if (seen == 1 || newest->reasons.empty()) newest->reasons.emplace_back("last valid");
}

bool IsKept(const Judged& judged) { return !judged.reasons.empty() && !judged.over_limit; }

void ApplyByteLimit(uint64_t max_bytes, std::vector<Judged>& all) {
  uint64_t bytes = 0;
  for (const Judged& judged : all) {
    if (IsKept(judged)) bytes += judged.info->file_bytes;
  }
  const auto give_up = [&](auto may_go) {
    for (Judged& judged : all) {
      if (bytes <= max_bytes) return;
      if (!IsKept(judged) || judged.untouchable || !may_go(*judged.info)) continue;
      judged.over_limit = true;
      bytes -= judged.info->file_bytes;
    }
  };
  give_up([](const CheckpointInfo& info) { return info.health == Health::kDamaged; });
  give_up([](const CheckpointInfo&) { return true; });
}

RetentionVerdict VerdictOf(const Judged& judged) {
  RetentionVerdict verdict{.id = judged.info->id};
  if (!IsKept(judged)) {
    verdict.fate = Fate::kDelete;
    verdict.why = judged.over_limit ? "over the byte limit" : "no rule keeps it";
    return verdict;
  }
  for (const std::string& reason : judged.reasons)
    absl::StrAppend(&verdict.why, verdict.why.empty() ? "" : ", ", reason);
  return verdict;
}

}  // namespace

absl::Status CheckRetentionPolicy(const RetentionPolicy& policy) {
  if (policy.newest > 0) return absl::OkStatus();
  return base::MakeError(absl::StatusCode::kInvalidArgument, base::Reason::kInvalidRequest,
                         "at least 1 checkpoint must be retained");
}

std::vector<RetentionVerdict> JudgeRetention(absl::Span<const CheckpointInfo> checkpoints,
                                             const RetentionPolicy& policy, base::UnixMs now) {
  std::vector<Judged> all;
  for (const CheckpointInfo& info : checkpoints) {
    ShieldByItself(policy, all.emplace_back(Judged{.info = &info}));
  }
  ApplyRules(policy, now, all);
  if (policy.max_bytes != 0) ApplyByteLimit(policy.max_bytes, all);
  std::vector<RetentionVerdict> verdicts;
  verdicts.reserve(all.size());
  for (const Judged& judged : all) verdicts.push_back(VerdictOf(judged));
  return verdicts;
}

}  // namespace tarn::checkpoint
