// A real redis-server, as a process of its own, in a directory of its own.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "tests/support/temp_dir.h"

namespace tarn::testing {

// Listens on a free loopback port and on a Unix socket, keeps nothing on disk unless told to. It
// dies with the test, however the test ends.
class RedisServer {
 public:
  // Which protocol the port speaks.
  enum class Port : uint8_t { kPlain, kTls };

  // `arguments` are more of redis-server's, such as {"--requirepass", "x"}; the last one counts.
  // Throws, with what it wrote, when it does not serve.
  explicit RedisServer(const std::vector<std::string>& arguments = {}, Port speaks = Port::kPlain);
  ~RedisServer();

  RedisServer(const RedisServer&) = delete;
  RedisServer& operator=(const RedisServer&) = delete;

  uint16_t port() const { return port_; }
  std::string unix_path() const { return directory_ / "redis.sock"; }

  void Signal(int number) const;
  // kill -9.
  void Kill();

 private:
  // False when the port was taken in between.
  bool Start(const std::vector<std::string>& arguments, Port speaks);
  bool AwaitReady(int output);

  const TempDir directory_;
  uint16_t port_ = 0;
  pid_t pid_ = -1;
  std::string log_;
};

// A loopback port that nobody listened on a moment ago.
uint16_t FreePort();

}  // namespace tarn::testing
