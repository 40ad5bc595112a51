// What a checkpoint holds, in one number that does not depend on how it is stored.
#pragma once

#include <string>

#include "absl/strings/string_view.h"
#include "storage/base/checksum.h"
#include "storage/snapshot.h"

namespace tarn::checkpoint {

// The sum modulo 2^128 of XXH3-128 over each entry: the same for the same entries in whatever
// order, engine, codec or blocks. Revisions are not in it. docs/checkpoint-format.md says which
// bytes are hashed. Not thread-safe; threads sum up their own.
class ContentDigest {
 public:
  void Add(absl::string_view ns, const storage::EntryView& entry);
  void Add(const base::Hash128& other);
  const base::Hash128& sum() const { return sum_; }

 private:
  base::Hash128 sum_;
  std::string buffer_;
};

// 32 lower-case hexadecimal digits.
std::string ToHex(const base::Hash128& digest);

}  // namespace tarn::checkpoint
