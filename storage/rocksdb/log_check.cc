#include "storage/rocksdb/log_check.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "storage/base/error.h"
#include "storage/base/status.h"
#include "storage/rocksdb/crc32c.h"

namespace tarn::storage::rocks {
namespace {

using base::MakeError;
using base::Reason;

// checksum:4 length:2 type:1, little-endian; the checksum covers type and payload.
constexpr size_t kHeaderBytes = 7;
// A commit begins with sequence:8 count:4.
constexpr size_t kCommitHeadBytes = 12;
// How far ahead a commit found behind damage may be.
constexpr uint64_t kPlausibleDistance = 1 << 20;

template <typename T>
T LittleEndian(absl::string_view bytes) {
  T value;
  std::memcpy(&value, bytes.data(), sizeof(value));
  return value;
}

size_t LengthAt(absl::string_view bytes) { return LittleEndian<uint16_t>(bytes.substr(4)); }

bool AllZero(absl::string_view bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](char byte) { return byte == 0; });
}

// Whether the header's checksum is that of the type and `length` bytes of payload.
bool ChecksumFits(absl::string_view bytes, size_t length) {
  return MaskCrc32c(ExtendCrc32c(0, bytes.substr(6, 1 + length))) == LittleEndian<uint32_t>(bytes);
}

// Whether it is that of any number of bytes that are there.
bool ChecksumFitsSomeLength(absl::string_view bytes) {
  const auto stored = LittleEndian<uint32_t>(bytes);
  uint32_t crc = 0;
  for (size_t i = 6; i < bytes.size(); ++i) {
    crc = ExtendCrc32c(crc, bytes.substr(i, 1));
    if (MaskCrc32c(crc) == stored) return true;
  }
  return false;
}

absl::Status DataLoss(absl::string_view message) {
  return MakeError(absl::StatusCode::kDataLoss, Reason::kDataLoss, message);
}

}  // namespace

absl::Status LogChecker::Damage(size_t position, absl::string_view what) const {
  return DamageAt(offset_ + position, what);
}

absl::Status LogChecker::DamageAt(uint64_t byte, absl::string_view what) const {
  return DataLoss(absl::StrCat("damaged at byte ", byte, ": ", what));
}

absl::Status LogChecker::Check(absl::string_view block) {
  size_t position = 0;
  absl::Status status = CheckRecords(block, &position);
  if (status.ok() && block.size() < kBlockBytes) {
    status = CheckEnd(block.substr(position), position);
  }
  offset_ += block.size();
  return status;
}

absl::Status LogChecker::CheckRecords(absl::string_view block, size_t* position) {
  if (zeros_ && !AllZero(block)) return Damage(0, "a gap of zeros before it");
  while (block.size() - *position >= kHeaderBytes) {
    const absl::string_view rest = block.substr(*position);
    const size_t length = LengthAt(rest);
    const auto type = static_cast<RecordType>(rest[6]);
    if (type == RecordType::kZero && length == 0) {
      // Space that was reserved, and not written to before a crash.
      if (!AllZero(rest)) return Damage(*position, "zeros instead of a record");
      zeros_ = true;
      *position = block.size();
      return absl::OkStatus();
    }
    if (*position + kHeaderBytes + length > kBlockBytes) {
      return Damage(*position, "the record's length is impossible");
    }
    if (kHeaderBytes + length > rest.size()) return absl::OkStatus();  // See CheckEnd.
    if (!ChecksumFits(rest, length)) return Damage(*position, "the record's checksum differs");
    TARN_RETURN_IF_ERROR(Accept({type, rest.substr(kHeaderBytes, length)}, *position));
    *position += kHeaderBytes + length;
  }
  return absl::OkStatus();
}

// What is left at the end of the file is a record that a crash cut short; unless it is whole under
// another length, or whole records follow: then it was damaged later.
absl::Status LogChecker::CheckEnd(absl::string_view rest, size_t position) const {
  if (rest.size() < kHeaderBytes) return absl::OkStatus();
  if (ChecksumFitsSomeLength(rest)) return Damage(position, "the record's length differs");
  for (size_t i = 1; i + kHeaderBytes <= rest.size(); ++i) {
    const absl::string_view candidate = rest.substr(i);
    const size_t length = LengthAt(candidate);
    if (kHeaderBytes + length > candidate.size()) continue;
    const Record record{static_cast<RecordType>(candidate[6]),
                        candidate.substr(kHeaderBytes, length)};
    if (IsPlausible(record) && ChecksumFits(candidate, length)) {
      return Damage(position, "whole records follow");
    }
  }
  return absl::OkStatus();
}

// Values may hold anything, so that bytes that merely look like a record prove nothing.
bool LogChecker::IsPlausible(const Record& record) const {
  if (record.type != RecordType::kFull && record.type != RecordType::kFirst) return false;
  if (kind_ == LogKind::kManifest) return true;
  if (record.payload.size() < kCommitHeadBytes) return false;
  return LittleEndian<uint64_t>(record.payload) - next_sequence_ < kPlausibleDistance;
}

