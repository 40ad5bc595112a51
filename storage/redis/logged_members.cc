#include "storage/redis/logged_members.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "storage/base/error.h"
#include "storage/redis/command_text.h"
#include "storage/redis/core.h"
#include "storage/redis/fold.h"
#include "storage/redis/read_sender.h"

namespace tarn::storage::redis {
namespace {

constexpr size_t kPageMembers = 1024;

// Reads page by page. Keeps itself alive by what it asks.
class Reading : public std::enable_shared_from_this<Reading> {
 public:
  using Done = absl::AnyInvocable<void(absl::StatusOr<LoggedMembers>) &&>;

  Reading(Core& core, Partition list, Generation generation, Done done)
      : core_(core), list_(list), generation_(generation), done_(std::move(done)) {}

  void Next() {
    CommandText text(4);
    text.Add("LRANGE").Add(core_.layout.IndexLog(list_, generation_, half_));
    text.Add(absl::StrCat(offset_)).Add(absl::StrCat(offset_ + kPageMembers - 1));
    SendRead(core_, list_, std::move(text).Take(),
             [self = shared_from_this()](const absl::StatusOr<Reply>& page) {
               page.ok() ? self->Take(page->view()) : std::move(self->done_)(page.status());
             });
  }

 private:
  void Take(ReplyView page) {
    for (size_t i = 0; i < page.size(); ++i) {
      std::optional<LoggedMember> logged = DecodeLogged(page[i].text());
      if (logged) found_[half_].push_back(*std::move(logged));
    }
    offset_ += page.size();
    if (page.size() < kPageMembers) {
      offset_ = 0;
      if (++half_ == 2) return std::move(done_)(std::move(found_));
    }
    Next();
  }

  Core& core_;
  const Partition list_;
  const Generation generation_;
  Done done_;
  int half_ = 0;
  size_t offset_ = 0;
  LoggedMembers found_;
};

// What puts them where they belong.
std::vector<std::string> CommandsFor(const Core& core, Generation generation,
                                     const std::vector<LoggedMember>& logged) {
  std::map<Partition, std::vector<absl::string_view>> by_partition;
  for (const LoggedMember& one : logged) by_partition[one.partition].push_back(one.member);
  std::vector<std::string> commands;
  for (auto& [partition, members] : by_partition) {
    std::sort(members.begin(), members.end());
    AppendAddCommands(core.layout.Index(partition, generation), members, commands);
  }
  return commands;
}

// `then`: how often another server had taken over when `logged` was to be read.
void MoveList(Core& core, Partition list, Generation generation, int half, uint64_t then,
              std::vector<LoggedMember> logged, const std::shared_ptr<Gathering>& all) {
  if (logged.empty()) return;
  all->Add();
  FoldPlan plan;
  plan.is_complete = [&core, then] { return core.index_log.node_changes() == then; };
  plan.add_commands = [&core, generation, logged = std::move(logged)] {
    return CommandsFor(core, generation, logged);
  };
  SendFold(core, list, core.layout.IndexLog(list, generation, half), std::move(plan),
           [all](const absl::Status& status) { all->Finish(status); });
}

}  // namespace

std::string EncodeLogged(const LoggedMember& logged) {
  static_assert(kPartitions <= 256);
  return absl::StrCat(std::string(1, static_cast<char>(logged.partition)), logged.member);
}

std::optional<LoggedMember> DecodeLogged(absl::string_view bytes) {
  if (bytes.empty() || !DecodeIndexMember(bytes.substr(1))) return std::nullopt;
  return LoggedMember{static_cast<unsigned char>(bytes.front()), std::string(bytes.substr(1))};
}

void ReadLoggedMembers(Core& core, Partition list, Generation generation,
                       absl::AnyInvocable<void(absl::StatusOr<LoggedMembers>) &&> done) {
  std::make_shared<Reading>(core, list, generation, std::move(done))->Next();
}

void MoveLoggedMembers(Core& core, Generation generation,
                       absl::AnyInvocable<void(const absl::Status&) &&> done) {
  auto all = std::make_shared<Gathering>(std::move(done));
  const uint64_t then = core.index_log.node_changes();
  for (int i = 0; i < kPartitions; ++i) {
    const auto list = static_cast<Partition>(i);
    all->Add();
    ReadLoggedMembers(core, list, generation,
                      [&core, list, generation, then, all](absl::StatusOr<LoggedMembers> found) {
                        for (int half = 0; found.ok() && half < 2; ++half) {
                          MoveList(core, list, generation, half, then, std::move((*found)[half]),
                                   all);
                        }
                        all->Finish(found.status());
                      });
  }
  all->Finish(absl::OkStatus());
}

}  // namespace tarn::storage::redis
