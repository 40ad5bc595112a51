#include "tests/faults/scripted_proxy.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "tests/faults/loopback.h"

namespace tarn::testing {
namespace {

constexpr int kTickMs = 20;  // How soon a thread notices that it is to stop.

// Where the command or reply that begins at `at` ends; nothing when it is not whole yet.
std::optional<size_t> EndOf(const std::string& bytes, size_t at) {
  const size_t line = bytes.find("\r\n", at);
  if (line == std::string::npos) return std::nullopt;
  size_t end = line + 2;
  if (bytes[at] != '$' && bytes[at] != '*') return end;
  const long long count = std::stoll(bytes.substr(at + 1, line - at - 1));
  if (bytes[at] == '*') {
    for (long long i = 0; i < count; ++i) {
      const std::optional<size_t> next = end < bytes.size() ? EndOf(bytes, end) : std::nullopt;
      if (!next) return std::nullopt;
      end = *next;
    }
    return end;
  }
  if (count >= 0) end += static_cast<size_t>(count) + 2;
  return end <= bytes.size() ? std::optional(end) : std::nullopt;
}

// The first word of a command.
std::string NameOf(const std::string& command) {
  const size_t size_line = command.find("\r\n") + 2;
  const size_t begin = command.find("\r\n", size_line) + 2;
  return command.substr(begin, command.find("\r\n", begin) - begin);
}

bool SendAll(int socket, const std::string& bytes) {
  return send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
         static_cast<ssize_t>(bytes.size());
}

}  // namespace

// One connection, on a thread of its own.
class ScriptedProxy::Relay {
 public:
  Relay(ScriptedProxy& proxy, int client)
      : proxy_(proxy), client_(client), thread_([this] { Run(); }) {}
  ~Relay() { thread_.join(); }

  bool ended() const { return ended_; }

 private:
  void Run() {
    server_ = ConnectToLoopback(proxy_.server_port_);
    if (server_ >= 0) {
      while (const std::optional<std::string> command = Take(client_, from_client_)) {
        if (!Pass(*command)) break;
      }
      ResetSocket(server_);
    }
    ResetSocket(client_);
    ended_ = true;
  }

  // The next whole command or reply; nothing when there is none any more.
  std::optional<std::string> Take(int socket, std::string& received) {
    std::array<char, 64 << 10> piece{};
    for (;;) {
      const std::optional<size_t> end = received.empty() ? std::nullopt : EndOf(received, 0);
      if (end) {
        std::string frame = received.substr(0, *end);
        received.erase(0, *end);
        return frame;
      }
      if (!AwaitInput(socket)) return std::nullopt;
      const ssize_t got = recv(socket, piece.data(), piece.size(), 0);
      if (got <= 0) return std::nullopt;
      received.append(piece.data(), static_cast<size_t>(got));
    }
  }

  // From that socket. False when it is over.
  bool AwaitInput(int socket) const {
    while (!proxy_.stopping_) {
      pollfd waiting{socket, POLLIN, 0};
      if (poll(&waiting, 1, kTickMs) > 0) return true;
    }
    return false;
  }

  // False when the connection is to end.
  bool Pass(const std::string& command) {
    const Fault fault = proxy_.FaultOf(command);
    if (!fault.reply.empty()) return SendAll(client_, fault.reply);
    const bool cut = fault.request_bytes != kAll;
    if (!SendAll(server_, cut ? command.substr(0, fault.request_bytes) : command)) return false;
    if (cut && fault.request_bytes < command.size()) return false;
    const std::optional<std::string> reply = Take(server_, from_server_);
    if (!reply || cut) return false;
    if (fault.any_of.empty()) return SendAll(client_, *reply);
    proxy_.NoteReply(reply->size());
    SendAll(client_, reply->substr(0, fault.reply_bytes));
    if (fault.reply_bytes == kAll) return true;
    // A reset would throw away what the client has not read yet.
    shutdown(client_, SHUT_WR);
    while (Take(client_, from_client_)) {
    }
    return false;
  }

  ScriptedProxy& proxy_;
  const int client_;
  int server_ = -1;
  std::string from_client_;
  std::string from_server_;
  std::atomic<bool> ended_{false};
  std::thread thread_;
};

ScriptedProxy::ScriptedProxy(uint16_t server_port)
    : server_port_(server_port),
      listener_(ListenOnLoopback()),
      port_(PortOfListener(listener_)),
      thread_([this] { Accept(); }) {}

ScriptedProxy::~ScriptedProxy() {
  stopping_ = true;
  thread_.join();
  close(listener_);
}

void ScriptedProxy::Arm(const Fault& fault) {
  const std::lock_guard lock(mutex_);
  fault_ = fault;
  struck_ = {};
}

ScriptedProxy::Struck ScriptedProxy::struck() const {
  const std::lock_guard lock(mutex_);
  return struck_;
}

void ScriptedProxy::Accept() {
  while (!stopping_) {
    pollfd waiting{listener_, POLLIN, 0};
    if (poll(&waiting, 1, kTickMs) <= 0) continue;
    const int client = AcceptOnLoopback(listener_);
    if (client < 0) continue;
    std::erase_if(relays_, [](const auto& relay) { return relay->ended(); });
    relays_.push_back(std::make_unique<Relay>(*this, client));
  }
  relays_.clear();
}

ScriptedProxy::Fault ScriptedProxy::FaultOf(const std::string& command) {
  const std::lock_guard lock(mutex_);
  if (struck_.times >= fault_.times) return {};
  const bool meant =
      std::any_of(fault_.any_of.begin(), fault_.any_of.end(), [&](const Match& match) {
        return NameOf(command) == match.command && command.find(match.text) != std::string::npos;
      });
  if (!meant) return {};
  if (++struck_.times == 1) struck_.request_bytes = command.size();
  return fault_;
}

void ScriptedProxy::NoteReply(size_t bytes) {
  const std::lock_guard lock(mutex_);
  if (struck_.reply_bytes == 0) struck_.reply_bytes = bytes;
}

}  // namespace tarn::testing
