// A Redis that is real, apart from the answers that a test gives in its place.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace tarn::testing {

// Between clients and one server on the loopback interface; it understands commands and replies,
// and passes one command of a connection after the other. Thread-safe.
class ScriptedProxy {
 public:
  static constexpr size_t kAll = SIZE_MAX;

  // Commands with this name that hold this text.
  struct Match {
    std::string command;
    std::string text;
  };

  // What happens to commands that match one of these, so many times.
  struct Fault {
    std::vector<Match> any_of;
    int times = 1;
    // Not empty: the answer, and the server does not hear of the command.
    std::string reply;
    // Less than kAll: so much of the command reaches the server, or of its reply the client, then
    // both connections are reset. What is longer than the command is the whole, without a reply.
    size_t request_bytes = kAll;
    size_t reply_bytes = kAll;
  };

  explicit ScriptedProxy(uint16_t server_port);
  ~ScriptedProxy();
  ScriptedProxy(const ScriptedProxy&) = delete;
  ScriptedProxy& operator=(const ScriptedProxy&) = delete;

  uint16_t port() const { return port_; }

  // In place of the one before.
  void Arm(const Fault& fault);
  void Disarm() { Arm({}); }

  // Of the present fault: how often it happened, and the size of the command that met it first and
  // of that command's reply.
  struct Struck {
    int times = 0;
    size_t request_bytes = 0;
    size_t reply_bytes = 0;
  };
  Struck struck() const;

 private:
  class Relay;

  void Accept();
  // What is to happen to the command.
  Fault FaultOf(const std::string& command);
  void NoteReply(size_t bytes);

  const uint16_t server_port_;
  int listener_ = -1;
  uint16_t port_ = 0;
  std::atomic<bool> stopping_{false};
  mutable std::mutex mutex_;
  Fault fault_;                                 // Guarded by the mutex.
  Struck struck_;                               // Guarded by the mutex.
  std::vector<std::unique_ptr<Relay>> relays_;  // The accepting thread's.
  std::thread thread_;
};

}  // namespace tarn::testing
