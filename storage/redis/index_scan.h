// The keys of a range in order, as the partitions' indexes have them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "storage/redis/core.h"
#include "storage/redis/layout.h"
#include "storage/redis/overlay.h"
#include "storage/redis/partition.h"
#include "storage/redis/read_sender.h"
#include "storage/redis/reply.h"
#include "storage/snapshot.h"

namespace tarn::storage::redis {

// The members of a range of keys.
MemberRange ToMemberRange(const KeyRange& range);

// A key that an index has, which need not exist.
struct Place {
  std::string member;
  Partition partition = 0;
};

// Merges what the indexes of all partitions give, and what is on its way there, page by page. Every
// key that is there from the first call to the last is given once; one that comes or goes
// meanwhile, once or never. The loop's thread's.
class IndexScan : public std::enable_shared_from_this<IndexScan> {
 public:
  // `partitions`: where the range may have keys.
  IndexScan(Core& core, Generation generation, MemberRange range, ScanDirection direction,
            std::vector<Partition> partitions);

  // Appends the next ones to `places`, about as many as wanted; none only at the end. After an
  // error nothing was given out, and it may be asked again. One call at a time.
  using Done = absl::AnyInvocable<void(const absl::Status&, std::vector<Place> places) &&>;
  void Next(size_t wanted, Done done);

  // Nothing follows what was given.
  bool at_end() const;

 private:
  // What one partition's index gave and nobody has taken.
  struct Stream {
    Partition partition = 0;
    std::vector<std::string> members;
    size_t taken = 0;  // Of these.
    std::string last;  // The last that came; empty before the first.
    bool exhausted = false;

    size_t left() const { return members.size() - taken; }
  };

  // How many each stream should have, so that about `wanted` can be merged.
  size_t DepthFor(size_t wanted) const;
  // Asks for a page of one stream and appends it.
  void Fetch(Stream& stream, size_t count, const std::shared_ptr<Gathering>& all);
  // What of the range has not come yet.
  MemberRange Rest(const Stream& stream) const;
  std::string PageCommand(Partition partition, const MemberRange& rest, size_t count) const;
  absl::Status TakePage(Stream& stream, ReplyView page, std::vector<std::string> logged,
                        size_t asked) const;
  // What lies before anything that may still come.
  std::vector<Place> Merge();
  bool Before(const std::string& left, const std::string& right) const {
    return direction_ == ScanDirection::kAscending ? left < right : right < left;
  }

  Core& core_;
  const Generation generation_;
  const MemberRange range_;
  const ScanDirection direction_;
  std::vector<Stream> streams_;
};

}  // namespace tarn::storage::redis
