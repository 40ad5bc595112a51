#include "tests/faults/stalling_proxy.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "tests/faults/loopback.h"

namespace tarn::testing {
namespace {

constexpr int kTickMs = 5;  // How soon an order is noticed.

// Appends what there is; true when nothing will come any more.
bool ReceiveAll(int socket, std::string& into) {
  std::array<char, 64 << 10> piece{};
  for (;;) {
    const ssize_t got = recv(socket, piece.data(), piece.size(), MSG_DONTWAIT);
    if (got > 0) into.append(piece.data(), static_cast<size_t>(got));
    if (got == 0) return true;
    if (got < 0) return errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR;
  }
}

// As much as the peer takes; the rest stays. False when the peer is gone.
bool SendSome(int socket, std::string& bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0) return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
    bytes.erase(0, static_cast<size_t>(sent));
  }
  return true;
}

}  // namespace

StallingProxy::StallingProxy(uint16_t server_port)
    : server_port_(server_port),
      listener_(ListenOnLoopback()),
      port_(PortOfListener(listener_)),
      thread_([this] { Run(); }) {}

StallingProxy::~StallingProxy() {
  stopping_ = true;
  thread_.join();
  close(listener_);
  for (const Pair& pair : pairs_) {
    close(pair.client);
    close(pair.server);
  }
}

void StallingProxy::Stall() {
  const std::lock_guard lock(mutex_);
  StallAll();
}

void StallingProxy::StallAll() {
  new_stall_ = true;
  stall_at_.clear();
  for (Pair& pair : pairs_) pair.stalls = pair.is_old = true;
}

void StallingProxy::StallAt(const std::string& text) {
  const std::lock_guard lock(mutex_);
  stall_at_ = text;
}

void StallingProxy::PassNew() {
  const std::lock_guard lock(mutex_);
  new_stall_ = false;
  for (Pair& pair : pairs_) pair.stalls = pair.is_old;
}

void StallingProxy::Release() {
  const std::lock_guard lock(mutex_);
  new_stall_ = false;
  for (Pair& pair : pairs_) pair.stalls = pair.is_old = false;
}

bool StallingProxy::Keeps(const std::string& text) const {
  const std::lock_guard lock(mutex_);
  return std::any_of(pairs_.begin(), pairs_.end(), [&](const Pair& pair) {
    return pair.stalls && pair.to_server.find(text) != std::string::npos;
  });
}

size_t StallingProxy::abandoned_not_yet() const {
  const std::lock_guard lock(mutex_);
  return static_cast<size_t>(std::count_if(pairs_.begin(), pairs_.end(), [](const Pair& pair) {
    return pair.is_old && !pair.client_ended;
  }));
}

size_t StallingProxy::stalled() const {
  const std::lock_guard lock(mutex_);
  return static_cast<size_t>(
      std::count_if(pairs_.begin(), pairs_.end(), [](const Pair& pair) { return pair.stalls; }));
}

void StallingProxy::Run() {
  while (!stopping_) {
    std::vector<pollfd> waiting = {{listener_, POLLIN, 0}};
    {
      const std::lock_guard lock(mutex_);
      for (const Pair& pair : pairs_) {
        if (!pair.client_ended) waiting.push_back({pair.client, POLLIN, 0});
        if (!pair.server_ended) waiting.push_back({pair.server, POLLIN, 0});
      }
    }
    poll(waiting.data(), waiting.size(), kTickMs);
    if (waiting.front().revents != 0) Accept();
    const std::lock_guard lock(mutex_);
    Receive();
    Deliver();
  }
}

void StallingProxy::Accept() {
  Pair pair;
  pair.client = AcceptOnLoopback(listener_);
  if (pair.client < 0) return;
  pair.server = ConnectToLoopback(server_port_);
  if (pair.server < 0) {
    close(pair.client);
    return;
  }
  const std::lock_guard lock(mutex_);
  pair.stalls = new_stall_;
  pairs_.push_back(std::move(pair));
}

void StallingProxy::Receive() {
  for (Pair& pair : pairs_) {
    if (!pair.client_ended) pair.client_ended = ReceiveAll(pair.client, pair.to_server);
    if (!pair.server_ended) pair.server_ended = ReceiveAll(pair.server, pair.to_client);
    if (!stall_at_.empty() && pair.to_server.find(stall_at_) != std::string::npos) StallAll();
  }
}

// A side is told of the other's end behind everything that the other has sent. What a client sent
// that is gone is still to be executed: its server is waited for.
void StallingProxy::Deliver() {
  std::erase_if(pairs_, [](Pair& pair) {
    if (pair.stalls) return false;
    const bool server_there = SendSome(pair.server, pair.to_server);
    const bool client_there = pair.client_ended || SendSome(pair.client, pair.to_client);
    if (pair.client_ended && pair.to_server.empty()) shutdown(pair.server, SHUT_WR);
    const bool over = (pair.server_ended && (pair.client_ended || pair.to_client.empty())) ||
                      !server_there || !client_there;
    if (over) {
      close(pair.client);
      close(pair.server);
    }
    return over;
  });
}

}  // namespace tarn::testing
