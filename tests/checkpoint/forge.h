// Checkpoint files that a writer would never make, but whose hashes are right: what a hostile or
// mistaken program could hand to a reader.
#pragma once

#include <string>
#include <vector>

#include "checkpoint/content_digest.h"
#include "checkpoint/format.h"

namespace tarn::testing {

// Entries of one block, written as the format says, whatever they are.
std::string RawBlock(const checkpoint::EntryOrigin& origin,
                     const std::vector<storage::EntryView>& entries);

struct Forgery {
  checkpoint::Header header;
  struct ForgedBlock {
    checkpoint::BlockInfo info;
    std::string stored;
  };
  std::vector<ForgedBlock> blocks;
  std::string index;  // In place of what the blocks give, unless empty.

  // Of revision 1 << 40, as of kStart, without blocks.
  Forgery();

  // A block of `entries`, stored as it is, in namespace `ns`; the header counts them.
  ForgedBlock& AddBlock(const std::string& ns, const std::vector<storage::EntryView>& entries);
  ForgedBlock& AddRaw(const std::string& ns, const std::string& first_key, uint64_t entries,
                      const std::string& raw);

  // The file: places, hashes of blocks, counts of blocks and root are put right.
  std::string Bytes() const;

  checkpoint::ContentDigest digest;
};

}  // namespace tarn::testing
