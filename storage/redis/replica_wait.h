// Holds the answers of one connection's writes back until enough replicas have them.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "storage/redis/connection.h"
#include "storage/redis/traffic.h"

namespace tarn::storage::redis {

// WAIT stands for all writes of its connection before it, so one is under way at a time, and writes
// that are answered meanwhile share the next: replicas are asked once for many writes. What comes
// behind a WAIT on its connection waits with it. The loop's thread's.
class ReplicaWait : public std::enable_shared_from_this<ReplicaWait> {
 public:
  ReplicaWait(std::shared_ptr<Connection> connection, int replicas, int64_t timeout_ms,
              std::shared_ptr<Traffic> traffic)
      : connection_(std::move(connection)),
        replicas_(replicas),
        timeout_ms_(timeout_ms),
        traffic_(std::move(traffic)) {}

  // What is to be called with a write's answer, so that `done` is called with it once that many
  // replicas have it, or with NOT_REPLICATED (the reply is still there) when they do not in time,
  // or nobody knows.
  AnswerHandler Behind(AnswerHandler done);

 private:
  struct Held {
    Answer answer;
    AnswerHandler done;
  };

  void Hold(Held held);
  void Ask();
  void Finish(std::vector<Held> group, const Answer& answer);

  const std::shared_ptr<Connection> connection_;
  const int replicas_;
  const int64_t timeout_ms_;
  const std::shared_ptr<Traffic> traffic_;
  std::vector<Held> next_;  // They were answered after the last WAIT was sent.
  bool asking_ = false;
};

}  // namespace tarn::storage::redis
