#include "server/service/notify_socket.h"

#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstring>

#include "absl/strings/str_cat.h"

namespace tarn::server {
namespace {

// The protocol is a datagram of text. libsystemd would bring liblzma, libzstd, liblz4 and libgcrypt
// into the process for it; systemd's own manual recommends these few lines instead.
struct Peer {
  sockaddr_un name{};
  socklen_t length = 0;
};

absl::StatusOr<Peer> PeerAt(const std::string& address) {
  Peer peer;
  peer.name.sun_family = AF_UNIX;
  const bool known = address.size() > 1 && (address[0] == '/' || address[0] == '@');
  if (!known || address.size() >= sizeof(peer.name.sun_path)) {
    return absl::InvalidArgumentError(
        absl::StrCat("\"", address, "\" is no address of a service manager"));
  }
  std::memcpy(peer.name.sun_path, address.data(), address.size());
  if (address[0] == '@') peer.name.sun_path[0] = '\0';
  // No zero at the end: it would be part of an abstract name.
  peer.length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + address.size());
  return peer;
}

absl::Status Errno(absl::string_view what, const std::string& address) {
  return absl::UnavailableError(absl::StrCat(what, " ", address, ": ", std::strerror(errno)));
}

}  // namespace

absl::StatusOr<std::unique_ptr<NotifySocket>> NotifySocket::Open(const std::string& address) {
  const absl::StatusOr<Peer> peer = PeerAt(address);
  if (!peer.ok()) return peer.status();
  const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return Errno("cannot make a socket for", address);
  return std::unique_ptr<NotifySocket>(new NotifySocket(fd, address, peer->name, peer->length));
}

NotifySocket::~NotifySocket() { close(fd_); }

absl::Status NotifySocket::Send(absl::string_view message) const {
  const ssize_t sent = sendto(fd_, message.data(), message.size(), MSG_NOSIGNAL,
                              reinterpret_cast<const sockaddr*>(&peer_), peer_length_);
  if (sent < 0) return Errno("cannot tell the service manager at", address_);
  return absl::OkStatus();
}

}  // namespace tarn::server
