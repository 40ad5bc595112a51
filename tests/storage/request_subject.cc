#include "tests/storage/request_subject.h"

#include "absl/strings/str_cat.h"
#include "storage/base/error.h"
#include "storage/client_record.h"
#include "storage/receipts.h"

namespace tarn::storage {
namespace {

using testing::Brief;

// How many entries of the system namespace begin with the prefix.
int CountRecords(StoreSubject& subject, absl::string_view prefix) {
  int count = 0;
  const auto snapshot = testing::Value(subject.memory->OpenSnapshot(SnapshotPurpose::kScan));
  const auto cursor = snapshot->NewCursor({.start = std::string(prefix)}, {});
  cursor->Next({.max_entries = 100'000, .max_bytes = 100 << 20}, subject.clock.Now(),
               [&](const absl::Status&, Page& page) {
                 for (const EntryView& entry : page.entries) {
                   if (entry.key.substr(0, prefix.size()) == prefix) ++count;
                 }
               });
  return count;
}

}  // namespace

absl::Status Unavailable() {
  return base::MakeError(absl::StatusCode::kUnavailable, base::Reason::kEngineUnavailable, "away");
}

std::string Say(const Answer& answer) {
  if (!answer.status.ok()) return Brief(answer.status);
  const std::string text = answer.value.empty() ? absl::StrCat(answer.number) : answer.value;
  return absl::StrCat(text, answer.replayed ? " again" : "");
}

std::string Say(const BatchAnswer& answer) {
  if (!answer.status.ok()) return Brief(answer.status);
  std::string text;
  for (const Answer& one : answer.results) {
    absl::StrAppend(&text, text.empty() ? "" : ", ", Say(one));
  }
  return text;
}

int Receipts(StoreSubject& subject) { return CountRecords(subject, kReceiptKeyPrefix); }
int Clients(StoreSubject& subject) { return CountRecords(subject, kClientKeyPrefix); }

void Pass(StoreSubject& subject, base::UnixMs milliseconds) {
  subject.clock.Advance(milliseconds);
  subject.store().SweepOnce();
}

}  // namespace tarn::storage
