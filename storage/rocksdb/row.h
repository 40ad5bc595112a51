// What a look-up in `entries` found.
#pragma once

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "rocksdb/slice.h"
#include "rocksdb/status.h"
#include "storage/base/clock.h"
#include "storage/evaluate.h"
#include "storage/rocksdb/layout.h"
#include "storage/rocksdb/rocksdb_status.h"
#include "storage/rocksdb/slice.h"

namespace tarn::storage::rocks {

struct Row {
  bool exists = false;  // Also when it has expired and nobody has swept it yet.
  StoredEntry entry;
};

// Makes sense of a Get's answer. The row views `value`.
inline absl::StatusOr<Row> InterpretGet(const rocksdb::Status& status,
                                        const rocksdb::Slice& value) {
  if (status.IsNotFound()) return Row{};
  if (!status.ok()) return ToStatus(status, "reading an entry");
  const std::optional<StoredEntry> entry = DecodeEntry(ToView(value));
  if (!entry) return Undecodable("entry");
  return Row{true, *entry};
}

// What an operation sees of it.
inline Found LiveEntry(const Row& row, base::UnixMs now) {
  if (!row.exists || base::HasExpired(row.entry.deadline, now)) return {};
  return {true, row.entry.revision, row.entry.deadline, row.entry.value};
}

}  // namespace tarn::storage::rocks
