#include "storage/redis/index_scan.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "storage/base/error.h"
#include "storage/base/status.h"
#include "storage/redis/command_text.h"
#include "storage/redis/read_sender.h"

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

std::string IndexScan::PageCommand(const Stream& stream, size_t count) const {
  const bool ascending = direction_ == ScanDirection::kAscending;
  const bool first = stream.last.empty();
  CommandText text(7);
  text.Add(ascending ? "ZRANGEBYLEX" : "ZREVRANGEBYLEX");
  text.Add(core_.layout.Index(stream.partition, generation_));
  if (ascending) {
    text.Add(first ? "[" : "(", first ? range_.lower : stream.last).Add("(", range_.upper);
  } else {
    text.Add("(", first ? range_.upper : stream.last).Add("[", range_.lower);
  }
  text.Add("LIMIT").Add("0").Add(absl::StrCat(count));
  return std::move(text).Take();
}

absl::Status IndexScan::TakePage(Stream& stream, ReplyView page, size_t asked) {
  if (page.kind() != ReplyView::Kind::kArray) return NoPage();
  stream.members.erase(stream.members.begin(),
                       stream.members.begin() + static_cast<ptrdiff_t>(stream.taken));
  stream.taken = 0;
  for (size_t i = 0; i < page.size(); ++i) {
    if (page[i].kind() != ReplyView::Kind::kString) return NoPage();
    stream.members.emplace_back(page[i].text());
  }
  stream.exhausted = page.size() < asked;
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
    SendRead(core_, stream.partition, PageCommand(stream, count),
             [self = shared_from_this(), &stream, count, all](absl::StatusOr<Reply> page) {
               all->Finish(page.ok() ? TakePage(stream, page->view(), count) : page.status());
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
