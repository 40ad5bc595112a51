#include "storage/redis/generations.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "storage/base/coding.h"
#include "storage/base/error.h"
#include "storage/base/logging.h"
#include "storage/redis/command_text.h"
#include "storage/redis/logged_members.h"
#include "storage/redis/read_sender.h"
#include "storage/redis/write_sender.h"

namespace tarn::storage::redis {
namespace {

// NOTE: persisted.
constexpr char kRecordVersion = 1;

// Keys unlinked in one step: what else Redis has to do waits no longer.
constexpr size_t kStepKeys = 256;

// Removes one generation through its indexes, one step behind the other. Keeps itself alive by what
// it awaits.
class Remover : public std::enable_shared_from_this<Remover> {
 public:
  Remover(Core& core, Generation generation, Generations::Done done)
      : core_(core), generation_(generation), done_(std::move(done)) {}

  // What is only in the lists of members would not be found.
  void Begin() {
    MoveLoggedMembers(core_, generation_, [self = shared_from_this()](const absl::Status& status) {
      status.ok() ? self->Step() : std::move(self->done_)(status);
    });
  }

 private:
  void Step() {
    if (core_.closing) return std::move(done_)(absl::CancelledError("the engine closes"));
    if (partition_ == kPartitions) return std::move(done_)(absl::OkStatus());
    CommandText text(4);
    text.Add("ZRANGE").Add(Index()).Add("0").Add(absl::StrCat(kStepKeys - 1));
    SendRead(core_, Here(), std::move(text).Take(),
             [self = shared_from_this()](const absl::StatusOr<Reply>& members) {
               if (!members.ok()) return std::move(self->done_)(members.status());
               self->Unlink(members->view());
             });
  }

  Partition Here() const { return static_cast<Partition>(partition_); }
  std::string Index() const { return core_.layout.Index(Here(), generation_); }

  // The entries first: what is not in the index is not found again.
  void Unlink(ReplyView members) {
    const bool last = members.size() < kStepKeys;
    std::vector<std::string> commands;
    if (members.size() > 0) {
      CommandText text(members.size() + 1);
      text.Add("UNLINK");
      for (size_t i = 0; i < members.size(); ++i) text.Add(Name(members[i].text()));
      commands.push_back(std::move(text).Take());
    }
    if (last) {
      CommandText text(4);
      text.Add("UNLINK").Add(Index()).Add(core_.layout.Deadlines(Here(), generation_));
      text.Add(core_.layout.Removals(Here(), generation_));
      commands.push_back(std::move(text).Take());
    } else {
      commands.push_back(RemoveMembers(members));
    }
    SendWrites(core_, Here(), Index(), std::move(commands),
               [self = shared_from_this(), last](const absl::Status& status) {
                 if (!status.ok()) return std::move(self->done_)(status);
                 if (last) ++self->partition_;
                 self->Step();
               });
  }

  std::string Name(absl::string_view member) const {
    const IndexMember key = DecodeIndexMember(member).value_or(IndexMember{});
    return core_.layout.Entry(Here(), {generation_, key.ns, key.key});
  }

  // By name, not by rank: it may be done twice.
  std::string RemoveMembers(ReplyView members) const {
    CommandText text(members.size() + 2);
    text.Add("ZREM").Add(Index());
    for (size_t i = 0; i < members.size(); ++i) text.Add(members[i].text());
    return std::move(text).Take();
  }

  Core& core_;
  const Generation generation_;
  Generations::Done done_;
  int partition_ = 0;
};

}  // namespace

std::string EncodeGenerations(const std::set<Generation>& generations) {
  std::string bytes(1, kRecordVersion);
  for (const Generation generation : generations) base::AppendFixed32(&bytes, generation);
  return bytes;
}

std::optional<std::set<Generation>> DecodeGenerations(absl::string_view bytes) {
  if (bytes.empty() || bytes.front() != kRecordVersion) return std::nullopt;
  bytes.remove_prefix(1);
  std::set<Generation> generations;
  while (!bytes.empty()) {
    const std::optional<uint32_t> generation = base::ConsumeFixed32(&bytes);
    if (!generation || !generations.insert(*generation).second) return std::nullopt;
  }
  return generations;
}

void Generations::Start(Done done) {
  CommandText text(2);
  text.Add("GET").Add(core_.layout.Generations());
  SendRead(core_, kStorePartition, std::move(text).Take(),
           [self = shared_from_this(),
            done = std::move(done)](const absl::StatusOr<Reply>& record) mutable {
             if (!record.ok()) return std::move(done)(record.status());
             const absl::string_view bytes = record->view().text();
             const auto generations =
                 bytes.empty() ? std::set<Generation>() : DecodeGenerations(bytes);
             if (!generations) {
               return std::move(done)(base::MakeError(
                   absl::StatusCode::kDataLoss, base::Reason::kDataLoss,
                   "Redis holds something else than the list of the store's generations"));
             }
             self->entered_ = *generations;
             for (const Generation generation : *generations) self->Remove(generation);
             std::move(done)(absl::OkStatus());
           });
}

void Generations::Begin(Begun done) {
  Generation newest = core_.generation;
  for (const Generation generation : entered_) newest = std::max(newest, generation);
  const Generation next = newest + 1;
  Enter(next, [next, done = std::move(done)](const absl::Status& status) mutable {
    if (!status.ok()) return std::move(done)(status);
    std::move(done)(next);
  });
}

void Generations::PrepareSwitch(Done done) { Enter(core_.generation, std::move(done)); }

void Generations::Enter(Generation generation, Done done) {
  entered_.insert(generation);
  Write(std::move(done));
}

void Generations::Write(Done done) {
  CommandText text(3);
  text.Add("SET").Add(core_.layout.Generations()).Add(EncodeGenerations(entered_));
  SendWrites(core_, kStorePartition, core_.layout.Generations(), {std::move(text).Take()},
             std::move(done));
}

void Generations::Remove(Generation generation) {
  if (generation == core_.generation || !removing_.insert(generation).second) return;
  std::make_shared<Remover>(core_, generation,
                            [self = shared_from_this(), generation](const absl::Status& status) {
                              self->Removed(generation, status);
                            })
      ->Begin();
}

void Generations::Removed(Generation generation, const absl::Status& status) {
  removing_.erase(generation);
  if (!status.ok()) {
    if (!core_.closing) {
      base::LogWarning("what a restore left in Redis stays until the next start: ",
                       status.message());
    }
    return;
  }
  entered_.erase(generation);
  // The current one was entered when it was loaded.
  entered_.erase(core_.generation);
  Write([](const absl::Status&) {});
}

}  // namespace tarn::storage::redis
