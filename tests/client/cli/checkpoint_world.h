// Checkpoints and jobs for tarnctl that a test makes up.
#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/client/cli/terminal.h"

namespace tarn::cli {

// Shows each job in turn, then ends, or fails.
struct FakeWatch : JobWatchSource {
  std::vector<Job> shown;
  absl::Status end;
  size_t next = 0;
  absl::StatusOr<std::optional<Job>> Next() override {
    if (next < shown.size()) return std::optional<Job>(shown[next++]);
    if (!end.ok()) return end;
    return std::nullopt;
  }
};

struct FakeJobs : JobConnection {
  std::vector<Job> shown;  // What a watch shows, and what the list is.
  absl::Status watch_end;
  absl::Status failure;
  WatchJobParams watched;
  uint64_t cancelled = 0;

  absl::StatusOr<Job> GetJob(uint64_t, Timeout) override {
    if (!failure.ok()) return failure;
    return shown.at(0);
  }
  absl::StatusOr<std::vector<Job>> ListJobs(Timeout) override {
    if (!failure.ok()) return failure;
    return shown;
  }
  absl::StatusOr<Job> CancelJob(uint64_t id, Timeout) override {
    cancelled = id;
    return GetJob(id, {});
  }
  std::unique_ptr<JobWatchSource> WatchJob(WatchJobParams params) override {
    watched = params;
    auto watch = std::make_unique<FakeWatch>();
    watch->shown = shown;
    watch->end = watch_end;
    return watch;
  }
};

struct FakeDiff : CheckpointDiffSource {
  std::vector<CheckpointDiffChunk> chunks;
  absl::Status end;
  size_t next = 0;
  absl::StatusOr<std::optional<CheckpointDiffChunk>> Next() override {
    if (next < chunks.size()) return std::optional<CheckpointDiffChunk>(chunks[next++]);
    if (!end.ok()) return end;
    return std::nullopt;
  }
};

struct FakeExport : CheckpointExport {
  std::vector<CheckpointFileChunk> chunks;
  absl::Status end;
  size_t next = 0;
  absl::StatusOr<std::optional<CheckpointFileChunk>> Next() override {
    if (next < chunks.size()) return std::optional<CheckpointFileChunk>(chunks[next++]);
    if (!end.ok()) return end;
    return std::nullopt;
  }
};

// Answers what it was told to, and remembers what it was asked.
struct FakeCheckpoints : CheckpointConnection {
  Job job{.id = 7};
  Checkpoint checkpoint{.id = "00000001-0000000002"};
  CheckpointList list;
  CheckpointEntryResult entry;
  FakeDiff diff;
  FakeExport file;
  absl::Status failure;

  std::vector<std::string> ids;  // Of every call, in order.
  CreateCheckpointParams created;
  RestoreCheckpointParams restored;
  GetCheckpointEntryParams entry_asked;
  DiffCheckpointsParams diffed;
  ImportFrom imported_from = ImportFrom::kOwnStore;
  std::string imported;
  std::string reason;

  template <typename T>
  absl::StatusOr<T> Answer(std::string id, T value) {
    ids.push_back(std::move(id));
    if (!failure.ok()) return failure;
    return value;
  }
  absl::StatusOr<Job> CreateCheckpoint(CreateCheckpointParams params) override {
    created = params;
    return Answer("", job);
  }
  absl::StatusOr<Checkpoint> GetCheckpoint(std::string id, Timeout) override {
    return Answer(id, checkpoint);
  }
  absl::StatusOr<CheckpointList> ListCheckpoints(Timeout) override { return Answer("", list); }
  absl::StatusOr<Job> VerifyCheckpoint(std::string id, Timeout) override { return Answer(id, job); }
  absl::Status DeleteCheckpoint(std::string id, Timeout) override { return Answer(id, 0).status(); }
  absl::StatusOr<Checkpoint> PinCheckpoint(std::string id, std::string why, Timeout) override {
    reason = why;
    return Answer(id, checkpoint);
  }
  absl::StatusOr<Checkpoint> UnpinCheckpoint(std::string id, Timeout) override {
    return Answer(id, checkpoint);
  }
  absl::StatusOr<Job> RestoreCheckpoint(RestoreCheckpointParams params) override {
    restored = params;
    return Answer(params.id, job);
  }
  absl::StatusOr<CheckpointEntryResult> GetCheckpointEntry(
      GetCheckpointEntryParams params) override {
    entry_asked = params;
    return Answer(params.id, entry);
  }
  std::unique_ptr<CheckpointDiffSource> DiffCheckpoints(DiffCheckpointsParams params) override {
    diffed = params;
    return std::make_unique<FakeDiff>(diff);
  }
  std::unique_ptr<CheckpointExport> ExportCheckpoint(ExportCheckpointParams params) override {
    ids.push_back(params.id);
    return std::make_unique<FakeExport>(file);
  }
  absl::StatusOr<Checkpoint> ImportCheckpoint(ImportCheckpointParams params) override {
    imported_from = params.from;
    while (true) {
      const auto bytes = params.read();
      if (!bytes.ok()) return bytes.status();
      if (bytes->empty()) break;
      imported += *bytes;
    }
    return Answer("", checkpoint);
  }
};

struct CheckpointTerminal : Terminal {
  std::shared_ptr<FakeCheckpoints> catalog = std::make_shared<FakeCheckpoints>();
  std::shared_ptr<FakeJobs> work = std::make_shared<FakeJobs>();

  // The job that commands begin succeeds with this result.
  CheckpointTerminal() {
    checkpoints = catalog;
    jobs = work;
    work->shown = {Running(), {.id = 7, .state = JobState::kSucceeded, .result = "c-1"}};
  }

  static Job Running() {
    return {.id = 7,
            .state = JobState::kRunning,
            .phase = "writing",
            .entry_count = 5,
            .total_entry_count = 10};
  }
};

}  // namespace tarn::cli
