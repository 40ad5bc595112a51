// Keeps what a site knows of its visitors: when each came last, and how often.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "tarn/client.h"

// Counts a visit. A visitor's page is remembered for 30 days from now; the count is kept for ever.
// Both change together, or not at all.
inline absl::StatusOr<int64_t> CountVisit(const tarn::Client& client, const std::string& visitor,
                                          const std::string& page) {
  tarn::Batch batch = tarn::Batch::Atomic();
  batch.Put("page/" + visitor, page, tarn::Ttl::Of(std::chrono::days(30)));
  batch.Increment("visits/" + visitor, 1);
  const absl::StatusOr<tarn::BatchResult> result = client.RunBatch(std::move(batch));
  if (!result.ok()) return result.status();
  return result->results[1].number;
}

// Moves a visitor to another page, unless something has changed since the page was read.
inline absl::Status MoveFrom(const tarn::Client& client, const std::string& visitor,
                             const tarn::GetResult& seen, const std::string& page) {
  return client
      .Put("page/" + visitor, page,
           {.ttl = tarn::Ttl::Of(std::chrono::days(30)),
            .precondition = tarn::Precondition::AtRevision(seen.revision)})
      .status();
}
