#include "checkpoint/read_all.h"

#include <thread>

#include "absl/strings/str_cat.h"
#include "storage/base/coding.h"
#include "storage/base/status.h"

namespace tarn::checkpoint {

ReadingAll::ReadingAll(const CheckpointReader& reader, CheckpointReader::OnBlock on_block,
                       Progress& progress)
    : reader_(reader),
      on_block_(on_block),
      progress_(progress),
      last_keys_(reader.blocks().size()) {}

absl::Status ReadingAll::Run() {
  std::vector<std::thread> helpers;
  for (int i = 1; i < reader_.options_.threads; ++i) helpers.emplace_back([this] { ReadBlocks(); });
  ReadBlocks();
  for (std::thread& helper : helpers) helper.join();
  {
    const absl::MutexLock lock(&mutex_);
    TARN_RETURN_IF_ERROR(status_);
  }
  TARN_RETURN_IF_ERROR(CheckOrder());
  TARN_RETURN_IF_ERROR(CheckTotals());
  return CheckSystem();
}

void ReadingAll::ReadBlocks() {
  Tally tally;
  for (size_t i = next_block_++; i < reader_.blocks().size() && !stop_; i = next_block_++) {
    const absl::Status status =
        progress_.cancel ? absl::CancelledError("the reading was cancelled") : ReadBlock(i, &tally);
    if (!status.ok()) return Fail(status);
  }
  const absl::MutexLock lock(&mutex_);
  total_.entries += tally.entries;
  total_.data_bytes += tally.data_bytes;
  total_.digest.Add(tally.digest.sum());
}

absl::Status ReadingAll::ReadBlock(size_t index, Tally* tally) {
  const BlockInfo& block = reader_.blocks()[index];
  return reader_.ReadBlock(
      block, [&](const BlockInfo& info, absl::Span<const storage::EntryView> entries) {
        last_keys_[index] = std::string(entries.back().key);
        if (info.section == Section::kEntries) {
          uint64_t bytes = 0;
          for (const storage::EntryView& entry : entries) {
            tally->digest.Add(info.ns, entry);
            bytes += entry.key.size() + entry.value.size();
          }
          tally->entries += entries.size();
          tally->data_bytes += bytes;
          progress_.entries.fetch_add(entries.size(), std::memory_order_relaxed);
          progress_.bytes.fetch_add(bytes, std::memory_order_relaxed);
        }
        return on_block_(info, entries);
      });
}

// Keeps the first error, and has the other threads stop.
void ReadingAll::Fail(const absl::Status& status) {
  const absl::MutexLock lock(&mutex_);
  if (!stop_.exchange(true)) status_ = status;
}

// Each block ends before the next one begins. Within a block the reader has checked.
absl::Status ReadingAll::CheckOrder() const {
  const std::vector<BlockInfo>& blocks = reader_.blocks();
  for (size_t i = 0; i + 1 < blocks.size(); ++i) {
    const bool same =
        blocks[i].section == blocks[i + 1].section && blocks[i].ns == blocks[i + 1].ns;
    if (same && last_keys_[i] >= blocks[i + 1].first_key)
      return reader_.Damaged(blocks[i + 1].offset, "blocks overlap in keys");
  }
  return absl::OkStatus();
}

absl::Status ReadingAll::CheckTotals() const {
  const absl::MutexLock lock(&mutex_);
  const Header& header = reader_.header();
  if (total_.entries != header.entries || total_.data_bytes != header.data_bytes) {
    return reader_.Damaged(
        0, absl::StrCat("the blocks hold ", total_.entries, " entries of ", total_.data_bytes,
                        " bytes; the header says ", header.entries, " of ", header.data_bytes));
  }
  if (!(total_.digest.sum() == header.content_digest))
    return reader_.Damaged(0, "the content digest does not match");
  return absl::OkStatus();
}

absl::Status ReadingAll::CheckSystem() const {
  base::Sha256 digest;
  uint64_t count = 0;
  TARN_RETURN_IF_ERROR(
      reader_.ReadSystem([&](const BlockInfo&, absl::Span<const storage::EntryView> entries) {
        std::string bytes;
        for (const storage::EntryView& entry : entries) {
          base::AppendLengthPrefixed(&bytes, entry.key);
          base::AppendLengthPrefixed(&bytes, entry.value);
        }
        digest.Update(bytes);
        count += entries.size();
        return absl::OkStatus();
      }));
  const Header& header = reader_.header();
  if (count == header.system_entries && digest.Finish() == header.system_digest)
    return absl::OkStatus();
  return reader_.Damaged(0, "the system section does not match its digest");
}

}  // namespace tarn::checkpoint
