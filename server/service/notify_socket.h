// How a process talks to the service manager that started it: systemd's notification protocol,
// sd_notify(3).
#pragma once

#include <sys/socket.h>
#include <sys/un.h>

#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace tarn::server {

// A datagram socket that knows where to send. Thread-safe.
class NotifySocket {
 public:
  // `address` as in $NOTIFY_SOCKET: a path, or '@' and a name that is no file. INVALID_ARGUMENT for
  // anything else.
  static absl::StatusOr<std::unique_ptr<NotifySocket>> Open(const std::string& address);

  ~NotifySocket();
  NotifySocket(const NotifySocket&) = delete;
  NotifySocket& operator=(const NotifySocket&) = delete;

  // "READY=1", or several such lines at once. UNAVAILABLE when nobody takes it; it never waits. The
  // next one may be taken again.
  absl::Status Send(absl::string_view message) const;

 private:
  NotifySocket(int fd, std::string address, const sockaddr_un& peer, socklen_t peer_length)
      : fd_(fd), address_(std::move(address)), peer_(peer), peer_length_(peer_length) {}

  const int fd_;
  const std::string address_;  // For people.
  const sockaddr_un peer_;
  const socklen_t peer_length_;
};

}  // namespace tarn::server
