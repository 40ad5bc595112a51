#include "tests/support/flaky_proxy.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <stdexcept>

namespace tarn::testing {
namespace {

constexpr int kTickMs = 20;  // How soon a thread notices that it is to stop.

sockaddr_in Loopback(uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  return address;
}

uint16_t PortOf(const std::string& endpoint) {
  return static_cast<uint16_t>(std::stoi(endpoint.substr(endpoint.rfind(':') + 1)));
}

int Listen() {
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = Loopback(0);
  if (bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0 ||
      listen(listener, SOMAXCONN) != 0)
    throw std::runtime_error("the proxy cannot listen");
  return listener;
}

uint16_t BoundPort(int listener) {
  sockaddr_in address{};
  socklen_t size = sizeof(address);
  getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size);
  return ntohs(address.sin_port);
}

void SendWithoutDelay(int socket) {
  const int on = 1;
  setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

// -1 when nobody listens.
int Connect(uint16_t port) {
  const int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in address = Loopback(port);
  if (connect(server, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0)
    return server;
  close(server);
  return -1;
}

// With a reset instead of an end.
void Reset(int socket) {
  const linger hard{.l_onoff = 1, .l_linger = 0};
  setsockopt(socket, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
  close(socket);
}

bool SendAll(int socket, const char* bytes, size_t size) {
  while (size > 0) {
    const ssize_t sent = send(socket, bytes, size, MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes += sent;
    size -= static_cast<size_t>(sent);
  }
  return true;
}

}  // namespace

// One connection, on a thread of its own.
class FlakyProxy::Relay {
 public:
  Relay(FlakyProxy& proxy, int client)
      : proxy_(proxy), client_(client), thread_([this] { Run(); }) {}
  ~Relay() { thread_.join(); }

  bool ended() const { return ended_; }

 private:
  void Run() {
    server_ = Connect(proxy_.server_port_);
    if (server_ >= 0) {
      SendWithoutDelay(client_);
      SendWithoutDelay(server_);
      while (!proxy_.stopping_ && Step()) {
      }
      Reset(server_);
    }
    Reset(client_);
    ended_ = true;
  }

  bool Step() {
    std::array<pollfd, 2> sockets = {pollfd{client_, POLLIN, 0}, pollfd{server_, POLLIN, 0}};
    if (poll(sockets.data(), sockets.size(), kTickMs) < 0) return false;
    if (sockets[0].revents != 0 && !Forward(client_, server_)) return false;
    return sockets[1].revents == 0 || Forward(server_, client_);
  }

  bool Forward(int from, int to) {
    const ssize_t size = recv(from, piece_.data(), piece_.size(), 0);
    if (size <= 0 || (from == server_ && proxy_.Swallows())) return false;
    return SendAll(to, piece_.data(), static_cast<size_t>(size));
  }

  FlakyProxy& proxy_;
  const int client_;
  int server_ = -1;
  std::array<char, 64 << 10> piece_;
  std::atomic<bool> ended_{false};
  std::thread thread_;
};

FlakyProxy::FlakyProxy(const std::string& server, uint64_t swallow_every)
    : server_port_(PortOf(server)),
      swallow_every_(swallow_every),
      listener_(Listen()),
      endpoint_("127.0.0.1:" + std::to_string(BoundPort(listener_))),
      thread_([this] { Accept(); }) {}

FlakyProxy::~FlakyProxy() {
  stopping_ = true;
  thread_.join();
  close(listener_);
}

void FlakyProxy::Accept() {
  while (!stopping_) {
    pollfd waiting{listener_, POLLIN, 0};
    if (poll(&waiting, 1, kTickMs) <= 0) continue;
    const int client = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (client < 0) continue;
    std::erase_if(relays_, [](const auto& relay) { return relay->ended(); });
    relays_.push_back(std::make_unique<Relay>(*this, client));
  }
  relays_.clear();
}

bool FlakyProxy::Swallows() {
  if (swallow_every_ == 0 || ++pieces_ % swallow_every_ != 0) return false;
  ++swallowed_;
  return true;
}

}  // namespace tarn::testing
