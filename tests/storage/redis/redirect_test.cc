// Clusters that say what a test tells them to say.
#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "tests/catch.h"
#include "tests/storage/redis/support/fake_redis.h"
#include "tests/storage/redis/support/link_subject.h"
#include "tests/storage/redis/support/redis_groups.h"
#include "tests/storage/redis/support/subject.h"

namespace tarn::storage::redis {
namespace {

using testing::AwaitThat;
using testing::Bulk;
using testing::FakeRedis;
using testing::KeyIn;
using testing::LinkKey;
using testing::LinkSubject;

const LinkKey kKey = KeyIn(0, "k");
const std::string kSlot = std::to_string(PartitionSlot(0));

// A node of a cluster whose slots are all the first node's, until the test says otherwise.
class FakeNode {
 public:
  // The bytes that answer everything but CLUSTER SLOTS.
  using Answers = std::function<std::string(const FakeRedis::Command&)>;

  explicit FakeNode(Answers answers) : answers_(std::move(answers)), redis_(Script()) {}

  uint16_t port() const { return redis_.port(); }
  std::string address() const { return absl::StrCat("127.0.0.1:", port()); }
  std::string url() const { return "redis+cluster://" + address(); }

  // The port of the owner of all slots, and perhaps of a replica of it.
  void SetOwner(uint16_t port, uint16_t replica = 0) {
    replica_ = replica;
    owner_ = port;
  }
  int questions() const { return questions_; }
  // What was asked besides, in order: "SET", "ASKING".
  std::vector<std::string> commands() const {
    absl::MutexLock lock(&mutex_);
    return commands_;
  }

 private:
  FakeRedis::Script Script() {
    FakeRedis::Script script;
    script.all_at_once = true;
    script.answer = [this](const FakeRedis::Command& command) {
      if (command[0] == "PING") return std::string("+PONG\r\n");
      if (command[0] == "CLUSTER") return Slots();
      {
        absl::MutexLock lock(&mutex_);
        commands_.push_back(command[0]);
      }
      if (command[0] == "ASKING") return std::string("+OK\r\n");
      return answers_(command);
    };
    return script;
  }

  std::string Slots() {
    ++questions_;
    std::string nodes;
    for (const int port : {owner_.load(), replica_.load()}) {
      if (port != 0) absl::StrAppend(&nodes, "*2\r\n", Bulk("127.0.0.1"), ":", port, "\r\n");
    }
    const int parts = replica_ == 0 ? 3 : 4;
    return absl::StrCat("*1\r\n*", parts, "\r\n:0\r\n:16383\r\n", nodes);
  }

  const Answers answers_;
  mutable absl::Mutex mutex_;
  std::vector<std::string> commands_;
  std::atomic<int> owner_ = 0;
  std::atomic<int> replica_ = 0;
  std::atomic<int> questions_ = 0;
  const FakeRedis redis_;
};

FakeNode::Answers Always(const std::string& answer) {
  return [answer](const FakeRedis::Command&) { return answer; };
}

std::string Moved(const std::string& address) {
  return absl::StrCat("-MOVED ", kSlot, " ", address, "\r\n");
}

std::string Set(LinkSubject& link) { return link.Ask({kKey}, {"SET", kKey.name, "v"}); }

// A link to a cluster that is all of `owner`'s.
class Subject {
 public:
  explicit Subject(FakeNode& owner) : link_(Started(owner)) { link_.AwaitReady(); }

  LinkSubject* operator->() { return &link_; }
  LinkSubject& operator*() { return link_; }

 private:
  static std::string Started(FakeNode& owner) {
    owner.SetOwner(owner.port());
    return owner.url();
  }

