#include "storage/redis/survey.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "storage/redis/command.h"

namespace tarn::storage::redis {
namespace {

using Kind = ReplyView::Kind;

// Of one primary: more are not shown.
constexpr size_t kMaxReplicas = 64;

// "ip=127.0.0.1,port=6380,state=online,offset=1,lag=0".
RedisReplica ParseReplica(absl::string_view text) {
  Endpoint endpoint;
  RedisReplica replica;
  for (const absl::string_view field : absl::StrSplit(text, ',')) {
    const std::pair<absl::string_view, absl::string_view> parts =
        absl::StrSplit(field, absl::MaxSplits('=', 1));
    uint32_t port = 0;
    if (parts.first == "ip") endpoint.host = std::string(parts.second);
    if (parts.first == "port" && absl::SimpleAtoi(parts.second, &port)) {
      endpoint.port = static_cast<uint16_t>(port);
    }
    if (parts.first == "state") replica.online = parts.second == "online";
  }
  replica.address = EndpointText(endpoint);
  return replica;
}

// "slave0".
bool NamesReplica(absl::string_view name) {
  return absl::StartsWith(name, "slave") && name.size() > 5 && absl::ascii_isdigit(name[5]);
}

bool IsArrayOf(const NodeAnswer& one, size_t size) {
  return one.answer.reply && one.answer.reply->view().kind() == Kind::kArray &&
         one.answer.reply->view().size() == size;
}

}  // namespace

RedisServerFacts ParseServerInfo(absl::string_view info) {
  RedisServerFacts facts;
  facts.persistence = RedisPersistence::kNoLog;
  for (const absl::string_view line : absl::StrSplit(info, absl::ByAnyChar("\r\n"))) {
    const std::pair<absl::string_view, absl::string_view> field =
        absl::StrSplit(line, absl::MaxSplits(':', 1));
    const auto& [name, value] = field;
    if (name == "redis_version") facts.version = std::string(value);
    if (name == "used_memory" && !absl::SimpleAtoi(value, &facts.memory_bytes)) return {};
    if (name == "maxmemory" && !absl::SimpleAtoi(value, &facts.max_memory_bytes)) return {};
    if (name == "aof_enabled" && value == "1") facts.persistence = RedisPersistence::kLog;
    if (NamesReplica(name) && facts.replicas.size() < kMaxReplicas) {
      facts.replicas.push_back(ParseReplica(value));
    }
  }
  return facts;
}

RedisPersistence ParseAppendFsync(ReplyView reply) {
  if (reply.kind() != Kind::kArray || reply.size() != 2) return RedisPersistence::kLog;
  const absl::string_view value = reply[1].text();
  if (value == "always") return RedisPersistence::kSyncAlways;
  if (value == "everysec") return RedisPersistence::kSyncEverySecond;
  if (value == "no") return RedisPersistence::kSyncNever;
  return RedisPersistence::kLog;
}

void Survey::AskAll(absl::Span<const absl::string_view> words,
                    void (Survey::*take)(std::vector<NodeAnswer>&)) {
  link_->SendToAll(CommandKind::kRead, FormatCommand(words),
                   [self = shared_from_this(), take](std::vector<NodeAnswer>& answers) {
                     (*self.*take)(answers);
                   });
}

void Survey::Begin() {
  if (core_.closing) return;
  facts_.clear();
  AskAll({"INFO"}, &Survey::TakeInfo);
}

void Survey::TakeInfo(std::vector<NodeAnswer>& answers) {
  for (const NodeAnswer& one : answers) {
    if (!one.answer.reply || one.answer.reply->view().kind() != Kind::kString) continue;
    facts_[one.address] = ParseServerInfo(one.answer.reply->view().text());
  }
  AskConfig();
}

void Survey::AskConfig() {
  const bool matters = std::any_of(facts_.begin(), facts_.end(), [](const auto& node) {
    return node.second.persistence == RedisPersistence::kLog;
  });
  if (!matters || config_ == Config::kMayNotAsk) return End();
  if (config_ == Config::kUnknown)
    return AskAll({"COMMAND", "INFO", "config"}, &Survey::TakeCommand);
  AskAll({"CONFIG", "GET", "appendfsync"}, &Survey::TakeConfig);
}

void Survey::TakeCommand(std::vector<NodeAnswer>& answers) {
  const bool known = std::all_of(answers.begin(), answers.end(), [](const NodeAnswer& one) {
    return IsArrayOf(one, 1) && one.answer.reply->view()[0].kind() == Kind::kArray;
  });
  const bool answered = std::all_of(answers.begin(), answers.end(), [](const NodeAnswer& one) {
    return one.answer.reply.has_value();
  });
  if (!answered) return End();
  config_ = known ? Config::kMayAsk : Config::kMayNotAsk;
  AskConfig();
}

void Survey::TakeConfig(std::vector<NodeAnswer>& answers) {
  for (const NodeAnswer& one : answers) {
    if (!one.answer.reply) continue;
    if (!IsArrayOf(one, 2)) config_ = Config::kMayNotAsk;
    const auto facts = facts_.find(one.address);
    if (facts == facts_.end() || facts->second.persistence != RedisPersistence::kLog) continue;
    facts->second.persistence = ParseAppendFsync(one.answer.reply->view());
  }
  End();
}

void Survey::End() {
  vitals_.SetFacts(std::exchange(facts_, {}));
  After(core_, kIntervalMs, [self = shared_from_this()] { self->Begin(); });
}

}  // namespace tarn::storage::redis
