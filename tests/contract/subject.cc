#include "tests/contract/subject.h"

#include <cstdlib>
#include <exception>
#include <iostream>
#include <stdexcept>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "absl/time/time.h"

namespace tarn::testing {
namespace {

constexpr char kStoreId[] = "0123456789abcdef0123456789abcdef";

void Must(const absl::Status& status) {
  if (!status.ok()) throw std::runtime_error(status.ToString());
}

template <typename T>
T Must(absl::StatusOr<T> value) {
  Must(value.status());
  return *std::move(value);
}

std::vector<Row> CopyOf(const storage::Page& page) {
  std::vector<Row> rows;
  for (const storage::EntryView& entry : page.entries) {
    rows.push_back({std::string(entry.key), std::string(entry.value), entry.revision,
                    entry.deadline, entry.ns});
  }
  return rows;
}

// What a Next under way needs; outlives the call that waits for it.
struct PendingPage {
  PageCopy copy;
  absl::Notification done;
};

}  // namespace

PageCopy Reader::Next(const storage::PageBudget& budget, UnixMs now) {
  auto pending = std::make_shared<PendingPage>();
  cursor_->Next(budget, now, [pending](const absl::Status& status, storage::Page& page) {
    pending->copy = {status, CopyOf(page), page.at_end};
    pending->done.Notify();
  });
  if (!pending->done.WaitForNotificationWithTimeout(absl::Minutes(1))) {
    throw std::runtime_error("a page was never given");
  }
  return std::move(pending->copy);
}

std::vector<Row> Reader::Rest(const storage::PageBudget& budget, UnixMs now) {
  std::vector<Row> rows;
  while (true) {
    PageCopy page = Next(budget, now);
    Must(page.status);
    rows.insert(rows.end(), page.rows.begin(), page.rows.end());
    if (page.at_end) return rows;
    if (page.rows.empty()) throw std::runtime_error("a page before the end is empty");
  }
}

std::vector<Row> ReadAll(storage::Snapshot& snapshot, UnixMs now, NamespaceId ns) {
  return Reader(snapshot, {ns, "", ""}).Rest({}, now);
}

Subject::Subject(const EngineSetup& setup, Start start, EngineFactory& factory)
    : factory_(factory), setup_(setup) {
  Open();
  if (start == Start::kInitialised) Must(engine_->WriteMeta({kStoreId, 1}));
}

// Every case is also a case of the engine's own checks. Once something has failed, that is enough.
Subject::~Subject() {
  if (engine_ == nullptr || std::uncaught_exceptions() > 0) return;
  const absl::Status status = Inspect();
  if (status.ok()) return;
  std::cerr << "the engine is not consistent: " << status << std::endl;
  std::abort();
}

void Subject::Open() {
  ledger_ = std::make_unique<storage::UsageLedger>();
  executor_ = std::make_unique<base::ThreadPool>(base::ThreadPool::Options{.name = "test"});
  engine_ = Must(factory_.Open(setup_, {clock_, *ledger_, *executor_, directory_.path()}));
}

void Subject::Reopen() {
  engine_.reset();
  executor_.reset();
  Open();
  const std::optional<storage::StoreMeta> meta = Must(engine_->ReadMeta());
  if (!meta) throw std::runtime_error("the engine has forgotten its meta");
  Must(engine_->WriteMeta({meta->store_id, meta->incarnation + 1}));
}

Revision Subject::MustDo(Op op) {
  const std::string shown = Show(op);
  const Answer answer = Do(std::move(op));
  if (!answer.status.ok())
    throw std::runtime_error(absl::StrCat(shown, ": ", answer.status.ToString()));
  return answer.revision;
}

std::unique_ptr<storage::Snapshot> Subject::Snapshot(storage::SnapshotPurpose purpose) {
  return Must(engine_->OpenSnapshot(purpose));
}

std::vector<Row> Subject::All(NamespaceId ns) { return ReadAll(*Snapshot(), now(), ns); }

uint64_t Subject::SweepAll() {
  uint64_t removed = 0;
  while (true) {
    const storage::SweepResult result = Must(engine_->SweepExpired(1000));
    removed += result.removed;
    if (!result.more) return removed;
  }
}

std::string UsageOf(Subject& subject, NamespaceId ns) {
  const storage::Usage usage = subject.ledger().Get(ns);
  return absl::StrCat(usage.entries, " entries, ", usage.bytes, " bytes");
}

}  // namespace tarn::testing
