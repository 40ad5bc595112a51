// How clients and receipts go that need not be kept any more.
#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/synchronization/notification.h"
#include "storage/base/error.h"
#include "storage/base/logging.h"
#include "storage/base/status.h"
#include "storage/request_registry.h"
#include "storage/system_records.h"

namespace tarn::storage {
namespace {

// How often there is a look; nothing waits for it.
constexpr int64_t kSweepIntervalMs = 1000;

absl::Status WriteAndWait(Engine& engine, std::string key, std::string value) {
  absl::Notification done;
  absl::Status status;
  WriteSystemRecord(engine, std::move(key), std::move(value), {},
                    [&](const absl::StatusOr<Revision>& written) {
                      status = written.status();
                      done.Notify();
                    });
  done.WaitForNotification();
  return status;
}

// Of the system namespace.
absl::Status DeleteAndWait(Engine& engine, const std::vector<std::string>& keys) {
  std::vector<Operation> operations(keys.size());
  for (size_t i = 0; i < keys.size(); ++i) {
    operations[i].kind = OperationKind::kDelete;
    operations[i].key = keys[i];
  }
  absl::Notification done;
  absl::Status status;
  engine.Run({.mode = BatchMode::kIndependent, .operations = operations},
             [&](const BatchResult& result) {
               status = result.status;
               for (const OperationResult& one : result.results) status.Update(one.status);
               done.Notify();
             });
  done.WaitForNotification();
  return status;
}

}  // namespace

void RequestRegistry::Sweep() {
  const base::UnixMs now = on_.clock.Now();
  if (now < next_sweep_) return;
  next_sweep_ = now + kSweepIntervalMs;
  absl::Status status = TrimAll(now);
  if (status.ok()) status = ForgetIdle(now);
  if (status.ok()) status = RemoveDoomed();
  if (!status.ok() && !failing_)
    base::LogWarning("old receipts cannot be removed: ", status.message());
  failing_ = !status.ok();
}

std::vector<std::pair<Revision, RequestRegistry::ClientPtr>> RequestRegistry::All() const {
  absl::ReaderMutexLock lock(&mutex_);
  return {clients_.begin(), clients_.end()};
}

absl::Status RequestRegistry::TrimAll(base::UnixMs now) {
  for (const auto& [id, client] : All()) TARN_RETURN_IF_ERROR(Trim(id, *client, now));
  return absl::OkStatus();
}

// From the moment the floor is raised requests below it are refused, whatever becomes of the record
// and the receipts.
absl::Status RequestRegistry::Trim(Revision id, Client& client, base::UnixMs now) {
  const base::UnixMs until = now - absl::ToInt64Milliseconds(options_.kept_for);
  while (true) {
    uint64_t floor = 0;
    {
      absl::MutexLock lock(&client.mutex);
      floor = client.window.RaiseFloor(until, options_.kept_requests, kReceiptsPerStep);
    }
    if (floor == client.record.floor) return absl::OkStatus();
    ClientRecord record = client.record;
    record.floor = floor;
    TARN_RETURN_IF_ERROR(WriteAndWait(on_.engine, ClientKey(id), EncodeClientRecord(record)));
    client.record.floor = floor;
    RequestWindow::Removal removal;
    {
      absl::MutexLock lock(&client.mutex);
      removal = client.window.TakeBelowFloor();
    }
    Doom(removal);
    TARN_RETURN_IF_ERROR(RemoveDoomed());
  }
}

// Those that were silent for too long; and when there is no room for others, also those that were
// silent for so long that nothing of theirs need be kept for its age, the most silent first.
absl::Status RequestRegistry::ForgetIdle(base::UnixMs now) {
  auto clients = All();
  const auto used = [](const auto& one) { return one.second->last_used.load(); };
  std::sort(clients.begin(), clients.end(),
            [&](const auto& one, const auto& other) { return used(one) < used(other); });
  const int64_t kept_ms = absl::ToInt64Milliseconds(options_.kept_for);
  const int64_t idle_ms = absl::ToInt64Milliseconds(options_.idle_lifetime);
  for (const auto& client : clients) {
    const int64_t silent_ms = now - used(client);
    if (silent_ms < (NeedsRoom() ? kept_ms : idle_ms)) return absl::OkStatus();
    TARN_RETURN_IF_ERROR(Forget(client.first, *client.second));
  }
  return absl::OkStatus();
}

// Before the bounds are reached, so that nobody is refused while there is something to forget.
bool RequestRegistry::NeedsRoom() const {
  const auto near = [](size_t bound) { return bound - bound / 8; };
  absl::ReaderMutexLock lock(&mutex_);
  return clients_.size() >= near(options_.max_clients) ||
         static_cast<size_t>(bytes_.load(std::memory_order_relaxed)) >= near(options_.max_bytes);
}

absl::Status RequestRegistry::Forget(Revision id, Client& client) {
  RequestWindow::Removal removal;
  {
    absl::MutexLock lock(&client.mutex);
    if (client.window.busy()) return absl::OkStatus();
    client.forgotten = true;
    removal = client.window.Clear();
  }
  {
    absl::MutexLock lock(&mutex_);
    clients_.erase(id);
  }
  doomed_records_.push_back(ClientKey(id));
  Doom(removal);
  return RemoveDoomed();
}

void RequestRegistry::Doom(const RequestWindow::Removal& removal) {
  for (const ReceiptName& name : removal.receipts) doomed_receipts_.push_back(ReceiptKey(name));
  bytes_.fetch_sub(static_cast<int64_t>(removal.bytes), std::memory_order_relaxed);
  kept_.fetch_sub(static_cast<int64_t>(removal.requests), std::memory_order_relaxed);
}

absl::Status RequestRegistry::RemoveDoomed() {
  TARN_RETURN_IF_ERROR(RemoveAll(doomed_records_));
  return RemoveAll(doomed_receipts_);
}

absl::Status RequestRegistry::RemoveAll(std::deque<std::string>& keys) {
  while (!keys.empty()) {
    const auto end =
        keys.begin() + static_cast<std::ptrdiff_t>(std::min(keys.size(), kReceiptsPerStep));
    TARN_RETURN_IF_ERROR(DeleteAndWait(on_.engine, {keys.begin(), end}));
    keys.erase(keys.begin(), end);
  }
  return absl::OkStatus();
}

}  // namespace tarn::storage
