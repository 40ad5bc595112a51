#include "tests/bench/checkpoint_world.h"

#include <utility>

#include "checkpoint/restorer.h"
#include "storage/namespace_record.h"
#include "tests/bench/measure.h"

namespace tarn::bench {
namespace {

const storage::StoreMeta kMeta{std::string(32, 'b'), 1};

template <typename T>
T Value(absl::StatusOr<T> value) {
  if (!value.ok()) Fail(value.status().ToString());
  return *std::move(value);
}

void Must(const absl::Status& status) {
  if (!status.ok()) Fail(status.ToString());
}

}  // namespace

BenchEngine::BenchEngine(const storage::MemoryEngineOptions& options)
    : engine_(Value(storage::MemoryEngine::Open(options, clock_, ledger_))) {
  Must(engine_->WriteMeta(kMeta));
}

void BenchEngine::Fill(const WindowData& data) {
  const storage::NamespaceRecord record{
      .id = kWindowsNamespace, .settings = {}, .create_time = clock_.Now()};
  PutIn(storage::kSystemNamespace, storage::NamespaceKey("windows"),
        storage::EncodeNamespaceRecord(record));
  for (size_t i = 0; i < data.size(); ++i) Put(data.key(i), data.value(i));
}

void BenchEngine::PutIn(storage::NamespaceId ns, absl::string_view key, absl::string_view value) {
  storage::Operation operation;
  operation.kind = storage::OperationKind::kPut;
  operation.ns = ns;
  operation.key = key;
  operation.value = value;
  storage::Batch batch;
  batch.operations = absl::MakeConstSpan(&operation, 1);
  engine_->Run(batch, [](storage::BatchResult& result) {
    if (!result.status.ok() || !result.results.back().status.ok()) Fail("a put failed");
  });
}

std::unique_ptr<checkpoint::Catalog> OpenCatalog(const std::string& directory,
                                                 const base::Clock& clock, int threads) {
  auto catalog = Value(
      checkpoint::Catalog::Open(base::PosixFileSystem(), directory, clock, {.threads = threads}));
  Must(catalog->Bind(kMeta.store_id, "tarn-bench"));
  return catalog;
}

BenchCheckpointer::BenchCheckpointer(BenchEngine& engine, const std::string& directory,
                                     checkpoint::Codec codec, int threads)
    : catalog_(OpenCatalog(directory, engine.clock(), threads)) {
  checkpoint::CheckpointerOptions options;
  options.writer.compression.codec = codec;
  options.writer.threads = threads;
  options.retention = {.newest = 2, .hours = 0, .days = 0};
  checkpointer_ = std::make_unique<checkpoint::Checkpointer>(
      checkpoint::Checkpointer::Dependencies{*engine, engine.ledger(), *catalog_, engine.clock(),
                                             observer_},
      kMeta, options);
}

checkpoint::CreateReport BenchCheckpointer::Create() {
  checkpoint::Progress progress;
  return Value(
      checkpointer_->Create({.if_unchanged = checkpoint::IfUnchanged::kWriteNew}, progress));
}

double RestoreNewest(const std::string& directory, int threads) {
  BenchEngine engine;
  checkpoint::CheckpointObserver observer;
  const auto catalog = OpenCatalog(directory, engine.clock(), threads);
  const auto newest = catalog->Newest();
  if (!newest) Fail("there is no checkpoint to restore");
  const checkpoint::Restorer restorer({*engine, *catalog, engine.clock(), observer, threads});
  return SecondsOf([&] {
    checkpoint::Progress progress;
    auto loaded = Value(restorer.Load(newest->id, progress));
    Must(std::move(loaded).Publish({kMeta.store_id, loaded.min_incarnation()}, progress));
  });
}

}  // namespace tarn::bench
