// The gRPC front of the daemon.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "server/metrics/counters.h"
#include "server/rpc/admin_service.h"
#include "server/rpc/checkpoint_service.h"
#include "server/rpc/job_service.h"
#include "server/rpc/lock_service.h"
#include "server/rpc/state_service.h"
#include "storage/base/clock.h"

namespace tarn::server {

// Files in PEM form. All empty: plain text. With a client CA, callers must show a certificate that
// it has signed.
struct TlsFiles {
  std::string certificate;
  std::string key;
  std::string client_ca;
};

struct GrpcServerOptions {
  std::string listen;  // HOST:PORT, port 0 for any free one, or unix:PATH.
  TlsFiles tls;
  size_t max_request_bytes = 4 << 20;
  size_t max_concurrent_streams = 2048;
  size_t max_metadata_bytes = 16 << 10;
};

// Serves the services, health (NOT_SERVING until SetServing) and reflection. Thread-safe.
//
// It runs on the threads of gRPC's callback API, of which there are few: nothing that a service
// does on them may block. Health and reflection are ours because gRPC's would begin as SERVING, and
// bring threads that poll for the synchronous API.
class GrpcServer {
 public:
  struct Services {
    StateService& state;
    AdminService& admin;
    CheckpointService& checkpoints;
    JobService& jobs;
    LockService& locks;
    Counters& counters;
    const base::Clock& clock;
  };

  // Listening when it returns. FAILED_PRECONDITION when it cannot listen there, with the reason;
  // INVALID_ARGUMENT for TLS files that cannot be used.
  static absl::StatusOr<std::unique_ptr<GrpcServer>> Start(const GrpcServerOptions& options,
                                                           const Services& services);

  // Shuts down at once, unless Shutdown has been called.
  ~GrpcServer();

  // The port it listens on; 0 for a Unix socket.
  int port() const;

  // Connections from clients now.
  int64_t Connections() const;

  void SetServing();
  // Health says NOT_SERVING until SetServing is called again.
  void SetNotServing();

  // Health says NOT_SERVING, and streams are told to end. Calls under way go on, new ones still get
  // to the services.
  void Drain();

  // Takes no more calls, waits for those under way at most so long, then cancels what is left.
  void Shutdown(absl::Duration patience);

 private:
  class Impl;
  explicit GrpcServer(std::unique_ptr<Impl> impl);

  std::unique_ptr<Impl> impl_;
};

// Sends gRPC's own log to ours: errors as warnings, the rest at debug level. Once, before the first
// use of gRPC.
void AdoptGrpcLog();

}  // namespace tarn::server
