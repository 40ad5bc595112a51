#include "tests/storage/redis/support/subject.h"

#include <chrono>
#include <stdexcept>
#include <utility>

#include "absl/strings/str_cat.h"
#include "storage/redis/command.h"
#include "tests/support/status.h"

namespace tarn::testing {
namespace {

using storage::redis::Answer;
using storage::redis::CommandKind;
using storage::redis::Connection;
using storage::redis::ConnectionOptions;
using storage::redis::Event;
using storage::redis::Executed;
using storage::redis::ReplyView;

constexpr std::chrono::seconds kPatience{60};

template <typename Future>
auto Get(Future& future) {
  if (future.wait_for(kPatience) != std::future_status::ready) {
    throw std::runtime_error("nothing came");
  }
  return future.get();
}

std::string Show(ReplyView reply) {
  switch (reply.kind()) {
    case ReplyView::Kind::kString:
      return absl::StrCat("\"", reply.text(), "\"");
    case ReplyView::Kind::kInteger:
      return absl::StrCat("(integer) ", reply.integer());
    case ReplyView::Kind::kNil:
      return "(nil)";
    case ReplyView::Kind::kArray: {
      std::string text;
      for (size_t i = 0; i < reply.size(); ++i) {
        absl::StrAppend(&text, i == 0 ? "" : " ", Show(reply[i]));
      }
      return "[" + text + "]";
    }
    default:
      return std::string(reply.text());
  }
}

std::string Show(Executed executed) {
  if (executed == Executed::kUnknown) return "unknown";
  return executed == Executed::kYes ? "done" : "not done";
}

ConnectionOptions ToPort(uint16_t port) {
  ConnectionOptions options;
  options.transport.endpoint = {"127.0.0.1", port};
  return options;
}

}  // namespace

std::string Brief(const Answer& answer) {
  if (answer.outcome.event == Event::kReply) return Show(answer.reply->view());
  return absl::StrCat(EventName(answer.outcome.event), ": ", Show(answer.outcome.executed));
}

std::string Await(std::future<std::string>& future) { return Get(future); }

Subject::Subject(const ConnectionOptions& options)
    : connection_(Connection::Open(
          loop_.context(), clock_, options,
          [this](const absl::Status& status) { open_.set_value(status); },
          [this](const absl::Status& status) { close_.set_value(status); })) {}

Subject::~Subject() {
  connection_->Abort(absl::CancelledError("the test is over"));
  closed_.wait();
}

std::string Subject::opened() { return Brief(Get(opened_)); }

std::string Subject::closed() { return Brief(Get(closed_)); }

std::string Subject::cause() { return std::string(Get(closed_).message()); }

std::future<std::string> Subject::Send(const std::vector<std::string>& words, CommandKind kind) {
  const std::vector<absl::string_view> views(words.begin(), words.end());
  auto promise = std::make_shared<std::promise<std::string>>();
  connection_->Send(kind, storage::redis::FormatCommand(views),
                    [promise](Answer& answer) { promise->set_value(Brief(answer)); });
  return promise->get_future();
}

std::string Subject::Ask(const std::vector<std::string>& words, CommandKind kind) {
  std::future<std::string> answer = Send(words, kind);
  return Await(answer);
}

ConnectionOptions To(const FakeRedis& fake) { return ToPort(fake.port()); }

ConnectionOptions To(const RedisServer& server) { return ToPort(server.port()); }

}  // namespace tarn::testing
