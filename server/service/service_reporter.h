// Keeps the service manager informed while the daemon starts, runs and stops.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "server/service/notify_socket.h"
#include "server/service/service_talk.h"

namespace tarn::server {

// Thread-safe. Has a thread of its own, because starting and stopping keep the main one busy.
class ServiceReporter {
 public:
  using Look = std::function<ServiceReport()>;  // Called on that thread.

  // Null when `environment` names no service manager, or none that we know how to reach, which is
  // logged.
  static std::unique_ptr<ServiceReporter> Start(
      const std::map<std::string, std::string>& environment, Look look,
      absl::Duration period = absl::Seconds(1));

  // Reports a last time.
  ~ServiceReporter();

  // Says what has changed without waiting for the next time.
  void Hurry() ABSL_LOCKS_EXCLUDED(mutex_);

  // The main loop is alive: to be said every second or so while the daemon serves. Before and after
  // that, there is no such loop, and this thread feeds the watchdog. Silent when none was asked
  // for.
  void Alive();

 private:
  ServiceReporter(std::unique_ptr<NotifySocket> socket, Look look, absl::Duration period);

  void Run();
  void Report(ServiceTalk& talk);
  // Whether to go on.
  bool Pause() ABSL_LOCKS_EXCLUDED(mutex_);

  const std::unique_ptr<NotifySocket> socket_;
  const Look look_;
  const absl::Duration period_;
  bool watched_ = false;  // Constant after Start.
  bool heard_ = true;     // Only the thread's.

  absl::Mutex mutex_;
  bool hurried_ ABSL_GUARDED_BY(mutex_) = false;
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace tarn::server
