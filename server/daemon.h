// The daemon: every part, built up in order and taken down in reverse.
#pragma once

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/notification.h"
#include "server/config/defaults.h"
#include "server/config/options.h"

namespace tarn::server {

// What is wrong with the engine's options by themselves, before anything is begun.
absl::Status CheckEngineOptions(const Options& options);

// What --print-redis-acl prints.
std::string RedisAcl(const Options& options);

// Not thread-safe, but for Interrupt.
class Daemon {
 public:
  // Serves requests when it returns one. Before that, /livez and GetServerInfo already answer, and
  // everything else says that the server is not ready. An error carries its exit code; then nothing
  // runs any more. Tells the service manager that `environment` names, if any, how it goes. `stop`,
  // which outlives the daemon, ends a start that waits for Redis, or for the one that owns the
  // store there (CANCELLED).
  static absl::StatusOr<std::unique_ptr<Daemon>> Start(const Options& options,
                                                       const Environment& environment,
                                                       const absl::Notification& stop);

  // Stops at once what was not stopped.
  ~Daemon();

  // Keeps what must survive a crash up to date; to be called every second or so.
  void Tick();

  // Whether another daemon has taken the store: nothing can be written any more, not even a
  // checkpoint.
  bool deposed() const;

  // Takes over what may change of new options, and says in the log what may not.
  void Reload(const Options& options);

  // Refuses new requests, finishes those under way as far as the drain timeout allows, makes a
  // final checkpoint, and closes the store. Returns why the checkpoint failed.
  absl::Status Stop();

  // From another thread while Stop runs: gives the final checkpoint up.
  void Interrupt();

 private:
  class Parts;
  explicit Daemon(std::unique_ptr<Parts> parts);

  std::unique_ptr<Parts> parts_;
};

}  // namespace tarn::server
