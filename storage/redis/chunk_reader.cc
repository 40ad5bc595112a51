#include "storage/redis/chunk_reader.h"

#include <algorithm>
#include <numeric>
#include <optional>
#include <utility>

#include "storage/base/error.h"
#include "storage/base/status.h"
#include "storage/redis/record.h"

namespace tarn::storage::redis {
namespace {

std::vector<Partition> AllPartitions() {
  std::vector<Partition> all(kPartitions);
  std::iota(all.begin(), all.end(), Partition{0});
  return all;
}

absl::Status Undecodable() {
  return base::MakeError(absl::StatusCode::kDataLoss, base::Reason::kDataLoss,
                         "Redis holds something else than an entry under the name of one");
}

}  // namespace

ChunkReader::ChunkReader(Core& core, SnapshotRegistry& registry, Ghosts& ghosts,
                         SnapshotViewPtr view, const KeyRange& range, const ScanOptions& options)
    : core_(core),
      registry_(registry),
      ghosts_(ghosts),
      view_(std::move(view)),
      options_(options),
      left_(ToMemberRange(range)),
      scan_(std::make_shared<IndexScan>(core, view_->identity().generation, left_,
                                        options.direction, AllPartitions())),
      reader_(std::make_shared<RecordReader>(core, view_->identity().generation,
                                             options.content == ScanContent::kKeysOnly
                                                 ? RecordReader::Content::kHeader
                                                 : RecordReader::Content::kWhole)) {}

void ChunkReader::Next(size_t wanted, Done done) {
  if (absl::Status status = view_->status(); !status.ok()) return std::move(done)(status);
  const bool enough = places_.size() - taken_ > wanted / 2;
  if (enough || scan_->at_end()) return ReadRecords(wanted, std::move(done));
  ReadPlaces(wanted, std::move(done));
}

void ChunkReader::ReadPlaces(size_t wanted, Done done) {
  scan_->Next(wanted, [self = shared_from_this(), wanted, done = std::move(done)](
                          const absl::Status& status, std::vector<Place> places) mutable {
    if (!status.ok()) return std::move(done)(status);
    self->places_.erase(self->places_.begin(),
                        self->places_.begin() + static_cast<ptrdiff_t>(self->taken_));
    self->taken_ = 0;
    self->places_.insert(self->places_.end(), std::make_move_iterator(places.begin()),
                         std::make_move_iterator(places.end()));
    self->ReadRecords(wanted, std::move(done));
  });
}

void ChunkReader::ReadRecords(size_t wanted, Done done) {
  const auto from = places_.begin() + static_cast<ptrdiff_t>(taken_);
  const size_t count = std::min(wanted, places_.size() - taken_);
  auto chunk = std::make_shared<Chunk>();
  chunk->places = std::make_shared<std::vector<Place>>(
      std::make_move_iterator(from), std::make_move_iterator(from + static_cast<ptrdiff_t>(count)));
  taken_ += count;
  reader_->Read(chunk->places, [self = shared_from_this(), chunk, done = std::move(done)](
                                   const absl::Status& status, Records records) mutable {
    self->GiveBack(*chunk, status.ok() ? records.records.size() : 0);
    if (!status.ok()) return std::move(done)(status);
    chunk->records = std::move(records);
    chunk->at_end = self->taken_ == self->places_.size() && self->scan_->at_end();
    self->Await(std::move(chunk), std::move(done));
  });
}

void ChunkReader::GiveBack(Chunk& chunk, size_t from) {
  const size_t count = chunk.places->size() - from;
  taken_ -= count;
  std::move(chunk.places->begin() + static_cast<ptrdiff_t>(from), chunk.places->end(),
            places_.begin() + static_cast<ptrdiff_t>(taken_));
  chunk.places->resize(from);
}

// A write whose effect was read has been sent by now. When all that were sent are answered, what
// they replaced is known.
void ChunkReader::Await(std::shared_ptr<Chunk> chunk, Done done) {
  core_.writes.WhenAnswered(core_.writes.last(),
                            [self = shared_from_this(), chunk, done = std::move(done)]() mutable {
                              std::move(done)(self->Assemble(chunk));
                            });
}

absl::StatusOr<ChunkPtr> ChunkReader::Assemble(const std::shared_ptr<Chunk>& chunk) {
  registry_.Enforce();
  TARN_RETURN_IF_ERROR(view_->status());
  const MemberRange covered = Covered(*chunk);
  chunk->images = registry_.ImagesOf(*view_, covered);
  TARN_RETURN_IF_ERROR(Fill(*chunk));
  if (options_.reading == ScanReading::kOnce) registry_.Pass(*view_, covered);
  Advance(covered);
  return ChunkPtr(chunk);
}

MemberRange ChunkReader::Covered(const Chunk& chunk) const {
  if (chunk.at_end) return left_;
  const std::string& last = chunk.places->back().member;
  if (options_.direction == ScanDirection::kAscending) return {left_.lower, Behind(last)};
  return {last, left_.upper};
}

void ChunkReader::Advance(const MemberRange& covered) {
  if (options_.direction == ScanDirection::kAscending) {
    left_.lower = covered.upper;
  } else {
    left_.upper = covered.lower;
  }
}

// Merges what was read with what was replaced. The latter is right wherever there is something.
absl::Status ChunkReader::Fill(Chunk& chunk) {
  const bool ascending = options_.direction == ScanDirection::kAscending;
  std::vector<std::pair<absl::string_view, const Overlay::Image*>> images;
  images.reserve(chunk.images.size());
  for (const auto& [member, image] : chunk.images) images.emplace_back(member, &image);
  if (!ascending) std::reverse(images.begin(), images.end());
  chunk.entries.reserve(chunk.places->size() + images.size());
  auto image = images.begin();
  const auto add_image = [&]() -> absl::Status {
    const auto [member, record] = *image++;
    return *record ? AddEntry(member, **record, chunk.entries) : absl::OkStatus();
  };
  for (size_t i = 0; i < chunk.places->size(); ++i) {
    const absl::string_view member = (*chunk.places)[i].member;
    while (image != images.end() && image->first != member &&
           (image->first < member) == ascending) {
      TARN_RETURN_IF_ERROR(add_image());
    }
    if (image != images.end() && image->first == member) {
      TARN_RETURN_IF_ERROR(add_image());
    } else {
      TARN_RETURN_IF_ERROR(AddStored(chunk, i, chunk.entries));
    }
  }
  while (image != images.end()) TARN_RETURN_IF_ERROR(add_image());
  if (options_.content == ScanContent::kKeysOnly) {
    for (EntryView& entry : chunk.entries) entry.value = {};
  }
  for (const EntryView& entry : chunk.entries) chunk.bytes += entry.key.size() + entry.value.size();
  return absl::OkStatus();
}

absl::Status ChunkReader::AddStored(const Chunk& chunk, size_t index,
                                    std::vector<EntryView>& entries) {
  const std::optional<absl::string_view> record = chunk.records.records[index];
  if (!record) {
    // Not deleted since the snapshot was opened: that would have left an image.
    ghosts_.Report((*chunk.places)[index]);
    return absl::OkStatus();
  }
  TARN_RETURN_IF_ERROR(AddEntry((*chunk.places)[index].member, *record, entries));
  if (entries.back().revision <= view_->identity().revision) return absl::OkStatus();
  // Whoever wrote it told nothing.
  registry_.EndUpTo(view_->identity().revision, SnapshotEnd::kUntold,
                    "what a write replaced was never told");
  return view_->status();
}

absl::Status ChunkReader::AddEntry(absl::string_view member, absl::string_view record,
                                   std::vector<EntryView>& entries) {
  const std::optional<IndexMember> key = DecodeIndexMember(member);
  const std::optional<Record> decoded = DecodeRecord(record);
  if (!key || !decoded) return Undecodable();
  entries.push_back({key->ns, decoded->revision, decoded->deadline, key->key, decoded->value});
  return absl::OkStatus();
}

}  // namespace tarn::storage::redis
