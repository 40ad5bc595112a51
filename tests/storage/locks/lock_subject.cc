#include "tests/storage/locks/lock_subject.h"

#include <stdexcept>
#include <utility>

namespace tarn::storage {
namespace {

constexpr absl::string_view kName = "lock";
constexpr absl::string_view kGroup = "group";

}  // namespace

LockSubject::LockSubject(const Limits& limits_in)
    : limits(limits_in),
      memory(testing::Value(MemoryEngine::Open({.limits = limits_in}, clock, ledger))),
      engine(std::make_unique<FaultEngine>(*memory)) {
  if (!engine->WriteMeta({.store_id = std::string(32, 'a'), .incarnation = 1}).ok())
    throw std::runtime_error("no meta");
  const absl::Status status = Reopen();
  if (!status.ok()) throw std::runtime_error(status.ToString());
}

absl::Status LockSubject::Reopen() {
  table.reset();
  auto loaded = LockTable::Load({*engine, clock, boot, limits, LockTable::TimeKeeper::kCaller});
  if (!loaded.ok()) return loaded.status();
  table = *std::move(loaded);
  return absl::OkStatus();
}

void LockSubject::Pass(int64_t milliseconds) {
  clock.Advance(milliseconds);
  boot.Advance(milliseconds);
  table->RunTimers();
}

Told<LockGrant> LockSubject::Ask(const std::string& holder, int64_t wait_ms,
                                 const std::string& request_id, WaitId wait_id, int64_t ttl_ms) {
  Told<LockGrant> told;
  table->Acquire({.name = std::string(kName),
                  .holder = holder,
                  .request_id = request_id,
                  .ttl_ms = ttl_ms,
                  .wait_ms = wait_ms,
                  .wait_id = wait_id},
                 told.Callback());
  return told;
}

Revision LockSubject::Get(const std::string& holder, int64_t ttl_ms) {
  const Told<LockGrant> told = Ask(holder, 0, "", 0, ttl_ms);
  if (told.brief() != "OK") throw std::runtime_error("not granted: " + told.brief());
  return told.value().token;
}

Told<LockGrant> LockSubject::Renew(Revision token, int64_t ttl_ms) {
  Told<LockGrant> told;
  table->Renew("", kName, token, ttl_ms, told.Callback());
  return told;
}

std::string LockSubject::Release(Revision token) {
  auto brief = std::make_shared<std::string>("-");
  table->Release("", kName, token,
                 [brief](const absl::Status& status) { *brief = testing::Brief(status); });
  return *brief;
}

Told<FormerHolder> LockSubject::Force(Revision token) {
  Told<FormerHolder> told;
  table->ForceRelease("", kName, token, told.Callback());
  return told;
}

Told<Revision> LockSubject::Join(const std::string& member) {
  Told<Revision> told;
  table->JoinGroup("", kGroup, member, told.Callback());
  return told;
}

std::string LockSubject::Holder() {
  const LockInfo info = testing::Value(table->GetLock("", kName));
  return info.held ? info.holder : "-";
}

absl::StatusOr<LockTable::Pass> LockSubject::Enter(Revision token) {
  return table->Enter("", {.lock = FencingToken{kName, token}});
}

absl::StatusOr<LockTable::Pass> LockSubject::EnterGroup(Revision epoch) {
  return table->Enter("", {.group = FencingToken{kGroup, epoch}});
}

}  // namespace tarn::storage
