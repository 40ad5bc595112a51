// A scan as the Store hands it out.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "storage/base/clock.h"
#include "storage/resume_token.h"
#include "storage/scan_sessions.h"
#include "storage/store.h"

namespace tarn::storage {

// Reads a session's snapshot in chunks. Next does not leave the thread that calls it unless the
// engine does.
class StoreScan final : public Scan {
 public:
  struct Plan {
    KeyRange range;  // What is still to be read.
    ScanOptions options;
    uint64_t limit = 0;  // 0: none.
    size_t chunk_bytes = 0;
    // What the token of the last chunk that the caller has said; empty in a new scan.
    std::string last_key;
  };

  // `session` is in use by this scan, which leaves it in the end.
  StoreScan(ScanSessions& sessions, std::shared_ptr<ScanSession> session,
            const ResumeTokenCodec& tokens, const base::Clock& clock, Plan plan);
  ~StoreScan() override;

  void Next(Done done) override;

 private:
  ScanSessions::Afterwards Afterwards() const;
  void Give(const absl::Status& status, const Page& page, Done done);
  std::string Token() const;

  ScanSessions& sessions_;
  const std::shared_ptr<ScanSession> session_;
  const ResumeTokenCodec& tokens_;
  const base::Clock& clock_;
  const Plan plan_;
  const std::unique_ptr<Cursor> cursor_;

  uint64_t given_ = 0;    // Entries.
  std::string last_key_;  // Behind which a resumed scan begins; empty: at the range's beginning.
  bool gave_token_ = false;
  bool at_end_ = false;
  bool failed_ = false;
};

}  // namespace tarn::storage
