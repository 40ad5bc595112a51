#include "storage/request_registry.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "storage/base/error.h"
#include "storage/base/status.h"
#include "storage/system_records.h"

namespace tarn::storage {
namespace {

using base::MakeError;
using base::Reason;
using Standing = RequestWindow::Standing;

absl::Status UnknownClient(Revision client) {
  return MakeError(absl::StatusCode::kOutOfRange, Reason::kUnknownClient,
                   absl::StrCat("there is no client ", client, ", or not any more"));
}

absl::Status HalfAnId() {
  return MakeError(absl::StatusCode::kInvalidArgument, Reason::kRequestMismatch,
                   "client id and request id must be given together, and not be 0");
}

absl::Status TooManyWaiters() {
  return MakeError(absl::StatusCode::kResourceExhausted, Reason::kQueueFull,
                   "too many repetitions wait for their first request");
}

}  // namespace

RequestRegistry::RequestRegistry(const Context& context, const std::string& store_id,
                                 const RequestOptions& options)
    : on_(context), store_id_(store_id), options_(options) {}

RequestRegistry::~RequestRegistry() = default;

// --- at start ---

absl::StatusOr<std::unique_ptr<RequestRegistry>> RequestRegistry::Load(
    const Context& context, const std::string& store_id, const RequestOptions& options) {
  std::unique_ptr<RequestRegistry> registry(new RequestRegistry(context, store_id, options));
  TARN_ASSIGN_OR_RETURN(const std::unique_ptr<Snapshot> snapshot,
                        context.engine.OpenSnapshot(SnapshotPurpose::kScan));
  const base::UnixMs now = context.clock.Now();
  TARN_RETURN_IF_ERROR(
      ForEachSystemRecord(*snapshot, kClientKeyPrefix, now, [&](const EntryView& entry) {
        return base::Annotate(registry->AdoptClient(entry), "clients");
      }));
  TARN_RETURN_IF_ERROR(
      ForEachSystemRecord(*snapshot, kReceiptKeyPrefix, now, [&](const EntryView& entry) {
        return base::Annotate(registry->AdoptReceipt(entry), "receipts");
      }));
  return registry;
}

absl::Status RequestRegistry::AdoptClient(const EntryView& entry) {
  const std::optional<Revision> id = ParseClientKey(entry.key);
  if (!id) {
    return MakeError(absl::StatusCode::kDataLoss, Reason::kDataLoss, "the key is not a client's");
  }
  TARN_ASSIGN_OR_RETURN(const ClientRecord record, DecodeClientRecord(entry.value));
  if (record.store_id == store_id_)
    AddClient(*id, record);
  else
    doomed_records_.emplace_back(entry.key);
  return absl::OkStatus();
}

absl::Status RequestRegistry::AdoptReceipt(const EntryView& entry) {
  const std::optional<ReceiptName> name = ParseReceiptKey(entry.key);
  if (!name) {
    return MakeError(absl::StatusCode::kDataLoss, Reason::kDataLoss, "the key is not a receipt's");
  }
  TARN_ASSIGN_OR_RETURN(const ReceiptHead head, DecodeReceiptHead(entry.value));
  const ClientPtr client = Find(name->client);
  if (client != nullptr) {
    absl::MutexLock lock(&client->mutex);
    const size_t before = client->window.bytes();
    const size_t requests = client->window.size();
    if (client->window.Adopt(*name, head, entry.key.size() + entry.value.size())) {
      bytes_ += client->window.bytes() - before;
      kept_ += client->window.size() - requests;
      return absl::OkStatus();
    }
  }
  doomed_receipts_.emplace_back(entry.key);  // Its client or its window has gone on without it.
  return absl::OkStatus();
}

// --- clients ---

RequestRegistry::ClientPtr RequestRegistry::Find(Revision id) const {
  absl::ReaderMutexLock lock(&mutex_);
  const auto client = clients_.find(id);
  return client == clients_.end() ? nullptr : client->second;
}

void RequestRegistry::AddClient(Revision id, const ClientRecord& record) {
  auto client = std::make_shared<Client>(id, record.floor);
  client->record = record;
  client->last_used = on_.clock.Now();
  absl::MutexLock lock(&mutex_);
  clients_.emplace(id, std::move(client));
}

absl::Status RequestRegistry::Full(absl::string_view what) {
  refused_.fetch_add(1, std::memory_order_relaxed);
  return MakeError(absl::StatusCode::kResourceExhausted, Reason::kReceiptsFull, what);
}

// The id is the revision of one commit, and its record another: it is used only when it is there.
void RequestRegistry::Register(Registered done) {
  {
    absl::MutexLock lock(&mutex_);
    if (clients_.size() + registering_ >= options_.max_clients) {
      return std::move(done)(
          Full(absl::StrCat("there are ", options_.max_clients, " clients already")));
    }
    ++registering_;
  }
  auto write_record = [this, token = Outstanding::Token(on_.tasks),
                       done = std::move(done)](absl::StatusOr<Revision> id) mutable {
    if (id.ok()) return WriteRecord(*id, std::move(token), std::move(done));
    EndRegistration();
    std::move(done)(std::move(id));
  };
  WriteSystemRecord(on_.engine, std::string(kLastClientKey), "", {}, std::move(write_record));
}

void RequestRegistry::WriteRecord(Revision id, Outstanding::Token token, Registered done) {
  const ClientRecord record{.store_id = store_id_, .issue_time = on_.clock.Now()};
  WriteSystemRecord(on_.engine, ClientKey(id), EncodeClientRecord(record), {},
                    [this, id, record, token = std::move(token),
                     done = std::move(done)](const absl::StatusOr<Revision>& written) mutable {
                      if (written.ok()) AddClient(id, record);
                      EndRegistration();
                      if (!written.ok()) return std::move(done)(written.status());
                      std::move(done)(id);
                    });
}

void RequestRegistry::EndRegistration() {
  absl::MutexLock lock(&mutex_);
  --registering_;
}

// --- requests ---

absl::StatusOr<RequestRegistry::Begun> RequestRegistry::Begin(const RequestId& id,
                                                              const base::Hash128& digest,
                                                              Waiter& waiter) {
  if (id.client == 0 || id.request == 0) return HalfAnId();
  const ClientPtr client = Find(id.client);
  if (client == nullptr) return UnknownClient(id.client);
  Begun begun;
  begun.time = on_.clock.Now();
  client->last_used.store(begun.time, std::memory_order_relaxed);
  absl::MutexLock lock(&client->mutex);
  if (client->forgotten) return UnknownClient(id.client);
  TARN_ASSIGN_OR_RETURN(begun.standing, client->window.Begin(id.request, digest));
  switch (begun.standing) {
    case Standing::kFresh:
      if (bytes_.load(std::memory_order_relaxed) < static_cast<int64_t>(options_.max_bytes)) break;
      client->window.Abandon(id.request);
      return Full("the answers kept for repetitions take as much room as they may");
    case Standing::kKnown:
      begun.known = client->window.AnswersOf(id.request);
      break;
    case Standing::kUnderWay:
      if (client->waiting >= kMaxWaiters) return TooManyWaiters();
      ++client->waiting;
      client->waiters[id.request].push_back(std::move(waiter));
      break;
  }
  return begun;
}

std::vector<RequestRegistry::Waiter> RequestRegistry::End(const RequestId& id, KeptAnswers fresh) {
  const ClientPtr client = Find(id.client);  // It is busy, so it was not forgotten.
  absl::MutexLock lock(&client->mutex);
  RequestWindow& window = client->window;
  const RequestWindow::Growth growth = window.End(id.request, std::move(fresh), on_.clock.Now());
  bytes_.fetch_add(growth.bytes, std::memory_order_relaxed);
  kept_.fetch_add(growth.requests, std::memory_order_relaxed);
  if (client->waiting == 0) return {};
  const auto room = client->waiters.find(id.request);
  if (room == client->waiters.end()) return {};
  std::vector<Waiter> waiters = std::move(room->second);
  client->waiters.erase(room);
  client->waiting -= waiters.size();
  return waiters;
}

RequestStats RequestRegistry::stats() const {
  RequestStats stats;
  {
    absl::ReaderMutexLock lock(&mutex_);
    stats.clients = clients_.size();
  }
  stats.requests = static_cast<uint64_t>(kept_.load(std::memory_order_relaxed));
  stats.bytes = static_cast<uint64_t>(bytes_.load(std::memory_order_relaxed));
  stats.max_bytes = options_.max_bytes;
  stats.replays = replays_.load(std::memory_order_relaxed);
  stats.refused = refused_.load(std::memory_order_relaxed);
  return stats;
}

}  // namespace tarn::storage
