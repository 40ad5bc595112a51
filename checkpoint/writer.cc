#include "checkpoint/writer.h"

#include <algorithm>
#include <atomic>
#include <memory>
#include <thread>
#include <tuple>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/synchronization/mutex.h"
#include "checkpoint/block_builder.h"
#include "checkpoint/content_digest.h"
#include "checkpoint/entry_source.h"
#include "storage/base/coding.h"
#include "storage/base/status.h"
#include "storage/base/thread_priority.h"
#include "storage/namespace_record.h"
#include "storage/system_records.h"

namespace tarn::checkpoint {
namespace {

// Ranges for each thread: enough that none waits long for another's last one.
constexpr size_t kRangesPerThread = 16;

// A range of one namespace, written by one thread.
struct Part {
  std::string ns;
  storage::KeyRange range;
};

// The file under way: blocks in the order in which they are finished, which the index puts right.
class OutputFile {
 public:
  explicit OutputFile(std::unique_ptr<base::WritableFile> file) : file_(std::move(file)) {}

  // Leaves room for the header.
  absl::Status Begin() {
    const absl::MutexLock lock(&mutex_);
    return file_->Append(std::string(kHeaderBytes, '\0'));
  }

  absl::Status Append(Block block) {
    const absl::MutexLock lock(&mutex_);
    block.info.offset = offset_;
    TARN_RETURN_IF_ERROR(file_->Append(block.stored));
    offset_ += block.stored.size();
    infos_.push_back(std::move(block.info));
    return absl::OkStatus();
  }

  // Writes the index and the header, whose places and root it fills in, and makes the file durable.
  absl::StatusOr<Header> Finish(Header header) {
    const absl::MutexLock lock(&mutex_);
    const std::string index = EncodeIndex();
    header.blocks = infos_.size();
    header.index_offset = offset_;
    header.index_bytes = index.size();
    const std::string encoded = EncodeHeader(header);
    header.root = base::Sha256Of(absl::StrCat(encoded, index));
    TARN_RETURN_IF_ERROR(file_->Append(index));
    TARN_RETURN_IF_ERROR(file_->WriteAt(0, absl::StrCat(encoded, base::BytesOf(header.root))));
    TARN_RETURN_IF_ERROR(file_->Sync());
    TARN_RETURN_IF_ERROR(file_->Close());
    return header;
  }

 private:
  std::string EncodeIndex() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    std::sort(infos_.begin(), infos_.end(), [](const BlockInfo& left, const BlockInfo& right) {
      return std::tie(left.section, left.ns, left.first_key) <
             std::tie(right.section, right.ns, right.first_key);
    });
    std::string index;
    for (const BlockInfo& info : infos_) AppendBlockInfo(info, &index);
    return index;
  }

  absl::Mutex mutex_;
  const std::unique_ptr<base::WritableFile> file_ ABSL_GUARDED_BY(mutex_);
  uint64_t offset_ ABSL_GUARDED_BY(mutex_) = kHeaderBytes;
  std::vector<BlockInfo> infos_ ABSL_GUARDED_BY(mutex_);
};

// What one thread has counted.
struct Tally {
  uint64_t entries = 0;
  uint64_t data_bytes = 0;
  ContentDigest digest;
};

// One checkpoint being written. The calling thread waits for the others, which have a priority that
// it could not take back.
class Writing {
 public:
  Writing(storage::Snapshot& snapshot, const WriterOptions& options, OutputFile& file,
          Progress& progress)
      : snapshot_(snapshot),
        options_(options),
        origin_{snapshot.revision(), snapshot.as_of()},
        file_(file),
        progress_(progress) {}

  absl::Status WriteSystemSection(Header* header) {
    base::Sha256 digest;
    const auto count = [&](const storage::EntryView& entry) {
      std::string bytes;
      base::AppendLengthPrefixed(&bytes, entry.key);
      base::AppendLengthPrefixed(&bytes, entry.value);
      digest.Update(bytes);
      ++header->system_entries;
    };
    TARN_RETURN_IF_ERROR(WriteRange(Section::kSystem, "", storage::LastingSystemRecords(), count,
                                    storage::ScanReading::kMayRepeat));
    header->system_digest = digest.Finish();
    return absl::OkStatus();
  }

  absl::Status WriteNamespaces(const std::vector<NamedNamespace>& namespaces, Header* header) {
    MakeParts(namespaces);
    std::vector<std::thread> workers;
    workers.reserve(static_cast<size_t>(options_.threads));
    for (int i = 0; i < options_.threads; ++i) {
      workers.emplace_back([this, i] {
        // Whoever waits for an answer comes first: a checkpoint has until the next one.
        base::LowerThisThreadsPriority();
        WriteParts(i == 0 ? Stay::kToTheEnd : Stay::kWhileThereIsRoom);
      });
    }
    for (std::thread& worker : workers) worker.join();
    const absl::MutexLock lock(&mutex_);
    header->entries = total_.entries;
    header->data_bytes = total_.data_bytes;
    header->content_digest = total_.digest.sum();
    return status_;
  }

 private:
  void MakeParts(const std::vector<NamedNamespace>& namespaces) {
    // One thread needs no parts, and then the same state gives the same bytes.
    const size_t ranges =
        options_.threads == 1 ? 1 : kRangesPerThread * static_cast<size_t>(options_.threads);
    for (const NamedNamespace& ns : namespaces) {
      std::string start;
      for (std::string& key : snapshot_.SplitKeys(ns.id, ranges)) {
        parts_.push_back({ns.name, {ns.id, std::exchange(start, key), key}});
      }
      parts_.push_back({ns.name, {ns.id, start, ""}});
    }
  }

