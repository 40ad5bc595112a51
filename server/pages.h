// The pages of the HTTP port.
#pragma once

#include "absl/strings/string_view.h"
#include "server/http/http_server.h"
#include "server/metrics/exporter.h"
#include "server/rpc/gate.h"

namespace tarn::server {

HttpPage IndexPage();

// 200 as long as anything answers.
HttpPage LivePage();

// 200 while requests are served, else 503 with the reason. `doing`: what keeps it, for people; may
// be empty.
HttpPage ReadyPage(State state, absl::string_view doing);

// 503 with the reason: the server would serve, but its engine cannot.
HttpPage NotReadyPage(absl::string_view why);

HttpPage MetricsPage(const MetricsSnapshot& snapshot);

}  // namespace tarn::server
