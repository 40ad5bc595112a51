// Any bytes as a log of RocksDB: sound or damaged, and a prefix of a sound one that ends between
// two blocks is no worse.
#include <algorithm>
#include <cstdint>
#include <cstdlib>

#include "storage/rocksdb/log_check.h"

namespace {

using tarn::storage::rocks::LogChecker;
using tarn::storage::rocks::LogKind;

bool Sound(absl::string_view bytes, LogKind kind) {
  LogChecker checker(kind);
  for (size_t i = 0; i < bytes.size(); i += LogChecker::kBlockBytes) {
    if (!checker.Check(bytes.substr(i, LogChecker::kBlockBytes)).ok()) return false;
  }
  return true;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view bytes(reinterpret_cast<const char*>(data), size);
  for (const LogKind kind : {LogKind::kCommits, LogKind::kManifest}) {
    if (!Sound(bytes, kind)) continue;
    const size_t blocks = size / LogChecker::kBlockBytes;
    if (!Sound(bytes.substr(0, blocks * LogChecker::kBlockBytes), kind)) std::abort();
  }
  return 0;
}
