#include "server/rpc/lock_service.h"

#include <algorithm>
#include <initializer_list>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "server/rpc/errors.h"
#include "storage/base/error.h"
#include "storage/base/logging.h"
#include "storage/locks/lock_errors.h"

namespace tarn::server {
namespace {

using base::Reason;

// In front of the last name of a page, so that a token made up by a caller is noticed.
constexpr absl::string_view kPageTokenPrefix = "after/";

template <typename AnyCall>
void Refuse(AnyCall& call, const absl::Status& status) {
  call.Fail(ToWire(status, {.ns = call.request().namespace_()}));
}

// A name that a request must have, and where in it.
struct Named {
  absl::string_view path;
  absl::string_view what;  // For people.
  absl::string_view name;
};

absl::Status CheckNames(std::initializer_list<Named> names, const storage::Limits& limits) {
  for (const Named& one : names) {
    absl::Status status = storage::CheckLockName(one.what, one.name, limits);
    if (!status.ok()) return AtField(status, one.path);
  }
  return absl::OkStatus();
}

// The error with the path of the request's field that it speaks of.
absl::Status Placed(const absl::Status& status) {
  switch (base::ReasonOf(status)) {
    case Reason::kInvalidTtl:
      return AtField(status, "ttl_ms");
    case Reason::kInvalidLock:
      return AtField(status, "token");
    default:
      return status;
  }
}

void Fill(const storage::LockInfo& info, tarn::v1::Lock& message) {
  message.set_namespace_(info.ns);
  message.set_name(info.name);
  message.set_held(info.held);
  message.set_queue_length(static_cast<uint32_t>(info.queue_length));
  if (!info.held) return;
  message.set_holder(info.holder);
  message.set_token(info.token);
  message.set_expire_time_ms(info.expire_time);
  message.set_remaining_ms(info.remaining_ms);
  message.set_acquire_time_ms(info.acquire_time);
}

void Fill(const storage::GroupInfo& info, tarn::v1::Group& message) {
  message.set_namespace_(info.ns);
  message.set_name(info.name);
  message.set_epoch(info.epoch);
  message.set_member(info.member);
  message.set_join_time_ms(info.join_time);
}

// What a page is asked for with.
struct Page {
  absl::string_view after;
  size_t size = 0;
};

template <typename Request>
absl::StatusOr<Page> ToPage(const Request& request, size_t max) {
  if (request.page_size() < 0)
    return InvalidField(Reason::kInvalidPage, "page_size", "the page size is negative");
  Page page{.after = request.page_token()};
  if (!page.after.empty() && !absl::ConsumePrefix(&page.after, kPageTokenPrefix))
    return InvalidField(Reason::kInvalidPage, "page_token", "not a page token of this list");
  page.size =
      request.page_size() == 0 ? max : std::min(static_cast<size_t>(request.page_size()), max);
  return page;
}

// Answers with the first of `all`, which has one more than the page if there is more.
template <typename Info, typename AnyCall, typename Add>
void AnswerPage(absl::StatusOr<std::vector<Info>> all, size_t size, AnyCall& call, Add add) {
  if (!all.ok()) return Refuse(call, all.status());
  const bool more = all->size() > size;
  if (more) all->resize(size);
  for (const Info& info : *all) Fill(info, *add(call.response()));
  if (more) call.response().set_next_page_token(absl::StrCat(kPageTokenPrefix, all->back().name));
  call.Finish();
}

}  // namespace

template <typename AnyCall>
storage::Locks* LockService::Admit(AnyCall& call) const {
  storage::Store* store = gate_.store();
  if (store != nullptr) return &store->locks();
  call.Fail(ToWire(gate_.Refusal()));
  return nullptr;
}

template <typename AnyCall>
storage::Locks* LockService::AdmitAdmin(AnyCall& call) const {
  if (absl::Status allowed = policy_.Check(call.peer()); !allowed.ok()) {
    call.Fail(ToWire(allowed));
    return nullptr;
  }
  return Admit(call);
}

void LockService::Drain() {
  storage::Store* store = gate_.opened();
  if (store != nullptr) store->locks().EndWaiting(gate_.Refusal());
}

void LockService::AcquireLock(
    WaitingCall<tarn::v1::AcquireLockRequest, tarn::v1::AcquireLockResponse>& call) {
  storage::Locks* locks = Admit(call);
  if (locks == nullptr) return;
  const tarn::v1::AcquireLockRequest& request = call.request();
  const absl::Status named =
      CheckNames({{"name", "lock", request.name()}, {"holder", "holder", request.holder()}},
                 gate_.opened()->limits());
  if (!named.ok()) return Refuse(call, named);
  const storage::WaitId wait_id = last_wait_.fetch_add(1, std::memory_order_relaxed) + 1;
  call.WhenGone([locks, &call, wait_id] {
    locks->TakeBack(call.request().namespace_(), call.request().name(), wait_id);
  });
  locks->Acquire({.ns = request.namespace_(),
                  .name = request.name(),
                  .holder = request.holder(),
                  .request_id = request.request_id(),
                  .ttl_ms = request.ttl_ms(),
                  .wait_ms = request.wait_ms(),
                  .wait_id = wait_id},
                 [&call](const absl::StatusOr<storage::LockGrant>& grant) {
                   if (!grant.ok()) return Refuse(call, Placed(grant.status()));
                   call.response().set_token(grant->token);
                   call.response().set_expire_time_ms(grant->expire_time);
                   call.response().set_remaining_ms(grant->remaining_ms);
                   call.response().set_repeated(grant->repeated);
                   call.Finish();
                 });
}

void LockService::RenewLock(
    UnaryCall<tarn::v1::RenewLockRequest, tarn::v1::RenewLockResponse>& call) {
  storage::Locks* locks = Admit(call);
  if (locks == nullptr) return;
  const tarn::v1::RenewLockRequest& request = call.request();
  const absl::Status named =
      CheckNames({{"name", "lock", request.name()}}, gate_.opened()->limits());
  if (!named.ok()) return Refuse(call, named);
  locks->Renew(request.namespace_(), request.name(), request.token(), request.ttl_ms(),
               [&call](const absl::StatusOr<storage::LockGrant>& grant) {
                 if (!grant.ok()) return Refuse(call, Placed(grant.status()));
                 call.response().set_expire_time_ms(grant->expire_time);
                 call.response().set_remaining_ms(grant->remaining_ms);
                 call.Finish();
               });
}

void LockService::ReleaseLock(
    UnaryCall<tarn::v1::ReleaseLockRequest, tarn::v1::ReleaseLockResponse>& call) {
  storage::Locks* locks = Admit(call);
  if (locks == nullptr) return;
  const tarn::v1::ReleaseLockRequest& request = call.request();
  const absl::Status named =
      CheckNames({{"name", "lock", request.name()}}, gate_.opened()->limits());
  if (!named.ok()) return Refuse(call, named);
  locks->Release(request.namespace_(), request.name(), request.token(),
                 [&call](const absl::Status& released) {
                   released.ok() ? call.Finish() : Refuse(call, Placed(released));
                 });
}

void LockService::GetLock(UnaryCall<tarn::v1::GetLockRequest, tarn::v1::GetLockResponse>& call) {
  storage::Locks* locks = Admit(call);
  if (locks == nullptr) return;
  const tarn::v1::GetLockRequest& request = call.request();
  const absl::Status named =
      CheckNames({{"name", "lock", request.name()}}, gate_.opened()->limits());
  if (!named.ok()) return Refuse(call, named);
  const absl::StatusOr<storage::LockInfo> info =
      locks->GetLock(request.namespace_(), request.name());
  if (!info.ok()) return Refuse(call, info.status());
  Fill(*info, *call.response().mutable_lock());
  call.Finish();
}

void LockService::ListLocks(
    UnaryCall<tarn::v1::ListLocksRequest, tarn::v1::ListLocksResponse>& call) {
  storage::Locks* locks = Admit(call);
  if (locks == nullptr) return;
  const absl::StatusOr<Page> page = ToPage(call.request(), max_page_size_);
  if (!page.ok()) return Refuse(call, page.status());
  AnswerPage(locks->ListLocks(call.request().namespace_(), page->after, page->size + 1), page->size,
             call, [](auto& response) { return response.add_locks(); });
}

void LockService::ForceReleaseLock(
    UnaryCall<tarn::v1::ForceReleaseLockRequest, tarn::v1::ForceReleaseLockResponse>& call) {
  storage::Locks* locks = AdmitAdmin(call);
  if (locks == nullptr) return;
  const tarn::v1::ForceReleaseLockRequest& request = call.request();
  const absl::Status named =
      CheckNames({{"name", "lock", request.name()}}, gate_.opened()->limits());
  if (!named.ok()) return Refuse(call, named);
  locks->ForceRelease(request.namespace_(), request.name(), request.token(),
                      [&call](const absl::StatusOr<storage::FormerHolder>& was) {
                        if (!was.ok()) return Refuse(call, was.status());
                        base::LogWarning("the lock ", call.request().name(),
                                         " was taken away from ", was->holder, ", token ",
                                         was->token, ", on demand of ", call.peer().address);
                        call.response().set_holder(was->holder);
                        call.response().set_token(was->token);
                        call.Finish();
                      });
}

void LockService::JoinGroup(
    UnaryCall<tarn::v1::JoinGroupRequest, tarn::v1::JoinGroupResponse>& call) {
  storage::Locks* locks = Admit(call);
  if (locks == nullptr) return;
  const tarn::v1::JoinGroupRequest& request = call.request();
  const absl::Status named =
      CheckNames({{"group", "group", request.group()}, {"member", "member", request.member()}},
                 gate_.opened()->limits());
  if (!named.ok()) return Refuse(call, named);
  locks->JoinGroup(request.namespace_(), request.group(), request.member(),
                   [&call](const absl::StatusOr<storage::Revision>& epoch) {
                     if (!epoch.ok()) return Refuse(call, epoch.status());
                     call.response().set_epoch(*epoch);
                     call.Finish();
                   });
}

void LockService::GetGroup(UnaryCall<tarn::v1::GetGroupRequest, tarn::v1::GetGroupResponse>& call) {
  storage::Locks* locks = Admit(call);
  if (locks == nullptr) return;
  const tarn::v1::GetGroupRequest& request = call.request();
  const absl::Status named =
      CheckNames({{"group", "group", request.group()}}, gate_.opened()->limits());
  if (!named.ok()) return Refuse(call, named);
  const absl::StatusOr<storage::GroupInfo> info =
      locks->GetGroup(request.namespace_(), request.group());
  if (!info.ok()) return Refuse(call, info.status());
  call.response().set_found(info->found);
  if (info->found) Fill(*info, *call.response().mutable_group());
  call.Finish();
}

void LockService::ListGroups(
    UnaryCall<tarn::v1::ListGroupsRequest, tarn::v1::ListGroupsResponse>& call) {
  storage::Locks* locks = Admit(call);
  if (locks == nullptr) return;
  const absl::StatusOr<Page> page = ToPage(call.request(), max_page_size_);
  if (!page.ok()) return Refuse(call, page.status());
  AnswerPage(locks->ListGroups(call.request().namespace_(), page->after, page->size + 1),
             page->size, call, [](auto& response) { return response.add_groups(); });
}

void LockService::DeleteGroup(
    UnaryCall<tarn::v1::DeleteGroupRequest, tarn::v1::DeleteGroupResponse>& call) {
  storage::Locks* locks = AdmitAdmin(call);
  if (locks == nullptr) return;
  const tarn::v1::DeleteGroupRequest& request = call.request();
  const absl::Status named =
      CheckNames({{"group", "group", request.group()}}, gate_.opened()->limits());
  if (!named.ok()) return Refuse(call, named);
  locks->DeleteGroup(request.namespace_(), request.group(),
                     [&call](const absl::StatusOr<bool>& found) {
                       if (!found.ok()) return Refuse(call, found.status());
                       if (*found) {
                         base::LogWarning("the group ", call.request().group(),
                                          " was deleted, on demand of ", call.peer().address);
                       }
                       call.response().set_found(*found);
                       call.Finish();
                     });
}

}  // namespace tarn::server
