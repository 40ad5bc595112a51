// A connection as tests speak to it.
//
//   Subject subject(To(fake));
//   CHECK(subject.opened() == "OK");
//   CHECK(subject.Ask({"GET", "k"}) == "\"v\"");
#pragma once

#include <cstdint>
#include <future>
#include <memory>
#include <string>
#include <vector>

#include "storage/base/clock.h"
#include "storage/redis/connection.h"
#include "storage/redis/event_loop.h"
#include "tests/storage/redis/support/fake_redis.h"
#include "tests/storage/redis/support/redis_server.h"

namespace tarn::testing {

// What an answer means, in one line: a reply as redis-cli would show it (OK, "text", (integer) 1,
// (nil), [...]), an error of Redis by its event and outcome ("OOM: not done"), or a loss
// ("connection lost: unknown").
std::string Brief(const storage::redis::Answer& answer);

class Subject {
 public:
  explicit Subject(const storage::redis::ConnectionOptions& options);
  ~Subject();

  // The status of opening and of closing; they wait for it.
  std::string opened();
  std::string closed();
  // The message that goes with the latter.
  std::string cause();

  std::future<std::string> Send(
      const std::vector<std::string>& words,
      storage::redis::CommandKind kind = storage::redis::CommandKind::kWrite);
  // Sends and waits.
  std::string Ask(const std::vector<std::string>& words,
                  storage::redis::CommandKind kind = storage::redis::CommandKind::kWrite);

  storage::redis::Connection& connection() { return *connection_; }

 private:
  const base::SystemClock clock_;
  std::promise<absl::Status> open_;
  std::promise<absl::Status> close_;
  std::shared_future<absl::Status> opened_ = open_.get_future().share();
  std::shared_future<absl::Status> closed_ = close_.get_future().share();
  storage::redis::EventLoop loop_;
  std::shared_ptr<storage::redis::Connection> connection_;
};

// Waits for it; throws when that takes too long.
std::string Await(std::future<std::string>& future);

storage::redis::ConnectionOptions To(const FakeRedis& fake);
storage::redis::ConnectionOptions To(const RedisServer& server);

}  // namespace tarn::testing
