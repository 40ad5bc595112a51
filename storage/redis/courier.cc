#include "storage/redis/courier.h"

#include <algorithm>
#include <chrono>
#include <limits>
#include <system_error>
#include <utility>

#include "storage/base/error.h"
#include "storage/redis/command.h"
#include <asio/post.hpp>
#include <asio/steady_timer.hpp>

namespace tarn::storage::redis {
namespace {

using Keys = absl::InlinedVector<uint64_t, 4>;
using Buried = absl::AnyInvocable<void(const absl::Status&) &&>;

// A command that touches several keys is refused while its slot moves, which takes as long as all
// of its keys do; after this the engine asks again, if the caller's deadline lets it.
constexpr int64_t kTryAgainForMs = 2500;
constexpr BackoffOptions kTryAgain = {
    .base_ms = 10, .cap_ms = 200, .retries = std::numeric_limits<int>::max()};

Keys Different(absl::Span<const uint64_t> keys) {
  Keys different(keys.begin(), keys.end());
  std::sort(different.begin(), different.end());
  different.erase(std::unique(different.begin(), different.end()), different.end());
  return different;
}

// The engine may try again.
Outcome LedNowhere(Event event) {
  return {event, Executed::kNo, Action::kRetry, absl::StatusCode::kUnavailable,
          base::Reason::kEngineUnavailable};
}

}  // namespace

// What a lease holds, as long as it lives or one of its commands has no answer.
struct Courier::Holding {
  explicit Holding(std::shared_ptr<Courier> the_courier) : courier(std::move(the_courier)) {}
  ~Holding() { courier->Release(*this); }
  Holding(const Holding&) = delete;
  Holding& operator=(const Holding&) = delete;

  struct Place {
    std::shared_ptr<Node> node;
    std::unique_ptr<KeyLease> lease;
  };

  const std::shared_ptr<Courier> courier;
  Partition partition = 0;
  Keys keys;                  // All different.
  std::vector<Place> places;  // Home, and wherever else an answer was lost.
};

struct Courier::Command : LineMember {
  std::shared_ptr<Holding> holding;
  CommandKind kind = CommandKind::kRead;
  std::string bytes;  // Kept, as it may have to be sent again.
  AnswerHandler done;

  int redirects = 0;
  Endpoint target;      // Where it was sent to,
  bool asking = false;  // by ASK: to a node that does not own the slot yet.
  bool waited = false;  // For a connection to that node.
  bool exempt = false;  // From the check of the guard: it is that check.
  std::unique_ptr<KeyLease> away;
  std::optional<Backoff> again;
  int64_t again_until_ns = 0;
  std::shared_ptr<Command> self;  // While it waits: nobody else holds it.
};

// Never holds a lease: its Holding does, which may have to outlive it.
class RoutedLease final : public KeyLease {
 public:
  explicit RoutedLease(std::shared_ptr<Courier::Holding> holding) : holding_(std::move(holding)) {}

  void Send(CommandKind kind, std::string command, AnswerHandler done) override {
    holding_->courier->Send(holding_, kind, std::move(command), std::move(done));
  }
  // A read that may go to nodes that are not trusted yet.
  void SendExempt(std::string command, AnswerHandler done) {
    auto made =
        holding_->courier->Make(holding_, CommandKind::kRead, std::move(command), std::move(done));
    made->exempt = true;
    holding_->courier->Start(made);
  }
  Connection::Peer peer() const override { return holding_->places.front().lease->peer(); }
  void Bury(Buried done) override { holding_->courier->Bury(holding_, 0, std::move(done)); }
  void SendAnew(CommandKind kind, std::string command, AnswerHandler done) override {
    Leased leased = holding_->courier->Lease(holding_->partition, {});
    if (leased.lease != nullptr) {
      return leased.lease->Send(kind, std::move(command), std::move(done));
    }
    Answer none{std::nullopt, ClassifyLoss(Sent::kNothing, kind)};
    std::move(done)(none);
  }

