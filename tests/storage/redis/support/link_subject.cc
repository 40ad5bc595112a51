#include "tests/storage/redis/support/link_subject.h"

#include <chrono>
#include <cstdlib>
#include <stdexcept>
#include <thread>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "storage/base/checksum.h"
#include "storage/base/random.h"
#include "storage/redis/command.h"
#include "tests/storage/redis/support/subject.h"
#include "tests/support/status.h"
#include <asio/post.hpp>

namespace tarn::testing {
namespace {

using namespace storage::redis;  // NOLINT(google-build-using-namespace): it speaks of nothing else

using Promise = std::shared_ptr<std::promise<std::string>>;

constexpr std::chrono::seconds kPatience{60};

std::string Show(Leased::Result result) {
  switch (result) {
    case Leased::Result::kElsewhere:
      return "elsewhere";
    case Leased::Result::kRefused:
      return "refused";
    default:
      return "no connection";
  }
}

std::string Format(const std::vector<std::string>& words) {
  const std::vector<absl::string_view> views(words.begin(), words.end());
  return FormatCommand(views);
}

CommandKind KindOf(const std::string& command) {
  return command == "GET" || command == "LRANGE" ? CommandKind::kRead : CommandKind::kWrite;
}

std::vector<uint64_t> Hashes(const std::vector<LinkKey>& keys) {
  std::vector<uint64_t> hashes;
  for (const LinkKey& key : keys) hashes.push_back(key.hash);
  return hashes;
}

// What means that nothing was done, and that it may be tried again.
bool IsNotDone(const std::string& answer) {
  return answer == "elsewhere" || answer == "refused" || answer == "no connection" ||
         absl::EndsWith(answer, ": not done");
}

}  // namespace

LinkKey KeyIn(Partition partition, const std::string& name) {
  const std::string full = absl::StrCat("{", PartitionTag(partition), "}", name);
  return {partition, full, base::Checksum64(full, 0)};
}

LinkOptions LinkSubject::Options(const std::string& url) {
  LinkOptions options;
  options.url = Value(ParseRedisUrl(url));
  options.pool.connection.user = options.url.user;
  options.pool.connection.password = options.url.password;
  options.pool.connection.client_name = "link";
  options.pool.reconnect_base_ms = 5;
  options.pool.reconnect_cap_ms = 50;
  options.pool.check_interval_ms = 50;
  return options;
}

LinkSubject::LinkSubject(const LinkOptions& options)
    : link_(MakeLink(loop_.context(), clock_, base::SystemRandom(), options, *this)) {}

LinkSubject::LinkSubject(const std::string& url) : LinkSubject(Options(url)) {}

LinkSubject::~LinkSubject() {
  OnLoop([](Link& link) { link.Close(absl::CancelledError("the test is over")); });
}

void LinkSubject::OnLoop(const std::function<void(Link&)>& work) {
  std::promise<void> done;
  asio::post(loop_.context(), [&] {
    work(*link_);
    done.set_value();
  });
  done.get_future().wait();
}

void LinkSubject::AwaitReady() {
  auto ready = std::make_shared<std::promise<void>>();
  OnLoop([&](Link& link) { link.WhenReady([ready] { ready->set_value(); }); });
  if (ready->get_future().wait_for(kPatience) != std::future_status::ready) {
    throw std::runtime_error("the link is never ready");
  }
}

std::future<std::string> LinkSubject::Send(const std::vector<LinkKey>& keys,
                                           const std::vector<std::string>& words) {
  auto promise = std::make_shared<std::promise<std::string>>();
  asio::post(loop_.context(), [this, keys, words, promise] {
    Leased leased = link_->Lease(keys.front().partition, Hashes(keys));
    if (leased.lease == nullptr) return promise->set_value(Show(leased.result));
    const std::shared_ptr<KeyLease> lease = std::move(leased.lease);
    lease->Send(KindOf(words[0]), Format(words),
                [promise, lease](Answer& answer) { promise->set_value(Brief(answer)); });
  });
  return promise->get_future();
}

std::string LinkSubject::Ask(const std::vector<LinkKey>& keys,
                             const std::vector<std::string>& words) {
  std::future<std::string> answer = Send(keys, words);
  return Await(answer);
}

std::string LinkSubject::AskUntilDone(const LinkKey& key, const std::vector<std::string>& words) {
  const auto end = std::chrono::steady_clock::now() + kPatience;
  while (std::chrono::steady_clock::now() < end) {
    auto promise = std::make_shared<std::promise<std::string>>();
    auto lease = std::make_shared<std::shared_ptr<KeyLease>>();
    OnLoop([&](Link& link) {
      Leased leased = link.Lease(key.partition, {&key.hash, 1});
      if (leased.lease == nullptr) return promise->set_value(Show(leased.result));
      *lease = std::move(leased.lease);
      (*lease)->Send(KindOf(words[0]), Format(words),
                     [promise](Answer& answer) { promise->set_value(Brief(answer)); });
    });
    std::future<std::string> answer = promise->get_future();
    const std::string text = Await(answer);
    if (absl::EndsWith(text, ": unknown")) Bury(*lease);
    OnLoop([&](Link&) { lease->reset(); });
    if (absl::EndsWith(text, ": unknown")) return "unknown";
    if (!IsNotDone(text)) return text;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));  // Between two attempts.
  }
  throw std::runtime_error("it never was done");
}

