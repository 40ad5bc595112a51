#include "server/rpc/transport/listen_error.h"

#include <netdb.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"

namespace tarn::server {
namespace {

class Socket {
 public:
  explicit Socket(int family) : fd_(socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0)) {}
  ~Socket() {
    if (fd_ >= 0) close(fd_);
  }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;

  int fd() const { return fd_; }

 private:
  const int fd_;
};

absl::Status ErrorOf(int error, const std::string& listen) {
  const std::string text =
      absl::StrCat("cannot listen on ", listen, ": ", std::generic_category().message(error));
  const char* hint = error == EADDRINUSE ? "; is another daemon running there?" : "";
  return absl::FailedPreconditionError(absl::StrCat(text, hint));
}

struct HostPort {
  std::string host;
  std::string port;
};

HostPort Split(const std::string& listen) {
  const size_t colon = listen.rfind(':');
  if (colon == std::string::npos) return {listen, ""};
  std::string host = listen.substr(0, colon);
  if (host.size() >= 2 && host.front() == '[' && host.back() == ']')
    host = host.substr(1, host.size() - 2);
  return {host, listen.substr(colon + 1)};
}

absl::Status BindError(const std::string& listen) {
  const HostPort address = Split(listen);
  addrinfo hints = {};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE;
  addrinfo* first = nullptr;
  const int failed = getaddrinfo(address.host.empty() ? nullptr : address.host.c_str(),
                                 address.port.c_str(), &hints, &first);
  if (failed != 0) {
    return absl::FailedPreconditionError(
        absl::StrCat("cannot listen on ", listen, ": ", gai_strerror(failed)));
  }
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owned(first, freeaddrinfo);
  for (const addrinfo* one = first; one != nullptr; one = one->ai_next) {
    const Socket probe(one->ai_family);
    if (bind(probe.fd(), one->ai_addr, one->ai_addrlen) != 0) return ErrorOf(errno, listen);
  }
  return absl::FailedPreconditionError(absl::StrCat("cannot listen on ", listen, ": see the log"));
}

// The path of "unix:PATH" as an address; a family of 0 when it is too long.
sockaddr_un UnixAddress(absl::string_view path) {
  sockaddr_un address = {};
  if (path.size() >= sizeof(address.sun_path)) return address;
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  return address;
}

}  // namespace

absl::Status ListenError(const std::string& listen) {
  absl::string_view path = listen;
  if (!absl::ConsumePrefix(&path, "unix:")) return BindError(listen);
  const sockaddr_un address = UnixAddress(path);
  if (address.sun_family == 0) return ErrorOf(ENAMETOOLONG, listen);
  const Socket probe(AF_UNIX);
  const int failed = bind(probe.fd(), reinterpret_cast<const sockaddr*>(&address), sizeof(address));
  if (failed != 0) return ErrorOf(errno, listen);
  unlink(address.sun_path);
  return absl::FailedPreconditionError(absl::StrCat("cannot listen on ", listen, ": see the log"));
}

absl::Status CheckUnixSocketIsFree(const std::string& listen) {
  absl::string_view path = listen;
  if (!absl::ConsumePrefix(&path, "unix:")) return absl::OkStatus();
  const sockaddr_un address = UnixAddress(path);
  if (address.sun_family == 0) return ErrorOf(ENAMETOOLONG, listen);
  const Socket probe(AF_UNIX);
  const int failed =
      connect(probe.fd(), reinterpret_cast<const sockaddr*>(&address), sizeof(address));
  return failed == 0 ? ErrorOf(EADDRINUSE, listen) : absl::OkStatus();
}

}  // namespace tarn::server
