// Gathers entries into a block.
#pragma once

#include <string>

#include "absl/strings/string_view.h"
#include "checkpoint/content_digest.h"
#include "checkpoint/format.h"
#include "storage/snapshot.h"

namespace tarn::checkpoint {

// A finished block, still without its place in the file.
struct Block {
  BlockInfo info;
  std::string stored;
};

// Not thread-safe: each thread has its own.
class BlockBuilder {
 public:
  BlockBuilder(const EntryOrigin& origin, const Compression& compression, size_t block_bytes)
      : origin_(origin), compression_(compression), block_bytes_(block_bytes) {}

  // Entries of one section and namespace, in ascending order.
  void Begin(Section section, absl::string_view ns);
  void Add(const storage::EntryView& entry);

  bool empty() const { return info_.entries == 0; }
  bool full() const { return raw_.size() >= block_bytes_; }

  // Compresses and hashes what was added, and begins the next block of the same namespace.
  Block Finish();

 private:
  const EntryOrigin origin_;
  const Compression compression_;
  const size_t block_bytes_;
  std::string raw_;
  BlockInfo info_;
};

}  // namespace tarn::checkpoint
