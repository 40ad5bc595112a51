#include "tests/crash/lock_judge.h"

#include <time.h>

#include <algorithm>
#include <sstream>

namespace tarn::testing {
namespace {

// The daemon's clocks cut off what is below a millisecond, in one place up and in another down.
constexpr int64_t kRoundingMs = 2;

}  // namespace

int64_t SinceBootMs() {
  timespec now{};
  clock_gettime(CLOCK_BOOTTIME, &now);
  return int64_t{now.tv_sec} * 1000 + now.tv_nsec / 1'000'000;
}

void LockJudge::Read(std::istream& in) {
  for (std::string line; std::getline(in, line);) {
    std::istringstream words(line);
    std::string kind;
    std::string lock;
    uint64_t token = 0;
    words >> kind >> lock >> token;
    if (kind == "F") ++fenced_;
    if (kind == "W") words >> writes_[lock].emplace_back(Write{.token = token}).revision;
    if (kind == "R") words >> grants_[lock][token].released.emplace();
    if (kind != "G") continue;
    ++granted_;
    ++told_[token];
    words >> grants_[lock][token].asked >> grants_[lock][token].answered;
  }
}

size_t LockJudge::SharedTokens() const {
  return static_cast<size_t>(
      std::count_if(told_.begin(), told_.end(), [](const auto& one) { return one.second > 1; }));
}

size_t LockJudge::StaleWrites() const {
  size_t stale = 0;
  for (const auto& [lock, all] : writes_) {
    const Grants& grants = grants_.at(lock);
    for (const Write& write : all) {
      const auto next = grants.upper_bound(write.token);
      if (next != grants.end() && next->first < write.revision) ++stale;
    }
  }
  return stale;
}

size_t LockJudge::EarlyEnds(int64_t ttl_ms) const {
  size_t early = 0;
  for (const auto& [lock, grants] : grants_) early += EarlyEnds(grants, ttl_ms);
  return early;
}

size_t LockJudge::EarlyEnds(const Grants& grants, int64_t ttl_ms) const {
  size_t early = 0;
  // A grant begins after it was asked for, and after the end of the one before it.
  int64_t begun = 0;
  const LockGrantTold* before = nullptr;
  for (const auto& [token, grant] : grants) {
    int64_t earliest = std::max(begun, grant.asked);
    if (before != nullptr && !IsExcused(begun, grant.answered)) {
      const int64_t over =
          std::min(before->released.value_or(begun + ttl_ms), begun + ttl_ms) - kRoundingMs;
      if (grant.answered < over) ++early;
      earliest = std::max(earliest, std::min(over, grant.answered));
    }
    begun = earliest;
    before = &grant;
  }
  return early;
}

bool LockJudge::IsExcused(int64_t begin, int64_t end) const {
  return std::any_of(voided_.begin(), voided_.end(), [&](const Voided& voided) {
    return voided.begin <= end && begin <= voided.end;
  });
}

}  // namespace tarn::testing