void LinkSubject::Bury(const std::shared_ptr<KeyLease>& lease) {
  const auto end = std::chrono::steady_clock::now() + kPatience;
  while (std::chrono::steady_clock::now() < end) {
    auto buried = std::make_shared<std::promise<bool>>();
    OnLoop([&](Link&) {
      lease->Bury([buried](const absl::Status& status) { buried->set_value(status.ok()); });
    });
    if (buried->get_future().get()) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));  // Between two attempts.
  }
  throw std::runtime_error("it never was buried");
}

std::string LinkSubject::Read(const LinkKey& key) { return AskUntilDone(key, {"GET", key.name}); }

int LinkSubject::NodeOf(Partition partition) {
  int node = 0;
  OnLoop([&](Link& link) { node = link.NodeOf(partition); });
  return node;
}

std::vector<std::string> LinkSubject::events() const {
  absl::MutexLock lock(&mutex_);
  return events_;
}

void LinkSubject::OnNodeChanged(const std::string& address, const std::string&) {
  absl::MutexLock lock(&mutex_);
  events_.push_back("changed " + address);
}

void LinkSubject::OnGuardRefused(const std::string& address) {
  absl::MutexLock lock(&mutex_);
  events_.push_back("refused " + address);
}

// --- writers ---

Writers::Writers(LinkSubject& link, int count) : link_(link) {
  for (int i = 0; i < count; ++i) {
    auto writer = std::make_unique<Writer>();
    // Far from each other, so that all nodes take part.
    const auto partition = static_cast<Partition>(kPartitions * i / count);
    writer->key = KeyIn(partition, absl::StrCat("writer", i));
    writer->thread = std::thread([this, &w = *writer] { Write(w); });
    writers_.push_back(std::move(writer));
  }
}

Writers::~Writers() { Stop(); }

void Writers::Write(Writer& writer) {
  while (!over_) {
    const std::string answer =
        link_.AskUntilDone(writer.key, {"SET", writer.key.name, std::to_string(++writer.tried)});
    if (answer == "OK") {
      writer.acknowledged = writer.tried;
    } else {
      ++unknown_;
    }
  }
}

void Writers::AwaitProgress() {
  std::vector<uint64_t> before;
  for (const auto& writer : writers_) before.push_back(writer->acknowledged);
  const auto end = std::chrono::steady_clock::now() + kPatience;
  for (size_t i = 0; i < writers_.size(); ++i) {
    while (writers_[i]->acknowledged <= before[i]) {
      if (std::chrono::steady_clock::now() > end) throw std::runtime_error("nothing is written");
      std::this_thread::yield();
    }
  }
}

void Writers::Stop() {
  over_ = true;
  for (const auto& writer : writers_) {
    if (writer->thread.joinable()) writer->thread.join();
  }
}

std::string Writers::StopAndFindLost() {
  Stop();
  std::string lost;
  for (const auto& writer : writers_) {
    const std::string text = link_.Read(writer->key);
    const uint64_t acknowledged = writer->acknowledged;
    const uint64_t found = text.size() < 2 ? 0 : std::strtoull(text.c_str() + 1, nullptr, 10);
    if (found >= acknowledged && found <= writer->tried) continue;
    absl::StrAppend(&lost, writer->key.name, ": ", acknowledged, " was acknowledged, ",
                    writer->tried, " was tried, found is ", text, "\n");
  }
  return lost;
}

}  // namespace tarn::testing
