#include "tests/checkpoint/engines.h"

#include <stdexcept>

#include "storage/base/file_system.h"
#include "storage/namespace_record.h"
#include "storage/rocksdb/rocksdb_engine.h"
#include "tests/contract/language.h"
#include "tests/support/status.h"

namespace tarn::testing {

EngineOnDisk::EngineOnDisk(const base::Clock& clock, const storage::StoreMeta& meta)
    : clock_(clock), executor_(base::ThreadPool::Options{.name = "disk", .threads = 2}) {
  Open();
  const absl::Status status = engine_->WriteMeta(meta);
  if (!status.ok()) throw std::runtime_error(status.ToString());
}

EngineOnDisk::~EngineOnDisk() = default;

void EngineOnDisk::Open() {
  storage::RocksDbOptions options;
  options.path = directory_ / "engine";
  options.min_free_disk_bytes = 0;
  ledger_ = std::make_unique<storage::UsageLedger>();
  engine_ = Value(storage::RocksDbEngine::Open(
      options, {clock_, executor_, *ledger_, base::PosixFileSystem()}));
}

void EngineOnDisk::Reopen() {
  engine_.reset();
  Open();
}

void AddNamespace(storage::Engine& engine, const std::string& name, storage::NamespaceId id) {
  const storage::NamespaceRecord record{.id = id, .settings = {}, .create_time = 1};
  const Answer answer =
      Do(engine, Put(storage::NamespaceKey(name), storage::EncodeNamespaceRecord(record))
                     .In(storage::kSystemNamespace));
  if (!answer.status.ok()) throw std::runtime_error(answer.status.ToString());
}

}  // namespace tarn::testing
