// A loopback port for a server that a test starts, and perhaps kills and starts again.
#pragma once

#include <cstdint>

namespace tarn::testing {

// While it lives no other test gets this port, in this process or another one. It is not one of
// those that the kernel hands out by itself: neither a connection that goes out nor a socket bound
// to port 0 takes it while the server is away.
class OwnPort {
 public:
  // Throws when there is none.
  OwnPort();
  ~OwnPort();

  OwnPort(OwnPort&& other) noexcept;
  OwnPort& operator=(OwnPort&& other) noexcept;

  uint16_t number() const { return number_; }

 private:
  uint16_t number_ = 0;
  int claim_ = -1;
};

}  // namespace tarn::testing
