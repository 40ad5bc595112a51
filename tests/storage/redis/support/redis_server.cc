#include "tests/storage/redis/support/redis_server.h"

#include <stdexcept>

namespace tarn::testing {
namespace {

constexpr int kAttempts = 5;

}  // namespace

RedisServer::RedisServer(const std::vector<std::string>& arguments, Port speaks)
    : arguments_(arguments), speaks_(speaks) {
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    port_ = OwnPort();
    if (Start()) return;
  }
  throw std::runtime_error("redis-server does not serve; it wrote:\n" + process_.log());
}

void RedisServer::Restart() {
  if (!Start()) throw std::runtime_error("redis-server does not serve again:\n" + process_.log());
}

bool RedisServer::Start() {
  const std::string port = std::to_string(this->port());
  std::vector<std::string> words = {
      "redis-server", "--bind", "127.0.0.1",    "--dir",    directory_.path(), "--save", "",
      "--appendonly", "no",     "--unixsocket", unix_path()};
  const bool tls = speaks_ == Port::kTls;
  words.insert(words.end(), {"--port", tls ? "0" : port, "--tls-port", tls ? port : "0"});
  words.insert(words.end(), arguments_.begin(), arguments_.end());
  // The Unix socket is the last that it opens.
  return process_.Start(words, "ready to accept connections at");
}

}  // namespace tarn::testing