  LinkSubject link_;
};

TEST_CASE("a command follows five redirects and is not done after that") {
  FakeNode node(Always(""));
  std::string to_self;
  FakeNode lost([&to_self](const FakeRedis::Command&) { return to_self; });
  to_self = Moved(lost.address());
  Subject link(lost);
  CHECK(Set(*link) == "MOVED: not done");
  CHECK(lost.commands().size() == 1 + kMaxRedirects);
}

TEST_CASE("a node that does not know its own address means the one that was asked") {
  FakeNode there(Always("+OK\r\n"));
  FakeNode here(Always(absl::StrCat("-MOVED ", kSlot, " :", there.port(), "\r\n")));
  Subject link(here);
  CHECK(Set(*link) == "OK");
  CHECK(there.commands() == std::vector<std::string>{"SET"});
}

TEST_CASE("a node that is about to own a slot is told so, each time") {
  FakeNode there(Always("+OK\r\n"));
  FakeNode here(Always(absl::StrCat("-ASK ", kSlot, " ", there.address(), "\r\n")));
  Subject link(here);
  CHECK(Set(*link) == "OK");
  CHECK(Set(*link) == "OK");
  CHECK(there.commands() == std::vector<std::string>{"ASKING", "SET", "ASKING", "SET"});
  CHECK(here.commands() == std::vector<std::string>{"SET", "SET"});
}

TEST_CASE("a redirect that leads nowhere is not done, and the map is asked for") {
  for (const std::string where : {"?:7000", "x", "a b:1", "127.0.0.1:0"}) {
    FakeNode node(Always(absl::StrCat("-MOVED ", kSlot, " ", where, "\r\n")));
    Subject link(node);
    const int before = node.questions();
    CHECK(Set(*link) == "MOVED: not done");
    AwaitThat("the map is asked for", [&] { return node.questions() > before; });
  }
}

TEST_CASE("a redirect to a node that is away is not done") {
  const testing::OwnPort nobody;
  FakeNode node(Always(Moved(absl::StrCat("127.0.0.1:", nobody.number()))));
  Subject link(node);
  CHECK(Set(*link) == "no connection: not done");
}

TEST_CASE("an answer lost at another node keeps its key back until it is settled") {
  FakeNode there(Always("-WRONG\r\n"));  // Nobody knows what that means: the connection ends.
  FakeNode here(Always(absl::StrCat("-ASK ", kSlot, " ", there.address(), "\r\n")));
  Subject link(here);
  std::unique_ptr<KeyLease> lost;
  std::promise<std::string> answer;
  link->OnLoop([&](Link& to) {
    lost = std::move(to.Lease(0, {&kKey.hash, 1}).lease);
    lost->Send(CommandKind::kWrite, "*1\r\n$3\r\nSET\r\n",
               [&](Answer& a) { answer.set_value(testing::Brief(a)); });
  });
  CHECK(answer.get_future().get() == "unexpected reply: unknown");
  CHECK(Set(*link) == "elsewhere");
  std::promise<std::string> next;
  link->OnLoop([&](Link&) {
    lost->Send(CommandKind::kWrite, "*1\r\n$3\r\nSET\r\n",
               [&](Answer& a) { next.set_value(testing::Brief(a)); });
  });
  CHECK(next.get_future().get() == "no connection: not done");
  const LinkKey other = KeyIn(0, "other");
  CHECK(link->Ask({other}, {"SET", other.name, "v"}) == "unexpected reply: unknown");
  link->OnLoop([&](Link&) { lost.reset(); });
  CHECK(Set(*link) == "unexpected reply: unknown");
}

LinkOptions Guarded(const std::string& url) {
  LinkOptions options = LinkSubject::Options(url);
  options.pool.max_connections = 1;
  options.guard.key = [](Partition) { return std::string("owner"); };
  options.guard.expected = "me";
  return options;
}

TEST_CASE("a node that holds no guard gets nothing before the guard was read elsewhere") {
  FakeNode there(Always("+OK\r\n"));
  FakeNode here([&](const FakeRedis::Command& command) {
    return command[0] == "GET" ? Bulk("me")
                               : absl::StrCat("-ASK ", kSlot, " ", there.address(), "\r\n");
  });
  here.SetOwner(here.port());
  LinkSubject link(Guarded(here.url()));
  link.AwaitReady();
  CHECK(here.commands() == std::vector<std::string>{"GET"});
  CHECK(Set(link) == "OK");
  CHECK(here.commands() == std::vector<std::string>{"GET", "SET", "GET"});
  CHECK(there.commands() == std::vector<std::string>{"ASKING", "SET"});
  CHECK(Set(link) == "OK");
  CHECK(here.commands() == std::vector<std::string>{"GET", "SET", "GET", "SET"});
  CHECK(link.events().empty());
}

TEST_CASE("a node that holds no guard gets nothing when the guard is another one's") {
  FakeNode there(Always("+OK\r\n"));
  std::atomic<int> reads = 0;
  FakeNode here([&](const FakeRedis::Command& command) {
    if (command[0] == "GET") return Bulk(++reads == 1 ? "me" : "another");
    return absl::StrCat("-ASK ", kSlot, " ", there.address(), "\r\n");
  });
  here.SetOwner(here.port());
  LinkSubject link(Guarded(here.url()));
  link.AwaitReady();
  CHECK(Set(link) == "no connection: not done");
  CHECK(there.commands().empty());
  CHECK(link.events() == std::vector<std::string>{"refused " + there.address()});
}

TEST_CASE("a cluster that is down is not done, and its map is asked for") {
  FakeNode node(Always("-CLUSTERDOWN Hash slot not served\r\n"));
  Subject link(node);
  const int before = node.questions();
  CHECK(Set(*link) == "CLUSTERDOWN: not done");
  AwaitThat("the map is asked for", [&] { return node.questions() > before; });
}

TEST_CASE("many redirects ask for the map once, not each") {
  FakeNode there(Always("+OK\r\n"));
  FakeNode here(Always(Moved(there.address())));
  there.SetOwner(there.port());
  Subject link(here);
  std::vector<std::future<std::string>> answers;
  // All before the first answer: after it the map may be there, and no connection to that node yet.
  link->OnLoop([&](Link&) {
    for (int i = 0; i < 200; ++i) {
      const LinkKey key = KeyIn(0, absl::StrCat("k", i));
      answers.push_back(link->Send({key}, {"SET", key.name, "v"}));
    }
  });
  for (std::future<std::string>& answer : answers) CHECK(testing::Await(answer) == "OK");
  AwaitThat("the map is asked for", [&] { return there.questions() > 0; });
  CHECK(here.questions() + there.questions() < 20);
}

TEST_CASE("a node that serves nothing any more is let go when nobody uses it") {
  FakeNode there(Always("+OK\r\n"));
  FakeNode here(Always("-CLUSTERDOWN Hash slot not served\r\n"));
  there.SetOwner(there.port());
  Subject link(here);
  std::unique_ptr<KeyLease> lease;
  link->OnLoop([&](Link& to) { lease = std::move(to.Lease(0, {&kKey.hash, 1}).lease); });
  here.SetOwner(there.port());
  const LinkKey other = KeyIn(1, "k");
  // Each question for the map gives one more map.
  const auto ask = [&] {
    std::promise<std::string> answer;
    link->OnLoop([&](Link&) {
      lease->Send(CommandKind::kWrite, "*1\r\n$3\r\nSET\r\n",
                  [&](Answer& a) { answer.set_value(testing::Brief(a)); });
    });
    return answer.get_future().get();
  };
  AwaitThat("many maps are taken", [&] {
    CHECK(ask() == "CLUSTERDOWN: not done");
    return here.questions() + there.questions() > 8;
  });
  CHECK(link->Stats().size() == 2);
  CHECK(Set(*link) == "elsewhere");
  CHECK(link->AskUntilDone(other, {"SET", other.name, "v"}) == "OK");
  link->OnLoop([&](Link&) { lease.reset(); });
  CHECK(Set(*link) == "OK");
}

TEST_CASE("stats tell what each node serves and what was sent on") {
  FakeNode there(Always("+OK\r\n"));
  FakeNode here(Always(Moved(there.address())));
  Subject link(here);
  CHECK(link->Stats()[0].partitions == kPartitions);
  CHECK(link->Stats()[0].run_id == "0123");
  CHECK(Set(*link) == "OK");
  const RoutingStats routing = link->Routing();
  CHECK(routing.moved == 1);
  CHECK(routing.asked == 0);
  CHECK(routing.given_up == 0);
  CHECK(routing.questions > 0);
}

TEST_CASE("a replica that serves in place of its primary is said to") {
  FakeNode replica(Always("+OK\r\n"));
  FakeNode primary(Always(Moved(replica.address())));
  replica.SetOwner(replica.port());
  primary.SetOwner(primary.port(), replica.port());
  LinkSubject link(primary.url());
  link.AwaitReady();
  CHECK(Set(link) == "OK");
  CHECK(link.events().front() == "changed " + replica.address());
}

TEST_CASE("a server that is started anew is said to be") {
  std::atomic<int> life = 0;
  FakeRedis::Script script;
  script.all_at_once = true;
  std::atomic<uint16_t> port = 0;
  script.log_in = [&](const FakeRedis::Command& command) {
    return command[0] == "INFO" ? Bulk(absl::StrCat("# Server\r\nrun_id:", life.load(), "\r\n"))
                                : std::string();
  };
  script.answer = [&](const FakeRedis::Command& command) {
    if (command[0] == "CLUSTER") {
      return absl::StrCat("*1\r\n*3\r\n:0\r\n:16383\r\n*2\r\n", Bulk("127.0.0.1"), ":", port.load(),
                          "\r\n");
    }
    if (command[0] == "PING") return std::string("+PONG\r\n");
    ++life;
    return std::string("?");  // No reply: the connection ends.
  };
  const FakeRedis fake(script);
  port = fake.port();
  const std::string address = absl::StrCat("127.0.0.1:", fake.port());
  LinkSubject link("redis+cluster://" + address);
  link.AwaitReady();
  CHECK(Set(link) == "unexpected reply: unknown");
  AwaitThat("it is said", [&] { return !link.events().empty(); });
  CHECK(link.events().front() == "changed " + address);
}

}  // namespace
}  // namespace tarn::storage::redis
