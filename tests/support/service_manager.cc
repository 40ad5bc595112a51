#include "tests/support/service_manager.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>
#include <cstring>
#include <stdexcept>
#include <utility>

namespace tarn::testing {
namespace {

constexpr int kPatienceMs = 60'000;
constexpr size_t kMaxMessage = 4096;

}  // namespace

FakeServiceManager::FakeServiceManager(std::string address) : address_(std::move(address)) {
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  if (address_.size() >= sizeof(name.sun_path)) throw std::runtime_error("too long: " + address_);
  std::memcpy(name.sun_path, address_.data(), address_.size());
  if (address_.front() == '@') name.sun_path[0] = '\0';
  const size_t length = offsetof(sockaddr_un, sun_path) + address_.size();
  fd_ = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (bind(fd_, reinterpret_cast<const sockaddr*>(&name), static_cast<socklen_t>(length)) != 0) {
    throw std::runtime_error("cannot listen at " + address_);
  }
}

FakeServiceManager::~FakeServiceManager() { close(fd_); }

std::string FakeServiceManager::Next() const {
  pollfd wait{.fd = fd_, .events = POLLIN, .revents = 0};
  if (poll(&wait, 1, kPatienceMs) != 1) throw std::runtime_error("the manager was told nothing");
  return Waiting();
}

std::string FakeServiceManager::Waiting() const {
  char buffer[kMaxMessage];
  const ssize_t size = recv(fd_, buffer, sizeof(buffer), MSG_DONTWAIT);
  return size < 0 ? "" : std::string(buffer, static_cast<size_t>(size));
}

}  // namespace tarn::testing
