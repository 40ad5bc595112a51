#include "tests/storage/redis/support/fake_redis.h"

#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <optional>
#include <stdexcept>
#include <utility>

namespace tarn::testing {
namespace {

using Command = FakeRedis::Command;

// A number that ends with CRLF, at `at`; moves behind it.
std::optional<size_t> TakeNumber(const std::string& text, size_t& at) {
  const size_t end = text.find("\r\n", at);
  if (end == std::string::npos) return std::nullopt;
  const size_t number = std::stoul(text.substr(at + 1, end - at - 1));
  at = end + 2;
  return number;
}

// The first whole command, taken off the front.
std::optional<Command> TakeCommand(std::string& received) {
  size_t at = 0;
  const std::optional<size_t> words = TakeNumber(received, at);
  if (!words) return std::nullopt;
  Command command;
  for (size_t i = 0; i < *words; ++i) {
    const std::optional<size_t> size = TakeNumber(received, at);
    if (!size || received.size() < at + *size + 2) return std::nullopt;
    command.push_back(received.substr(at, *size));
    at += *size + 2;
  }
  received.erase(0, at);
  return command;
}

bool IsLogIn(const Command& command) {
  return command[0] == "AUTH" || command[0] == "CLIENT" || command[0] == "SELECT" ||
         command[0] == "ROLE" || command[0] == "INFO" || command[0] == "SCRIPT";
}

// False when the fake is to end, or the peer has gone.
bool AwaitInput(int socket, int stop) {
  pollfd waiting[] = {{.fd = socket, .events = POLLIN, .revents = 0},
                      {.fd = stop, .events = POLLIN, .revents = 0}};
  return poll(waiting, 2, -1) > 0 && waiting[1].revents == 0;
}

}  // namespace

FakeRedis::FakeRedis(Script script)
    : script_(std::move(script)),
      listener_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)),
      stop_(eventfd(0, EFD_CLOEXEC)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  if (bind(listener_, generic, size) != 0 || listen(listener_, 8) != 0 ||
      getsockname(listener_, generic, &size) != 0) {
    throw std::runtime_error("the fake Redis cannot listen");
  }
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { Serve(); });
}

FakeRedis::~FakeRedis() {
  eventfd_write(stop_, 1);
  thread_.join();
  close(listener_);
  close(stop_);
}

void FakeRedis::Serve() {
  std::vector<std::thread> servers;
  while (AwaitInput(listener_, stop_)) {
    const int socket = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (socket < 0) continue;
    ++connections_;
    const auto serve = [this, socket] {
      ServeOne(socket);
      close(socket);
    };
    script_.all_at_once ? void(servers.emplace_back(serve)) : serve();
  }
  for (std::thread& server : servers) server.join();
}

void FakeRedis::ServeOne(int socket) {
  std::string received;
  size_t answered_bytes = 0;
  size_t requested_bytes = 0;
  bool logged_in = false;
  while (AwaitInput(socket, stop_)) {
    // After the log-in no byte is read that is behind the cut.
    char buffer[65536];
    const size_t room = logged_in
                            ? std::min(sizeof(buffer), script_.request_bytes - requested_bytes)
                            : sizeof(buffer);
    const ssize_t got = recv(socket, buffer, room, 0);
    if (got <= 0) return;
    if (logged_in) requested_bytes += static_cast<size_t>(got);
    received.append(buffer, static_cast<size_t>(got));
    logged_in = logged_in || received.find("ROLE") != std::string::npos;
    if (!AnswerAll(socket, received, answered_bytes)) return;
    if (requested_bytes >= script_.request_bytes) return;
  }
}

bool FakeRedis::AnswerAll(int socket, std::string& received, size_t& answered_bytes) {
  while (std::optional<Command> command = TakeCommand(received)) {
    if (IsLogIn(*command)) {
      const std::string answer = LogIn(*command);
      if (send(socket, answer.data(), answer.size(), MSG_NOSIGNAL) < 0) return false;
      continue;
    }
    ++commands_;
    if (!SendAnswer(socket, script_.answer(*command), answered_bytes)) return false;
  }
  return true;
}

std::string FakeRedis::LogIn(const Command& command) {
  if (std::string scripted = script_.log_in(command); !scripted.empty()) return scripted;
  if (command[0] == "ROLE") return "*3\r\n$6\r\nmaster\r\n:0\r\n*0\r\n";
  if (command.size() > 1 && command[1] == "ID") return ":7\r\n";
  if (command[0] == "INFO") return Bulk("# Server\r\nrun_id:0123\r\n");
  if (command[0] == "SCRIPT") return Bulk("sha");
  return "+OK\r\n";
}

bool FakeRedis::SendAnswer(int socket, std::string bytes, size_t& answered_bytes) const {
  const bool cut = answered_bytes + bytes.size() >= script_.answer_bytes;
  if (cut) bytes.resize(script_.answer_bytes - answered_bytes);
  answered_bytes += bytes.size();
  const size_t step = script_.trickle ? 1 : std::max<size_t>(bytes.size(), 1);
  for (size_t at = 0; at < bytes.size(); at += step) {
    if (send(socket, bytes.data() + at, std::min(step, bytes.size() - at), MSG_NOSIGNAL) < 0) {
      return false;
    }
  }
  return !cut;
}

std::string Bulk(const std::string& text) {
  return "$" + std::to_string(text.size()) + "\r\n" + text + "\r\n";
}

}  // namespace tarn::testing
