#include "tarn/operation.h"

namespace tarn {

Operation Operation::Get(std::string key, Precondition precondition) {
  return {.kind = OperationKind::kGet, .key = std::move(key), .precondition = precondition};
}

Operation Operation::Put(std::string key, std::string value, Ttl ttl, Precondition precondition) {
  return {.kind = OperationKind::kPut,
          .key = std::move(key),
          .value = std::move(value),
          .ttl = ttl,
          .precondition = precondition};
}

Operation Operation::Delete(std::string key, Precondition precondition) {
  return {.kind = OperationKind::kDelete, .key = std::move(key), .precondition = precondition};
}

Operation Operation::Take(std::string key, Precondition precondition) {
  return {.kind = OperationKind::kTake, .key = std::move(key), .precondition = precondition};
}

Operation Operation::Increment(std::string key, int64_t delta, Ttl ttl, Precondition precondition) {
  return {.kind = OperationKind::kIncrement,
          .key = std::move(key),
          .delta = delta,
          .ttl = ttl,
          .precondition = precondition};
}

Operation Operation::Append(std::string key, std::string suffix, Ttl ttl,
                            Precondition precondition) {
  return {.kind = OperationKind::kAppend,
          .key = std::move(key),
          .value = std::move(suffix),
          .ttl = ttl,
          .precondition = precondition};
}

Operation Operation::Touch(std::string key, Ttl ttl, Precondition precondition) {
  return {.kind = OperationKind::kTouch,
          .key = std::move(key),
          .ttl = ttl,
          .precondition = precondition};
}

Batch& Batch::Get(std::string key, Precondition precondition) {
  return Add(Operation::Get(std::move(key), precondition));
}

Batch& Batch::Put(std::string key, std::string value, Ttl ttl, Precondition precondition) {
  return Add(Operation::Put(std::move(key), std::move(value), ttl, precondition));
}

Batch& Batch::Delete(std::string key, Precondition precondition) {
  return Add(Operation::Delete(std::move(key), precondition));
}

Batch& Batch::Take(std::string key, Precondition precondition) {
  return Add(Operation::Take(std::move(key), precondition));
}

Batch& Batch::Increment(std::string key, int64_t delta, Ttl ttl, Precondition precondition) {
  return Add(Operation::Increment(std::move(key), delta, ttl, precondition));
}

Batch& Batch::Append(std::string key, std::string suffix, Ttl ttl, Precondition precondition) {
  return Add(Operation::Append(std::move(key), std::move(suffix), ttl, precondition));
}

Batch& Batch::Touch(std::string key, Ttl ttl, Precondition precondition) {
  return Add(Operation::Touch(std::move(key), ttl, precondition));
}

}  // namespace tarn
