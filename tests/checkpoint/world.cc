#include "tests/checkpoint/world.h"

#include <algorithm>
#include <mutex>
#include <ostream>
#include <stdexcept>

#include "absl/synchronization/notification.h"
#include "storage/namespace_record.h"
#include "tests/support/status.h"

namespace tarn::testing {
namespace {

constexpr size_t kMaxFileBytes = 1 << 30;

}  // namespace

TestEngine::TestEngine(base::Clock& clock, const storage::StoreMeta& meta,
                       const storage::MemoryEngineOptions& options)
    : engine_(Value(storage::MemoryEngine::Open(options, clock, ledger_))) {
  const absl::Status status = engine_->WriteMeta(meta);
  if (!status.ok()) throw std::runtime_error(status.ToString());
}

void TestEngine::AddNamespace(const std::string& name, NamespaceId id) {
  const storage::NamespaceRecord record{.id = id, .settings = {}, .create_time = kStart};
  Do(Put(storage::NamespaceKey(name), storage::EncodeNamespaceRecord(record))
         .In(storage::kSystemNamespace));
}

Revision TestEngine::Do(Op op) {
  const Answer answer = testing::Do(*engine_, std::move(op));
  if (!answer.status.ok()) throw std::runtime_error(answer.status.ToString());
  return answer.revision;
}

std::vector<Row> RowsOf(storage::Engine& engine, const std::vector<NamespaceId>& namespaces) {
  const auto snapshot = Value(engine.OpenSnapshot(storage::SnapshotPurpose::kCheckpoint));
  std::vector<Row> rows;
  for (const NamespaceId ns : namespaces) {
    const auto cursor = snapshot->NewCursor({.ns = ns}, {});
    for (bool at_end = false; !at_end;) {
      absl::Notification given;
      absl::Status failure;
      cursor->Next({}, snapshot->as_of(), [&](const absl::Status& status, storage::Page& page) {
        failure = status;
        for (const storage::EntryView& entry : page.entries) {
          rows.push_back({std::string(entry.key), std::string(entry.value), entry.revision,
                          entry.deadline, ns});
        }
        at_end = page.at_end;
        given.Notify();
      });
      given.WaitForNotification();
      if (!failure.ok()) throw std::runtime_error(failure.ToString());
    }
  }
  return rows;
}

checkpoint::Header Write(storage::Engine& engine, base::FileSystem& files, const std::string& path,
                         const checkpoint::WriterOptions& options,
                         const checkpoint::CheckpointNumber& number, const std::string& store_id) {
  const auto snapshot = Value(engine.OpenSnapshot(storage::SnapshotPurpose::kCheckpoint));
  const checkpoint::Origin origin{.store_id = store_id,
                                  .number = number,
                                  .engine = std::string(engine.name()),
                                  .create_time = snapshot->as_of()};
  checkpoint::Progress progress;
  return Value(checkpoint::WriteCheckpoint(*snapshot, origin, options, files, path, progress));
}

absl::Status VerifyFile(base::FileSystem& files, const std::string& path,
                        const checkpoint::ReaderOptions& options) {
  const auto reader = checkpoint::CheckpointReader::Open(files, path, options);
  if (!reader.ok()) return reader.status();
  checkpoint::Progress progress;
  return (*reader)->Verify(progress);
}

std::ostream& operator<<(std::ostream& out, const FileRow& row) {
  return out << "{" << row.ns << " " << Show(row.key) << " = " << Show(row.value) << " @"
             << row.revision << " until " << row.deadline << "}";
}

std::vector<FileRow> RowsOf(const checkpoint::CheckpointReader& reader) {
  std::mutex mutex;
  std::vector<FileRow> rows;
  checkpoint::Progress progress;
  const absl::Status status = reader.ReadAll(
      [&](const checkpoint::BlockInfo& block, absl::Span<const storage::EntryView> entries) {
        const std::lock_guard<std::mutex> lock(mutex);
        for (const storage::EntryView& entry : entries) {
          rows.push_back({block.ns, std::string(entry.key), std::string(entry.value),
                          entry.revision, entry.deadline});
        }
        return absl::OkStatus();
      },
      progress);
  if (!status.ok()) throw std::runtime_error(status.ToString());
  std::sort(rows.begin(), rows.end());
  return rows;
}

std::unique_ptr<checkpoint::CheckpointReader> OpenFile(base::FileSystem& files,
                                                       const std::string& path,
                                                       const checkpoint::ReaderOptions& options) {
  return Value(checkpoint::CheckpointReader::Open(files, path, options));
}

std::string Load(base::FileSystem& files, const std::string& path) {
  return Value(base::ReadFile(files, path, kMaxFileBytes));
}

void Store(base::FileSystem& files, const std::string& path, absl::string_view bytes) {
  const absl::Status status = base::ReplaceFile(files, path, bytes);
  if (!status.ok()) throw std::runtime_error(status.ToString());
}

bool Says(const absl::Status& status, const std::string& part) {
  return std::string(status.message()).find(part) != std::string::npos;
}

}  // namespace tarn::testing
