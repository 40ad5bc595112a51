#include "checkpoint/state_summary.h"

#include <atomic>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "checkpoint/content_digest.h"
#include "checkpoint/entry_source.h"
#include "checkpoint/writer.h"
#include "storage/base/coding.h"
#include "storage/base/status.h"
#include "storage/system_records.h"

namespace tarn::checkpoint {
namespace {

constexpr size_t kRangesPerThread = 16;  // As a writer divides its work.

struct Part {
  std::string ns;
  storage::KeyRange range;
};

std::vector<Part> Divide(storage::Snapshot& snapshot, const std::vector<NamedNamespace>& namespaces,
                         size_t ranges) {
  std::vector<Part> parts;
  for (const NamedNamespace& ns : namespaces) {
    std::string start;
    for (std::string& key : snapshot.SplitKeys(ns.id, ranges))
      parts.push_back({ns.name, {ns.id, std::exchange(start, key), key}});
    parts.push_back({ns.name, {ns.id, start, ""}});
  }
  return parts;
}

// One summing up. The calling thread is one of its threads.
class Summing {
 public:
  Summing(storage::Snapshot& snapshot, std::vector<Part> parts, Progress& progress)
      : snapshot_(snapshot), parts_(std::move(parts)), progress_(progress) {}

  absl::StatusOr<StateSummary> Run(int threads) {
    std::vector<std::thread> helpers;
    for (int i = 1; i < threads; ++i) helpers.emplace_back([this] { SumParts(); });
    SumParts();
    for (std::thread& helper : helpers) helper.join();
    const absl::MutexLock lock(&mutex_);
    TARN_RETURN_IF_ERROR(status_);
    total_.content_digest = digest_.sum();
    return total_;
  }

 private:
  void SumParts() {
    StateSummary sum;
    ContentDigest digest;
    for (size_t i = next_part_++; i < parts_.size(); i = next_part_++) {
      const absl::Status status = SumPart(parts_[i], sum, digest);
      if (!status.ok()) return Fail(status);
    }
    const absl::MutexLock lock(&mutex_);
    total_.entries += sum.entries;
    total_.data_bytes += sum.data_bytes;
    digest_.Add(digest.sum());
  }

  absl::Status SumPart(const Part& part, StateSummary& sum, ContentDigest& digest) {
    const auto on_page = [&](const storage::Page& page) {
      uint64_t bytes = 0;
      for (const storage::EntryView& entry : page.entries) {
        digest.Add(part.ns, entry);
        bytes += entry.key.size() + entry.value.size();
      }
      sum.entries += page.entries.size();
      sum.data_bytes += bytes;
      progress_.entries += page.entries.size();
      progress_.bytes += bytes;
    };
    const auto may_go_on = [&] {
      return stop_ || progress_.cancel ? absl::CancelledError("the reading was cancelled")
                                       : absl::OkStatus();
    };
    return ForEachPage(snapshot_, part.range, on_page, may_go_on);
  }

  void Fail(const absl::Status& status) {
    const absl::MutexLock lock(&mutex_);
    if (!stop_.exchange(true)) status_ = status;
  }

  storage::Snapshot& snapshot_;
  const std::vector<Part> parts_;
  Progress& progress_;
  std::atomic<size_t> next_part_{0};
  std::atomic<bool> stop_{false};

  absl::Mutex mutex_;
  absl::Status status_ ABSL_GUARDED_BY(mutex_);
  StateSummary total_ ABSL_GUARDED_BY(mutex_);
  ContentDigest digest_ ABSL_GUARDED_BY(mutex_);
};

absl::Status SumSystem(storage::Snapshot& snapshot, StateSummary& sum) {
  base::Sha256 digest;
  const auto on_page = [&](const storage::Page& page) {
    for (const storage::EntryView& entry : page.entries) {
      std::string bytes;
      base::AppendLengthPrefixed(&bytes, entry.key);
      base::AppendLengthPrefixed(&bytes, entry.value);
      digest.Update(bytes);
      ++sum.system_entries;
    }
  };
  TARN_RETURN_IF_ERROR(ForEachPage(snapshot, storage::LastingSystemRecords(), on_page,
                                   [] { return absl::OkStatus(); }));
  sum.system_digest = digest.Finish();
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<StateSummary> SummarizeState(storage::Snapshot& snapshot, int threads,
                                            Progress& progress) {
  TARN_ASSIGN_OR_RETURN(const std::vector<NamedNamespace> namespaces, ReadNamespaces(snapshot));
  const size_t ranges = kRangesPerThread * static_cast<size_t>(threads);
  Summing summing(snapshot, Divide(snapshot, namespaces, ranges), progress);
  TARN_ASSIGN_OR_RETURN(StateSummary sum, summing.Run(threads));
  TARN_RETURN_IF_ERROR(SumSystem(snapshot, sum));
  return sum;
}

}  // namespace tarn::checkpoint
