// Asks servers about the topology: one after the other until one knows.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "storage/base/clock.h"
#include "storage/base/random.h"
#include "storage/redis/backoff.h"
#include "storage/redis/connection.h"
#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>

namespace tarn::storage::redis {

struct InquiryOptions {
  ConnectionOptions connection;  // To each of them: the endpoint and the role are filled in.
  std::string command;
  int64_t poll_interval_ms = 5000;  // Asked so often even if nobody wants to know.
  // After nobody knew, and when somebody wants to know: doubling, with full jitter,
  int64_t again_base_ms = 100;
  int64_t again_cap_ms = 1000;   // up to this,
  int64_t min_interval_ms = 50;  // but a round never begins sooner after the one before.
};

struct InquiryStats {
  uint64_t rounds = 0;
  uint64_t failed = 0;  // Rounds in which nobody knew.
};

// One question at a time, however often it is wanted. Each server is asked on a connection of its
// own: those that carry commands may be stuck. The loop's thread's, but for Stats.
class Inquiry : public std::enable_shared_from_this<Inquiry> {
 public:
  struct Hooks {
    // Whom to ask, in this order. Asked at the start of each round.
    std::function<std::vector<Endpoint>()> candidates;
    // False when the answer is of no use: then the next one is asked. Not called after Close.
    std::function<bool(const Endpoint& asked, ReplyView reply)> take;
  };

  // Begins with the first round.
  static std::shared_ptr<Inquiry> Create(asio::io_context& context, const base::Clock& clock,
                                         base::RandomSource& random, const InquiryOptions& options,
                                         Hooks hooks);

  Inquiry(asio::io_context& context, const base::Clock& clock, base::RandomSource& random,
          const InquiryOptions& options, Hooks hooks);

  // As soon as may be; once more when a round is under way, whose answer may be older.
  void Ask();
  // No answer is taken any more, and nobody asked.
  void Close();

  // Thread-safe.
  InquiryStats Stats() const { return {rounds_.load(), failed_.load()}; }

 private:
  void AskIn(int64_t wait_ms);
  void StartRound();
  void AskNext(std::vector<Endpoint> left);
  void FinishQuestion(const Endpoint& asked, std::vector<Endpoint> left, const Answer& answer);
  void FinishRound(int64_t wait_ms);
  int64_t AgainMs();

  asio::io_context& context_;
  const base::Clock& clock_;
  base::RandomSource& random_;
  const InquiryOptions options_;
  const Hooks hooks_;

  asio::steady_timer timer_;
  std::optional<Backoff> again_;
  std::shared_ptr<Connection> question_;
  int64_t ask_at_ns_;
  std::optional<int64_t> asked_at_ns_;  // When the last round began.
  bool asking_ = false;
  bool once_more_ = false;
  bool closed_ = false;
  std::atomic<uint64_t> rounds_ = 0;
  std::atomic<uint64_t> failed_ = 0;
};

}  // namespace tarn::storage::redis
