// A Store over the memory engine, with everything around it in the test's hands, and a small
// language to speak to it.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "storage/base/clock.h"
#include "storage/base/random.h"
#include "storage/memory/memory_engine.h"
#include "storage/store_impl.h"
#include "tests/storage/fault_engine.h"
#include "tests/support/manual_executor.h"
#include "tests/support/status.h"

namespace tarn::storage {

// An operation that owns its bytes: Put("k", "v").IfAbsent().For(5000).
struct Op {
  OperationKind kind = OperationKind::kGet;
  std::string key;
  std::string value;
  int64_t delta = 0;
  Precondition precondition;
  Ttl ttl;

  Op IfAbsent() const;
  Op IfPresent() const;
  Op IfRevision(Revision revision) const;
  Op For(int64_t milliseconds) const;
  Op ForEver() const;

  Operation View() const;
};

Op Get(std::string key);
Op Put(std::string key, std::string value);
Op Delete(std::string key);
Op Take(std::string key);
Op Add(std::string key, int64_t delta);
Op Append(std::string key, std::string suffix);
Op Touch(std::string key);

// A result that outlives the call.
struct Answer {
  absl::Status status;
  bool found = false;
  Revision revision = 0;
  base::UnixMs deadline = base::kNever;
  std::string value;
  int64_t number = 0;
  bool replayed = false;
};

struct BatchAnswer {
  absl::Status status;
  size_t failed_operation = 0;
  Revision revision = 0;
  std::vector<Answer> results;
};

// A batch on its way.
struct Pending {
  std::vector<Op> ops;
  std::vector<Operation> operations;
  std::optional<BatchAnswer> answer;
  int completions = 0;

  bool done() const { return answer.has_value(); }
};

// What a scan gave: "a=1 b=2", and how it ended.
struct Scanned {
  std::string entries;
  Revision revision = 0;
  std::string token;
  absl::Status status;
};

class Sequence final : public base::RandomSource {
 public:
  uint64_t Next() override { return ++number_; }

 private:
  uint64_t number_ = 0;
};

class StoreSubject {
 public:
  static constexpr base::UnixMs kStart = 1'700'000'000'000;

  explicit StoreSubject(const StoreOptions& options = Options());
  ~StoreSubject();

  // The sweeper only when the test says so.
  static StoreOptions Options();
  static StoreOptions Explicit();

  // Closes the store and opens it anew on the same engine.
  absl::Status Reopen();

  StoreImpl& store() { return *store_; }

  // Runs what waits on the executor and in the engine, until nothing does.
  void Settle();

  // --- batches ---
  std::unique_ptr<Pending> Submit(const std::string& ns, BatchMode mode, std::vector<Op> ops,
                                  ReadOrder order = ReadOrder::kCommitted);
  BatchAnswer Batch(BatchMode mode, std::vector<Op> ops, const std::string& ns = "");

  // --- requests with an id ---
  Revision Register();  // Throws when it fails.
  std::unique_ptr<Pending> SubmitAs(const RequestId& id, BatchMode mode, std::vector<Op> ops,
                                    const std::string& ns = "");
  BatchAnswer BatchAs(const RequestId& id, BatchMode mode, std::vector<Op> ops,
                      const std::string& ns = "");
  Answer DoAs(const RequestId& id, const Op& op, const std::string& ns = "");
  Answer Do(const Op& op, const std::string& ns = "");
  // The value; "-" when there is none, the error when it fails.
  std::string Value(const std::string& key, const std::string& ns = "");

  // --- namespaces ---
  absl::StatusOr<NamespaceInfo> Create(const std::string& name,
                                       const NamespaceSettings& settings = {});
  absl::StatusOr<NamespaceInfo> Update(const std::string& name, const NamespaceSettings& settings,
                                       std::optional<Revision> expected = std::nullopt);
  absl::StatusOr<NamespaceInfo> Drop(const std::string& name,
                                     std::optional<Revision> expected = std::nullopt);
  std::string Names();

  // --- ranges ---
  absl::StatusOr<std::unique_ptr<Scan>> Open(const ScanRequest& request);
  Scanned Next(Scan& scan);
  // A whole scan, chunk after chunk.
  Scanned ScanAll(const ScanRequest& request);
  absl::StatusOr<CountResult> Count(const std::string& ns, const KeyBounds& bounds = {});
  absl::StatusOr<DeleteRangeResult> DeleteRange(const std::string& ns,
                                                const KeyBounds& bounds = {});

  base::ManualClock clock{kStart};
  UsageLedger ledger;
  testing::ManualExecutor executor;
  Sequence random;
  std::unique_ptr<MemoryEngine> memory;
  std::unique_ptr<FaultEngine> engine;
  StoreOptions options;
  StoreMeta meta{.store_id = std::string(32, 'a'), .incarnation = 1};

 private:
  std::unique_ptr<StoreImpl> store_;
};

// An answer that a callback writes.
template <typename T>
class Outcome {
 public:
  Store::Done<T> Callback() {
    return [this](absl::StatusOr<T> result) { result_ = std::move(result); };
  }
  bool given() const { return result_.has_value(); }
  absl::StatusOr<T> Take() {
    if (!result_) throw std::runtime_error("no answer was given");
    return *std::exchange(result_, std::nullopt);
  }

 private:
  std::optional<absl::StatusOr<T>> result_;
};

}  // namespace tarn::storage
