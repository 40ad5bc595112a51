#include "server/service_report.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace tarn::server {
namespace {

std::string With(absl::string_view what, const WorkUnderWay& work) {
  std::string line(what.data(), what.size());
  if (!work.phase.empty()) absl::StrAppend(&line, ": ", work.phase);
  if (work.entries == 0) return line;
  absl::StrAppend(&line, ", ", work.entries);
  if (work.expected_entries > 0) absl::StrAppend(&line, " of ", work.expected_entries);
  return absl::StrCat(line, " entries");
}

}  // namespace

WorkUnderWay WorkOf(const std::vector<checkpoint::JobInfo>& jobs) {
  const checkpoint::JobInfo* oldest = nullptr;
  for (const checkpoint::JobInfo& job : jobs) {
    if (job.state != checkpoint::JobState::kRunning) continue;
    if (oldest == nullptr || job.id < oldest->id) oldest = &job;
  }
  if (oldest == nullptr) return {};
  return {absl::StrCat(checkpoint::JobKindName(oldest->kind), ", ", oldest->phase), oldest->entries,
          oldest->total_entries};
}

ServiceReport ReportOf(State state, const WorkUnderWay& work) {
  switch (state) {
    case State::kServing:
      return {ServicePhase::kReady, "serving"};
    case State::kStarting:
      return {ServicePhase::kStarting, With("opening the store", work)};
    case State::kRestoring:
      return {ServicePhase::kReady, With("switching to another state", work)};
    case State::kDraining:
      return {ServicePhase::kStopping, With("stopping", work)};
  }
  return {};
}

}  // namespace tarn::server