  enum class Stay { kToTheEnd, kWhileThereIsRoom };

  // Where others keep the processors busy, more threads do not make it faster: they take turns, and
  // what one of them has locked stays locked while it waits for its turn.
  static bool IsCrowdedOut() {
    const base::ThreadTimes times = base::TimesOfThisThread();
    return times.waited_nanos > times.ran_nanos / 2;
  }

  void WriteParts(Stay stay) {
    Tally tally;
    for (size_t i = next_part_++; i < parts_.size(); i = next_part_++) {
      const absl::Status status = WritePart(parts_[i], &tally);
      if (!status.ok()) return Fail(status);
      if (stay == Stay::kWhileThereIsRoom && IsCrowdedOut()) break;
    }
    const absl::MutexLock lock(&mutex_);
    total_.entries += tally.entries;
    total_.data_bytes += tally.data_bytes;
    total_.digest.Add(tally.digest.sum());
  }

  absl::Status WritePart(const Part& part, Tally* tally) {
    return WriteRange(
        Section::kEntries, part.ns, part.range,
        [&](const storage::EntryView& entry) {
          tally->digest.Add(part.ns, entry);
          ++tally->entries;
          tally->data_bytes += entry.key.size() + entry.value.size();
        },
        storage::ScanReading::kOnce);
  }

  template <typename Count>
  absl::Status WriteRange(Section section, absl::string_view ns, const storage::KeyRange& range,
                          Count count, storage::ScanReading reading) {
    BlockBuilder builder(origin_, options_.compression, options_.block_bytes);
    std::vector<Block> finished;
    builder.Begin(section, ns);
    const auto on_page = [&](const storage::Page& page) {
      for (const storage::EntryView& entry : page.entries) {
        count(entry);
        builder.Add(entry);
        if (builder.full()) finished.push_back(builder.Finish());
        progress_.bytes.fetch_add(entry.key.size() + entry.value.size(), std::memory_order_relaxed);
      }
      progress_.entries.fetch_add(page.entries.size(), std::memory_order_relaxed);
    };
    const auto write_finished = [&]() -> absl::Status {
      if (stop_ || progress_.cancel) return absl::CancelledError("the checkpoint was cancelled");
      for (Block& block : finished) TARN_RETURN_IF_ERROR(file_.Append(std::move(block)));
      finished.clear();
      return absl::OkStatus();
    };
    TARN_RETURN_IF_ERROR(ForEachPage(snapshot_, range, on_page, write_finished, reading));
    if (!builder.empty()) finished.push_back(builder.Finish());
    return write_finished();
  }

  // Keeps the first error, and has the other threads stop.
  void Fail(const absl::Status& status) {
    const absl::MutexLock lock(&mutex_);
    if (!stop_.exchange(true)) status_ = status;
  }

  storage::Snapshot& snapshot_;
  const WriterOptions& options_;
  const EntryOrigin origin_;
  OutputFile& file_;
  Progress& progress_;
  std::vector<Part> parts_;
  std::atomic<size_t> next_part_{0};
  std::atomic<bool> stop_{false};

  absl::Mutex mutex_;
  absl::Status status_ ABSL_GUARDED_BY(mutex_);
  Tally total_ ABSL_GUARDED_BY(mutex_);
};

Header HeaderOf(const storage::Snapshot& snapshot, const Origin& origin,
                const Compression& compression) {
  Header header;
  header.store_id = origin.store_id;
  header.number = origin.number;
  header.revision = snapshot.revision();
  header.create_time = origin.create_time;
  header.as_of = snapshot.as_of();
  header.compression = compression;
  header.engine = origin.engine;
  return header;
}

}  // namespace

absl::StatusOr<std::vector<NamedNamespace>> ReadNamespaces(storage::Snapshot& snapshot) {
  std::vector<NamedNamespace> namespaces;
  absl::Status damaged;
  const auto on_page = [&](const storage::Page& page) {
    for (const storage::EntryView& entry : page.entries) {
      absl::string_view name = entry.key;
      if (!absl::ConsumePrefix(&name, storage::kNamespaceKeyPrefix)) continue;
      const absl::StatusOr<storage::NamespaceRecord> record =
          storage::DecodeNamespaceRecord(entry.value);
      if (!record.ok()) {
        damaged = record.status();
        return;
      }
      namespaces.push_back({record->id, std::string(name)});
    }
  };
  TARN_RETURN_IF_ERROR(
      ForEachPage(snapshot, storage::LastingSystemRecords(), on_page, [&] { return damaged; }));
  return namespaces;
}

absl::StatusOr<Header> WriteCheckpoint(storage::Snapshot& snapshot, const Origin& origin,
                                       const WriterOptions& options, base::FileSystem& files,
                                       const std::string& path, Progress& progress) {
  TARN_ASSIGN_OR_RETURN(const std::vector<NamedNamespace> namespaces, ReadNamespaces(snapshot));
  TARN_ASSIGN_OR_RETURN(std::unique_ptr<base::WritableFile> created, files.Create(path));
  OutputFile file(std::move(created));
  TARN_RETURN_IF_ERROR(file.Begin());
  Header header = HeaderOf(snapshot, origin, options.compression);
  Writing writing(snapshot, options, file, progress);
  TARN_RETURN_IF_ERROR(writing.WriteSystemSection(&header));
  TARN_RETURN_IF_ERROR(writing.WriteNamespaces(namespaces, &header));
  return file.Finish(std::move(header));
}

}  // namespace tarn::checkpoint