 private:
  const std::shared_ptr<Courier::Holding> holding_;
};

Courier::Courier(asio::io_context& context, const base::Clock& clock, base::RandomSource& random,
                 std::shared_ptr<NodeMap> nodes, const LinkGuard& guard, Following following)
    : context_(context),
      clock_(clock),
      random_(random),
      nodes_(std::move(nodes)),
      guard_(guard),
      following_(following) {}

RoutingStats Courier::Stats() const {
  RoutingStats stats;
  stats.moved = moved_;
  stats.asked = asked_;
  stats.tried_again = tried_again_;
  stats.given_up = given_up_;
  return stats;
}

// --- leases ---

Leased Courier::Lease(Partition partition, absl::Span<const uint64_t> keys) {
  const std::shared_ptr<Node> node = nodes_->Owner(partition);
  if (node == nullptr || nodes_->closed()) return {Leased::Result::kNoConnection, nullptr};
  const Keys different = Different(keys);
  if (!keys.empty() && !node->trusted()) {
    CheckGuard(partition, node, [] {});
    return {Leased::Result::kNoConnection, nullptr};
  }
  if (!MayLease(different, *node)) return {Leased::Result::kElsewhere, nullptr};
  Leased leased = node->Lease(different);
  if (leased.result != Leased::Result::kOk) {
    routes_.Release(different);
    return leased;
  }
  auto holding = std::make_shared<Holding>(shared_from_this());
  holding->partition = partition;
  holding->keys = different;
  holding->places.push_back({node, std::move(leased.lease)});
  nodes_->Use(node);
  return {Leased::Result::kOk, std::make_unique<RoutedLease>(std::move(holding))};
}

// When nothing of them is under way at another node, or lost on the way.
bool Courier::MayLease(absl::Span<const uint64_t> keys, const Node& node) {
  if (HasLost(keys)) return false;
  const std::optional<ConnectionId> bound = routes_.Acquire(keys, node.number());
  if (bound == node.number()) return true;
  if (bound) routes_.Release(keys);
  return false;
}

void Courier::Release(const Holding& holding) {
  // Nothing was leased.
  if (holding.places.empty()) return;
  routes_.Release(holding.keys);
  if (holding.places.size() > 1) {
    for (const uint64_t key : holding.keys) {
      const auto found = lost_.find(key);
      if (--found->second == 0) lost_.erase(found);
    }
  }
  for (const Holding::Place& place : holding.places) nodes_->EndUse(place.node);
}

// One place after the other.
void Courier::Bury(std::shared_ptr<Holding> holding, size_t index, Buried done) {
  if (index == holding->places.size()) return std::move(done)(absl::OkStatus());
  const Holding::Place& place = holding->places[index];
  auto next = [self = shared_from_this(), holding, index,
               done = std::move(done)](const absl::Status& status) mutable {
    if (!status.ok()) return std::move(done)(status);
    self->Bury(std::move(holding), index + 1, std::move(done));
  };
  // Whom another primary has replaced can still take a command, but that is no part of the data
  // then. That the other one is a primary was seen when it was connected to.
  const std::shared_ptr<Node>& owner = nodes_->Owner(holding->partition);
  if (owner != nullptr && owner->endpoint() != place.node->endpoint() && owner->open()) {
    return std::move(next)(absl::OkStatus());
  }
  // A life of the node that was given up has no connection to ask on; the next one may.
  if (owner != nullptr && owner != place.node && place.node->closed()) {
    return owner->Bury(place.lease->peer(), std::move(next));
  }
  place.lease->Bury(std::move(next));
}

// --- commands ---

void Courier::Send(const std::shared_ptr<Holding>& holding, CommandKind kind, std::string bytes,
                   AnswerHandler done) {
  if (following_ == Following::kRedirects) {
    return Start(Make(holding, kind, std::move(bytes), std::move(done)));
  }
  const Holding::Place& home = holding->places.front();
  home.lease->Send(
      kind, std::move(bytes),
      [self = shared_from_this(), holding, done = std::move(done)](Answer& answer) mutable {
        if (answer.outcome.event == Event::kReadOnly) {
          self->nodes_->Drop(holding->places.front().node);
        }
        std::move(done)(answer);
      });
}

Courier::CommandPtr Courier::Make(const std::shared_ptr<Holding>& holding, CommandKind kind,
                                  std::string bytes, AnswerHandler done) {
  auto command = std::make_shared<Command>();
  command->keys = holding->keys;
  command->several = TouchesSeveralKeys(bytes);
  command->holding = holding;
  command->kind = kind;
  command->bytes = std::move(bytes);
  command->done = std::move(done);
  return command;
}

void Courier::Start(const CommandPtr& command) {
  if (lines_.Enter(*command)) return GoHome(command);
  command->self = command;
}

bool Courier::HasLost(absl::Span<const uint64_t> keys) const {
  return std::any_of(keys.begin(), keys.end(), [&](uint64_t key) { return lost_.contains(key); });
}

void Courier::GoHome(const CommandPtr& command) {
  if (HasLost(command->keys)) return GiveUpUnsent(command);
  const Holding::Place& home = command->holding->places.front();
  home.lease->Send(command->kind, command->bytes,
                   [self = shared_from_this(), command, node = home.node](Answer& answer) {
                     self->Return(command, node, answer);
                   });
}

void Courier::Return(const CommandPtr& command, const std::shared_ptr<Node>& from, Answer& answer) {
  switch (answer.outcome.event) {
    case Event::kMoved:
    case Event::kAsk:
      return Follow(command, *from, answer);
    case Event::kTryAgain:
      return TryAgain(command, answer);
    case Event::kReadOnly:
      nodes_->Drop(from);
      break;
    case Event::kClusterDown:
    case Event::kMasterDown:
      nodes_->Doubt();
      break;
    default:
      if (answer.outcome.executed == Executed::kUnknown) KeepStray(*command, from);
  }
  Finish(command, answer);
}

void Courier::Follow(const CommandPtr& command, const Node& from, Answer& answer) {
  std::optional<Redirect> redirect = ParseRedirect(answer.reply->view().text());
  if (redirect && redirect->endpoint.host.empty()) redirect->endpoint.host = from.endpoint().host;
  const Event event = answer.outcome.event;
  ++(event == Event::kAsk ? asked_ : moved_);
  // A node that is not known by a name or an address: the map tells which one it is.
  if (!redirect || !IsHost(redirect->endpoint.host)) {
    nodes_->Doubt();
    return GiveUp(command, LedNowhere(event));
  }
  command->asking = event == Event::kAsk;
  if (event == Event::kMoved) nodes_->Learn(redirect->slot, redirect->endpoint);
  if (++command->redirects > kMaxRedirects) return GiveUp(command, LedNowhere(event));
  command->target = std::move(redirect->endpoint);
  command->waited = false;
  SendAway(command);
}

// To its target, when it is its turn.
void Courier::SendAway(const CommandPtr& command) {
  command->away.reset();
  if (lines_.SendAway(*command)) return GoAway(command);
  command->self = command;
}

void Courier::GoAway(const CommandPtr& command) {
  const std::shared_ptr<Node> node = nodes_->Reach(command->target);
  if (node == nullptr || HasLost(command->keys)) return GiveUpUnsent(command);
  Leased leased = node->Lease({});
  if (leased.result != Leased::Result::kOk) return AwaitNode(command, node);
  if (!node->trusted() && !command->exempt) return AwaitTrust(command, node);
  command->away = std::move(leased.lease);
  // Both are the loop's thread's, so nothing comes between them.
  if (command->asking) {
    command->away->Send(CommandKind::kRead, FormatCommand({"ASKING"}), [](Answer&) {});
  }
  command->away->Send(command->kind, command->bytes,
                      [self = shared_from_this(), command, node](Answer& answer) {
                        self->Return(command, node, answer);
                      });
}

// It may be met only now. Once: a node that does not answer leads nowhere.
void Courier::AwaitNode(const CommandPtr& command, const std::shared_ptr<Node>& node) {
  if (std::exchange(command->waited, true)) return GiveUpUnsent(command);
  node->WhenDecided([self = shared_from_this(), command] { self->GoAway(command); });
}

void Courier::AwaitTrust(const CommandPtr& command, const std::shared_ptr<Node>& node) {
  CheckGuard(command->holding->partition, node, [self = shared_from_this(), command, node] {
    node->trusted() ? self->GoAway(command) : self->GiveUpUnsent(command);
  });
}

// By a read that finds its way as any other one does, and that alone may go to a node that is not
// trusted. One check for all who wait.
void Courier::CheckGuard(Partition partition, const std::shared_ptr<Node>& node,
                         absl::AnyInvocable<void() &&> then) {
  auto& waiting = checks_[node->number()];
  waiting.push_back(std::move(then));
  if (waiting.size() > 1) return;
  auto finish = [self = shared_from_this(), node](Answer& answer) {
    const bool read = answer.outcome.event == Event::kReply;
    const bool expected = read && answer.reply->view().text() == self->guard_.expected;
    if (expected) node->Trust();
    if (read && !expected) self->nodes_->TellGuardRefused(*node);
    const auto found = self->checks_.find(node->number());
    std::vector<absl::AnyInvocable<void()&&>> waiters = std::move(found->second);
    self->checks_.erase(found);
    for (auto& each : waiters) {
      asio::post(self->context_, std::move(each));
    }
  };
  Leased leased = Lease(partition, {});
  if (leased.lease == nullptr) {
    Answer none{std::nullopt, ClassifyLoss(Sent::kNothing, CommandKind::kRead)};
    return finish(none);
  }
  auto& lease = static_cast<RoutedLease&>(*leased.lease);
  lease.SendExempt(FormatCommand({"GET", guard_.key(partition)}), std::move(finish));
}

void Courier::TryAgain(const CommandPtr& command, Answer& answer) {
  const int64_t now_ns = clock_.MonotonicNanos();
  if (!command->again) {
    command->again.emplace(kTryAgain, random_);
    command->again_until_ns = now_ns + kTryAgainForMs * 1'000'000;
  }
  const std::shared_ptr<Node>& owner = nodes_->Owner(command->holding->partition);
  const bool in_time = now_ns < command->again_until_ns;
  if (!in_time || owner == nullptr || nodes_->closed()) {
    ++given_up_;
    return Finish(command, answer);
  }
  ++tried_again_;
  // From the beginning, which is with whoever owns the slot.
  command->away.reset();
  command->target = owner->endpoint();
  command->asking = false;
  command->redirects = 0;
  command->waited = false;
  // When others go first it has waited enough by then.
  if (lines_.SendAway(*command)) return GoAwayLater(command);
  command->self = command;
}

void Courier::GoAwayLater(const CommandPtr& command) {
  auto timer = std::make_shared<asio::steady_timer>(context_);
  timer->expires_after(
      std::chrono::milliseconds(command->again->NextMs(kTryAgain.cap_ms + 1).value_or(0)));
  timer->async_wait(
      [self = shared_from_this(), command, timer](std::error_code) { self->GoAway(command); });
}

void Courier::GiveUp(const CommandPtr& command, const Outcome& outcome) {
  ++given_up_;
  Answer answer{std::nullopt, outcome};
  Finish(command, answer);
}

void Courier::GiveUpUnsent(const CommandPtr& command) {
  GiveUp(command, ClassifyLoss(Sent::kNothing, command->kind));
}

// Home is where its keys wait anyway. Elsewhere they must not be heard of before it is settled.
void Courier::KeepStray(Command& command, const std::shared_ptr<Node>& from) {
  if (command.away == nullptr) return;
  Holding& holding = *command.holding;
  if (holding.places.size() == 1) {
    for (const uint64_t key : holding.keys) ++lost_[key];
  }
  nodes_->Use(from);
  holding.places.push_back({from, std::move(command.away)});
}

void Courier::Finish(const CommandPtr& command, Answer& answer) {
  command->away.reset();
  const std::vector<LineMember*> next = lines_.Leave(*command);
  std::move(command->done)(answer);
  GoOn(next);
}

// One after the other: each may finish at once, and let others go.
void Courier::GoOn(const std::vector<LineMember*>& members) {
  for (LineMember* const member : members) {
    to_go_.push_back(std::exchange(static_cast<Command*>(member)->self, nullptr));
  }
  if (std::exchange(going_, true)) return;
  while (!to_go_.empty()) {
    const CommandPtr command = std::move(to_go_.front());
    to_go_.pop_front();
    command->state == LineMember::State::kHome ? GoHome(command) : GoAway(command);
  }
  going_ = false;
}

}  // namespace tarn::storage::redis
