// Reads a database's log files before RocksDB does, because RocksDB is too forgiving: damage to a
// record's length within the last 32 KiB of a log, or a log file that went missing, looks to it
// like a write that a crash cut short, and it drops acknowledged commits without a word.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "storage/base/file_system.h"
#include "storage/rocksdb/needed_logs.h"

namespace tarn::storage::rocks {

enum class LogKind {
  kCommits,   // Records are commits, each with its sequence number.
  kManifest,  // Records say which files belong to the database.
};

// Checks one log file, fed to it block by block.
class LogChecker {
 public:
  static constexpr size_t kBlockBytes = 32 << 10;

  explicit LogChecker(LogKind kind) : kind_(kind) {}

  // The next kBlockBytes of the file; fewer only at its end. DATA_LOSS saying where and what.
  absl::Status Check(absl::string_view block);

  // Sequence numbers of its commits: the first one's, and what the next one after it would have.
  std::optional<uint64_t> first_sequence() const { return first_sequence_; }
  uint64_t next_sequence() const { return next_sequence_; }

  // What a manifest says of the other logs.
  const NeededLogs& needed_logs() const { return needed_logs_; }

 private:
  enum class RecordType : unsigned char {
    kZero = 0,
    kFull = 1,
    kFirst = 2,
    kMiddle = 3,
    kLast = 4
  };
  struct Record {
    RecordType type;
    absl::string_view payload;
  };

  absl::Status CheckRecords(absl::string_view block, size_t* position);
  absl::Status CheckEnd(absl::string_view rest, size_t position) const;
  absl::Status Accept(const Record& record, size_t position);
  absl::Status AcceptCommit();
  bool IsPlausible(const Record& record) const;
  absl::Status Damage(size_t position, absl::string_view what) const;
  absl::Status DamageAt(uint64_t byte, absl::string_view what) const;

  const LogKind kind_;
  uint64_t offset_ = 0;  // Of the current block.
  bool zeros_ = false;   // Nothing but zeros may follow.
  bool within_ = false;  // Between the first and the last part of a record.
  std::string head_;     // The first bytes of the current record; all of a manifest's,
  uint64_t begin_ = 0;   // and where in the file it begins.
  std::optional<uint64_t> first_sequence_;
  uint64_t next_sequence_ = 0;
  NeededLogs needed_logs_;
};

// Checks every log that the database in `directory` needs. DATA_LOSS naming the file when one is
// missing or damaged. What a crash cut short at the end of the last log is no damage.
absl::Status CheckLogs(base::FileSystem& files, const std::string& directory);

}  // namespace tarn::storage::rocks
