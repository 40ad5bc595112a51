// A TCP proxy that loses answers.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace tarn::testing {

// Between clients and one server on the loopback interface. Of what the server sends, every n-th
// piece is swallowed, and the connection that it was on is reset: the server has done what it was
// asked to, and the client does not hear of it. A server that is not there resets, too.
class FlakyProxy {
 public:
  // `server`: HOST:PORT. 0 swallows nothing.
  FlakyProxy(const std::string& server, uint64_t swallow_every);
  ~FlakyProxy();
  FlakyProxy(const FlakyProxy&) = delete;
  FlakyProxy& operator=(const FlakyProxy&) = delete;

  const std::string& endpoint() const { return endpoint_; }
  uint64_t swallowed() const { return swallowed_; }

 private:
  class Relay;

  void Accept();
  bool Swallows();

  const uint16_t server_port_;
  const uint64_t swallow_every_;
  int listener_ = -1;
  std::string endpoint_;
  std::atomic<bool> stopping_{false};
  std::atomic<uint64_t> pieces_{0};
  std::atomic<uint64_t> swallowed_{0};
  std::vector<std::unique_ptr<Relay>> relays_;  // The accepting thread's.
  std::thread thread_;
};

}  // namespace tarn::testing
