#include "storage/redis/split_keys.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "storage/base/error.h"
#include "storage/redis/command_text.h"
#include "storage/redis/index_scan.h"
#include "storage/redis/read_sender.h"

namespace tarn::storage::redis {
namespace {

// Parts then differ by about an eighth.
constexpr uint64_t kSamplesEach = 64;

constexpr size_t kNoLimit = std::numeric_limits<size_t>::max();

using Done = absl::AnyInvocable<void(std::vector<std::string>) &&>;

// First counts, then samples. Keeps itself alive by its questions.
class Sampling : public std::enable_shared_from_this<Sampling> {
 public:
  Sampling(Core& core, Generation generation, NamespaceId ns, size_t parts, Done done)
      : core_(core),
        generation_(generation),
        range_(ToMemberRange({ns, "", ""})),
        parts_(parts),
        done_(std::move(done)) {}

  void Start() {
    auto all = std::make_shared<Gathering>(
        [self = shared_from_this()](const absl::Status& status) { self->Sample(status); });
    for (int partition = 0; partition < kPartitions; ++partition) {
      const auto place = static_cast<Partition>(partition);
      Ask(*all, place, CountCommand(place, "-", absl::StrCat("(", range_.lower)), all,
          [this, place](ReplyView reply) { before_[place] = Number(reply); });
      Ask(*all, place,
          CountCommand(place, absl::StrCat("[", range_.lower), absl::StrCat("(", range_.upper)),
          all, [this, place](ReplyView reply) { counts_[place] = Number(reply); });
    }
    all->Finish(absl::OkStatus());
  }

 private:
  static uint64_t Number(ReplyView reply) {
    return static_cast<uint64_t>(std::max<int64_t>(reply.integer(), 0));
  }

  template <typename Take>
  void Ask(Gathering& counted, Partition partition, std::string command,
           const std::shared_ptr<Gathering>& all, Take take) {
    counted.Add();
    SendRead(core_, partition, std::move(command),
             [self = shared_from_this(), all, take](const absl::StatusOr<Reply>& reply) {
               if (reply.ok()) take(reply->view());
               all->Finish(reply.status());
             });
  }

  std::string CountCommand(Partition partition, absl::string_view from,
                           absl::string_view to) const {
    CommandText text(4);
    text.Add("ZLEXCOUNT").Add(core_.layout.Index(partition, generation_)).Add(from).Add(to);
    return std::move(text).Take();
  }

  // Every so many-th key, counted through all partitions.
  void Sample(const absl::Status& status) {
    const uint64_t total = Total();
    if (!status.ok() || total < parts_) return std::move(done_)({});
    const uint64_t stride = std::max<uint64_t>(total / (kSamplesEach * parts_), 1);
    auto all = std::make_shared<Gathering>(
        [self = shared_from_this()](const absl::Status& sampled) { self->Cut(sampled); });
    uint64_t next = stride / 2;
    for (int partition = 0; partition < kPartitions; ++partition) {
      const auto place = static_cast<Partition>(partition);
      for (; next < counts_[place]; next += stride) {
        Ask(*all, place, MemberCommand(place, before_[place] + next), all,
            [this](ReplyView reply) { TakeSample(reply); });
      }
      next -= counts_[place];
    }
    SampleLog(stride);
    all->Finish(absl::OkStatus());
  }

  uint64_t Total() const {
    uint64_t total = 0;
    for (int partition = 0; partition < kPartitions; ++partition) {
      const auto place = static_cast<Partition>(partition);
      total += counts_[place] + core_.index_log.Count(place, range_);
    }
    return total;
  }

  void SampleLog(uint64_t stride) {
    uint64_t next = stride / 2;
    for (int partition = 0; partition < kPartitions; ++partition) {
      const std::vector<std::string> members = core_.index_log.Members(
          static_cast<Partition>(partition), range_, ScanDirection::kAscending, kNoLimit);
      for (; next < members.size(); next += stride) samples_.push_back(members[next]);
      next -= members.size();
    }
  }

  std::string MemberCommand(Partition partition, uint64_t rank) const {
    CommandText text(4);
    text.Add("ZRANGE").Add(core_.layout.Index(partition, generation_));
    text.Add(absl::StrCat(rank)).Add(absl::StrCat(rank));
    return std::move(text).Take();
  }

  // Writes go on: what stands at the place by now may belong to a neighbour.
  void TakeSample(ReplyView reply) {
    if (reply.size() != 1 || !range_.Contains(reply[0].text())) return;
    samples_.emplace_back(reply[0].text());
  }

  void Cut(const absl::Status& status) {
    std::vector<std::string> keys;
    if (!status.ok()) return std::move(done_)(std::move(keys));
    std::sort(samples_.begin(), samples_.end());
    for (size_t i = 1; i < parts_ && !samples_.empty(); ++i) {
      const std::string& sample = samples_[i * samples_.size() / parts_];
      std::string key(DecodeIndexMember(sample).value_or(IndexMember{}).key);
      if (!key.empty() && (keys.empty() || keys.back() < key)) keys.push_back(std::move(key));
    }
    std::move(done_)(std::move(keys));
  }

  Core& core_;
  const Generation generation_;
  const MemberRange range_;
  const size_t parts_;
  Done done_;
  std::array<uint64_t, kPartitions> before_{};  // Members of other namespaces,
  std::array<uint64_t, kPartitions> counts_{};  // and of this one.
  std::vector<std::string> samples_;
};

}  // namespace

void FindSplitKeys(Core& core, Generation generation, NamespaceId ns, size_t parts, Done done) {
  if (parts < 2) return std::move(done)({});
  std::make_shared<Sampling>(core, generation, ns, parts, std::move(done))->Start();
}

}  // namespace tarn::storage::redis
