// A real redis-server, as a process of its own, in a directory of its own.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tests/storage/redis/support/redis_process.h"
#include "tests/support/own_port.h"
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

  uint16_t port() const { return port_.number(); }
  std::string unix_path() const { return directory_ / "redis.sock"; }

  void Signal(int number) const { process_.Signal(number); }
  // kill -9.
  void Kill() { process_.Kill(); }
  // After it was killed: once more, on the same port, with what its directory holds.
  void Restart();

 private:
  // False when the port was taken in between.
  bool Start();

  const TempDir directory_;
  const std::vector<std::string> arguments_;
  const Port speaks_;
  OwnPort port_;
  RedisProcess process_;
};

}  // namespace tarn::testing
