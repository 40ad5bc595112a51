// Members on their way into the indexes.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/container/btree_set.h"
#include "absl/container/flat_hash_map.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "storage/redis/layout.h"
#include "storage/redis/logged_members.h"
#include "storage/redis/overlay.h"
#include "storage/redis/partition.h"
#include "storage/redis/pool.h"
#include "storage/snapshot.h"

namespace tarn::storage::redis {

struct Core;

// A new key costs Redis half as much when its member is put into the sorted set together with
// hundreds of others, in order. Until then the member stands in a list in Redis, where the owner
// that comes after a crash finds it, and here, where whoever reads the index finds it.
//
// There are two lists: for all partitions where one command may touch all of them, else for each
// one. When the list that takes members has enough, the other one takes over; as soon as everything
// that was appended to the first is answered, its members go into the indexes, and then it goes. So
// no list is removed with a member that is nowhere else.
//
// The loop's thread's.
class IndexLog {
 public:
  // For each partition of a list: so many members, or bytes, are enough.
  static constexpr size_t kFoldMembers = 256;
  static constexpr size_t kFoldBytes = size_t{32} << 10;

  using Done = absl::AnyInvocable<void(const absl::Status&) &&>;

  // `core` outlives it, and all that it sends.
  explicit IndexLog(Core& core) : core_(core) {}
  IndexLog(const IndexLog&) = delete;
  IndexLog& operator=(const IndexLog&) = delete;

  // Enters a member on this lease: whoever reads the index finds it, at the latest when it is
  // answered.
  void Append(KeyLease& lease, Partition partition, std::string member, AnswerHandler done);

  // The key is gone, and its member from the index: it need not go there.
  void Erase(Partition partition, absl::string_view member);

  // The first ones of a range, in that direction; `most` of them at most.
  std::vector<std::string> Members(Partition partition, const MemberRange& range,
                                   ScanDirection direction, size_t most) const;
  size_t Count(Partition partition, const MemberRange& range) const;

  // Calls `then` when everything in the partition's lists is also here or in the index. It may not
  // be after OnNodeChanged; then the lists are read. An error: they could not be.
  void WhenComplete(Partition partition, Done then);

  // Calls `then` when all that is here now is in the indexes, and the lists are gone; or with the
  // first error. Goes on trying after that.
  void FoldAll(Done then);

  // What answers may be older than what did, and its lists fuller.
  void OnNodeChanged();
  uint64_t node_changes() const { return node_changes_; }

  // core.generation is another one, to which nothing was appended yet.
  void StartGeneration();

 private:
  using MemberSet = absl::btree_set<std::string>;

  // The list that takes members, or the one that took them before.
  struct Half {
    absl::flat_hash_map<Partition, MemberSet> members;
    size_t appended = 0;  // To the list, which also keeps what is erased here.
    size_t bytes = 0;     // Of that.
    size_t unanswered = 0;
  };
  struct Log {
    std::array<Half, 2> halves;
    int active = 0;
    bool folding = false;           // The other half.
    std::vector<Done> folded;       // Called when that is over.
    uint64_t incomplete_since = 0;  // Which change of nodes; 0: it is complete.
    std::vector<Done> completed;    // Called when the lists have been read.
  };

  // One of two lists, in one generation.
  struct Place {
    Generation generation = 0;
    Partition list = 0;
    int half = 0;
  };

  // Where the lists of a partition are.
  Partition ListOf(Partition partition) const;
  const MemberSet* Find(const Half& half, Partition partition) const;
  bool IsCurrent(const Place& place) const;
  std::string NameOf(const Place& place) const;

  void Keep(const Place& place, Partition partition, const std::string& member);
  std::string AddCommand(Partition partition, absl::string_view member) const;

  void Answered(const Place& place);
  // Whether the list that takes members has `times` as many as are enough.
  bool IsEnough(const Log& log, size_t times) const;
  void FoldIfEnough(Partition list);
  void BeginFold(Partition list);
  void FoldNow(Partition list, Done then);
  void Fold(const Place& place);
  void Folded(const Place& place, const absl::Status& status);
  std::vector<std::string> AddCommands(const Place& place) const;
  void ReadLists(Partition list);
  static void TakeOver(Log& log, const LoggedMembers& found);
  void FoldReturned(Partition list);

  Core& core_;
  std::array<Log, kPartitions> logs_;  // By where their lists are.
  uint64_t node_changes_ = 0;
};

}  // namespace tarn::storage::redis
