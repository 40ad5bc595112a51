// Operations, and the batches they are members of.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "tarn/types.h"

namespace tarn {

enum class OperationKind {
  kGet,
  kPut,
  kDelete,
  kTake,       // Get and delete.
  kIncrement,  // Of a 64-bit signed integer kept as decimal text; a missing key counts as 0.
  kAppend,     // To the end of the value; a missing key counts as empty.
  kTouch,      // Changes the deadline only.
};

// One member of a batch. Strings are moved all the way to the message: pass temporaries, or
// std::move.
struct Operation {
  OperationKind kind = OperationKind::kGet;
  std::string key;
  std::string value;  // Put: the value. Append: the suffix.
  int64_t delta = 0;  // Increment.
  Ttl ttl;            // Put, increment, append, touch.
  Precondition precondition;

  static Operation Get(std::string key, Precondition precondition = {});
  static Operation Put(std::string key, std::string value, Ttl ttl = {},
                       Precondition precondition = {});
  static Operation Delete(std::string key, Precondition precondition = {});
  static Operation Take(std::string key, Precondition precondition = {});
  static Operation Increment(std::string key, int64_t delta, Ttl ttl = {},
                             Precondition precondition = {});
  static Operation Append(std::string key, std::string suffix, Ttl ttl = {},
                          Precondition precondition = {});
  static Operation Touch(std::string key, Ttl ttl, Precondition precondition = {});

  bool is_read() const { return kind == OperationKind::kGet; }
};

enum class BatchMode {
  // All or nothing, with one revision. Gets and preconditions see the one state just before the
  // commit. A key is mutated
  // at most once (else DUPLICATE_KEY). Any violated precondition or failing operation undoes all,
  // and fails the batch.
  kAtomic,
  // Each operation by itself, in list order, with a result and a revision each.
  kIndependent,
};

// A list of operations to run together.
//
//   Batch batch = Batch::Atomic();
//   batch.Put("window/7", state, Ttl::Of(1h), Precondition::AtRevision(seen));
//   batch.Put("offset", next_offset);
//   absl::StatusOr<BatchResult> result = client.RunBatch(std::move(batch));
class Batch {
 public:
  explicit Batch(BatchMode mode) : mode_(mode) {}
  static Batch Atomic() { return Batch(BatchMode::kAtomic); }
  static Batch Independent() { return Batch(BatchMode::kIndependent); }

  Batch& Add(Operation operation) {
    operations_.push_back(std::move(operation));
    return *this;
  }
  Batch& Get(std::string key, Precondition precondition = {});
  Batch& Put(std::string key, std::string value, Ttl ttl = {}, Precondition precondition = {});
  Batch& Delete(std::string key, Precondition precondition = {});
  Batch& Take(std::string key, Precondition precondition = {});
  Batch& Increment(std::string key, int64_t delta, Ttl ttl = {}, Precondition precondition = {});
  Batch& Append(std::string key, std::string suffix, Ttl ttl = {}, Precondition precondition = {});
  Batch& Touch(std::string key, Ttl ttl, Precondition precondition = {});

  void reserve(size_t operations) { operations_.reserve(operations); }
  size_t size() const { return operations_.size(); }
  bool empty() const { return operations_.empty(); }
  BatchMode mode() const { return mode_; }
  const std::vector<Operation>& operations() const& { return operations_; }
  std::vector<Operation> operations() && { return std::move(operations_); }

 private:
  BatchMode mode_;
  std::vector<Operation> operations_;
};

}  // namespace tarn
