// One batch between its request and its answer: what Batch and Pipeline have in common.
#pragma once

#include <deque>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "google/rpc/status.pb.h"
#include "server/rpc/conversion.h"
#include "server/rpc/encoded_message.h"
#include "server/rpc/pipeline_codec.h"
#include "storage/limits.h"
#include "storage/store.h"

namespace tarn::server {

// Views the request it was prepared from, which stays until the batch is answered. Can be used
// again for another one, and keeps its memory.
class BatchWork {
 public:
  // Takes in a request. An error: the batch fails as a whole, with nothing done.
  std::optional<google::rpc::Status> Prepare(const tarn::v1::BatchRequest& request,
                                             const storage::Limits& limits);
  std::optional<google::rpc::Status> Prepare(const PipelineRequestView& request,
                                             const storage::Limits& limits);

  // What to run. Nothing need be run when there are no operations: each of them was refused, which
  // is in the results.
  storage::BatchRequest ToRun(storage::ReadOrder read_order, const storage::Caller* caller) {
    return {.ns = ns_,
            .mode = mode_,
            .read_order = read_order,
            .operations = absl::MakeSpan(operations_),
            .id = id_,
            .fence = fence_,
            .caller = caller};
  }
  bool Empty() const { return operations_.empty(); }
  bool ReadOnly() const { return storage::IsReadOnly(operations_); }

  // Writes the answer to a batch, or returns the error that it failed with as a whole.
  std::optional<google::rpc::Status> Answer(const storage::BatchResult& result,
                                            const storage::Limits& limits,
                                            tarn::v1::BatchResponse& response) const;
  // The answer to a batch of a pipeline.
  EncodedMessage Answer(const storage::BatchResult& result, const storage::Limits& limits,
                        uint64_t batch_id) const;

  OperationTally Tally(const storage::BatchResult& result) const {
    return TallyOf(result, operations_, bad_);
  }

 private:
  std::optional<google::rpc::Status> Begin(absl::string_view ns, tarn::v1::BatchMode mode,
                                           size_t size, const storage::Limits& limits);
  void Add(absl::string_view encoded);
  void Add(const tarn::v1::Operation& message);
  void AddBad(absl::Status status, std::optional<storage::OperationKind> kind);
  std::optional<google::rpc::Status> CheckAtomic(const storage::Limits& limits) const;
  bool AllDone(const storage::BatchResult& result) const;
  google::rpc::Status Failure(const storage::BatchResult& result,
                              const storage::Limits& limits) const;
  ErrorSite SiteOf(const storage::Limits& limits) const;

  absl::string_view ns_;
  storage::BatchMode mode_ = storage::BatchMode::kIndependent;
  storage::RequestId id_;
  storage::WriteFence fence_;
  Operations operations_;
  std::vector<BadOperation> bad_;
  std::deque<tarn::v1::Operation> messages_;  // What some of `operations_` view.
};

}  // namespace tarn::server
