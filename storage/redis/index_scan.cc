#include "storage/redis/index_scan.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"
#include "storage/base/error.h"
#include "storage/base/status.h"
#include "storage/redis/command_text.h"

namespace tarn::storage::redis {
namespace {

// Of one partition at once. 256 of them are 16,000 keys.
constexpr size_t kMaxDepth = 64;

absl::Status NoPage() {
  return base::MakeError(absl::StatusCode::kInternal, base::Reason::kEngineError,
                         "Redis gave something else than a page of an index");
}

}  // namespace

MemberRange ToMemberRange(const KeyRange& range) {
  if (range.end.empty()) {
    return {EncodeIndexMember({range.ns, range.start}), EncodeIndexMember({range.ns + 1, ""})};
  }
  return {EncodeIndexMember({range.ns, range.start}), EncodeIndexMember({range.ns, range.end})};
}

IndexScan::IndexScan(Core& core, Generation generation, MemberRange range, ScanDirection direction,
                     std::vector<Partition> partitions)
    : core_(core), generation_(generation), range_(std::move(range)), direction_(direction) {
  streams_.resize(partitions.size());
  for (size_t i = 0; i < partitions.size(); ++i) streams_[i].partition = partitions[i];
}

bool IndexScan::at_end() const {
  return std::all_of(streams_.begin(), streams_.end(),
                     [](const Stream& stream) { return stream.exhausted && stream.left() == 0; });
}

// Keys are scattered over the partitions by their hashes. What can be merged ends where the first
// stream does, which has about two and a half standard deviations less than the average.
size_t IndexScan::DepthFor(size_t wanted) const {
  const double each = static_cast<double>(wanted) / static_cast<double>(streams_.size());
  const double depth = streams_.size() == 1 ? each : each + 2.5 * std::sqrt(each) + 2;
  return std::clamp<size_t>(static_cast<size_t>(depth) + 1, 1,
                            streams_.size() == 1 ? kMaxDepth * kPartitions : kMaxDepth);
}

MemberRange IndexScan::Rest(const Stream& stream) const {
  if (stream.last.empty()) return range_;
  if (direction_ == ScanDirection::kDescending) return {range_.lower, stream.last};
  return {Behind(stream.last), range_.upper};
}

std::string IndexScan::PageCommand(Partition partition, const MemberRange& rest,
                                   size_t count) const {
  const bool ascending = direction_ == ScanDirection::kAscending;
  CommandText text(7);
  text.Add(ascending ? "ZRANGEBYLEX" : "ZREVRANGEBYLEX");
  text.Add(core_.layout.Index(partition, generation_));
  if (ascending) {
    text.Add("[", rest.lower).Add("(", rest.upper);
  } else {
    text.Add("(", rest.upper).Add("[", rest.lower);
  }
  text.Add("LIMIT").Add("0").Add(absl::StrCat(count));
  return std::move(text).Take();
}

// What is on its way into the index is looked up first: by the time of the answer it may be there.
void IndexScan::Fetch(Stream& stream, size_t count, const std::shared_ptr<Gathering>& all) {
  const MemberRange rest = Rest(stream);
  std::vector<std::string> logged;
  if (generation_ == core_.generation) {
    logged = core_.index_log.Members(stream.partition, rest, direction_, count);
  }
  SendRead(core_, stream.partition, PageCommand(stream.partition, rest, count),
           [self = shared_from_this(), &stream, logged = std::move(logged), count,
            all](const absl::StatusOr<Reply>& page) mutable {
             all->Finish(page.ok() ? self->TakePage(stream, page->view(), std::move(logged), count)
                                   : page.status());
           });
}

// Of two full pages, what lies behind the end of the one may be missing in the other.
absl::Status IndexScan::TakePage(Stream& stream, ReplyView page, std::vector<std::string> logged,
                                 size_t asked) const {
  if (page.kind() != ReplyView::Kind::kArray) return NoPage();
  std::vector<std::string> indexed;
  for (size_t i = 0; i < page.size(); ++i) {
    if (page[i].kind() != ReplyView::Kind::kString) return NoPage();
    indexed.emplace_back(page[i].text());
  }
  const auto before = [this](const std::string& left, const std::string& right) {
    return Before(left, right);
  };
  std::vector<std::string> merged;
  merged.reserve(indexed.size() + logged.size());
  std::set_union(std::make_move_iterator(indexed.begin()), std::make_move_iterator(indexed.end()),
                 std::make_move_iterator(logged.begin()), std::make_move_iterator(logged.end()),
                 std::back_inserter(merged), before);
  stream.exhausted = indexed.size() < asked && logged.size() < asked;
  if (!stream.exhausted) merged.resize(std::min(merged.size(), asked));
  stream.members.erase(stream.members.begin(),
                       stream.members.begin() + static_cast<ptrdiff_t>(stream.taken));
  stream.taken = 0;
  std::move(merged.begin(), merged.end(), std::back_inserter(stream.members));
  if (!stream.members.empty()) stream.last = stream.members.back();
  return absl::OkStatus();
}

void IndexScan::Next(size_t wanted, Done done) {
  const size_t depth = DepthFor(wanted);
  auto all = std::make_shared<Gathering>(
      [self = shared_from_this(), done = std::move(done)](const absl::Status& status) mutable {
        if (!status.ok()) return std::move(done)(status, {});
        std::move(done)(status, self->Merge());
      });
  for (Stream& stream : streams_) {
    if (stream.exhausted || stream.left() * 2 > depth) continue;
    const size_t count = depth - stream.left();
    all->Add();
    core_.index_log.WhenComplete(stream.partition, [self = shared_from_this(), &stream, count,
                                                    all](const absl::Status& complete) {
      complete.ok() ? self->Fetch(stream, count, all) : all->Finish(complete);
    });
  }
  all->Finish(absl::OkStatus());
}

std::vector<Place> IndexScan::Merge() {
  const std::string* bound = nullptr;
  for (const Stream& stream : streams_) {
    if (stream.exhausted) continue;
    if (bound == nullptr || Before(stream.last, *bound)) bound = &stream.last;
  }
  std::vector<Place> places;
  for (Stream& stream : streams_) {
    for (; stream.left() > 0; ++stream.taken) {
      std::string& member = stream.members[stream.taken];
      if (bound != nullptr && Before(*bound, member)) break;
      // `last` is a copy, which outlives what is taken here.
      places.push_back({std::move(member), stream.partition});
    }
  }
  std::sort(places.begin(), places.end(), [this](const Place& left, const Place& right) {
    return Before(left.member, right.member);
  });
  return places;
}

}  // namespace tarn::storage::redis
