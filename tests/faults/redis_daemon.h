// A real tarnd whose state lives in a Redis that a test may ill-treat.
#pragma once

#include <string>
#include <vector>

#include "tests/storage/redis/support/redis_server.h"
#include "tests/support/daemon.h"
#include "tests/support/temp_dir.h"

namespace tarn::testing {

enum class Start : uint8_t { kServes, kStands };  // Waits until it serves, or for nothing.

// Listens on a Unix socket, so that its address is known before it serves, and makes no checkpoints
// of its own.
class RedisDaemon {
 public:
  explicit RedisDaemon(const std::string& url, Start start = Start::kServes,
                       const std::vector<std::string>& arguments = {})
      : process_(Options(url, start, arguments)) {}

  DaemonProcess& process() { return process_; }
  // For clients.
  std::string endpoint() const { return "unix:" + directory_.path() + "/tarnd.sock"; }

 private:
  DaemonProcess::Options Options(const std::string& url, Start start,
                                 const std::vector<std::string>& more) const {
    DaemonProcess::Options options;
    options.directory = directory_.path();
    options.arguments = {"--engine", "redis",    "--redis-url",           url,
                         "--listen", endpoint(), "--checkpoint-interval", "0s"};
    options.arguments.insert(options.arguments.end(), more.begin(), more.end());
    if (start == Start::kStands) options.await = DaemonProcess::Options::Await::kNothing;
    return options;
  }

  const TempDir directory_;
  DaemonProcess process_;
};

inline std::string UnixUrl(const RedisServer& server) { return "unix://" + server.unix_path(); }

inline std::string TcpUrl(uint16_t port) { return "redis://127.0.0.1:" + std::to_string(port); }

}  // namespace tarn::testing
