#include "server/pages.h"

#include "absl/strings/str_cat.h"
#include "tarn_version.h"

namespace tarn::server {

HttpPage IndexPage() {
  const std::string body = absl::StrCat(
      "<!DOCTYPE html>\n<html lang=\"en\"><head><meta "
      "charset=\"utf-8\"><title>tarnd</title></head><body>\n",
      "<h1>tarnd ", kVersion, "</h1>\n<ul>\n",
      "<li><a href=\"/metrics\">/metrics</a>: figures in Prometheus' text format</li>\n",
      "<li><a href=\"/livez\">/livez</a>: 200 while the process answers</li>\n",
      "<li><a href=\"/readyz\">/readyz</a>: 200 while requests are served</li>\n",
      "</ul>\n</body></html>\n");
  return {.content_type = "text/html; charset=utf-8", .body = body};
}

HttpPage LivePage() { return {.body = "alive\n"}; }

HttpPage NotReadyPage(absl::string_view why) {
  return {.status = 503, .body = absl::StrCat("not ready: ", why, "\n")};
}

HttpPage ReadyPage(State state, absl::string_view doing) {
  const auto not_ready = [doing](absl::string_view why) {
    return NotReadyPage(absl::StrCat(why, doing.empty() ? "" : ", ", doing));
  };
  switch (state) {
    case State::kServing:
      return {.body = "ready\n"};
    case State::kStarting:
      return not_ready("opening the store");
    case State::kRestoring:
      return not_ready("switching to another state");
    case State::kDraining:
      return not_ready("shutting down");
  }
  return not_ready("unknown");
}

HttpPage MetricsPage(const MetricsSnapshot& snapshot) {
  return {.content_type = "text/plain; version=0.0.4; charset=utf-8",
          .body = RenderMetrics(snapshot)};
}

}  // namespace tarn::server
