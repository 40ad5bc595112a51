#include "tests/support/own_port.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>
#include <cstdio>
#include <fstream>
#include <random>
#include <stdexcept>
#include <utility>

namespace tarn::testing {
namespace {

struct Range {
  int first = 0;
  int last = 0;
  int size() const { return last - first + 1; }
};

// Below it are the ports of well-known services.
constexpr int kLowest = 10'000;
constexpr int kHighest = 65'535;
// Fewer would be too few for all the tests that run at once.
constexpr int kEnough = 1'000;

// What the kernel does not hand out, if that is enough; else everything.
Range Candidates() {
  Range handed_out{kHighest, kHighest};
  std::ifstream("/proc/sys/net/ipv4/ip_local_port_range") >> handed_out.first >> handed_out.last;
  const Range below{kLowest, handed_out.first - 1};
  const Range above{handed_out.last + 1, kHighest};
  if (below.size() >= kEnough) return below;
  return above.size() >= kEnough ? above : Range{kLowest, kHighest};
}

// A name in the kernel that one process has at a time, and that ends with it. -1 when another one
// has it.
int Claim(int number) {
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  // A name that begins with a zero byte is not a file.
  const int length = std::snprintf(name.sun_path + 1, sizeof(name.sun_path) - 1,  //
                                   "tarn-test-port-%d", number);
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + length);
  const int claim = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (bind(claim, reinterpret_cast<const sockaddr*>(&name), size) == 0) return claim;
  close(claim);
  return -1;
}

bool NobodyListens(int number) {
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<uint16_t>(number));
  const bool bound = bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0;
  close(listener);
  return bound;
}

}  // namespace

OwnPort::OwnPort() {
  const Range range = Candidates();
  std::random_device random;
  const int start = std::uniform_int_distribution(0, range.size() - 1)(random);
  for (int i = 0; i < range.size(); ++i) {
    const int number = range.first + (start + i) % range.size();
    const int claim = Claim(number);
    if (claim < 0) continue;
    if (NobodyListens(number)) {
      number_ = static_cast<uint16_t>(number);
      claim_ = claim;
      return;
    }
    close(claim);
  }
  throw std::runtime_error("there is no free port");
}

OwnPort::~OwnPort() {
  if (claim_ >= 0) close(claim_);
}

OwnPort::OwnPort(OwnPort&& other) noexcept
    : number_(std::exchange(other.number_, 0)), claim_(std::exchange(other.claim_, -1)) {}

OwnPort& OwnPort::operator=(OwnPort&& other) noexcept {
  std::swap(number_, other.number_);
  std::swap(claim_, other.claim_);
  return *this;
}

}  // namespace tarn::testing
