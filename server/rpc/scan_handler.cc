#include "server/rpc/scan_handler.h"

#include <utility>

#include "server/rpc/conversion.h"
#include "server/rpc/errors.h"
#include "server/rpc/scan_codec.h"
#include "storage/base/error.h"

namespace tarn::server {

ScanHandler::ScanHandler(Gate& gate, Counters& counters, const ServerLimits& limits,
                         const EncodedMessage& request, ResponseStream<EncodedMessage>& stream)
    : gate_(gate),
      counters_(counters),
      limits_(limits),
      encoded_request_(request),
      stream_(stream) {}

void ScanHandler::Start() {
  storage::Store* store = gate_.store();
  if (store == nullptr) return stream_.Fail(ToWire(gate_.Refusal()));
  const absl::string_view bytes = encoded_request_.view();
  if (!request_.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return Fail(base::MakeError(absl::StatusCode::kInvalidArgument, base::Reason::kInvalidRequest,
                                "the request is not a well-formed message"));
  }
  absl::StatusOr<storage::ScanRequest> scan = ToScanRequest(request_, limits_.scan_chunk_bytes);
  if (!scan.ok()) return Fail(scan.status());
  store->OpenScan(*scan, [this](absl::StatusOr<std::unique_ptr<storage::Scan>> opened) {
    Opened(std::move(opened));
  });
}

void ScanHandler::Opened(absl::StatusOr<std::unique_ptr<storage::Scan>> scan) {
  if (!scan.ok()) return Fail(scan.status());
  scan_ = *std::move(scan);
  met_.store(1, std::memory_order_relaxed);  // Nothing is before the first one.
  Advance();
}

void ScanHandler::Advance() {
  scan_->Next([this](const absl::Status& status, const storage::ScanChunk& chunk) {
    Take(status, chunk);
    Meet();
  });
  Meet();
}

void ScanHandler::Take(const absl::Status& status, const storage::ScanChunk& chunk) {
  have_next_ = true;
  status_ = status;
  if (!status.ok()) return;
  next_ = EncodeScanResponse(chunk);
  read_entries_ += chunk.entries.size();
  const bool at_limit = request_.limit() > 0 && read_entries_ >= request_.limit();
  next_is_last_ = at_limit || chunk.resume_token.empty();
  counters_.AddScanned(chunk.entries.size(), BytesOf(chunk));
}

void ScanHandler::Meet() {
  if (met_.fetch_add(1, std::memory_order_acq_rel) + 1 == kToMeet) Proceed();
}

void ScanHandler::Proceed() {
  if (broken_.load(std::memory_order_relaxed) || last_) {
    scan_.reset();
    return stream_.Finish();
  }
  if (have_next_) return Send();
  met_.store(1, std::memory_order_relaxed);  // The one before is out.
  Advance();
}

void ScanHandler::Send() {
  if (!status_.ok()) return Fail(status_);
  writing_ = std::move(next_);
  have_next_ = false;
  last_ = next_is_last_;
  // Without reading ahead, what follows the write may be over, and this gone, when Write returns.
  const bool ahead = !last_ && IsAlone();
  met_.store(ahead ? 0 : kToMeet - 1, std::memory_order_relaxed);
  stream_.Write(writing_);
  if (ahead) Advance();
}

bool ScanHandler::IsAlone() const { return counters_.calls_in_flight() <= 1; }

void ScanHandler::OnWritten(Outcome outcome) {
  if (outcome == Outcome::kFailed) broken_.store(true, std::memory_order_relaxed);
  Meet();
}

void ScanHandler::Fail(const absl::Status& status) {
  scan_.reset();
  stream_.Fail(ToWire(status, {.ns = request_.namespace_()}));
}

}  // namespace tarn::server
