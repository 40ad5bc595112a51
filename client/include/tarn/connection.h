// What Client stands on: one method per call. Derive from it to put something of your own beneath a
// Client in tests, or around another Connection; tarn/testing/fake_connection.h is a whole one in
// memory.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "tarn/operation.h"
#include "tarn/options.h"
#include "tarn/pipeline.h"
#include "tarn/results.h"
#include "tarn/scan.h"
#include "tarn/types.h"

namespace tarn {

// Each method takes one struct, so that a new parameter does not break those who derive. In all of
// them: `ns` empty means "default"; `timeout` unset means the connection's own.

using Timeout = std::optional<std::chrono::milliseconds>;

struct GetParams {
  std::string ns;
  std::string key;
  Precondition precondition;
  Timeout timeout;
};

struct PutParams {
  std::string ns;
  std::string key;
  std::string value;
  Ttl ttl;
  Precondition precondition;
  Timeout timeout;
  WriteFence fence;
};

struct DeleteParams {
  std::string ns;
  std::string key;
  Precondition precondition;
  Timeout timeout;
  WriteFence fence;
};

struct TakeParams {
  std::string ns;
  std::string key;
  Precondition precondition;
  Timeout timeout;
  WriteFence fence;
};

struct IncrementParams {
  std::string ns;
  std::string key;
  int64_t delta = 0;
  Ttl ttl;
  Precondition precondition;
  Timeout timeout;
  WriteFence fence;
};

struct AppendParams {
  std::string ns;
  std::string key;
  std::string suffix;
  Ttl ttl;
  Precondition precondition;
  Timeout timeout;
  WriteFence fence;
};

struct TouchParams {
  std::string ns;
  std::string key;
  Ttl ttl;
  Precondition precondition;
  Timeout timeout;
  WriteFence fence;
};

struct BatchParams {
  std::string ns;
  Batch batch = Batch::Independent();
  Timeout timeout;
  WriteFence fence;
};

struct CountParams {
  std::string ns;
  KeyRange range;
  Timeout timeout;
};

struct DeleteRangeParams {
  std::string ns;
  std::optional<KeyRange> range;  // Not is_all(); nullopt = every entry of the namespace.
  Timeout timeout;
  WriteFence fence;
};

enum class ScanContent { kEntries, kKeysOnly };

struct ScanParams {
  std::string ns;
  KeyRange range;
  ScanOrder order = ScanOrder::kAscending;
  ScanContent content = ScanContent::kEntries;
  uint64_t limit = 0;        // The most entries; 0 = no limit.
  uint32_t chunk_bytes = 0;  // The most bytes fetched at a time; 0 = the server's choice.
  std::string
      resume_token;  // Continues an earlier scan with the same namespace, range, order and content.
  Timeout timeout;   // Of the whole scan; unset = none.
};

struct PipelineParams {
  std::string ns;
  PipelineOptions options;
  WriteFence fence;  // Of every message.
};

// Thread-safe. A method that a derived class does not override answers UNIMPLEMENTED; an
// asynchronous one calls the other and then the callback.
class Connection {
 public:
  virtual ~Connection() = default;

  virtual absl::StatusOr<GetResult> Get(GetParams params);
  virtual absl::StatusOr<PutResult> Put(PutParams params);
  virtual absl::StatusOr<DeleteResult> Delete(DeleteParams params);
  virtual absl::StatusOr<TakeResult> Take(TakeParams params);
  virtual absl::StatusOr<IncrementResult> Increment(IncrementParams params);
  virtual absl::StatusOr<AppendResult> Append(AppendParams params);
  virtual absl::StatusOr<TouchResult> Touch(TouchParams params);
  virtual absl::StatusOr<BatchResult> RunBatch(BatchParams params);
  virtual absl::StatusOr<CountResult> Count(CountParams params);
  virtual absl::StatusOr<DeleteRangeResult> DeleteRange(DeleteRangeParams params);

  virtual void AsyncGet(GetParams params, Callback<GetResult> callback);
  virtual void AsyncPut(PutParams params, Callback<PutResult> callback);
  virtual void AsyncDelete(DeleteParams params, Callback<DeleteResult> callback);
  virtual void AsyncTake(TakeParams params, Callback<TakeResult> callback);
  virtual void AsyncIncrement(IncrementParams params, Callback<IncrementResult> callback);
  virtual void AsyncAppend(AppendParams params, Callback<AppendResult> callback);
  virtual void AsyncTouch(TouchParams params, Callback<TouchResult> callback);
  virtual void AsyncRunBatch(BatchParams params, Callback<BatchResult> callback);
  virtual void AsyncCount(CountParams params, Callback<CountResult> callback);
  virtual void AsyncDeleteRange(DeleteRangeParams params, Callback<DeleteRangeResult> callback);

  // Never null. Errors come with the first chunk.
  virtual std::unique_ptr<ScanSource> Scan(ScanParams params);
  // Never null. Errors come to what is added.
  virtual std::unique_ptr<PipelineBackend> OpenPipeline(PipelineParams params);
};

// Connects to a server. Does not wait for it: the first call does. INVALID_ARGUMENT
// (INVALID_OPTIONS) if the options cannot work.
absl::StatusOr<std::shared_ptr<Connection>> MakeConnection(const ClientOptions& options);

}  // namespace tarn
