// A TCP proxy that is a link which goes down and comes up again.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace tarn::testing {

// Between clients and one server on the loopback interface. While a connection stalls nothing
// passes, either way, ends and resets included; neither side is told. What was sent meanwhile is
// kept, and delivered when it passes again, even if its sender has long given the connection up.
// Thread-safe.
class StallingProxy {
 public:
  explicit StallingProxy(uint16_t server_port);
  ~StallingProxy();
  StallingProxy(const StallingProxy&) = delete;
  StallingProxy& operator=(const StallingProxy&) = delete;

  uint16_t port() const { return port_; }

  // All connections stall, those that are made from now on too.
  void Stall();
  // The same as soon as something that holds `text` has been sent to the server, which is kept.
  void StallAt(const std::string& text);
  // Those pass that were made since the last Stall(), or are made from now on.
  void PassNew();
  // All pass, and what was kept is delivered.
  void Release();

  // Whether something that holds `text` was sent to the server and is kept.
  bool Keeps(const std::string& text) const;
  // The connections among those of the last Stall() that their clients have not given up.
  size_t abandoned_not_yet() const;
  // Connections that stall.
  size_t stalled() const;

 private:
  // One connection to each side. -1: closed.
  struct Pair {
    int client = -1;
    int server = -1;
    std::string to_server;
    std::string to_client;
    bool stalls = false;
    bool is_old = false;  // It was there at the last Stall().
    bool client_ended = false;
    bool server_ended = false;
  };

  void Run();
  void Accept();
  void Receive();
  void StallAll();
  void Deliver();

  const uint16_t server_port_;
  const int listener_;
  const uint16_t port_;
  std::atomic<bool> stopping_{false};
  mutable std::mutex mutex_;
  bool new_stall_ = false;   // Guarded by the mutex.
  std::string stall_at_;     // Guarded by the mutex. Empty: nothing makes it stall.
  std::vector<Pair> pairs_;  // Guarded by the mutex.
  std::thread thread_;
};

}  // namespace tarn::testing
