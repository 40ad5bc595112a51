#include "checkpoint/diff.h"

#include <tuple>

#include "storage/base/status.h"

namespace tarn::checkpoint {

// The entries of one checkpoint, one by one.
class CheckpointDiff::Side {
 public:
  Side(const CheckpointReader& reader, const std::string& ns) : reader_(reader) {
    for (size_t i = 0; i < reader.blocks().size(); ++i) {
      const BlockInfo& block = reader.blocks()[i];
      if (block.section == Section::kEntries && (ns.empty() || block.ns == ns))
        wanted_.push_back(i);
    }
  }

  uint64_t TotalEntries() const {
    uint64_t total = 0;
    for (const size_t index : wanted_) total += reader_.blocks()[index].entries;
    return total;
  }

  // Has the next block ready, if there is one and the last is used up. True when one was read.
  absl::StatusOr<bool> Fill() {
    if (block_ != nullptr && at_ < block_->entries.size()) return false;
    if (next_ == wanted_.size()) {
      block_ = nullptr;
      return false;
    }
    ns_ = reader_.blocks()[wanted_[next_]].ns;
    TARN_ASSIGN_OR_RETURN(block_, reader_.ReadBlock(wanted_[next_++]));
    at_ = 0;
    return true;
  }

  // Since Fill.
  bool at_end() const { return block_ == nullptr; }
  bool used_up() const { return block_ != nullptr && at_ == block_->entries.size(); }
  const std::string& ns() const { return ns_; }
  const storage::EntryView& entry() const { return block_->entries[at_]; }
  void Advance() { ++at_; }

  bool IsBefore(const Side& other) const {
    if (at_end() || other.at_end()) return !at_end();
    return std::tie(ns_, entry().key) < std::tie(other.ns_, other.entry().key);
  }

 private:
  const CheckpointReader& reader_;
  std::vector<size_t> wanted_;  // Indexes of blocks, in order.
  size_t next_ = 0;             // Of `wanted_`.
  std::string ns_;              // Of the block.
  std::unique_ptr<const CheckpointReader::Block> block_;
  size_t at_ = 0;
};

CheckpointDiff::CheckpointDiff(const CheckpointReader& from, const CheckpointReader& to,
                               const DiffOptions& options, Progress& progress)
    : options_(options),
      progress_(progress),
      from_(std::make_unique<Side>(from, options.ns)),
      to_(std::make_unique<Side>(to, options.ns)) {
  progress_.total_entries = from_->TotalEntries() + to_->TotalEntries();
}

CheckpointDiff::~CheckpointDiff() = default;

absl::StatusOr<CheckpointDiff::Step> CheckpointDiff::Next() {
  step_ = {};
  step_bytes_ = 0;
  for (size_t blocks = 0; HasRoom() && blocks < options_.max_step_blocks;) {
    if (progress_.cancel) return absl::CancelledError("the comparison was cancelled");
    for (Side* const side : {from_.get(), to_.get()}) {
      TARN_ASSIGN_OR_RETURN(const bool read, side->Fill());
      if (read) ++blocks;
    }
    step_.at_end = from_->at_end() && to_->at_end();
    if (step_.at_end) break;
    while (HasRoom() && !from_->used_up() && !to_->used_up() &&
           !(from_->at_end() && to_->at_end())) {
      Meet();
    }
  }
  return std::move(step_);
}

void CheckpointDiff::Meet() {
  if (from_->IsBefore(*to_)) {
    ++totals_.removed;
    Note(KeyChange::Kind::kRemoved, *from_);
    return Pass(*from_);
  }
  if (to_->IsBefore(*from_)) {
    ++totals_.added;
    Note(KeyChange::Kind::kAdded, *to_);
    return Pass(*to_);
  }
  if (from_->entry().value == to_->entry().value &&
      from_->entry().deadline == to_->entry().deadline) {
    ++totals_.same;
  } else {
    ++totals_.changed;
    Note(KeyChange::Kind::kChanged, *to_);
  }
  Pass(*from_);
  Pass(*to_);
}

void CheckpointDiff::Pass(Side& side) {
  progress_.entries += 1;
  progress_.bytes += side.entry().key.size() + side.entry().value.size();
  side.Advance();
}

void CheckpointDiff::Note(KeyChange::Kind kind, const Side& side) {
  if (options_.detail == DiffDetail::kCountsOnly) return;
  const absl::string_view key = side.entry().key;
  step_.changes.push_back({kind, side.ns(), std::string(key)});
  step_bytes_ += side.ns().size() + key.size();
}

}  // namespace tarn::checkpoint
