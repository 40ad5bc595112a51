// A store to be checkpointed, and the world it lives in.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "checkpoint/catalog.h"
#include "checkpoint/checkpointer.h"
#include "checkpoint/reader.h"
#include "checkpoint/writer.h"
#include "storage/base/clock.h"
#include "storage/engine.h"
#include "storage/memory/memory_engine.h"
#include "storage/usage.h"
#include "tests/contract/language.h"
#include "tests/support/fault_file_system.h"

namespace tarn::testing {

// When the clock of every test starts: not at the beginning of an hour.
inline constexpr UnixMs kStart = 1'700'000'000'000;

inline const std::string kStoreA(32, 'a');
inline const std::string kStoreB(32, 'b');

// A memory engine with namespaces, in incarnation 7 of store A unless told otherwise.
class TestEngine {
 public:
  explicit TestEngine(base::Clock& clock, const storage::StoreMeta& meta = {kStoreA, 7},
                      const storage::MemoryEngineOptions& options = {});

  storage::Engine& operator*() { return *engine_; }
  storage::Engine* operator->() { return engine_.get(); }
  storage::UsageLedger& ledger() { return ledger_; }

  void AddNamespace(const std::string& name, NamespaceId id);
  // Throws when it fails.
  Revision Do(Op op);

 private:
  storage::UsageLedger ledger_;
  std::unique_ptr<storage::Engine> engine_;
};

// Everything an engine shows now, system entries included, in order.
std::vector<Row> RowsOf(storage::Engine& engine, const std::vector<NamespaceId>& namespaces);

// Writes a checkpoint of the engine as it is, throwing when that fails.
checkpoint::Header Write(storage::Engine& engine, base::FileSystem& files, const std::string& path,
                         const checkpoint::WriterOptions& options = {.threads = 1},
                         const checkpoint::CheckpointNumber& number = {7, 1},
                         const std::string& store_id = kStoreA);

// Opens and proves a whole file.
absl::Status VerifyFile(base::FileSystem& files, const std::string& path,
                        const checkpoint::ReaderOptions& options = {.threads = 1});

// An entry as a file has it.
struct FileRow {
  std::string ns;  // Empty: the system section.
  std::string key;
  std::string value;
  Revision revision = 0;
  UnixMs deadline = base::kNever;

  // NOLINTNEXTLINE(modernize-use-nullptr): version 14 takes a comparison with 0 for a pointer.
  friend auto operator<=>(const FileRow&, const FileRow&) = default;
};
std::ostream& operator<<(std::ostream& out, const FileRow& row);

// Everything ReadAll gives, in order of the file's index. Throws when it fails.
std::vector<FileRow> RowsOf(const checkpoint::CheckpointReader& reader);

std::unique_ptr<checkpoint::CheckpointReader> OpenFile(base::FileSystem& files,
                                                       const std::string& path,
                                                       const checkpoint::ReaderOptions& options = {
                                                           .threads = 1});

// Whole files, as bytes.
std::string Load(base::FileSystem& files, const std::string& path);
void Store(base::FileSystem& files, const std::string& path, absl::string_view bytes);

bool Says(const absl::Status& status, const std::string& part);

}  // namespace tarn::testing
