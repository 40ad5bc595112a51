#include "storage/store_scan.h"

#include <algorithm>
#include <utility>

#include "storage/base/error.h"

namespace tarn::storage {
namespace {

// With kResultOverheadBytes each, and a chunk's bytes, well within a response.
constexpr size_t kMaxChunkEntries = 4096;

}  // namespace

StoreScan::StoreScan(ScanSessions& sessions, std::shared_ptr<ScanSession> session,
                     const ResumeTokenCodec& tokens, const base::Clock& clock, Plan plan)
    : sessions_(sessions),
      session_(std::move(session)),
      tokens_(tokens),
      clock_(clock),
      plan_(std::move(plan)),
      cursor_(session_->snapshot->NewCursor(plan_.range, plan_.options)),
      last_key_(plan_.last_key) {}

StoreScan::~StoreScan() { sessions_.Leave(session_, Afterwards()); }

// Without a token nobody can come back.
ScanSessions::Afterwards StoreScan::Afterwards() const {
  const bool has_token = gave_token_ || !plan_.last_key.empty();
  if (failed_ || !has_token) return ScanSessions::Afterwards::kEnd;
  return at_end_ ? ScanSessions::Afterwards::kLinger : ScanSessions::Afterwards::kKeep;
}

void StoreScan::Next(Done done) {
  PageBudget budget{.max_entries = kMaxChunkEntries, .max_bytes = plan_.chunk_bytes};
  if (plan_.limit != 0) {
    budget.max_entries = std::min<uint64_t>(budget.max_entries, plan_.limit - given_);
  }
  if (at_end_ || budget.max_entries == 0) {
    return std::move(done)(absl::OkStatus(),
                           {.revision = session_->snapshot->revision(), .resume_token = Token()});
  }
  cursor_->Next(budget, clock_.Now(),
                [this, done = std::move(done)](const absl::Status& status, Page& page) mutable {
                  Give(status, page, std::move(done));
                });
}

void StoreScan::Give(const absl::Status& status, const Page& page, Done done) {
  if (!status.ok()) {
    failed_ = base::ReasonOf(status) == base::Reason::kSnapshotExpired;
    return std::move(done)(status, {});
  }
  given_ += page.entries.size();
  at_end_ = page.at_end;
  if (!page.entries.empty()) last_key_ = std::string(page.entries.back().key);
  gave_token_ = gave_token_ || !at_end_;
  std::move(done)(absl::OkStatus(), {.entries = page.entries,
                                     .revision = session_->snapshot->revision(),
                                     .resume_token = Token()});
}

std::string StoreScan::Token() const {
  if (at_end_) return "";
  return tokens_.Encode({.session = session_->id,
                         .ns = session_->ns,
                         .request_digest = session_->request_digest,
                         .last_key = last_key_});
}

}  // namespace tarn::storage
