#include "server/rpc/state_service.h"

#include <utility>

#include "server/rpc/batch_work.h"
#include "server/rpc/conversion.h"
#include "server/rpc/errors.h"
#include "server/rpc/pipeline_handler.h"
#include "server/rpc/scan_handler.h"
#include "storage/base/error.h"

namespace tarn::server {
namespace {

using base::Reason;

// What DeleteRange may remove: a range that says something, or all.
absl::StatusOr<storage::KeyBounds> ToTarget(const tarn::v1::DeleteRangeRequest& request) {
  using Request = tarn::v1::DeleteRangeRequest;
  switch (request.target_case()) {
    case Request::kAll:
      if (request.all()) return storage::KeyBounds{};
      return InvalidField(Reason::kInvalidRange, "all", "all must be true when it is set");
    case Request::kRange: {
      const tarn::v1::KeyRange& range = request.range();
      if (!range.prefix().empty() || !range.start().empty() || !range.end().empty())
        return ToBounds(range);
      return InvalidField(Reason::kInvalidRange, "range",
                          "the range names no keys; to remove every entry, set all");
    }
    case Request::TARGET_NOT_SET:
      break;
  }
  return InvalidField(Reason::kInvalidRange, "range", "range or all is required");
}

template <typename Call>
ErrorSite SiteOf(Call& call) {
  return {.ns = call.request().namespace_()};
}

}  // namespace

template <typename Request, typename Response>
storage::Store* StateService::Admit(UnaryCall<Request, Response>& call) {
  storage::Store* store = gate_.store();
  if (store == nullptr) call.Fail(ToWire(gate_.Refusal()));
  return store;
}

// A unary call is a batch of one. What it needs until the batch completes is in the call: one
// allocation, the transport's.
template <typename Request, typename Response>
void StateService::RunOne(UnaryCall<Request, Response>& call) {
  storage::Store* store = Admit(call);
  if (store == nullptr) return;
  absl::StatusOr<storage::Operation> operation = ToOperation(call.request());
  if (!operation.ok()) return call.Fail(ToWire(operation.status(), SiteOf(call)));
  call.operations.push_back(*operation);
  store->Run({.ns = call.request().namespace_(),
              .operations = absl::MakeSpan(call.operations),
              .id = IdOf(call.request()),
              .fence = FenceOf(call.request()),
              .caller = &call},
             [this, &call](const storage::BatchResult& result) { FinishOne(call, result); });
}

template <typename Request, typename Response>
void StateService::FinishOne(UnaryCall<Request, Response>& call,
                             const storage::BatchResult& result) {
  const storage::Operation& operation = call.operations.front();
  storage::OperationResult failed;
  failed.status = result.status;
  const storage::OperationResult& one = result.status.ok() ? result.results.front() : failed;
  counters_.AddOperation(operation.kind, OutcomeOf(one), BytesOf(operation), one.value.size());
  if (one.status.ok()) {
    Fill(one, call.response());
    return call.Finish();
  }
  ErrorSite site = SiteOf(call);
  site.limits = &gate_.opened()->limits();
  site.operation = &operation;
  call.Fail(ToWire(one.status, site));
}

void StateService::Get(UnaryCall<tarn::v1::GetRequest, tarn::v1::GetResponse>& call) {
  RunOne(call);
}
void StateService::Put(UnaryCall<tarn::v1::PutRequest, tarn::v1::PutResponse>& call) {
  RunOne(call);
}
void StateService::Delete(UnaryCall<tarn::v1::DeleteRequest, tarn::v1::DeleteResponse>& call) {
  RunOne(call);
}
void StateService::Take(UnaryCall<tarn::v1::TakeRequest, tarn::v1::TakeResponse>& call) {
  RunOne(call);
}
void StateService::Increment(
    UnaryCall<tarn::v1::IncrementRequest, tarn::v1::IncrementResponse>& call) {
  RunOne(call);
}
void StateService::Append(UnaryCall<tarn::v1::AppendRequest, tarn::v1::AppendResponse>& call) {
  RunOne(call);
}
void StateService::Touch(UnaryCall<tarn::v1::TouchRequest, tarn::v1::TouchResponse>& call) {
  RunOne(call);
}

void StateService::Batch(UnaryCall<tarn::v1::BatchRequest, tarn::v1::BatchResponse>& call) {
  storage::Store* store = Admit(call);
  if (store == nullptr) return;
  auto work = std::make_unique<BatchWork>();
  if (auto error = work->Prepare(call.request(), store->limits())) return call.Fail(*error);
  auto finish = [this, store, &call](const BatchWork& done, const storage::BatchResult& result) {
    counters_.AddBatch(done.Tally(result));
    const auto error = done.Answer(result, store->limits(), call.response());
    error ? call.Fail(*error) : call.Finish();
  };
  if (work->Empty()) return finish(*work, storage::BatchResult());
  const storage::BatchRequest request = work->ToRun(storage::ReadOrder::kCommitted, &call);
  store->Run(request, [finish, work = std::move(work)](const storage::BatchResult& result) {
    finish(*work, result);
  });
}

void StateService::RegisterClient(
    UnaryCall<tarn::v1::RegisterClientRequest, tarn::v1::RegisterClientResponse>& call) {
  storage::Store* store = Admit(call);
  if (store == nullptr) return;
  store->RegisterClient([store, &call](const absl::StatusOr<storage::Revision>& client) {
    if (!client.ok()) return call.Fail(ToWire(client.status()));
    const storage::RequestOptions& kept = store->request_options();
    call.response().set_client_id(*client);
    call.response().set_kept_ms(absl::ToInt64Milliseconds(kept.kept_for));
    call.response().set_kept_requests(kept.kept_requests);
    call.response().set_idle_lifetime_ms(absl::ToInt64Milliseconds(kept.idle_lifetime));
    call.Finish();
  });
}

void StateService::Count(UnaryCall<tarn::v1::CountRequest, tarn::v1::CountResponse>& call) {
  storage::Store* store = Admit(call);
  if (store == nullptr) return;
  store->Count(
      call.request().namespace_(), ToBounds(call.request().range()),
      [&call] { return call.Cancelled(); },
      [&call](const absl::StatusOr<storage::CountResult>& result) {
        if (!result.ok()) return call.Fail(ToWire(result.status(), SiteOf(call)));
        call.response().set_count(result->entries);
        call.response().set_revision(result->revision);
        call.Finish();
      });
}

void StateService::DeleteRange(
    UnaryCall<tarn::v1::DeleteRangeRequest, tarn::v1::DeleteRangeResponse>& call) {
  storage::Store* store = Admit(call);
  if (store == nullptr) return;
  absl::StatusOr<storage::KeyBounds> target = ToTarget(call.request());
  if (!target.ok()) return call.Fail(ToWire(target.status(), SiteOf(call)));
  store->DeleteRange(
      call.request().namespace_(), *target, FenceOf(call.request()),
      [&call] { return call.Cancelled(); },
      [&call](const absl::StatusOr<storage::DeleteRangeResult>& result) {
        if (!result.ok()) return call.Fail(ToWire(result.status(), SiteOf(call)));
        call.response().set_deleted_count(result->entries);
        call.response().set_revision(result->revision);
        call.Finish();
      });
}

std::unique_ptr<StreamHandler> StateService::Scan(const EncodedMessage& request,
                                                  ResponseStream<EncodedMessage>& stream) {
  return std::make_unique<ScanHandler>(gate_, counters_, limits_, request, stream);
}

std::unique_ptr<StreamHandler> StateService::Pipeline(
    DuplexStream<EncodedMessage, EncodedMessage>& stream) {
  return std::make_unique<PipelineHandler>(gate_, counters_, limits_, stream);
}

}  // namespace tarn::server
