// The language the engine tests are written in: operations that own their bytes, and answers that
// outlive the call.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "storage/batch.h"
#include "storage/engine.h"

namespace tarn::testing {

using base::kNever;
using base::UnixMs;
using storage::BatchMode;
using storage::NamespaceId;
using storage::ReadOrder;
using storage::Revision;

// The namespace of operations that name none.
inline constexpr NamespaceId kNs = 1;

// What a write leaves behind.
struct ReceiptText {
  std::string key;
  std::string header;
};
// An operation: Put("k", "v").IfAbsent().Until(deadline).In(ns).
struct Op {
  storage::OperationKind kind = storage::OperationKind::kGet;
  NamespaceId ns = kNs;
  std::string key;
  std::string value;
  int64_t delta = 0;
  storage::Precondition precondition;
  storage::DeadlineRule deadline_rule = storage::DeadlineRule::kSet;
  UnixMs deadline = kNever;
  std::optional<ReceiptText> receipt;

  Op IfAbsent() const;
  Op IfPresent() const;
  Op IfRevision(Revision revision) const;
  Op Until(UnixMs deadline_ms) const;  // The entry gets this deadline.
  Op KeepDeadline() const;  // A live entry keeps its own; a created one gets that of Until.
  Op In(NamespaceId other) const;
  Op Leaving(ReceiptText left) const;  // In an independent batch.

  storage::Operation View() const;  // Without the receipt.
};

// That of a request of the client 7 about `op`, the batch's first if it is an atomic one.
ReceiptText ReceiptOf(const Op& op, uint64_t request, uint32_t operation = 0);

Op Get(std::string key);
Op Put(std::string key, std::string value);
Op Delete(std::string key);
Op Take(std::string key);
Op Add(std::string key, int64_t delta);
Op Append(std::string key, std::string suffix);
Op Touch(std::string key, UnixMs deadline);

// An OperationResult with bytes of its own.
struct Answer {
  absl::Status status;
  bool found = false;
  Revision revision = 0;
  UnixMs deadline = kNever;
  int64_t number = 0;
  uint64_t size = 0;
  std::string value;
};

struct BatchAnswer {
  absl::Status status;
  size_t failed_operation = 0;
  Revision revision = 0;
  std::vector<Answer> results;
};

// "OK", or the code and the reason: "ABORTED REVISION_MISMATCH".
std::string Why(const absl::Status& status);
std::string Why(const Answer& answer);
std::string Why(const BatchAnswer& answer);

// An entry as a scan shows it.
struct Row {
  std::string key;
  std::string value;
  Revision revision = 0;
  UnixMs deadline = kNever;
  NamespaceId ns = kNs;

  bool operator==(const Row&) const = default;
};
std::ostream& operator<<(std::ostream& out, const Row& row);

// Keys and values shown so that people can read them: escaped, and cut when long.
std::string Show(const std::string& bytes);
std::string Show(const Op& op);
std::string Show(const Row& row);

// A batch under way. Thread-safe.
class Pending {
 public:
  explicit Pending(std::vector<Op> ops);
  ~Pending();

  // The answer, once there is one. Throws when there is none after a minute: a test that hangs says
  // nothing.
  const BatchAnswer& Wait();

  bool done() const;

 private:
  friend std::shared_ptr<Pending> Submit(storage::Engine&, BatchMode, std::vector<Op>, ReadOrder,
                                         std::optional<ReceiptText>);
  void Complete(storage::BatchResult& result);

  struct State;
  std::unique_ptr<State> state_;
};

// Runs a batch without waiting for it. After its completion the bytes of the operations are
// overwritten, so that an engine that still looks at them is found out.
std::shared_ptr<Pending> Submit(storage::Engine& engine, BatchMode mode, std::vector<Op> ops,
                                ReadOrder order = ReadOrder::kCommitted,
                                std::optional<ReceiptText> receipt = std::nullopt);

BatchAnswer Atomic(storage::Engine& engine, std::vector<Op> ops);
BatchAnswer AtomicLeaving(storage::Engine& engine, ReceiptText receipt, std::vector<Op> ops);
BatchAnswer Independent(storage::Engine& engine, std::vector<Op> ops);

// One operation in an independent batch of its own. An error of the batch is the answer's.
Answer Do(storage::Engine& engine, Op op);

// Runs `work(i)` on `count` threads, i from 0, and waits for all of them.
void InParallel(int count, const std::function<void(int)>& work);

}  // namespace tarn::testing
