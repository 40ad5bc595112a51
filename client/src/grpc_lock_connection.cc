#include "client/src/grpc_lock_connection.h"

#include <limits>
#include <utility>

#include "client/src/channel.h"

namespace tarn {
namespace internal {
namespace {

using std::chrono::milliseconds;

using Stub = v1::LockService::Stub;
#define TARN_LOCK_METHOD(Name) \
  using Name##Method = StubMethod<Stub, v1::Name##Request, v1::Name##Response, &Stub::Name>
TARN_LOCK_METHOD(AcquireLock);
TARN_LOCK_METHOD(RenewLock);
TARN_LOCK_METHOD(ReleaseLock);
TARN_LOCK_METHOD(GetLock);
TARN_LOCK_METHOD(ListLocks);
TARN_LOCK_METHOD(ForceReleaseLock);
TARN_LOCK_METHOD(JoinGroup);
TARN_LOCK_METHOD(GetGroup);
TARN_LOCK_METHOD(ListGroups);
TARN_LOCK_METHOD(DeleteGroup);
#undef TARN_LOCK_METHOD

Timestamp At(int64_t ms) { return Timestamp(milliseconds(ms)); }

LockState FromProto(const v1::Lock& proto) {
  return {.ns = proto.namespace_(),
          .name = proto.name(),
          .held = proto.held(),
          .holder = proto.holder(),
          .token = proto.token(),
          .expire_time = At(proto.expire_time_ms()),
          .remaining = milliseconds(proto.remaining_ms()),
          .acquire_time = At(proto.acquire_time_ms()),
          .queue_length = proto.queue_length()};
}

GroupState FromProto(const v1::Group& proto) {
  return {.ns = proto.namespace_(),
          .name = proto.name(),
          .epoch = proto.epoch(),
          .member = proto.member(),
          .join_time = At(proto.join_time_ms())};
}

template <typename Request>
Request OnLock(const std::string& ns, const std::string& name) {
  Request request;
  request.set_namespace_(ns);
  request.set_name(name);
  return request;
}

template <typename Request>
Request OnGroup(const std::string& ns, const std::string& group) {
  Request request;
  request.set_namespace_(ns);
  request.set_group(group);
  return request;
}

}  // namespace

GrpcLockConnection::GrpcLockConnection(const std::shared_ptr<grpc::ChannelInterface>& channel,
                                       const ClientOptions& options, World world)
    : stub_(v1::LockService::NewStub(channel)), caller_(options, std::move(world)) {}

template <typename Method>
absl::StatusOr<typename Method::Response> GrpcLockConnection::Read(
    const char* name, const typename Method::Request& request) const {
  return caller_.Run<Method>(*stub_, request, ReadCall(name), caller_.DeadlineOf({}));
}

template <typename Method>
absl::StatusOr<typename Method::Response> GrpcLockConnection::Write(
    const char* name, const typename Method::Request& request, Timeout timeout) const {
  return caller_.Run<Method>(*stub_, request, WriteCall(name, Idempotency::kIdempotent),
                             caller_.DeadlineOf(timeout));
}

// It may take as long as it waits, and then as long as any other call.
absl::StatusOr<LockGrant> GrpcLockConnection::Acquire(const AcquireLockParams& params) {
  auto request = OnLock<v1::AcquireLockRequest>(params.ns, params.name);
  request.set_holder(params.options.holder);
  request.set_request_id(params.request_id);
  request.set_ttl_ms(params.options.ttl.count());
  const milliseconds wait = params.options.wait;
  request.set_wait_ms(wait.count());
  const TimePoint usual = caller_.DeadlineOf({});
  CallSettings settings = caller_.StreamSettings({});
  if (wait != kNoTimeout) settings.deadline = usual + wait;
  const auto response = Call<AcquireLockMethod>(
      *stub_, request, settings,
      caller_.MakeRetrier(WriteCall("AcquireLock", Idempotency::kIdempotent), settings.deadline));
  if (!response.ok()) return response.status();
  return LockGrant{.token = response->token(),
                   .expire_time = At(response->expire_time_ms()),
                   .remaining = milliseconds(response->remaining_ms()),
                   .repeated = response->repeated()};
}

absl::StatusOr<LockGrant> GrpcLockConnection::Renew(const std::string& ns, const std::string& name,
                                                    Revision token, milliseconds ttl,
                                                    Timeout timeout) {
  auto request = OnLock<v1::RenewLockRequest>(ns, name);
  request.set_token(token);
  request.set_ttl_ms(ttl.count());
  const auto response = Write<RenewLockMethod>("RenewLock", request, timeout);
  if (!response.ok()) return response.status();
  return LockGrant{.token = token,
                   .expire_time = At(response->expire_time_ms()),
                   .remaining = milliseconds(response->remaining_ms())};
}

absl::Status GrpcLockConnection::Release(const std::string& ns, const std::string& name,
                                         Revision token, Timeout timeout) {
  auto request = OnLock<v1::ReleaseLockRequest>(ns, name);
  request.set_token(token);
  return Write<ReleaseLockMethod>("ReleaseLock", request, timeout).status();
}

absl::StatusOr<LockState> GrpcLockConnection::Get(const std::string& ns, const std::string& name) {
  const auto response = Read<GetLockMethod>("GetLock", OnLock<v1::GetLockRequest>(ns, name));
  if (!response.ok()) return response.status();
  return FromProto(response->lock());
}

absl::StatusOr<std::vector<LockState>> GrpcLockConnection::List(const std::string& ns) {
  std::vector<LockState> locks;
  v1::ListLocksRequest request;
  request.set_namespace_(ns);
  while (true) {
    const auto response = Read<ListLocksMethod>("ListLocks", request);
    if (!response.ok()) return response.status();
    for (const v1::Lock& lock : response->locks()) locks.push_back(FromProto(lock));
    if (response->next_page_token().empty()) return locks;
    request.set_page_token(response->next_page_token());
  }
}

absl::StatusOr<FormerHolder> GrpcLockConnection::ForceRelease(const std::string& ns,
                                                              const std::string& name,
                                                              Revision token) {
  auto request = OnLock<v1::ForceReleaseLockRequest>(ns, name);
  request.set_token(token);
  // Without a token, a repetition may hit the next holder.
  const auto idempotency = token == 0 ? Idempotency::kNonIdempotent : Idempotency::kIdempotent;
  const auto response = caller_.Run<ForceReleaseLockMethod>(
      *stub_, request, WriteCall("ForceReleaseLock", idempotency), caller_.DeadlineOf({}));
  if (!response.ok()) return response.status();
  return FormerHolder{response->holder(), response->token()};
}

absl::StatusOr<Revision> GrpcLockConnection::JoinGroup(const std::string& ns,
                                                       const std::string& group,
                                                       const std::string& member) {
  auto request = OnGroup<v1::JoinGroupRequest>(ns, group);
  request.set_member(member);
  const auto response = Write<JoinGroupMethod>("JoinGroup", request);
  if (!response.ok()) return response.status();
  return response->epoch();
}

absl::StatusOr<std::optional<GroupState>> GrpcLockConnection::GetGroup(const std::string& ns,
                                                                       const std::string& group) {
  const auto response = Read<GetGroupMethod>("GetGroup", OnGroup<v1::GetGroupRequest>(ns, group));
  if (!response.ok()) return response.status();
  if (!response->found()) return std::nullopt;
  return FromProto(response->group());
}

absl::StatusOr<std::vector<GroupState>> GrpcLockConnection::ListGroups(const std::string& ns) {
  std::vector<GroupState> groups;
  v1::ListGroupsRequest request;
  request.set_namespace_(ns);
  while (true) {
    const auto response = Read<ListGroupsMethod>("ListGroups", request);
    if (!response.ok()) return response.status();
    for (const v1::Group& group : response->groups()) groups.push_back(FromProto(group));
    if (response->next_page_token().empty()) return groups;
    request.set_page_token(response->next_page_token());
  }
}

absl::StatusOr<bool> GrpcLockConnection::DeleteGroup(const std::string& ns,
                                                     const std::string& group) {
  const auto response =
      Write<DeleteGroupMethod>("DeleteGroup", OnGroup<v1::DeleteGroupRequest>(ns, group));
  if (!response.ok()) return response.status();
  return response->found();
}

}  // namespace internal

absl::StatusOr<std::shared_ptr<LockConnection>> MakeLockConnection(const ClientOptions& options) {
  auto channel = internal::MakeChannel(options);
  if (!channel.ok()) return channel.status();
  return std::make_shared<internal::GrpcLockConnection>(*std::move(channel), options,
                                                        internal::RealWorld());
}

}  // namespace tarn
