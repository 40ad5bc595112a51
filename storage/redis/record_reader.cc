#include "storage/redis/record_reader.h"

#include <algorithm>
#include <numeric>

#include "absl/strings/str_cat.h"
#include "storage/base/error.h"
#include "storage/redis/command_text.h"
#include "storage/redis/read_sender.h"
#include "storage/redis/record.h"

namespace tarn::storage::redis {
namespace {

// Half of what the parser of replies takes (reply_parser.h).
constexpr size_t kMaxReplyBytes = size_t{32} << 20;
constexpr size_t kMaxKeysAtOnce = 64;
// Commands under way: enough to keep Redis busy while answers travel, few enough that those of
// others need not wait long behind them.
constexpr size_t kMaxUnderWay = 8;
// What all of them together are expected to bring.
constexpr size_t kWindowBytes = size_t{1} << 20;
// Where a call stops to send more.
constexpr size_t kMaxCallBytes = size_t{8} << 20;
// From here on values are worth being left out.
constexpr uint64_t kLargeBytes = 1024;

absl::Status NoRecords() {
  return base::MakeError(absl::StatusCode::kInternal, base::Reason::kEngineError,
                         "Redis gave something else than the values of keys");
}

}  // namespace

struct RecordReader::Call {
  std::shared_ptr<const std::vector<Place>> places;
  std::vector<Group> groups;  // The last is the next.
  size_t bytes = 0;           // That came so far.
  size_t all_before = 0;      // Of the last group that was sent.
  size_t under_way = 0;
  bool sending = false;
  absl::Status status;
  Records found;
  Done done;
};

RecordReader::RecordReader(Core& core, Generation generation, Content content)
    : core_(core),
      generation_(generation),
      content_(content),
      max_keys_(std::clamp<size_t>(kMaxReplyBytes / (core.limits.max_value_bytes + 1), 1,
                                   kMaxKeysAtOnce)) {}

size_t RecordReader::KeysAtOnce() const {
  return std::clamp<size_t>(kWindowBytes / kMaxUnderWay / usual_bytes_, 1, max_keys_);
}

bool RecordReader::HeadersAlone() const {
  return content_ == Content::kHeader && usual_bytes_ > kLargeBytes;
}

void RecordReader::Read(std::shared_ptr<const std::vector<Place>> places, Done done) {
  auto call = std::make_shared<Call>();
  call->groups = Divide(*places);
  call->found.records.resize(places->size());
  call->places = std::move(places);
  call->done = std::move(done);
  SendMore(call);
}

// Blocks follow each other, so that one can be the last that is read.
std::vector<RecordReader::Group> RecordReader::Divide(const std::vector<Place>& places) const {
  std::vector<Group> groups;
  const size_t block = KeysAtOnce() * kMaxUnderWay;
  for (size_t from = 0; from < places.size(); from += block) {
    DivideBlock(places, from, std::min(from + block, places.size()), groups);
  }
  std::reverse(groups.begin(), groups.end());
  return groups;
}

// In a cluster a command is for one partition alone. Of large values fewer keys are asked for at
// once, and headers come one by one.
void RecordReader::DivideBlock(const std::vector<Place>& places, size_t from, size_t to,
                               std::vector<Group>& groups) const {
  std::vector<uint32_t> order(to - from);
  std::iota(order.begin(), order.end(), static_cast<uint32_t>(from));
  const bool spans = core_.link->spans_partitions();
  if (!spans) {
    std::stable_sort(order.begin(), order.end(), [&places](uint32_t left, uint32_t right) {
      return places[left].partition < places[right].partition;
    });
  }
  const size_t limit = HeadersAlone() ? 1 : KeysAtOnce();
  const size_t first = groups.size();
  for (const uint32_t index : order) {
    const bool full = groups.size() == first || groups.back().indexes.size() >= limit;
    const auto is_other = [&] {
      return places[groups.back().indexes.front()].partition != places[index].partition;
    };
    if (full || (!spans && is_other())) groups.push_back({{}, from});
    groups.back().indexes.push_back(index);
  }
}

void RecordReader::SendMore(const std::shared_ptr<Call>& call) {
  // An answer may come from within.
  if (std::exchange(call->sending, true)) return;
  while (call->under_way < kMaxUnderWay && !call->groups.empty() && call->status.ok()) {
    if (call->bytes > kMaxCallBytes && StopsAt(*call)) break;
    Group group = std::move(call->groups.back());
    call->groups.pop_back();
    call->all_before = group.all_before;
    ++call->under_way;
    const Partition partition = (*call->places)[group.indexes.front()].partition;
    std::string command = Command(*call->places, group);
    SendRead(core_, partition, std::move(command),
             [self = shared_from_this(), call,
              group = std::move(group)](absl::StatusOr<Reply> reply) mutable {
               --call->under_way;
               call->status.Update(reply.ok() ? self->Take(*call, group, *std::move(reply))
                                              : reply.status());
               self->SendMore(call);
             });
  }
  call->sending = false;
  if (call->under_way > 0 || call->done == nullptr) return;
  if (!call->groups.empty()) call->found.records.resize(call->groups.back().all_before);
  auto done = std::exchange(call->done, nullptr);
  std::move(done)(call->status, std::move(call->found));
}

// Between two blocks.
bool RecordReader::StopsAt(const Call& call) {
  return call.groups.back().all_before != call.all_before;
}

std::string RecordReader::Command(const std::vector<Place>& places, const Group& group) const {
  const auto name = [&](uint32_t index) {
    const Place& place = places[index];
    const std::optional<IndexMember> member = DecodeIndexMember(place.member);
    const IndexMember key = member.value_or(IndexMember{});
    return core_.layout.Entry(place.partition, {generation_, key.ns, key.key});
  };
  if (HeadersAlone()) {
    CommandText text(4);
    text.Add("GETRANGE").Add(name(group.indexes.front())).Add("0");
    text.Add(absl::StrCat(kRecordHeaderBytes - 1));
    return std::move(text).Take();
  }
  CommandText text(group.indexes.size() + 1);
  text.Add("MGET");
  for (const uint32_t index : group.indexes) text.Add(name(index));
  return std::move(text).Take();
}

absl::Status RecordReader::Take(Call& call, const Group& group, Reply reply) {
  const ReplyView view = reply.view();
  if (view.kind() == ReplyView::Kind::kString && group.indexes.size() == 1) {
    // GETRANGE gives nothing of what is not there.
    if (!view.text().empty()) call.found.records[group.indexes.front()] = view.text();
    call.found.replies.push_back(std::move(reply));
    return absl::OkStatus();
  }
  if (view.kind() != ReplyView::Kind::kArray || view.size() != group.indexes.size())
    return NoRecords();
  size_t largest = 0;
  for (size_t i = 0; i < group.indexes.size(); ++i) {
    if (view[i].kind() == ReplyView::Kind::kNil) continue;
    if (view[i].kind() != ReplyView::Kind::kString) return NoRecords();
    call.found.records[group.indexes[i]] = view[i].text();
    largest = std::max(largest, view[i].text().size());
    call.bytes += view[i].text().size();
  }
  NoteSize(largest);
  call.found.replies.push_back(std::move(reply));
  return absl::OkStatus();
}

// Grows at once, and shrinks slowly.
void RecordReader::NoteSize(size_t bytes) {
  usual_bytes_ = std::max<uint64_t>(std::max<uint64_t>(bytes, usual_bytes_ * 7 / 8), 1);
}

}  // namespace tarn::storage::redis
