// Which logs RocksDB still needs, as the records of its manifest say.
#pragma once

#include <cstdint>
#include <map>

#include "absl/strings/string_view.h"

namespace tarn::storage::rocks {

// Is fed the manifest's records in order. Knows their format as of RocksDB 7.8; of what it does not
// know it says that every log is needed.
class NeededLogs {
 public:
  void Apply(absl::string_view record);

  // Logs with lower numbers hold nothing that is not in tables too: RocksDB does not read them, and
  // removes them some time, in any order.
  uint64_t oldest() const;

 private:
  bool readable_ = true;
  std::map<uint64_t, uint64_t> oldest_of_family_{{0, 0}};  // The default family is never declared.
};

}  // namespace tarn::storage::rocks
