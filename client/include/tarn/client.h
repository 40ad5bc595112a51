// The client of Tarn, a state store for stream processing.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "tarn/connection.h"
#include "tarn/error.h"
#include "tarn/operation.h"
#include "tarn/options.h"
#include "tarn/pipeline.h"
#include "tarn/results.h"
#include "tarn/scan.h"
#include "tarn/types.h"

namespace tarn {

// Of calls on one key that store nothing.
struct KeyOptions {
  Precondition precondition;
  Timeout timeout;
};

// Of calls that store something.
struct WriteOptions {
  Ttl ttl;
  Precondition precondition;
  Timeout timeout;
};

struct RangeOptions {
  Timeout timeout;
};

struct ScanOptions {
  ScanOrder order = ScanOrder::kAscending;
  ScanContent content = ScanContent::kEntries;
  uint64_t limit = 0;        // The most entries; 0 = no limit.
  uint32_t chunk_bytes = 0;  // The most bytes fetched at a time; 0 = the server's choice.
  Timeout timeout;           // Of the whole scan; unset = none.
};

// Reads and writes the entries of one namespace. A handle: cheap to copy, copies share one
// connection. Thread-safe.
//
//   absl::StatusOr<Client> client = Client::Connect({.endpoint = "127.0.0.1:8276"});
//   absl::StatusOr<PutResult> put = client->Put("user/7", "state", {.ttl =
//   Ttl::Of(std::chrono::hours(1))}); absl::StatusOr<GetResult> get = client->Get("user/7"); if
//   (get.ok() && get->found) Use(get->value, get->revision);
//
// A call answers its result or why it was not done; tarn/error.h tells more about an error. It is
// repeated by itself as tarn/policies.h says, within its timeout. A missing key is an answer, not
// an error.
//
// Asynchronous calls take a callback (see Callback) and use no thread of their own. They keep alive
// what they need: a client may be destroyed before they end.
class Client {
 public:
  // Does not wait for the server: the first call does. INVALID_ARGUMENT (INVALID_OPTIONS) if the
  // options cannot work.
  static absl::StatusOr<Client> Connect(ClientOptions options = {});

  explicit Client(std::shared_ptr<Connection> connection, std::string ns = {})
      : connection_(std::move(connection)), ns_(std::move(ns)) {}

  // The same connection, another namespace. It is not checked before the first call.
  Client WithNamespace(std::string ns) const { return Client(connection_, std::move(ns)); }

  // Reads an entry. Idempotent.
  absl::StatusOr<GetResult> Get(std::string key, KeyOptions options = {}) const;

  // Stores a value, replacing any earlier one together with its deadline. Idempotent; with a
  // precondition, a repetition after an unknown outcome that meets a violated precondition is
  // reported as OUTCOME_UNKNOWN.
  absl::StatusOr<PutResult> Put(std::string key, std::string value,
                                WriteOptions options = {}) const;

  // Removes an entry. Idempotent; after a repetition `found` may be false though this call removed
  // the entry.
  absl::StatusOr<DeleteResult> Delete(std::string key, KeyOptions options = {}) const;

  // Removes an entry and returns the value it had. Not idempotent, so not repeated when the outcome
  // is unknown, unless preconditioned on a revision.
  absl::StatusOr<TakeResult> Take(std::string key, KeyOptions options = {}) const;

  // Adds to a 64-bit signed integer kept as decimal text; a missing key counts as 0. Not
  // idempotent, except with a precondition on a revision or on absence.
  absl::StatusOr<IncrementResult> Increment(std::string key, int64_t delta = 1,
                                            WriteOptions options = {}) const;

  // Appends to a value; a missing key counts as empty. Idempotency as Increment.
  absl::StatusOr<AppendResult> Append(std::string key, std::string suffix,
                                      WriteOptions options = {}) const;

  // Changes the deadline of an entry. Idempotent, though a repetition counts the TTL anew.
  absl::StatusOr<TouchResult> Touch(std::string key, Ttl ttl, KeyOptions options = {}) const;

  // Runs a batch. Idempotent if each of its operations is.
  absl::StatusOr<BatchResult> RunBatch(Batch batch, RangeOptions options = {}) const;

  // The entries of a range in key order, at one revision.
  tarn::Scan Scan(KeyRange range = KeyRange::All(), ScanOptions options = {}) const;

  // The number of entries of a range, exactly, at one revision. Takes time in proportion.
  // Idempotent.
  absl::StatusOr<CountResult> Count(KeyRange range = KeyRange::All(),
                                    RangeOptions options = {}) const;

  // Removes the entries of a range that exist when the call begins; not atomic as a whole.
  // Idempotent: after an error, repeat it to finish; the count of the failed call is lost.
  // INVALID_RANGE if the range is_all().
  absl::StatusOr<DeleteRangeResult> DeleteRange(KeyRange range, RangeOptions options = {}) const;

  // Removes every entry of the namespace, as DeleteRange.
  absl::StatusOr<DeleteRangeResult> DeleteAll(RangeOptions options = {}) const;

  // The same, asynchronous.
  void AsyncGet(std::string key, KeyOptions options, Callback<GetResult> callback) const;
  void AsyncPut(std::string key, std::string value, WriteOptions options,
                Callback<PutResult> callback) const;
  void AsyncDelete(std::string key, KeyOptions options, Callback<DeleteResult> callback) const;
  void AsyncTake(std::string key, KeyOptions options, Callback<TakeResult> callback) const;
  void AsyncIncrement(std::string key, int64_t delta, WriteOptions options,
                      Callback<IncrementResult> callback) const;
  void AsyncAppend(std::string key, std::string suffix, WriteOptions options,
                   Callback<AppendResult> callback) const;
  void AsyncTouch(std::string key, Ttl ttl, KeyOptions options,
                  Callback<TouchResult> callback) const;
  void AsyncRunBatch(Batch batch, RangeOptions options, Callback<BatchResult> callback) const;
  void AsyncCount(KeyRange range, RangeOptions options, Callback<CountResult> callback) const;
  void AsyncDeleteRange(KeyRange range, RangeOptions options,
                        Callback<DeleteRangeResult> callback) const;

  // A stream of operations in this namespace.
  Pipeline OpenPipeline(PipelineOptions options = {}) const;

  const std::string& ns() const { return ns_; }
  const std::shared_ptr<Connection>& connection() const { return connection_; }

 private:
  std::shared_ptr<Connection> connection_;
  std::string ns_;
};

}  // namespace tarn
