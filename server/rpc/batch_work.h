// One batch between its request and its answer: what Batch and Pipeline have in common.
#pragma once

#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "google/rpc/status.pb.h"
#include "server/rpc/conversion.h"
#include "storage/limits.h"
#include "storage/store.h"

namespace tarn::server {

// Views the request it was prepared from, which stays until the batch is answered. Can be used
// again for another one.
class BatchWork {
 public:
  // Takes in a BatchRequest or PipelineRequest. An error: the batch fails as a whole, with nothing
  // done.
  template <typename Request>
  std::optional<google::rpc::Status> Prepare(const Request& request,
                                             const storage::Limits& limits) {
    ns_ = request.namespace_();
    return Prepare(request.mode(), request.operations(), limits);
  }

  // What to run. Nothing need be run when there are no operations: each of them was refused, which
  // is in the results.
  storage::BatchRequest ToRun(storage::ReadOrder read_order) {
    return {.ns = ns_,
            .mode = mode_,
            .read_order = read_order,
            .operations = absl::MakeSpan(operations_)};
  }
  bool Empty() const { return operations_.empty(); }
  bool ReadOnly() const { return storage::IsReadOnly(operations_); }

  // Writes the answer into a BatchResponse or PipelineResponse, or returns the error that the batch
  // failed with as a whole.
  template <typename Response>
  std::optional<google::rpc::Status> Answer(const storage::BatchResult& result,
                                            const storage::Limits& limits,
                                            Response& response) const {
    if (!result.status.ok()) return Failure(result, limits);
    FillResults(result, operations_, bad_, SiteOf(limits), *response.mutable_results());
    response.set_revision(result.revision);
    return std::nullopt;
  }

  OperationTally Tally(const storage::BatchResult& result) const {
    return TallyOf(result, operations_, bad_);
  }

 private:
  std::optional<google::rpc::Status> Prepare(tarn::v1::BatchMode mode,
                                             const WireOperations& operations,
                                             const storage::Limits& limits);
  google::rpc::Status Failure(const storage::BatchResult& result,
                              const storage::Limits& limits) const;
  ErrorSite SiteOf(const storage::Limits& limits) const;

  absl::string_view ns_;
  storage::BatchMode mode_ = storage::BatchMode::kIndependent;
  Operations operations_;
  std::vector<BadOperation> bad_;
};

}  // namespace tarn::server
