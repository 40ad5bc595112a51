// Questions to Redis whose answer is waited for, from threads that can wait.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "storage/redis/link.h"
#include "storage/redis/reply.h"
#include "storage/redis/scripts.h"
#include <asio/io_context.hpp>

namespace tarn::storage::redis {

// Thread-safe, but not for the loop's thread.
class Asking {
 public:
  // All of them outlive it.
  Asking(asio::io_context& context, Link& link, std::string address)
      : context_(context), link_(link), address_(std::move(address)) {}

  // Once, without another attempt. UNAVAILABLE when there is no connection; UNKNOWN when a write
  // may have been done. Otherwise what Redis' error means, or its reply.
  absl::StatusOr<Reply> Ask(Partition partition, CommandKind kind,
                            absl::Span<const absl::string_view> words);

  // A script in full. All that is waited for is small.
  absl::StatusOr<Reply> Run(Partition partition, const Script& script,
                            absl::Span<const std::string> keys,
                            absl::Span<const std::string> arguments);

  // "" when there is no such key.
  absl::StatusOr<std::string> Get(Partition partition, absl::string_view key);

  // Many commands, as many at once as a connection lets wait; the first error of any.
  struct Question {
    Partition partition = 0;
    std::string command;
  };
  absl::StatusOr<std::vector<Reply>> AskMany(CommandKind kind, std::vector<Question> questions);

  // The answers of all primaries: an error when one gave none.
  absl::StatusOr<std::vector<Reply>> AskAll(absl::Span<const absl::string_view> words);

 private:
  absl::Status AskRound(CommandKind kind, std::vector<Question> questions,
                        std::vector<Reply>& replies);

  asio::io_context& context_;
  Link& link_;
  const std::string address_;
};

}  // namespace tarn::storage::redis
