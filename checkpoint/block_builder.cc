#include "checkpoint/block_builder.h"

#include <utility>

namespace tarn::checkpoint {

void BlockBuilder::Begin(Section section, absl::string_view ns) {
  info_ = BlockInfo{.section = section, .ns = std::string(ns)};
  raw_.clear();
}

void BlockBuilder::Add(const storage::EntryView& entry) {
  if (empty()) info_.first_key = std::string(entry.key);
  AppendEntry(origin_, entry, &raw_);
  ++info_.entries;
}

Block BlockBuilder::Finish() {
  Block block;
  block.info = info_;
  block.info.raw_bytes = raw_.size();
  block.info.codec = compression_.codec;
  Compress(compression_, raw_, &block.stored);
  // What does not shrink is stored as it is, and costs nothing to read.
  if (block.stored.size() >= raw_.size()) {
    block.info.codec = Codec::kNone;
    block.stored = raw_;
  }
  block.info.stored_bytes = block.stored.size();
  block.info.hash = base::Sha256Of(block.stored);
  Begin(block.info.section, block.info.ns);
  return block;
}

}  // namespace tarn::checkpoint
