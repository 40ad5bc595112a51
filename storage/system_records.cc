#include "storage/system_records.h"

#include <memory>
#include <utility>

#include "absl/synchronization/notification.h"
#include "storage/base/status.h"
#include "storage/key_range.h"

namespace tarn::storage {
namespace {

// An operation with the bytes it views.
struct OwnedOperation {
  Operation operation;
  std::string key;
  std::string value;
};

void RunOne(Engine& engine, OperationKind kind, std::string key, std::string value,
            const Precondition& precondition, Completion done) {
  auto owned = std::make_unique<OwnedOperation>();
  owned->key = std::move(key);
  owned->value = std::move(value);
  owned->operation.kind = kind;
  owned->operation.precondition = precondition;
  owned->operation.key = owned->key;
  owned->operation.value = owned->value;
  const Batch batch{.mode = BatchMode::kAtomic,
                    .operations = absl::MakeConstSpan(&owned->operation, 1)};
  engine.Run(batch, [owned = std::move(owned), done = std::move(done)](
                        BatchResult& result) mutable { std::move(done)(result); });
}

Completion ReportingRevision(RecordWritten done) {
  return [done = std::move(done)](BatchResult& result) mutable {
    if (!result.status.ok()) return std::move(done)(result.status);
    std::move(done)(result.revision);
  };
}

// One page of a cursor, waited for. The entries view the page.
absl::Status NextPage(Cursor& cursor, base::UnixMs now,
                      absl::FunctionRef<absl::Status(const Page&)> take) {
  absl::Notification given;
  absl::Status result;
  cursor.Next({}, now, [&](const absl::Status& status, Page& page) {
    result = status.ok() ? take(page) : status;
    given.Notify();
  });
  given.WaitForNotification();
  return result;
}

}  // namespace

absl::Status ForEachSystemRecord(Snapshot& snapshot, absl::string_view prefix, base::UnixMs now,
                                 absl::FunctionRef<absl::Status(const EntryView&)> take) {
  const auto cursor = snapshot.NewCursor(
      {.ns = kSystemNamespace, .start = std::string(prefix), .end = PrefixEnd(prefix)}, {});
  bool at_end = false;
  const auto take_all = [&](const Page& page) -> absl::Status {
    at_end = page.at_end;
    for (const EntryView& entry : page.entries) TARN_RETURN_IF_ERROR(take(entry));
    return absl::OkStatus();
  };
  while (!at_end) TARN_RETURN_IF_ERROR(NextPage(*cursor, now, take_all));
  return absl::OkStatus();
}

void ReadSystemRecord(Engine& engine, std::string key, RecordRead done) {
  RunOne(engine, OperationKind::kGet, std::move(key), "", {},
         [done = std::move(done)](BatchResult& result) mutable {
           if (!result.status.ok()) return std::move(done)(result.status);
           const OperationResult& got = result.results[0];
           if (!got.found) return std::move(done)(std::nullopt);
           std::move(done)(SystemRecord{.value = std::string(got.value), .revision = got.revision});
         });
}

void WriteSystemRecord(Engine& engine, std::string key, std::string value,
                       const Precondition& precondition, RecordWritten done) {
  RunOne(engine, OperationKind::kPut, std::move(key), std::move(value), precondition,
         ReportingRevision(std::move(done)));
}

void DeleteSystemRecord(Engine& engine, std::string key, const Precondition& precondition,
                        RecordWritten done) {
  RunOne(engine, OperationKind::kDelete, std::move(key), "", precondition,
         ReportingRevision(std::move(done)));
}

}  // namespace tarn::storage
