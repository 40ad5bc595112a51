#include "storage/redis/asking.h"

#include <future>
#include <utility>

#include "absl/strings/str_cat.h"
#include "storage/base/status.h"
#include "storage/redis/command.h"
#include <asio/post.hpp>

namespace tarn::storage::redis {
namespace {

// Of commands that go out at once: far less than a connection lets wait.
constexpr size_t kMaxRoundBytes = size_t{8} << 20;

absl::StatusOr<Reply> ReplyOf(Answer& answer, const std::string& address) {
  TARN_RETURN_IF_ERROR(ToStatus(answer.outcome, address));
  return *std::move(answer.reply);
}

}  // namespace

absl::StatusOr<Reply> Asking::Ask(Partition partition, CommandKind kind,
                                  absl::Span<const absl::string_view> words) {
  // Kept by the answer's handler: the asker waits for it whatever happens.
  auto promise = std::make_shared<std::promise<absl::StatusOr<Reply>>>();
  std::future<absl::StatusOr<Reply>> answered = promise->get_future();
  asio::post(context_, [this, partition, kind, promise, command = FormatCommand(words)]() mutable {
    Leased leased = link_.Lease(partition, {});
    if (leased.lease == nullptr) {
      const Outcome none = ClassifyLoss(Sent::kNothing, kind);
      return promise->set_value(ToStatus(none, address_));
    }
    const std::shared_ptr<KeyLease> lease = std::move(leased.lease);
    lease->Send(kind, std::move(command), [this, promise, lease](Answer& answer) {
      promise->set_value(ReplyOf(answer, address_));
    });
  });
  return answered.get();
}

absl::StatusOr<Reply> Asking::Run(Partition partition, const Script& script,
                                  absl::Span<const std::string> keys,
                                  absl::Span<const std::string> arguments) {
  const std::string count = absl::StrCat(keys.size());
  std::vector<absl::string_view> words = {"EVAL", script.source, count};
  words.insert(words.end(), keys.begin(), keys.end());
  words.insert(words.end(), arguments.begin(), arguments.end());
  return Ask(partition, CommandKind::kWrite, words);
}

absl::StatusOr<std::string> Asking::Get(Partition partition, absl::string_view key) {
  TARN_ASSIGN_OR_RETURN(const Reply reply, Ask(partition, CommandKind::kRead, {"GET", key}));
  return std::string(reply.view().text());
}

absl::StatusOr<std::vector<Reply>> Asking::AskMany(CommandKind kind,
                                                   std::vector<Question> questions) {
  std::vector<Reply> replies;
  replies.reserve(questions.size());
  std::vector<Question> round;
  size_t bytes = 0;
  for (Question& question : questions) {
    bytes += question.command.size();
    round.push_back(std::move(question));
    if (bytes < kMaxRoundBytes) continue;
    TARN_RETURN_IF_ERROR(AskRound(kind, std::exchange(round, {}), replies));
    bytes = 0;
  }
  TARN_RETURN_IF_ERROR(AskRound(kind, std::move(round), replies));
  return replies;
}

absl::Status Asking::AskRound(CommandKind kind, std::vector<Question> questions,
                              std::vector<Reply>& replies) {
  if (questions.empty()) return absl::OkStatus();
  // Filled on the loop's thread alone; the last answer wakes the asker.
  struct Gathered {
    std::vector<absl::StatusOr<Reply>> replies;
    size_t left = 0;
    std::promise<void> done;
  };
  auto gathered = std::make_shared<Gathered>();
  gathered->left = questions.size();
  for (size_t i = 0; i < questions.size(); ++i)
    gathered->replies.emplace_back(absl::UnknownError(""));
  std::future<void> done = gathered->done.get_future();
  asio::post(context_, [this, kind, gathered, questions = std::move(questions)]() mutable {
    for (size_t i = 0; i < questions.size(); ++i) {
      const auto give = [this, gathered, i](Answer& answer) {
        gathered->replies[i] = ReplyOf(answer, address_);
        if (--gathered->left == 0) gathered->done.set_value();
      };
      Leased leased = link_.Lease(questions[i].partition, {});
      const std::shared_ptr<KeyLease> lease = std::move(leased.lease);
      if (lease == nullptr) {
        Answer none{std::nullopt, ClassifyLoss(Sent::kNothing, kind)};
        give(none);
        continue;
      }
      lease->Send(kind, std::move(questions[i].command),
                  [give, lease](Answer& answer) { give(answer); });
    }
  });
  done.get();
  for (absl::StatusOr<Reply>& reply : gathered->replies) {
    TARN_RETURN_IF_ERROR(reply.status());
    replies.push_back(*std::move(reply));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<Reply>> Asking::AskAll(absl::Span<const absl::string_view> words) {
  auto promise = std::make_shared<std::promise<absl::StatusOr<std::vector<Reply>>>>();
  std::future<absl::StatusOr<std::vector<Reply>>> answered = promise->get_future();
  asio::post(context_, [this, promise, command = FormatCommand(words)] {
    link_.SendToAll(CommandKind::kRead, command, [promise](std::vector<NodeAnswer>& answers) {
      std::vector<Reply> replies;
      for (NodeAnswer& one : answers) {
        absl::StatusOr<Reply> reply = ReplyOf(one.answer, one.address);
        if (!reply.ok()) return promise->set_value(reply.status());
        replies.push_back(*std::move(reply));
      }
      promise->set_value(std::move(replies));
    });
  });
  return answered.get();
}

}  // namespace tarn::storage::redis
