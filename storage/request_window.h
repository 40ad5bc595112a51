// What is known of one client's requests.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/container/inlined_vector.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "storage/base/checksum.h"
#include "storage/base/clock.h"
#include "storage/receipts.h"

namespace tarn::storage {

// How one operation, or a whole batch, was answered.
struct KeptAnswer {
  enum class Kind : uint8_t {
    kReceipt,       // The engine has the receipt.
    kPerhaps,       // It may have it: the outcome was not known.
    kFailure,       // An operation of an independent batch failed for good, with `failure`.
    kWholeFailure,  // The batch did, because of `operation` if it is atomic.
  };
  Kind kind = Kind::kReceipt;
  ReceiptRoute route = 0;
  uint32_t operation = 0;
  absl::Status failure;
};

struct KeptAnswers {
  absl::InlinedVector<KeptAnswer, 1> answers;
  size_t bytes = 0;  // Of the receipts, keys included.
};

// The ids of one client from `floor` on. An id is unused, under way, or known with its answers; of
// what was answered, only what must not be done again is remembered. Not thread-safe.
class RequestWindow {
 public:
  // What an id costs besides its receipts, about.
  static constexpr size_t kBytesPerRequest = 96;

  enum class Standing : uint8_t {
    kFresh,     // It was unused, and is under way now.
    kKnown,     // There are answers; it is under way again.
    kUnderWay,  // Somebody else has it.
  };

  // Receipts that may be removed, because no request can name them any more.
  struct Removal {
    std::vector<ReceiptName> receipts;
    size_t requests = 0;
    size_t bytes = 0;
  };
  // By how much the window has grown.
  struct Growth {
    int64_t requests = 0;
    int64_t bytes = 0;
  };

  explicit RequestWindow(Revision client, uint64_t floor) : client_(client), floor_(floor) {}

  // OUT_OF_RANGE (REQUEST_TOO_OLD), INVALID_ARGUMENT (REQUEST_MISMATCH).
  absl::StatusOr<Standing> Begin(uint64_t request, const base::Hash128& digest);
  // Takes back a Begin that gave kFresh.
  void Abandon(uint64_t request);
  // Of a request that is under way.
  const KeptAnswers& AnswersOf(uint64_t request) const { return requests_.at(request).kept; }
  // The request is not under way any more. What is new joins what was known, in place of what was
  // known of the same operation; without any answer the id is unused again.
  Growth End(uint64_t request, KeptAnswers fresh, base::UnixMs now);

  // A receipt that was found at start; false when its id is below the window.
  bool Adopt(const ReceiptName& name, const ReceiptHead& head, size_t bytes);

  // Raises the floor over requests that were answered at or before `until` while more than `keep`
  // are known, until they have `max_receipts` or more; not while there are some below it already.
  uint64_t RaiseFloor(base::UnixMs until, size_t keep, size_t max_receipts);
  Removal TakeBelowFloor();
  // Drops all of them; none is under way.
  Removal Clear();

  uint64_t floor() const { return floor_; }
  size_t size() const { return requests_.size(); }
  size_t bytes() const { return bytes_; }
  bool busy() const { return under_way_ != 0; }

 private:
  struct Request {
    base::Hash128 digest;
    base::UnixMs time = 0;
    bool under_way = false;
    KeptAnswers kept;
  };
  using Requests = absl::btree_map<uint64_t, Request>;

  static size_t BytesOf(const Request& request);
  void MoveLowest(Removal& removal);

  const Revision client_;
  uint64_t floor_;  // Every id below it was used, or will not be any more.
  Requests requests_;
  size_t bytes_ = 0;  // Of those that have answers.
  size_t under_way_ = 0;
};

}  // namespace tarn::storage
