// How the servers say that they are: memory, replicas, what they do with a write.
#pragma once

#include <cstdint>
#include <memory>

#include "absl/strings/string_view.h"
#include "storage/redis/core.h"
#include "storage/redis/link.h"
#include "storage/redis/vitals.h"
#include "storage/redis_report.h"

namespace tarn::storage::redis {

// What INFO says. `kLog` of one that logs: how it syncs is in its configuration.
RedisServerFacts ParseServerInfo(absl::string_view info);

// The reply to CONFIG GET appendfsync; kLog when it is none.
RedisPersistence ParseAppendFsync(ReplyView reply);

// Asks every primary now and then, until the engine closes. The loop's thread's.
class Survey : public std::enable_shared_from_this<Survey> {
 public:
  static constexpr int64_t kIntervalMs = 5000;

  Survey(Core& core, std::shared_ptr<Link> link, Vitals& vitals)
      : core_(core), link_(std::move(link)), vitals_(vitals) {}

  void Begin();

 private:
  // Whether the configuration may be asked for. A server that does not know the command, as those
  // of some providers, would end the connection: so its list of commands is looked at first.
  enum class Config : uint8_t { kUnknown, kMayAsk, kMayNotAsk };

  void TakeInfo(std::vector<NodeAnswer>& answers);
  void AskConfig();
  void TakeCommand(std::vector<NodeAnswer>& answers);
  void TakeConfig(std::vector<NodeAnswer>& answers);
  void End();
  void AskAll(absl::Span<const absl::string_view> words,
              void (Survey::*take)(std::vector<NodeAnswer>&));

  Core& core_;
  const std::shared_ptr<Link> link_;
  Vitals& vitals_;
  ServerFacts facts_;  // Of this round.
  Config config_ = Config::kUnknown;
};

}  // namespace tarn::storage::redis
