// What a service manager is told, and when: systemd's words for what the daemon is doing.
#pragma once

#include <cstdint>
#include <string>

namespace tarn::server {

// Where the daemon is in its life, as far as a service manager cares.
enum class ServicePhase : uint8_t {
  kStarting,
  kStandby,  // Waits for others, for as long as it takes: as ready as it can be by itself.
  kReady,    // Recovered and serving.
  kStopping,
};

struct ServiceReport {
  ServicePhase phase = ServicePhase::kStarting;
  std::string doing;  // One line for people. While it changes, work moves on.
};

// So long a start or stop may go on after each sign of progress.
inline constexpr int kProgressPatienceSeconds = 60;

// One conversation. Not thread-safe.
class ServiceTalk {
 public:
  // What to say now that things are as reported; empty when it has been said.
  std::string Next(const ServiceReport& report);

 private:
  ServiceReport said_;
  bool began_ = false;
};

}  // namespace tarn::server
