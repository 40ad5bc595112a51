#include "server/service/service_talk.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"

namespace tarn::server {
namespace {

const char* Announcement(ServicePhase phase) {
  switch (phase) {
    case ServicePhase::kStarting:
      return "";
    case ServicePhase::kStandby:
    case ServicePhase::kReady:
      return "READY=1\n";
    case ServicePhase::kStopping:
      return "STOPPING=1\n";
  }
  return "";
}

}  // namespace

std::string ServiceTalk::Next(const ServiceReport& report) {
  const bool new_phase = !began_ || report.phase != said_.phase;
  const bool moved = !began_ || report.doing != said_.doing;
  if (!new_phase && !moved) return "";
  began_ = true;
  said_ = report;
  std::string message = new_phase ? Announcement(report.phase) : "";
  absl::StrAppend(&message, "STATUS=", absl::StrReplaceAll(report.doing, {{"\n", " "}}), "\n");
  // A restore of any size may take its time, and one that hangs may not.
  if (report.phase == ServicePhase::kStarting || report.phase == ServicePhase::kStopping) {
    absl::StrAppend(&message, "EXTEND_TIMEOUT_USEC=", kProgressPatienceSeconds, "000000\n");
  }
  return message;
}

}  // namespace tarn::server
