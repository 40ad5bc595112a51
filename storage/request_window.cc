#include "storage/request_window.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "storage/base/error.h"

namespace tarn::storage {
namespace {

using base::MakeError;
using base::Reason;

absl::Status TooOld(uint64_t request, uint64_t floor) {
  return MakeError(absl::StatusCode::kOutOfRange, Reason::kRequestTooOld,
                   absl::StrCat("what became of request ", request,
                                " is not known any more, only from ", floor, " on"));
}

absl::Status Mismatch(uint64_t request) {
  return MakeError(absl::StatusCode::kInvalidArgument, Reason::kRequestMismatch,
                   absl::StrCat("request ", request, " was another one"));
}

bool HasReceipt(const KeptAnswer& answer) {
  return answer.kind == KeptAnswer::Kind::kReceipt || answer.kind == KeptAnswer::Kind::kPerhaps;
}

bool SameOperation(const KeptAnswer& one, const KeptAnswer& other) {
  using Kind = KeptAnswer::Kind;
  const bool whole = one.kind == Kind::kWholeFailure || other.kind == Kind::kWholeFailure;
  return whole || one.operation == other.operation;
}

// In place of what was known of the same operation.
void Replace(KeptAnswers& kept, KeptAnswer answer) {
  auto& answers = kept.answers;
  answers.erase(std::remove_if(answers.begin(), answers.end(),
                               [&](const KeptAnswer& old) { return SameOperation(old, answer); }),
                answers.end());
  answers.push_back(std::move(answer));
}

}  // namespace

size_t RequestWindow::BytesOf(const Request& request) {
  size_t bytes = kBytesPerRequest + request.kept.bytes;
  for (const KeptAnswer& answer : request.kept.answers) bytes += answer.failure.message().size();
  return bytes;
}

absl::StatusOr<RequestWindow::Standing> RequestWindow::Begin(uint64_t request,
                                                             const base::Hash128& digest) {
  if (request < floor_) return TooOld(request, floor_);
  // Most requests are the newest.
  const auto hint = requests_.empty() || std::prev(requests_.end())->first < request
                        ? requests_.end()
                        : requests_.lower_bound(request);
  if (hint == requests_.end() || hint->first != request) {
    requests_.emplace_hint(hint, request, Request{.digest = digest, .under_way = true});
    ++under_way_;
    return Standing::kFresh;
  }
  Request& known = hint->second;
  if (!(known.digest == digest)) return Mismatch(request);
  if (known.under_way) return Standing::kUnderWay;
  known.under_way = true;
  ++under_way_;
  return Standing::kKnown;
}

void RequestWindow::Abandon(uint64_t request) {
  requests_.erase(request);
  --under_way_;
}

RequestWindow::Growth RequestWindow::End(uint64_t request, KeptAnswers fresh, base::UnixMs now) {
  const auto it = requests_.find(request);
  Request& known = it->second;
  const bool was_known = !known.kept.answers.empty();
  const size_t before = was_known ? BytesOf(known) : 0;
  if (!fresh.answers.empty()) known.time = now;
  for (KeptAnswer& answer : fresh.answers) Replace(known.kept, std::move(answer));
  known.kept.bytes += fresh.bytes;
  known.under_way = false;
  --under_way_;
  const bool is_known = !known.kept.answers.empty();
  const size_t after = is_known ? BytesOf(known) : 0;
  if (!is_known) requests_.erase(it);
  bytes_ += after - before;
  return {.requests = is_known - was_known,
          .bytes = static_cast<int64_t>(after) - static_cast<int64_t>(before)};
}

bool RequestWindow::Adopt(const ReceiptName& name, const ReceiptHead& head, size_t bytes) {
  if (name.request < floor_) return false;
  Request& request = requests_[name.request];
  bytes_ -= request.kept.answers.empty() ? 0 : BytesOf(request);
  request.digest = head.digest;
  request.time = std::max(request.time, head.time);
  request.kept.answers.push_back({.route = name.route, .operation = name.operation});
  request.kept.bytes += bytes;
  bytes_ += BytesOf(request);
  return true;
}

uint64_t RequestWindow::RaiseFloor(base::UnixMs until, size_t keep, size_t max_receipts) {
  if (requests_.empty() || requests_.begin()->first < floor_) return floor_;
  size_t left = requests_.size();
  size_t receipts = 0;
  for (auto it = requests_.begin(); left > keep && receipts < max_receipts; ++it, --left) {
    if (it->second.under_way || it->second.time > until) break;
    receipts += it->second.kept.answers.size();
    floor_ = it->first + 1;
  }
  return floor_;
}

void RequestWindow::MoveLowest(Removal& removal) {
  const auto lowest = requests_.begin();
  for (const KeptAnswer& answer : lowest->second.kept.answers) {
    if (!HasReceipt(answer)) continue;
    removal.receipts.push_back({.client = client_,
                                .request = lowest->first,
                                .operation = answer.operation,
                                .route = answer.route});
  }
  const size_t bytes = BytesOf(lowest->second);
  ++removal.requests;
  removal.bytes += bytes;
  bytes_ -= bytes;
  requests_.erase(lowest);
}

RequestWindow::Removal RequestWindow::TakeBelowFloor() {
  Removal removal;
  while (!requests_.empty() && requests_.begin()->first < floor_) MoveLowest(removal);
  return removal;
}

RequestWindow::Removal RequestWindow::Clear() {
  Removal removal;
  while (!requests_.empty()) MoveLowest(removal);
  return removal;
}

}  // namespace tarn::storage
