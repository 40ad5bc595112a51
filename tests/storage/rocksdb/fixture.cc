#include "tests/storage/rocksdb/fixture.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>

#include "absl/strings/str_cat.h"
#include "storage/base/error.h"

namespace tarn::testing {
namespace {

constexpr char kStoreId[] = "0123456789abcdef0123456789abcdef";

void Must(const absl::Status& status) {
  if (!status.ok()) throw std::runtime_error(status.ToString());
}

}  // namespace

void SmallDisk::FailNamesAfter(int changes, int failures) {
  failures_left_ = failures;
  names_left_ = changes;
}

absl::Status SmallDisk::CountName() {
  if (names_left_ < 0) return absl::OkStatus();
  if (names_left_ > 0) {
    --names_left_;
    return absl::OkStatus();
  }
  if (failures_left_ > 0 && --failures_left_ == 0) names_left_ = -1;
  return absl::InternalError("the disk does not answer");
}

absl::Status SmallDisk::Rename(const std::string& from, const std::string& to) {
  const absl::Status status = CountName();
  return status.ok() ? real_.Rename(from, to) : status;
}

absl::Status SmallDisk::RemoveRecursively(const std::string& path) {
  const absl::Status status = CountName();
  return status.ok() ? real_.RemoveRecursively(path) : status;
}

absl::Status SmallDisk::SyncDirectory(const std::string& path) {
  const absl::Status status = CountName();
  return status.ok() ? real_.SyncDirectory(path) : status;
}

absl::StatusOr<base::DiskSpace> SmallDisk::Space(const std::string& path) {
  if (really_) return real_.Space(path);
  return base::DiskSpace{free_bytes_, uint64_t{1} << 41};
}

absl::Status ManualExecutor::Submit(base::Task task) {
  if (refuse_) {
    return base::MakeError(absl::StatusCode::kResourceExhausted, base::Reason::kQueueFull,
                           "no more");
  }
  tasks_.push_back(std::move(task));
  return absl::OkStatus();
}

size_t ManualExecutor::RunAll() {
  size_t count = 0;
  while (!tasks_.empty()) {
    std::vector<base::Task> tasks;
    tasks.swap(tasks_);
    for (base::Task& task : tasks) std::move(task)();
    count += tasks.size();
  }
  return count;
}

RocksStore::RocksStore() {
  options.path = temp_ / "store";
  options.memory_bytes = 32 << 20;
}

absl::Status RocksStore::Open() {
  ledger_ = std::make_unique<storage::UsageLedger>();
  threads_ = std::make_unique<base::ThreadPool>(base::ThreadPool::Options{.name = "test"});
  base::Executor& chosen = executor != nullptr ? *executor : *threads_;
  auto engine = storage::RocksDbEngine::Open(options, {clock_, chosen, *ledger_, disk_, env});
  if (!engine.ok()) return engine.status();
  engine_ = *std::move(engine);
  auto meta = engine_->ReadMeta();
  if (!meta.ok()) return meta.status();
  return engine_->WriteMeta({kStoreId, *meta ? (*meta)->incarnation + 1 : 1});
}

void RocksStore::MustOpen() { Must(Open()); }

void RocksStore::Close() {
  engine_.reset();
  threads_.reset();
}

void RocksStore::MustDo(Op op) { Must(Do(std::move(op)).status); }

std::vector<std::string> RocksStore::Content(NamespaceId ns) {
  const auto snapshot = Value(engine().OpenSnapshot(storage::SnapshotPurpose::kCheckpoint));
  std::vector<std::string> content;
  for (const Row& row : ReadAll(*snapshot, clock_.Now(), ns)) {
    content.push_back(row.key + "=" + row.value);
  }
  return content;
}

std::string RocksStore::Usage(NamespaceId ns) {
  const storage::Usage usage = ledger().Get(ns);
  return absl::StrCat(usage.entries, " entries, ", usage.bytes, " bytes");
}

std::string RocksStore::database() const {
  const std::string pointer = ReadWhole(options.path + "/CURRENT_DB");
  const size_t name = pointer.rfind(' ') + 1;
  return options.path + "/" + pointer.substr(name, pointer.size() - name - 1);
}

std::vector<std::string> RocksStore::Files(const std::string& ending) const {
  std::vector<std::string> paths;
  for (const auto& entry : std::filesystem::directory_iterator(database())) {
    const std::string path = entry.path().string();
    if (path.size() >= ending.size() && path.substr(path.size() - ending.size()) == ending) {
      paths.push_back(path);
    }
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

// A completion that waits, which none but a test's may.
Gate::Gate(storage::Engine& engine) {
  storage::Operation operation;
  operation.kind = storage::OperationKind::kDelete;
  operation.ns = kNs;
  operation.key = "no such key";
  storage::Batch batch;
  batch.operations = {&operation, 1};
  const auto entered = std::make_shared<absl::Notification>();
  engine.Run(batch, [entered, opened = opened_](storage::BatchResult&) {
    entered->Notify();
    opened->WaitForNotification();
  });
  entered->WaitForNotification();
}

void Gate::Open() {
  if (!opened_->HasBeenNotified()) opened_->Notify();
}

std::string ReadWhole(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error("cannot read " + path);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

void WriteWhole(const std::string& path, const std::string& bytes) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << bytes;
  if (!file.flush()) throw std::runtime_error("cannot write " + path);
}

}  // namespace tarn::testing
