// Reads a checkpoint file, trusting none of its bytes before they are proved.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "checkpoint/format.h"
#include "checkpoint/progress.h"
#include "storage/base/file_system.h"
#include "storage/snapshot.h"

namespace tarn::checkpoint {

struct ReaderOptions {
  uint64_t max_block_bytes =
      64 << 20;  // Decompressed: a hostile file must not choose how much memory is taken.
  uint64_t max_index_bytes = 256 << 20;  // Some millions of blocks: far beyond a terabyte of state.
  int threads = 2;                       // Of ReadAll and Verify.
};

// An open checkpoint whose header and index are intact. Immutable and thread-safe.
//
// Errors are DATA_LOSS and name the file and the offset, except those of the file system, and
// FAILED_PRECONDITION for a format that is too new.
class CheckpointReader {
 public:
  // Checks size, header, index and root.
  static absl::StatusOr<std::unique_ptr<CheckpointReader>> Open(base::FileSystem& files,
                                                                const std::string& path,
                                                                const ReaderOptions& options);

  const Header& header() const { return header_; }
  const std::vector<BlockInfo>& blocks() const { return blocks_; }
  const std::string& path() const { return path_; }
  uint64_t file_bytes() const { return header_.index_offset + header_.index_bytes; }

  // Called with the entries of one block, in order; their `ns` is 0: the block says its namespace's
  // name. On several threads at once, in no order. An error ends the reading.
  using OnBlock =
      absl::FunctionRef<absl::Status(const BlockInfo&, absl::Span<const storage::EntryView>)>;

  // Reads and proves every block of both sections, then the order of all keys, the counts and both
  // digests. What was handed out before an error must not be used.
  absl::Status ReadAll(OnBlock on_block, Progress& progress) const;

  // ReadAll without a taker.
  absl::Status Verify(Progress& progress) const;

  // The entries of one namespace from `start` (inclusive) to `end` (exclusive; empty: all that
  // follow), block by block in order, on this thread. Reads and proves only the blocks that may
  // hold some.
  absl::Status ReadRange(absl::string_view ns, absl::string_view start, absl::string_view end,
                         OnBlock on_block) const;

  // One block, proved, as also its place before the next one is.
  struct Block {
    std::string raw;
    std::vector<storage::EntryView> entries;  // Views of `raw`; their `ns` is 0.
  };
  absl::StatusOr<std::unique_ptr<const Block>> ReadBlock(size_t index) const;

  // Bytes of the file as they are.
  absl::StatusOr<std::string> ReadBytes(uint64_t offset, size_t size) const {
    return file_->Read(offset, size);
  }

  // The system section, in order.
  absl::Status ReadSystem(OnBlock on_block) const;

 private:
  friend class ReadingAll;

  CheckpointReader(std::unique_ptr<base::RandomAccessFile> file, std::string path,
                   const ReaderOptions& options)
      : file_(std::move(file)), path_(std::move(path)), options_(options) {}

  absl::Status Load();
  bool IsOfThisVersion(std::string header_bytes, uint64_t file_size);
  absl::Status CheckPlaces(uint64_t file_size) const;
  absl::Status CheckBlocks() const;
  absl::Status ReadBlock(const BlockInfo& info, OnBlock on_block) const;
  absl::StatusOr<std::unique_ptr<const Block>> LoadBlock(const BlockInfo& info) const;
  absl::StatusOr<std::vector<storage::EntryView>> DecodeBlock(const BlockInfo& info,
                                                              absl::string_view raw) const;
  absl::Status Damaged(uint64_t offset, absl::string_view what) const;

  const std::unique_ptr<base::RandomAccessFile> file_;
  const std::string path_;
  const ReaderOptions options_;
  Header header_;
  std::vector<BlockInfo> blocks_;
};

}  // namespace tarn::checkpoint