absl::Status LogChecker::Accept(const Record& record, size_t position) {
  switch (record.type) {
    case RecordType::kFull:
    case RecordType::kFirst:
      if (within_) return Damage(position, "the record before it has no end");
      head_.clear();
      begin_ = offset_ + position;
      break;
    case RecordType::kMiddle:
    case RecordType::kLast:
      if (!within_) return Damage(position, "the record has no beginning");
      break;
    default:
      return absl::OkStatus();  // A newer RocksDB's; its checksum is right.
  }
  const size_t wanted =
      kind_ == LogKind::kManifest ? head_.size() + record.payload.size() : kCommitHeadBytes;
  const absl::string_view head = record.payload.substr(0, wanted - head_.size());
  head_.append(head.data(), head.size());
  within_ = record.type == RecordType::kFirst || record.type == RecordType::kMiddle;
  if (within_) return absl::OkStatus();
  if (kind_ == LogKind::kCommits) return AcceptCommit();
  needed_logs_.Apply(head_);
  return absl::OkStatus();
}

absl::Status LogChecker::AcceptCommit() {
  if (head_.size() < kCommitHeadBytes) return DamageAt(begin_, "the commit is too short");
  const absl::string_view head = head_;
  const auto sequence = LittleEndian<uint64_t>(head);
  // Not "differs": what was written after a failure takes the sequence numbers of what failed.
  if (first_sequence_ && sequence > next_sequence_) {
    return DamageAt(begin_, "commits are missing before it");
  }
  if (!first_sequence_) first_sequence_ = sequence;
  next_sequence_ = sequence + LittleEndian<uint32_t>(head.substr(8));
  return absl::OkStatus();
}

namespace {

absl::StatusOr<LogChecker> CheckFile(base::FileSystem& files, const std::string& path,
                                     LogKind kind) {
  TARN_ASSIGN_OR_RETURN(const std::unique_ptr<base::RandomAccessFile> file, files.Open(path));
  TARN_ASSIGN_OR_RETURN(const uint64_t size, file->Size());
  LogChecker checker(kind);
  for (uint64_t offset = 0; offset < size; offset += LogChecker::kBlockBytes) {
    const uint64_t length = std::min<uint64_t>(LogChecker::kBlockBytes, size - offset);
    TARN_ASSIGN_OR_RETURN(const std::string block, file->Read(offset, length));
    const absl::Status status = checker.Check(block);
    if (!status.ok()) return base::Annotate(status, path);
  }
  return checker;
}

// Gives the number of the oldest log that is needed.
absl::StatusOr<uint64_t> CheckManifest(base::FileSystem& files, const std::string& directory) {
  const std::string current = base::JoinPath(directory, "CURRENT");
  TARN_ASSIGN_OR_RETURN(const bool exists, files.Exists(current));
  if (!exists) return DataLoss(absl::StrCat(current, " is missing"));
  TARN_ASSIGN_OR_RETURN(const std::string content, base::ReadFile(files, current));
  absl::string_view name = content;
  if (!absl::StartsWith(name, "MANIFEST-") || !absl::ConsumeSuffix(&name, "\n")) {
    return DataLoss(absl::StrCat(current, " is damaged: it names no manifest"));
  }
  const std::string manifest = base::JoinPath(directory, name);
  TARN_ASSIGN_OR_RETURN(const bool there, files.Exists(manifest));
  if (!there) return DataLoss(absl::StrCat(manifest, " is missing"));
  TARN_ASSIGN_OR_RETURN(const LogChecker checker, CheckFile(files, manifest, LogKind::kManifest));
  return checker.needed_logs().oldest();
}

// Numbers of the commit logs, ascending: the order in which they were written.
absl::StatusOr<std::vector<std::pair<uint64_t, std::string>>> ListLogs(
    base::FileSystem& files, const std::string& directory) {
  TARN_ASSIGN_OR_RETURN(const std::vector<std::string> names, files.List(directory));
  std::vector<std::pair<uint64_t, std::string>> logs;
  for (const std::string& name : names) {
    absl::string_view stem = name;
    uint64_t number = 0;
    if (absl::ConsumeSuffix(&stem, ".log") && absl::SimpleAtoi(stem, &number)) {
      logs.emplace_back(number, base::JoinPath(directory, name));
    }
  }
  std::sort(logs.begin(), logs.end());
  return logs;
}

}  // namespace

absl::Status CheckLogs(base::FileSystem& files, const std::string& directory) {
  TARN_ASSIGN_OR_RETURN(const uint64_t oldest, CheckManifest(files, directory));
  TARN_ASSIGN_OR_RETURN(const auto logs, ListLogs(files, directory));
  // RocksDB always has one, if only an empty one.
  if (logs.empty()) return DataLoss(absl::StrCat(directory, " has lost its logs"));
  std::optional<uint64_t> expected;
  for (const auto& [number, path] : logs) {
    // RocksDB was ended before it removed it; perhaps after it removed the one behind it.
    if (number < oldest) continue;
    TARN_ASSIGN_OR_RETURN(const LogChecker checker, CheckFile(files, path, LogKind::kCommits));
    if (!checker.first_sequence()) continue;
    if (expected && *checker.first_sequence() > *expected) {
      return DataLoss(absl::StrCat("commits are missing before ", path,
                                   ": the log before it lost its end, or is missing itself"));
    }
    expected = checker.next_sequence();
  }
  return absl::OkStatus();
}

}  // namespace tarn::storage::rocks
