#include "checkpoint/reader.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"
#include "checkpoint/read_all.h"
#include "storage/base/coding.h"
#include "storage/base/error.h"
#include "storage/base/status.h"

namespace tarn::checkpoint {

absl::StatusOr<std::unique_ptr<CheckpointReader>> CheckpointReader::Open(
    base::FileSystem& files, const std::string& path, const ReaderOptions& options) {
  TARN_ASSIGN_OR_RETURN(std::unique_ptr<base::RandomAccessFile> file, files.Open(path));
  std::unique_ptr<CheckpointReader> reader(new CheckpointReader(std::move(file), path, options));
  TARN_RETURN_IF_ERROR(reader->Load());
  return reader;
}

absl::Status CheckpointReader::Load() {
  TARN_ASSIGN_OR_RETURN(const uint64_t file_size, file_->Size());
  if (file_size < kHeaderBytes)
    return Damaged(file_size, "the file is too short to be a checkpoint");
  TARN_ASSIGN_OR_RETURN(const std::string header_bytes, file_->Read(0, kHeaderBytes));
  absl::StatusOr<Header> header = DecodeHeader(header_bytes);
  if (absl::IsDataLoss(header.status())) return Damaged(0, header.status().message());
  if (!header.ok())
    return IsOfThisVersion(header_bytes, file_size)
               ? Damaged(kMagic.size(), "the format version is not the one it was written with")
               : base::Annotate(header.status(), path_);
  header_ = *std::move(header);
  TARN_RETURN_IF_ERROR(CheckPlaces(file_size));
  TARN_ASSIGN_OR_RETURN(const std::string index,
                        file_->Read(header_.index_offset, header_.index_bytes));
  if (base::Sha256Of(absl::StrCat(absl::string_view(header_bytes).substr(0, kRootOffset), index)) !=
      header_.root) {
    return Damaged(0, "the root does not match header and index");
  }
  absl::StatusOr<std::vector<BlockInfo>> blocks = DecodeIndex(index, header_.blocks);
  if (!blocks.ok()) return Damaged(header_.index_offset, blocks.status().message());
  blocks_ = *std::move(blocks);
  return CheckBlocks();
}

// Whether a file that claims a newer format proves itself once its version is put right: then
// nothing but those bytes is damaged, and it must not be taken for the work of a newer program.
bool CheckpointReader::IsOfThisVersion(std::string header_bytes, uint64_t file_size) {
  std::string version;
  base::AppendFixed32(&version, kFormatVersion);
  header_bytes.replace(kMagic.size(), version.size(), version);
  absl::StatusOr<Header> header = DecodeHeader(header_bytes);
  if (!header.ok()) return false;
  header_ = *std::move(header);
  if (!CheckPlaces(file_size).ok()) return false;
  const absl::StatusOr<std::string> index = file_->Read(header_.index_offset, header_.index_bytes);
  header_bytes.resize(kRootOffset);
  return index.ok() && base::Sha256Of(absl::StrCat(header_bytes, *index)) == header_.root;
}

absl::Status CheckpointReader::CheckPlaces(uint64_t file_size) const {
  if (header_.index_offset < kHeaderBytes || header_.index_offset > file_size ||
      header_.index_bytes != file_size - header_.index_offset) {
    return Damaged(file_size, absl::StrCat("the file does not end where its header says (index of ",
                                           header_.index_bytes, " bytes at ", header_.index_offset,
                                           ", file of ", file_size, ")"));
  }
  if (header_.index_bytes > options_.max_index_bytes) {
    return Damaged(header_.index_offset,
                   absl::StrCat("an index of ", header_.index_bytes, " bytes is too large"));
  }
  return absl::OkStatus();
}

// Blocks cover the file from header to index without a gap or an overlap, and are sorted as an
// index is.
absl::Status CheckpointReader::CheckBlocks() const {
  std::vector<const BlockInfo*> by_offset;
  for (const BlockInfo& block : blocks_) {
    if (block.raw_bytes > options_.max_block_bytes) {
      return Damaged(block.offset,
                     absl::StrCat("a block of ", block.raw_bytes, " bytes is too large"));
    }
    if ((block.section == Section::kSystem) != block.ns.empty())
      return Damaged(block.offset, "a block has the wrong section");
    by_offset.push_back(&block);
  }
  std::sort(by_offset.begin(), by_offset.end(),
            [](const auto* left, const auto* right) { return left->offset < right->offset; });
  uint64_t expected = kHeaderBytes;
  for (const BlockInfo* const block : by_offset) {
    if (block->offset != expected || block->stored_bytes > header_.index_offset - expected) {
      return Damaged(expected, "blocks overlap or leave a gap");
    }
    expected += block->stored_bytes;
  }
  if (expected != header_.index_offset)
    return Damaged(expected, "blocks leave a gap before the index");
  const auto unordered = std::adjacent_find(
      blocks_.begin(), blocks_.end(), [](const BlockInfo& left, const BlockInfo& right) {
        return std::tie(left.section, left.ns, left.first_key) >=
               std::tie(right.section, right.ns, right.first_key);
      });
  return unordered == blocks_.end() ? absl::OkStatus()
                                    : Damaged(unordered->offset, "the index is not in order");
}

absl::Status CheckpointReader::ReadBlock(const BlockInfo& info, OnBlock on_block) const {
  TARN_ASSIGN_OR_RETURN(const std::unique_ptr<const Block> block, LoadBlock(info));
  return on_block(info, block->entries);
}

absl::StatusOr<std::unique_ptr<const CheckpointReader::Block>> CheckpointReader::ReadBlock(
    size_t index) const {
  const BlockInfo& info = blocks_[index];
  TARN_ASSIGN_OR_RETURN(std::unique_ptr<const Block> block, LoadBlock(info));
  const BlockInfo* const next = index + 1 < blocks_.size() ? &blocks_[index + 1] : nullptr;
  const bool followed = next != nullptr && next->section == info.section && next->ns == info.ns;
  if (followed && block->entries.back().key >= next->first_key)
    return Damaged(info.offset, "a block goes on behind the begin of the next one");
  return block;
}

absl::StatusOr<std::unique_ptr<const CheckpointReader::Block>> CheckpointReader::LoadBlock(
    const BlockInfo& info) const {
  TARN_ASSIGN_OR_RETURN(const std::string stored, file_->Read(info.offset, info.stored_bytes));
  if (base::Sha256Of(stored) != info.hash)
    return Damaged(info.offset, "a block does not match its hash");
  absl::StatusOr<std::string> raw = Decompress(info.codec, stored, info.raw_bytes);
  if (!raw.ok()) return Damaged(info.offset, raw.status().message());
  auto block = std::make_unique<Block>(Block{*std::move(raw), {}});
  TARN_ASSIGN_OR_RETURN(block->entries, DecodeBlock(info, block->raw));
  return block;
}

absl::StatusOr<std::vector<storage::EntryView>> CheckpointReader::DecodeBlock(
    const BlockInfo& info, absl::string_view raw) const {
  constexpr size_t kMinEntryBytes = 4;
  // More than an honest block holds: a hostile count takes memory only as its entries turn up.
  constexpr uint64_t kMaxReservedEntries = 1 << 16;
  if (info.entries == 0 || info.entries > raw.size() / kMinEntryBytes) {
    return Damaged(info.offset, absl::StrCat("a block cannot hold ", info.entries, " entries"));
  }
  std::vector<storage::EntryView> entries;
  entries.reserve(std::min(info.entries, kMaxReservedEntries));
  for (uint64_t i = 0; i < info.entries; ++i) {
    const std::optional<storage::EntryView> entry =
        ConsumeEntry({header_.revision, header_.as_of}, &raw);
    if (!entry) return Damaged(info.offset, absl::StrCat("entry ", i, " of a block is malformed"));
    if (!entries.empty() && entry->key <= entries.back().key) {
      return Damaged(info.offset, absl::StrCat("entry ", i, " of a block is not in order"));
    }
    entries.push_back(*entry);
  }
  if (!raw.empty()) return Damaged(info.offset, "a block has bytes behind its last entry");
  if (entries.front().key != info.first_key)
    return Damaged(info.offset, "a block does not begin with the key in the index");
  return entries;
}

absl::Status CheckpointReader::ReadAll(OnBlock on_block, Progress& progress) const {
  return ReadingAll(*this, on_block, progress).Run();
}

absl::Status CheckpointReader::Verify(Progress& progress) const {
  return ReadAll(
      [](const BlockInfo&, absl::Span<const storage::EntryView>) { return absl::OkStatus(); },
      progress);
}

absl::Status CheckpointReader::ReadRange(absl::string_view ns, absl::string_view start,
                                         absl::string_view end, OnBlock on_block) const {
  const auto within = [&](absl::string_view key) {
    return key >= start && (end.empty() || key < end);
  };
  for (size_t i = 0; i < blocks_.size(); ++i) {
    const BlockInfo& block = blocks_[i];
    if (block.section != Section::kEntries || block.ns != ns) continue;
    // All its keys are below the first of the next one.
    const bool followed = i + 1 < blocks_.size() && blocks_[i + 1].section == block.section &&
                          blocks_[i + 1].ns == ns;
    if (followed && blocks_[i + 1].first_key <= start) continue;
    if (!end.empty() && block.first_key >= end) break;
    TARN_RETURN_IF_ERROR(
        ReadBlock(block, [&](const BlockInfo& info, absl::Span<const storage::EntryView> entries) {
          while (!entries.empty() && !within(entries.front().key)) entries.remove_prefix(1);
          while (!entries.empty() && !within(entries.back().key)) entries.remove_suffix(1);
          return entries.empty() ? absl::OkStatus() : on_block(info, entries);
        }));
  }
  return absl::OkStatus();
}

absl::Status CheckpointReader::ReadSystem(OnBlock on_block) const {
  for (const BlockInfo& block : blocks_) {
    if (block.section == Section::kSystem) TARN_RETURN_IF_ERROR(ReadBlock(block, on_block));
  }
  return absl::OkStatus();
}

absl::Status CheckpointReader::Damaged(uint64_t offset, absl::string_view what) const {
  return base::MakeError(absl::StatusCode::kDataLoss, base::Reason::kDataLoss,
                         absl::StrCat(path_, " is damaged at byte ", offset, ": ", what));
}

}  // namespace tarn::checkpoint
