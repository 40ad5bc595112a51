// A Redis that says what a test tells it to say, on a free loopback port.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <thread>
#include <vector>

namespace tarn::testing {

// Serves one connection after the other on a thread of its own, unless told otherwise. It logs
// everyone in; what is asked after that is answered by the script.
class FakeRedis {
 public:
  using Command = std::vector<std::string>;

  static constexpr size_t kUncut = SIZE_MAX;

  struct Script {
    // The bytes that answer a command; none: no answer.
    std::function<std::string(const Command& command)> answer = [](const Command&) {
      return std::string("+OK\r\n");
    };
    // In place of the log-in's own answers, where it gives any.
    std::function<std::string(const Command& command)> log_in = [](const Command&) {
      return std::string();
    };
    // Ends the connection after so many bytes of requests, or of answers, behind the log-in. What
    // was read up to there is answered.
    size_t request_bytes = kUncut;
    size_t answer_bytes = kUncut;
    // Answers go out one byte at a time.
    bool trickle = false;
    // All connections are served at once; the functions above are then called by several threads.
    bool all_at_once = false;
  };

  explicit FakeRedis(Script script);
  ~FakeRedis();

  FakeRedis(const FakeRedis&) = delete;
  FakeRedis& operator=(const FakeRedis&) = delete;

  uint16_t port() const { return port_; }
  // How many connections came so far.
  int connections() const { return connections_; }
  // Commands answered by the script, or that it left without answer.
  int commands() const { return commands_; }

 private:
  void Serve();
  void ServeOne(int socket);
  // False when the connection is to end.
  bool AnswerAll(int socket, std::string& received, size_t& answered_bytes);
  std::string LogIn(const Command& command);
  bool SendAnswer(int socket, std::string bytes, size_t& answered_bytes) const;

  const Script script_;
  const int listener_;
  const int stop_;  // An eventfd: readable when the fake is to end.
  uint16_t port_ = 0;
  std::atomic<int> connections_ = 0;
  std::atomic<int> commands_ = 0;
  std::thread thread_;
};

// One bulk string.
std::string Bulk(const std::string& text);

}  // namespace tarn::testing
