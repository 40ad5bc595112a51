#include "tests/storage/redis/support/redis_groups.h"

#include <signal.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <stdexcept>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "storage/redis/key_slot.h"

namespace tarn::testing {
namespace {

using storage::redis::kSlots;

std::string AskPort(uint16_t port, const std::vector<std::string>& words) {
  return RedisClient(port).Ask(words);
}

std::string Quoted(const std::string& text) { return "\"" + text + "\""; }

}  // namespace

// --- Sentinels ---

SentinelGroup::SentinelGroup(Options options) : options_(std::move(options)) {
  std::vector<std::string> arguments = {"--repl-diskless-sync-delay", "0", "--repl-timeout", "5"};
  arguments.insert(arguments.end(), options_.server_arguments.begin(),
                   options_.server_arguments.end());
  servers_.push_back(std::make_unique<RedisServer>(arguments));
  const std::string primary = std::to_string(servers_[0]->port());
  arguments.insert(arguments.end(), {"--replicaof", "127.0.0.1", primary});
  for (int i = 0; i < options_.replicas; ++i) {
    servers_.push_back(std::make_unique<RedisServer>(arguments));
  }
  for (int i = 0; i < options_.sentinels; ++i) StartSentinel();
  AwaitSteady();
}

void SentinelGroup::StartSentinel() {
  const uint16_t port = sentinel_ports_.emplace_back().number();
  const std::string file = directory_ / absl::StrCat("sentinel-", port, ".conf");
  std::ofstream(file) << "port " << port << "\nbind 127.0.0.1\ndir " << directory_.path()
                      << "\nsentinel monitor " << kName << " 127.0.0.1 " << servers_[0]->port()
                      << " " << options_.sentinels / 2 + 1 << "\nsentinel down-after-milliseconds "
                      << kName << " " << options_.down_after_ms << "\nsentinel failover-timeout "
                      << kName << " 2000\nsentinel parallel-syncs " << kName << " 10\n"
                      << absl::StrJoin(options_.sentinel_lines, "\n") << "\n";
  auto sentinel = std::make_unique<RedisProcess>();
  if (!sentinel->Start({"redis-sentinel", file}, "+monitor")) {
    throw std::runtime_error("redis-sentinel does not serve; it wrote:\n" + sentinel->log());
  }
  sentinels_.push_back(std::move(sentinel));
  // They tell each other of themselves every 2 s otherwise, and look after replicas every 10 s.
  const size_t index = sentinels_.size() - 1;
  // A replica that was not heard of for a few of these periods is not chosen.
  AskSentinel(index, {"SENTINEL", "DEBUG", "publish-period", "50"});
  AskSentinel(index, {"SENTINEL", "DEBUG", "info-period", "500"});
  AskSentinel(index, {"SENTINEL", "DEBUG", "ping-period", "250"});
  // One that had to wait for the machine for 2 s believes in no clock and does nothing for 30 s.
  AskSentinel(index, {"SENTINEL", "DEBUG", "tilt-trigger", "60000"});
}

std::string SentinelGroup::url(const std::string& options) const {
  return absl::StrCat("redis+sentinel://",
                      absl::StrJoin(sentinel_ports_, ",",
                                    [](std::string* out, const OwnPort& port) {
                                      absl::StrAppend(out, "127.0.0.1:", port.number());
                                    }),
                      "/", kName, options);
}

std::string SentinelGroup::AskSentinel(size_t index, const std::vector<std::string>& words) const {
  return RedisClient(sentinel_ports_[index].number(), options_.sentinel_password).Ask(words);
}

uint16_t SentinelGroup::primary_port() const {
  for (const auto& server : servers_) {
    const std::string port = Quoted(std::to_string(server->port()));
    const bool all = std::all_of(sentinels_.begin(), sentinels_.end(), [&](const auto& sentinel) {
      if (!sentinel->running()) return true;
      const size_t index = &sentinel - sentinels_.data();
      return absl::StrContains(AskSentinel(index, {"SENTINEL", "get-master-addr-by-name", kName}),
                               port);
    });
    if (all) return server->port();
  }
  return 0;
}

RedisServer& SentinelGroup::primary() {
  uint16_t port = 0;
  AwaitThat("Sentinels agree", [&] { return (port = primary_port()) != 0; });
  return **std::find_if(servers_.begin(), servers_.end(),
                        [&](const auto& server) { return server->port() == port; });
}

bool SentinelGroup::IsSteady() const {
  const uint16_t primary = primary_port();
  if (primary == 0) return false;
  for (const auto& server : servers_) {
    const std::string role = AskPort(server->port(), {"ROLE"});
    const bool right = server->port() == primary ? absl::StartsWith(role, "[\"master\"")
                                                 : absl::StrContains(role, absl::StrCat(primary)) &&
                                                       absl::StrContains(role, "\"connected\"");
    if (!right) return false;
  }
  for (size_t i = 0; i < sentinels_.size(); ++i) {
    if (!sentinels_[i]->running()) continue;
    const std::string seen = AskSentinel(i, {"SENTINEL", "CKQUORUM", kName});
    const std::string known = AskSentinel(i, {"SENTINEL", "MASTER", kName});
    if (!absl::StrContains(
            known, absl::StrCat("\"num-slaves\" ", Quoted(absl::StrCat(servers_.size() - 1)))) ||
        !absl::StrContains(known, "\"flags\" \"master\"") || !absl::StartsWith(seen, "OK")) {
      return false;
    }
  }
  return true;
}

void SentinelGroup::AwaitSteady() {
  AwaitThat("the primary, its replicas and the Sentinels agree", [&] { return IsSteady(); });
}

void SentinelGroup::Failover() {
  const uint16_t before = primary_port();
  auto ask_at = std::chrono::steady_clock::now();
  AwaitThat("another primary", [&] {
    const uint16_t port = primary_port();
    const auto now = std::chrono::steady_clock::now();
    // It may give up when no replica seems to be good. Asked when it is done it would do it again.
    if (port == before && now >= ask_at) {
      ask_at = now + std::chrono::seconds(3);
      AskSentinel(0, {"SENTINEL", "FAILOVER", kName});
    }
    return port != 0 && port != before;
  });
  AwaitSteady();
}

void SentinelGroup::KillPrimary() {
  RedisServer& killed = primary();
  killed.Kill();
  AwaitThat("another primary", [&] {
    const uint16_t port = primary_port();
    return port != 0 && port != killed.port();
  });
  killed.Restart();
  AwaitSteady();
}

// --- the cluster ---

ClusterGroup::ClusterGroup(const Options& options) {
  const int count = options.primaries * (1 + options.replicas);
  for (int i = 0; i < count; ++i) {
    std::vector<std::string> arguments = {"--cluster-enabled",
                                          "yes",
                                          "--cluster-port",
                                          std::to_string(bus_ports_.emplace_back().number()),
                                          "--cluster-node-timeout",
                                          std::to_string(options.node_timeout_ms),
                                          "--repl-diskless-sync-delay",
                                          "0"};
    arguments.insert(arguments.end(), options.server_arguments.begin(),
                     options.server_arguments.end());
    servers_.push_back(std::make_unique<RedisServer>(arguments));
    admins_.push_back(std::make_unique<RedisClient>(servers_.back()->port()));
    // It is a string, as the client shows it.
    const std::string id = Ask(servers_.size() - 1, {"CLUSTER", "MYID"});
    ids_.push_back(id.substr(1, id.size() - 2));
  }
  Join(options);
  AwaitSteady();
}

void ClusterGroup::Join(const Options& options) {
  for (int i = 0; i < options.primaries; ++i) {
    const int first = kSlots * i / options.primaries;
    const int last = kSlots * (i + 1) / options.primaries - 1;
    Tell(i, {"CLUSTER", "SET-CONFIG-EPOCH", std::to_string(i + 1)});
    Tell(i, {"CLUSTER", "ADDSLOTSRANGE", std::to_string(first), std::to_string(last)});
  }
  for (size_t i = 1; i < servers_.size(); ++i) {
    const std::string bus = Ask(i, {"CONFIG", "GET", "cluster-port"});
    const std::vector<std::string> words = absl::StrSplit(bus, '"');
    Tell(0, {"CLUSTER", "MEET", "127.0.0.1", std::to_string(servers_[i]->port()), words[3]});
  }
  const std::string all = absl::StrCat("cluster_known_nodes:", servers_.size(), "\r");
  for (size_t i = 0; i < servers_.size(); ++i) {
    AwaitThat("the nodes know each other", [&] {
      return absl::StrContains(Ask(i, {"CLUSTER", "INFO"}), all);
    });
  }
  for (size_t i = options.primaries; i < servers_.size(); ++i) {
    const std::string& id = ids_[i % options.primaries];
    AwaitThat("a replica", [&] { return Ask(i, {"CLUSTER", "REPLICATE", id}) == "OK"; });
  }
}

std::string ClusterGroup::url(const std::string& options) const {
  return absl::StrCat("redis+cluster://127.0.0.1:", servers_[0]->port(),
                      ",127.0.0.1:", servers_[1]->port(), options);
}

std::string ClusterGroup::Ask(size_t index, const std::vector<std::string>& words) const {
  return admins_[index]->Ask(words);
}

void ClusterGroup::Tell(size_t index, const std::vector<std::string>& words) const {
  const std::string answer = Ask(index, words);
  if (answer == "OK") return;
  throw std::runtime_error(
      absl::StrCat("node ", index, " was told ", absl::StrJoin(words, " "), " and says ", answer));
}

bool ClusterGroup::IsPrimary(size_t index) const {
  return absl::StartsWith(Ask(index, {"ROLE"}), "[\"master\"");
}

size_t ClusterGroup::OwnerOf(uint16_t slot) const {
  for (size_t i = 0; i < servers_.size(); ++i) {
    const std::string mine = Ask(i, {"CLUSTER", "NODES"});
    for (const absl::string_view line : absl::StrSplit(mine, '\n')) {
      if (!absl::StrContains(line, "myself,master")) continue;
      const std::vector<std::string> words = absl::StrSplit(line, ' ');
      for (size_t w = 8; w < words.size(); ++w) {
        const std::vector<std::string> range = absl::StrSplit(words[w], '-');
        if (absl::StartsWith(words[w], "[")) continue;
        if (slot >= std::stoi(range.front()) && slot <= std::stoi(range.back())) return i;
      }
    }
  }
  throw std::runtime_error("nobody serves slot " + std::to_string(slot));
}

// Who is whose replica, and which slots each primary has, as this node sees it; empty when somebody
// seems to be away.
std::string ClusterGroup::View(size_t index) const {
  std::vector<std::string> view;
  // It is a string, as the client shows it.
  const std::string nodes = absl::StrReplaceAll(Ask(index, {"CLUSTER", "NODES"}), {{"\"", ""}});
  for (const absl::string_view line : absl::StrSplit(nodes, '\n')) {
    // ID ADDRESS FLAGS PRIMARY SENT RECEIVED EPOCH LINK SLOT...
    std::vector<std::string> words = absl::StrSplit(line, ' ');
    if (words.size() < 8) continue;
    if (absl::StrContains(words[2], "fail") || words[7] != "connected") return "";
    words.erase(words.begin() + 4, words.begin() + 8);
    words.erase(words.begin() + 1, words.begin() + 3);
    view.push_back(absl::StrJoin(words, " "));
  }
  std::sort(view.begin(), view.end());
  return view.size() == servers_.size() ? absl::StrJoin(view, "\n") : "";
}

void ClusterGroup::AwaitSteady() {
  // What one knows, the others hear later: until then they give a new replica no vote.
  AwaitThat("the nodes agree", [&] {
    const std::string view = View(0);
    if (view.empty()) return false;
    for (size_t i = 1; i < servers_.size(); ++i) {
      if (View(i) != view) return false;
    }
    return true;
  });
  for (size_t i = 0; i < servers_.size(); ++i) {
    AwaitThat("the cluster is whole", [&] {
      if (!absl::StrContains(Ask(i, {"CLUSTER", "INFO"}), "cluster_state:ok")) return false;
      const std::string role = Ask(i, {"ROLE"});
      return absl::StartsWith(role, "[\"master\"") || absl::StrContains(role, "\"connected\"");
    });
  }
}

void ClusterGroup::AwaitReplica(size_t primary, const std::string& key) {
  // WAIT is for what its own connection has written: so it is for a write behind all others.
  Tell(primary, {"SET", key + "-behind", ""});
  AwaitThat("a replica has it", [&] {
    return Ask(primary, {"WAIT", "1", "1000"}) == "(integer) 1";
  });
}

void ClusterGroup::Failover(size_t replica) {
  // To ask again before it has given up would make it begin anew.
  constexpr std::chrono::seconds kManualFailover{5};
  auto ask_at = std::chrono::steady_clock::now();
  AwaitThat("a replica takes over", [&] {
    const auto now = std::chrono::steady_clock::now();
    if (now >= ask_at) {
      ask_at = now + kManualFailover + std::chrono::seconds(1);
      Ask(replica, {"CLUSTER", "FAILOVER"});
    }
    return IsPrimary(replica);
  });
  AwaitSteady();
}

void ClusterGroup::BeginMove(uint16_t slot, size_t from, size_t to) {
  const std::string number = std::to_string(slot);
  Tell(to, {"CLUSTER", "SETSLOT", number, "IMPORTING", ids_[from]});
  Tell(from, {"CLUSTER", "SETSLOT", number, "MIGRATING", ids_[to]});
}

void ClusterGroup::MoveKeys(uint16_t slot, size_t from, size_t to) {
  const std::string port = std::to_string(servers_[to]->port());
  for (;;) {
    const std::vector<std::string> keys =
        admins_[from]->AskList({"CLUSTER", "GETKEYSINSLOT", std::to_string(slot), "100"});
    if (keys.empty()) return;
    std::vector<std::string> words = {"MIGRATE", "127.0.0.1", port, "", "0", "60000", "KEYS"};
    words.insert(words.end(), keys.begin(), keys.end());
    const std::string answer = Ask(from, words);
    // Somebody may have deleted all of them in between.
    if (answer != "OK" && answer != "NOKEY") throw std::runtime_error("MIGRATE: " + answer);
  }
}

void ClusterGroup::EndMove(uint16_t slot, size_t from, size_t to) {
  for (const size_t index : {to, from}) {
    Tell(index, {"CLUSTER", "SETSLOT", std::to_string(slot), "NODE", ids_[to]});
  }
}

void ClusterGroup::MoveSlots(const std::vector<uint16_t>& slots, size_t from, size_t to) {
  for (const uint16_t slot : slots) {
    BeginMove(slot, from, to);
    MoveKeys(slot, from, to);
    EndMove(slot, from, to);
  }
}

}  // namespace tarn::testing
