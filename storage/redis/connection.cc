#include "storage/redis/connection.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <deque>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "storage/base/error.h"
#include "storage/redis/login.h"
#include "storage/redis/reply_kinds.h"
#include "storage/redis/send_queue.h"
#include <asio/error.hpp>
#include <asio/post.hpp>
#include <asio/steady_timer.hpp>

namespace tarn::storage::redis {
namespace {

using StatusHandler = absl::AnyInvocable<void(const absl::Status&) &&>;

constexpr size_t kReadBytes = size_t{64} << 10;
constexpr int64_t kNanosPerMs = 1'000'000;

absl::Status Unavailable(absl::string_view why) {
  return base::MakeError(absl::StatusCode::kUnavailable, base::Reason::kEngineUnavailable, why);
}

// A request whose bytes are in the stream.
struct Pending {
  CommandKind kind = CommandKind::kRead;
  ReplyKinds answers;  // What may answer it.
  uint64_t begin = 0;  // Its first byte's place in the stream.
  AnswerHandler done;
  std::vector<AnswerHandler> others;  // They get the same answer.
};

// ["message", channel, text]: what a subscriber gets without asking.
bool IsMessage(ReplyView reply) { return reply.size() == 3 && reply[0].text() == "message"; }

void GiveOutcome(const Outcome& outcome, AnswerHandler done) {
  Answer answer{std::nullopt, outcome};
  std::move(done)(answer);
}

// Everything except the queue in front belongs to the loop's thread.
class PipelinedConnection final : public Connection,
                                  public std::enable_shared_from_this<PipelinedConnection> {
 public:
  PipelinedConnection(asio::io_context& context, const base::Clock& clock,
                      const ConnectionOptions& options, StatusHandler on_open,
                      StatusHandler on_close)
      : context_(context),
        clock_(clock),
        options_(options),
        traffic_(options.traffic != nullptr ? options.traffic : std::make_shared<Traffic>()),
        transport_(MakeTransport(context, options_.transport)),
        timer_(context),
        parser_(options_.reply_limits),
        on_open_(std::move(on_open)),
        on_close_(std::move(on_close)) {}

  void Start() {
    asio::post(context_, [self = shared_from_this()] { self->Connect(); });
  }

  void Send(CommandKind kind, std::string command, AnswerHandler done) override {
    switch (Enqueue(kind, std::move(command), done)) {
      case Enqueued::kClosed:
        traffic_->CountError(Event::kLostUnsent);
        return GiveOutcome(ClassifyLoss(Sent::kNothing, kind), std::move(done));
      case Enqueued::kFull:
        traffic_->CountError(Event::kQueueFull);
        return GiveOutcome(ClassifyQueueFull(), std::move(done));
      case Enqueued::kFirst:
        return asio::post(context_, [self = shared_from_this()] { self->Flush(); });
      case Enqueued::kBehindOthers:
        return;
    }
  }

  void Abort(const absl::Status& cause) override {
    asio::post(context_, [self = shared_from_this(), cause] { self->Fail(cause); });
  }

  Peer peer() const override { return Peer{client_id_.load(std::memory_order_relaxed), run_id_}; }

  size_t pending() const override { return unanswered_.load(std::memory_order_relaxed); }

 private:
  enum class Phase : uint8_t { kConnecting, kLoggingIn, kOpen, kClosed };
  enum class Enqueued : uint8_t { kClosed, kFull, kFirst, kBehindOthers };

  // Leaves `done` alone when it refuses.
  Enqueued Enqueue(CommandKind kind, std::string command, AnswerHandler& done) {
    absl::MutexLock lock(&mutex_);
    if (closed_) return Enqueued::kClosed;
    if (queue_.bytes() + command.size() > options_.max_queued_bytes) return Enqueued::kFull;
    const SendQueue::Added added = queue_.Add(kind, std::move(command), std::move(done));
    if (added != SendQueue::Added::kJoined) unanswered_.fetch_add(1, std::memory_order_relaxed);
    return added == SendQueue::Added::kFirst ? Enqueued::kFirst : Enqueued::kBehindOthers;
  }

  std::vector<Request> TakeQueue() {
    absl::MutexLock lock(&mutex_);
    return queue_.Take();
  }

  // --- opening ---

  void Connect() {
    if (phase_ == Phase::kClosed) return;
    opened_by_ns_ = clock_.MonotonicNanos() + options_.connect_timeout_ms * kNanosPerMs;
    ArmTimer();
    transport_->Connect([self = shared_from_this()](std::error_code error) {
      if (self->phase_ == Phase::kClosed) return;
      if (error) return self->Fail(Unavailable(absl::StrCat("connecting: ", error.message())));
      self->LogIn();
    });
  }

  void LogIn() {
    phase_ = Phase::kLoggingIn;
    std::vector<LoginCommand> commands = LoginCommands(options_);
    login_steps_left_ = commands.size();
    unanswered_.fetch_add(commands.size(), std::memory_order_relaxed);
    for (LoginCommand& command : commands) {
      Append({CommandKind::kRead, std::move(command.bytes),
              [this, step = command.step](Answer& answer) { FinishLoginStep(step, answer); }});
    }
    Write();
    Read();
  }

  void FinishLoginStep(LoginStep step, const Answer& answer) {
    if (!answer.reply) return;  // It fails already.
    Peer learned = peer();
    const absl::Status status = CheckLogin(step, options_, answer.reply->view(), learned);
    client_id_.store(learned.client_id, std::memory_order_relaxed);
    run_id_ = learned.run_id;
    if (!status.ok()) return Fail(status);
    if (--login_steps_left_ > 0) return;
    phase_ = Phase::kOpen;
    std::exchange(on_open_, nullptr)(absl::OkStatus());
    Flush();
  }

  // --- writing ---

  void Append(Request request) {
    if (pending_.empty()) oldest_since_ns_ = clock_.MonotonicNanos();
    pending_.push_back({request.kind, KindsOfReply(request.command), appended_,
                        std::move(request.done), std::move(request.others)});
    appended_ += request.command.size();
    traffic_->CountCommand();
    next_buffer_ += request.command;
  }

  void Flush() {
    if (phase_ != Phase::kOpen) return;
    // While a write is under way the queue goes on gathering.
    if (!buffer_.empty()) return;
    for (Request& request : TakeQueue()) Append(std::move(request));
    Write();
  }

  void Write() {
    if (buffer_.empty()) {
      if (next_buffer_.empty()) return;
      std::swap(buffer_, next_buffer_);
    }
    offered_ = written_ + buffer_.size() - buffer_done_;
    write_since_ns_ = clock_.MonotonicNanos();
    ArmTimer();
    transport_->Write(asio::buffer(buffer_.data() + buffer_done_, buffer_.size() - buffer_done_),
                      [self = shared_from_this()](std::error_code error, size_t bytes) {
                        self->FinishWrite(error, bytes);
                      });
  }

  void FinishWrite(std::error_code error, size_t bytes) {
    if (phase_ == Phase::kClosed) return;
    written_ += bytes;
    traffic_->CountSent(bytes);
    buffer_done_ += bytes;
    if (!error || transport_->counts_exactly()) offered_ = written_;
    if (error) return Fail(Unavailable(absl::StrCat("writing: ", error.message())));
    if (buffer_done_ == buffer_.size()) {
      buffer_.clear();
      buffer_done_ = 0;
      return phase_ == Phase::kOpen ? Flush() : Write();
    }
    Write();
  }

  // --- reading ---

  void Read() {
    transport_->Read(asio::buffer(read_buffer_),
                     [self = shared_from_this()](std::error_code error, size_t bytes) {
                       self->FinishRead(error, bytes);
                     });
  }

  void FinishRead(std::error_code error, size_t bytes) {
    if (phase_ == Phase::kClosed) return;
    if (error) return Fail(Unavailable(absl::StrCat("reading: ", error.message())));
    traffic_->CountReceived(bytes);
    if (absl::Status fed = parser_.Feed({read_buffer_.data(), bytes}); !fed.ok()) {
      return FailMalformed(fed);
    }
    while (phase_ != Phase::kClosed) {
      absl::StatusOr<std::optional<Reply>> reply = parser_.Next();
      if (!reply.ok()) return FailMalformed(reply.status());
      if (!reply->has_value()) return Read();
      Match(*std::move(*reply));
    }
  }

  void Match(Reply reply) {
    if (options_.on_message && IsMessage(reply.view())) return options_.on_message(reply.view());
    // Not even the first byte of a request has gone out: then this answers none.
    if (pending_.empty() || pending_.front().begin >= offered_) {
      return Fail(Unavailable("Redis answered what it was not asked"));
    }
    Pending request = std::move(pending_.front());
    pending_.pop_front();
    oldest_since_ns_ = clock_.MonotonicNanos();
    Answer answer;
    const ReplyView::Kind kind = reply.view().kind();
    if (kind == ReplyView::Kind::kError) {
      answer.outcome = ClassifyError(reply.view().text(), request.kind);
    } else if (!request.answers.Has(kind)) {
      answer.outcome = ClassifyUnexpected(request.kind);
    }
    if (answer.outcome.event != Event::kReply) traffic_->CountError(answer.outcome.event);
    if (answer.outcome.event != Event::kUnexpected) answer.reply = std::move(reply);
    unanswered_.fetch_sub(1, std::memory_order_relaxed);
    const Event event = answer.outcome.event;
    for (AnswerHandler& other : request.others) {
      Answer same{answer.reply ? CopyOf(answer.reply->view()) : std::nullopt, answer.outcome};
      std::move(other)(same);
    }
    std::move(request.done)(answer);
    // Nobody can say what the replies behind it belong to.
    if (event == Event::kUnexpected) Fail(Unavailable("Redis gave an unexpected reply"));
  }

  // --- time ---

  // The moment at which something has taken too long, as things stand.
  int64_t DueNs() const {
    int64_t due = phase_ == Phase::kOpen ? INT64_MAX : opened_by_ns_;
    if (!pending_.empty()) {
      due = std::min(due, oldest_since_ns_ + options_.read_timeout_ms * kNanosPerMs);
    }
    if (!buffer_.empty()) {
      due = std::min(due, write_since_ns_ + options_.write_timeout_ms * kNanosPerMs);
    }
    return due;
  }

  // Once for many requests: while it is armed, what is due later waits until it fires.
  void ArmTimer() {
    const int64_t due = DueNs();
    if (phase_ == Phase::kClosed || due == INT64_MAX || armed_for_ns_ <= due) return;
    armed_for_ns_ = due;
    timer_.expires_after(std::chrono::nanoseconds(due - clock_.MonotonicNanos()));
    timer_.async_wait([self = shared_from_this()](std::error_code error) {
      if (!error) self->CheckTime();
    });
  }

  void CheckTime() {
    armed_for_ns_ = INT64_MAX;
    if (phase_ == Phase::kClosed) return;
    if (clock_.MonotonicNanos() >= DueNs()) return Fail(Unavailable("Redis took too long"));
    ArmTimer();
  }

  // --- the end ---

  void FailMalformed(const absl::Status& cause) {
    if (!pending_.empty() && pending_.front().begin < offered_) {
      Pending request = std::move(pending_.front());
      pending_.pop_front();
      unanswered_.fetch_sub(1, std::memory_order_relaxed);
      traffic_->CountError(Event::kUnexpected);
      GiveAll(ClassifyUnexpected(request.kind), request);
    }
    Fail(cause);
  }

  void Fail(const absl::Status& cause) {
    if (phase_ == Phase::kClosed) return;
    phase_ = Phase::kClosed;
    // First of all: whoever is told "not done" may send the same again at once.
    transport_->Abort();
    timer_.cancel();
    std::vector<Request> queue = Close();
    for (Pending& request : std::exchange(pending_, {})) {
      unanswered_.fetch_sub(1, std::memory_order_relaxed);
      GiveLost(request.begin < offered_ ? Sent::kSomething : Sent::kNothing, request);
    }
    for (Request& request : queue) {
      unanswered_.fetch_sub(1, std::memory_order_relaxed);
      GiveLost(Sent::kNothing, request);
    }
    if (on_open_) std::exchange(on_open_, nullptr)(cause);
    if (on_close_) std::exchange(on_close_, nullptr)(cause);
  }

  template <typename AnyRequest>
  void GiveLost(Sent sent, AnyRequest& request) {
    const Outcome outcome = ClassifyLoss(sent, request.kind);
    traffic_->CountError(outcome.event);
    GiveAll(outcome, request);
  }

  template <typename AnyRequest>
  static void GiveAll(const Outcome& outcome, AnyRequest& request) {
    GiveOutcome(outcome, std::move(request.done));
    for (AnswerHandler& other : request.others) GiveOutcome(outcome, std::move(other));
  }

  // From here on the queue takes nothing.
  std::vector<Request> Close() {
    absl::MutexLock lock(&mutex_);
    closed_ = true;
    return queue_.Take();
  }

  asio::io_context& context_;
  const base::Clock& clock_;
  const ConnectionOptions options_;
  const std::shared_ptr<Traffic> traffic_;

  absl::Mutex mutex_;
  SendQueue queue_ ABSL_GUARDED_BY(mutex_);
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;

  std::atomic<int64_t> client_id_ = 0;
  std::string run_id_;  // Changed by the loop's thread, before it is open.
  std::atomic<size_t> unanswered_ = 0;

  // The rest is the loop's thread's.
  Phase phase_ = Phase::kConnecting;
  const std::unique_ptr<Transport> transport_;
  asio::steady_timer timer_;
  ReplyParser parser_;
  StatusHandler on_open_;
  StatusHandler on_close_;
  size_t login_steps_left_ = 0;

  std::deque<Pending> pending_;
  std::string buffer_;       // Being written,
  size_t buffer_done_ = 0;   // up to here.
  std::string next_buffer_;  // Written next.
  uint64_t appended_ = 0;    // Places in the stream of bytes: the end of what is in the buffers,
  uint64_t offered_ = 0;     // of what the kernel may have taken,
  uint64_t written_ = 0;     // and of what it took for sure.
  std::array<char, kReadBytes> read_buffer_;

  int64_t opened_by_ns_ = 0;
  int64_t oldest_since_ns_ = 0;  // Since when the oldest request has been the oldest.
  int64_t write_since_ns_ = 0;
  int64_t armed_for_ns_ = INT64_MAX;
};

}  // namespace

std::shared_ptr<Connection> Connection::Open(asio::io_context& context, const base::Clock& clock,
                                             const ConnectionOptions& options,
                                             StatusHandler on_open, StatusHandler on_close) {
  auto connection = std::make_shared<PipelinedConnection>(context, clock, options,
                                                          std::move(on_open), std::move(on_close));
  connection->Start();
  return connection;
}

}  // namespace tarn::storage::redis
