// Views of bytes, as RocksDB and as Tarn call them.
#pragma once

#include "absl/strings/string_view.h"
#include "rocksdb/slice.h"

namespace tarn::storage::rocks {

inline rocksdb::Slice ToSlice(absl::string_view bytes) { return {bytes.data(), bytes.size()}; }
inline absl::string_view ToView(const rocksdb::Slice& bytes) {
  return {bytes.data(), bytes.size()};
}

}  // namespace tarn::storage::rocks
