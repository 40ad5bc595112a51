// The unary methods of StateService as types, for call.h, and what the retry rules must know about
// each call.
#pragma once

#include <functional>
#include <utility>

#include "client/src/retry.h"
#include "tarn/connection.h"
#include "tarn/v1/state.grpc.pb.h"
#include <grpcpp/client_context.h>

namespace tarn::internal {

using StateStub = v1::StateService::Stub;

// Generated code has no type for a method, only a member function of the stub and one of
// stub.async() of the same name.
#define TARN_STATE_METHOD(NAME, RPC)                                                         \
  struct NAME##Method {                                                                      \
    using Request = v1::RPC##Request;                                                        \
    using Response = v1::RPC##Response;                                                      \
    static constexpr char kName[] = #RPC;                                                    \
    static grpc::Status Call(StateStub& stub, grpc::ClientContext* context,                  \
                             const Request& request, Response* response) {                   \
      return stub.RPC(context, request, response);                                           \
    }                                                                                        \
    static void Start(StateStub& stub, grpc::ClientContext* context, const Request* request, \
                      Response* response, std::function<void(grpc::Status)> done) {          \
      stub.async()->RPC(context, request, response, std::move(done));                        \
    }                                                                                        \
  }

TARN_STATE_METHOD(Get, Get);
TARN_STATE_METHOD(Put, Put);
TARN_STATE_METHOD(Delete, Delete);
TARN_STATE_METHOD(Take, Take);
TARN_STATE_METHOD(Increment, Increment);
TARN_STATE_METHOD(Append, Append);
TARN_STATE_METHOD(Touch, Touch);
TARN_STATE_METHOD(RunBatch, Batch);
TARN_STATE_METHOD(RegisterClient, RegisterClient);
TARN_STATE_METHOD(Count, Count);
TARN_STATE_METHOD(DeleteRange, DeleteRange);
#undef TARN_STATE_METHOD

inline CallKind KindOfOperation(const char* name, OperationKind kind, Precondition precondition,
                                const IdempotencyPolicy& policy) {
  return {name, kind == OperationKind::kGet ? Access::kRead : Access::kWrite,
          policy.OfOperation(kind, precondition.kind())};
}

inline OperationKind OperationKindOf(const PutParams&) { return OperationKind::kPut; }
inline OperationKind OperationKindOf(const DeleteParams&) { return OperationKind::kDelete; }
inline OperationKind OperationKindOf(const TakeParams&) { return OperationKind::kTake; }
inline OperationKind OperationKindOf(const IncrementParams&) { return OperationKind::kIncrement; }
inline OperationKind OperationKindOf(const AppendParams&) { return OperationKind::kAppend; }
inline OperationKind OperationKindOf(const TouchParams&) { return OperationKind::kTouch; }

inline CallKind KindOf(const GetParams& params, const IdempotencyPolicy& policy) {
  return KindOfOperation("Get", OperationKind::kGet, params.precondition, policy);
}
inline CallKind KindOf(const PutParams& params, const IdempotencyPolicy& policy) {
  return KindOfOperation("Put", OperationKind::kPut, params.precondition, policy);
}
inline CallKind KindOf(const DeleteParams& params, const IdempotencyPolicy& policy) {
  return KindOfOperation("Delete", OperationKind::kDelete, params.precondition, policy);
}
inline CallKind KindOf(const TakeParams& params, const IdempotencyPolicy& policy) {
  return KindOfOperation("Take", OperationKind::kTake, params.precondition, policy);
}
inline CallKind KindOf(const IncrementParams& params, const IdempotencyPolicy& policy) {
  return KindOfOperation("Increment", OperationKind::kIncrement, params.precondition, policy);
}
inline CallKind KindOf(const AppendParams& params, const IdempotencyPolicy& policy) {
  return KindOfOperation("Append", OperationKind::kAppend, params.precondition, policy);
}
inline CallKind KindOf(const TouchParams& params, const IdempotencyPolicy& policy) {
  return KindOfOperation("Touch", OperationKind::kTouch, params.precondition, policy);
}
inline CallKind KindOf(const CountParams&, const IdempotencyPolicy&) {
  return {"Count", Access::kRead, Idempotency::kIdempotent};
}
inline CallKind KindOf(const DeleteRangeParams&, const IdempotencyPolicy& policy) {
  return {"DeleteRange", Access::kWrite, policy.OfDeleteRange()};
}
CallKind KindOf(const BatchParams& params, const IdempotencyPolicy& policy);

}  // namespace tarn::internal
