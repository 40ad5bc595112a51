// Any bytes as a checkpoint: refused, or whole and in order. So that the inside is reached, each
// input is tried a second time with its hashes put right.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "checkpoint/namespace_ids.h"
#include "checkpoint/reader.h"
#include "tests/support/fault_file_system.h"

namespace {

namespace checkpoint = tarn::checkpoint;

constexpr checkpoint::ReaderOptions kOptions{
    .max_block_bytes = 1 << 20, .max_index_bytes = 1 << 20, .threads = 1};

void Require(bool condition) {
  if (!condition) std::abort();
}

// The hashes of blocks that lie within the file, and the root; nothing else.
std::string WithRightHashes(std::string bytes) {
  const auto header = checkpoint::DecodeHeader(bytes);
  if (!header.ok() || header->index_offset > bytes.size()) return bytes;
  auto blocks = checkpoint::DecodeIndex(absl::string_view(bytes).substr(header->index_offset),
                                        header->blocks);
  if (!blocks.ok()) return bytes;
  std::string index;
  for (checkpoint::BlockInfo& block : *blocks) {
    if (block.offset <= bytes.size() && block.stored_bytes <= bytes.size() - block.offset) {
      block.hash =
          tarn::base::Sha256Of(absl::string_view(bytes).substr(block.offset, block.stored_bytes));
    }
    checkpoint::AppendBlockInfo(block, &index);
  }
  bytes.replace(header->index_offset, std::string::npos, index);
  const auto root = tarn::base::Sha256Of(
      absl::StrCat(absl::string_view(bytes).substr(0, checkpoint::kRootOffset), index));
  const absl::string_view root_bytes = tarn::base::BytesOf(root);
  bytes.replace(checkpoint::kRootOffset, root_bytes.size(), root_bytes.data(), root_bytes.size());
  return bytes;
}

void CheckEntries(const checkpoint::CheckpointReader& reader) {
  uint64_t entries = 0;
  checkpoint::Progress progress;
  const absl::Status status = reader.ReadAll(
      [&](const checkpoint::BlockInfo& block, absl::Span<const tarn::storage::EntryView> given) {
        Require(given.size() == block.entries && given.front().key == block.first_key);
        for (size_t i = 0; i < given.size(); ++i) {
          Require(i == 0 || given[i - 1].key < given[i].key);
          Require(given[i].revision != 0 && given[i].revision <= reader.header().revision);
          Require(given[i].deadline == 0 || given[i].deadline > reader.header().as_of);
        }
        if (block.section == checkpoint::Section::kEntries) entries += given.size();
        return absl::OkStatus();
      },
      progress);
  if (status.ok()) Require(entries == reader.header().entries);
}

void ReadAs(const std::string& bytes) {
  tarn::testing::FaultFileSystem files;
  Require(tarn::base::ReplaceFile(files, "f", bytes).ok());
  const auto reader = checkpoint::CheckpointReader::Open(files, "f", kOptions);
  if (!reader.ok()) return;
  Require((*reader)->file_bytes() == bytes.size());
  CheckEntries(**reader);
  checkpoint::ReadNamespaceIds(**reader).status().IgnoreError();
  const auto take = [](const checkpoint::BlockInfo&, absl::Span<const tarn::storage::EntryView>) {
    return absl::OkStatus();
  };
  for (const checkpoint::BlockInfo& block : (*reader)->blocks())
    (*reader)->ReadRange(block.ns, block.first_key, "", take).IgnoreError();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  ReadAs(bytes);
  ReadAs(WithRightHashes(bytes));
  return 0;
}
