#include "tests/storage/redis/support/redis_server.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <stdexcept>
#include <utility>

namespace tarn::testing {
namespace {

constexpr int kAttempts = 5;

// In the child: becomes the program. Nothing here may allocate.
[[noreturn]] void Become(char* const* arguments, int output) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  dup2(output, STDOUT_FILENO);
  dup2(output, STDERR_FILENO);
  execvp(arguments[0], arguments);
  _exit(127);
}

}  // namespace

uint16_t FreePort() {
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  const bool found =
      bind(listener, generic, size) == 0 && getsockname(listener, generic, &size) == 0;
  close(listener);
  if (!found) throw std::runtime_error("there is no free port");
  return ntohs(address.sin_port);
}

RedisServer::RedisServer(const std::vector<std::string>& arguments, Port speaks) {
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    if (Start(arguments, speaks)) return;
  }
  throw std::runtime_error("redis-server does not serve; it wrote:\n" + log_);
}

RedisServer::~RedisServer() { Kill(); }

bool RedisServer::Start(const std::vector<std::string>& arguments, Port speaks) {
  port_ = FreePort();
  const std::string port = std::to_string(port_);
  std::vector<std::string> words = {
      "redis-server", "--bind", "127.0.0.1",    "--dir",    directory_.path(), "--save", "",
      "--appendonly", "no",     "--unixsocket", unix_path()};
  const bool tls = speaks == Port::kTls;
  words.insert(words.end(), {"--port", tls ? "0" : port, "--tls-port", tls ? port : "0"});
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) throw std::runtime_error("cannot make a pipe");
  pid_ = fork();
  if (pid_ == 0) Become(pointers.data(), ends[1]);
  close(ends[1]);
  const bool ready = pid_ > 0 && AwaitReady(ends[0]);
  // What it writes later is of no interest; it ignores that nobody reads it.
  close(ends[0]);
  if (!ready) Kill();
  return ready;
}

bool RedisServer::AwaitReady(int output) {
  log_.clear();
  std::array<char, 4096> buffer{};
  for (ssize_t got = 0; (got = read(output, buffer.data(), buffer.size())) > 0;) {
    log_.append(buffer.data(), static_cast<size_t>(got));
    // The socket is the last that it opens.
    if (log_.find("ready to accept connections at") != std::string::npos) return true;
  }
  return false;
}

void RedisServer::Signal(int number) const {
  if (pid_ > 0) kill(pid_, number);
}

void RedisServer::Kill() {
  if (pid_ <= 0) return;
  Signal(SIGKILL);
  waitpid(std::exchange(pid_, -1), nullptr, 0);
}

}  // namespace tarn::testing
