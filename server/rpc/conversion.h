// Between the messages of the wire and the types of storage: the one place of the server that knows
// both.
//
// Functions called Fill write into a message that the transport owns and may reuse: its fields are
// at their defaults, or hold what an earlier answer left and are overwritten.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "server/metrics/counters.h"
#include "server/rpc/errors.h"
#include "storage/batch.h"
#include "storage/limits.h"
#include "storage/namespaces.h"
#include "storage/store.h"
#include "tarn/v1/admin.pb.h"
#include "tarn/v1/batch.pb.h"
#include "tarn/v1/state.pb.h"

namespace tarn::server {

using Operations = absl::InlinedVector<storage::Operation, 1>;

// The operation of a unary call: a view of the request.
absl::StatusOr<storage::Operation> ToOperation(const tarn::v1::GetRequest& request);
absl::StatusOr<storage::Operation> ToOperation(const tarn::v1::PutRequest& request);
absl::StatusOr<storage::Operation> ToOperation(const tarn::v1::DeleteRequest& request);
absl::StatusOr<storage::Operation> ToOperation(const tarn::v1::TakeRequest& request);
absl::StatusOr<storage::Operation> ToOperation(const tarn::v1::IncrementRequest& request);
absl::StatusOr<storage::Operation> ToOperation(const tarn::v1::AppendRequest& request);
absl::StatusOr<storage::Operation> ToOperation(const tarn::v1::TouchRequest& request);

void Fill(const storage::OperationResult& result, tarn::v1::GetResponse& response);
void Fill(const storage::OperationResult& result, tarn::v1::PutResponse& response);
void Fill(const storage::OperationResult& result, tarn::v1::DeleteResponse& response);
void Fill(const storage::OperationResult& result, tarn::v1::TakeResponse& response);
void Fill(const storage::OperationResult& result, tarn::v1::IncrementResponse& response);
void Fill(const storage::OperationResult& result, tarn::v1::AppendResponse& response);
void Fill(const storage::OperationResult& result, tarn::v1::TouchResponse& response);

// What a write lands under: a view of the request.
template <typename Request>
storage::WriteFence FenceOf(const Request& request) {
  storage::WriteFence fence;
  if (request.has_fence()) fence.lock = {request.fence().lock(), request.fence().token()};
  if (request.has_group_epoch())
    fence.group = {request.group_epoch().group(), request.group_epoch().epoch()};
  return fence;
}
// A read has none.
inline storage::WriteFence FenceOf(const tarn::v1::GetRequest& /*request*/) { return {}; }

// Which request of which client it is, if it says so.
template <typename Request>
storage::RequestId IdOf(const Request& request) {
  return {.client = request.client_id(), .request = request.request_id()};
}
inline storage::RequestId IdOf(const tarn::v1::GetRequest& /*request*/) { return {}; }

// INVALID_REQUEST for none and for one that this server does not know.
absl::StatusOr<storage::BatchMode> ToMode(tarn::v1::BatchMode mode);

// An operation of a batch that is not well-formed.
struct BadOperation {
  size_t index = 0;
  absl::Status status;
  std::optional<storage::OperationKind> kind;  // None when the operation has no action.
};

using WireResults = google::protobuf::RepeatedPtrField<tarn::v1::OperationResult>;

// Makes `operation` a view of the message; what it was before is overwritten in part.
// INVALID_REQUEST and the like for one that is not well-formed.
absl::Status SetOperation(const tarn::v1::Operation& message, storage::Operation& operation);

// Nothing when there is no action that this server knows.
std::optional<storage::OperationKind> KindOf(const tarn::v1::Operation& message);

// The results of a batch that ran: those of `operations`, with those of `bad` in between. `site`
// says what they have in common.
void FillResults(const storage::BatchResult& result,
                 absl::Span<const storage::Operation> operations,
                 absl::Span<const BadOperation> bad, const ErrorSite& site, WireResults& results);

OperationOutcome OutcomeOf(const storage::OperationResult& result);
// Of key and value.
uint64_t BytesOf(const storage::Operation& operation);
uint64_t BytesOf(const storage::ScanChunk& chunk);

// Counts a batch that ran.
OperationTally TallyOf(const storage::BatchResult& result,
                       absl::Span<const storage::Operation> operations,
                       absl::Span<const BadOperation> bad);

// INVALID_RANGE: see KeyRange, except what the Store checks.
storage::KeyBounds ToBounds(const tarn::v1::KeyRange& range);
absl::StatusOr<storage::ScanRequest> ToScanRequest(const tarn::v1::ScanRequest& request,
                                                   size_t max_chunk_bytes);

// Settings of a namespace as a request gives them, with the path of the field in errors.
// INVALID_TTL, INVALID_REQUEST.
absl::StatusOr<storage::NamespaceSettings> ToSettings(const tarn::v1::Namespace& message);
// The settings `old` with the fields that `request` wants changed. INVALID_FIELD_MASK besides.
absl::StatusOr<storage::NamespaceSettings> Changed(const storage::NamespaceSettings& old,
                                                   const tarn::v1::UpdateNamespaceRequest& request);
void Fill(const storage::NamespaceInfo& info, tarn::v1::Namespace& message);

}  // namespace tarn::server
