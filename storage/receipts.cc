#include "storage/receipts.h"

#include <charconv>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "storage/base/coding.h"
#include "storage/base/error.h"
#include "storage/evaluate.h"

namespace tarn::storage {
namespace {

constexpr char kVersion = 1;
constexpr size_t kRouteBytes = 2;
constexpr size_t kResultBytes = 1 + 8 + 8 + 4 + 4;
// The longest decimal text of a 64-bit integer.
constexpr size_t kMaxDigits = 20;

absl::Status Damaged() {
  return base::MakeError(absl::StatusCode::kDataLoss, base::Reason::kDataLoss,
                         "a receipt is damaged");
}

void AppendRoute(std::string* target, ReceiptRoute route) {
  target->push_back(static_cast<char>(route >> 8));
  target->push_back(static_cast<char>(route));
}

ReceiptRoute DecodeRoute(const char* bytes) {
  return static_cast<ReceiptRoute>(static_cast<uint8_t>(bytes[0]) << 8 |
                                   static_cast<uint8_t>(bytes[1]));
}

bool IsReceiptKey(absl::string_view key) {
  return key.size() == kReceiptKeyBytes && absl::ConsumePrefix(&key, kReceiptKeyPrefix);
}

void AppendBytes(std::string* target, absl::string_view bytes) {
  base::AppendFixed32(target, static_cast<uint32_t>(bytes.size()));
  target->append(bytes.data(), bytes.size());
}

void AppendResult(const Operation& operation, const OperationResult& result, std::string* value) {
  value->push_back(result.found ? 1 : 0);
  base::AppendFixed64(value, result.revision);
  base::AppendFixed64(value, static_cast<uint64_t>(result.deadline));
  base::AppendFixed32(value, static_cast<uint32_t>(result.size));
  if (operation.kind != OperationKind::kAdd) return AppendBytes(value, result.value);
  char digits[kMaxDigits];
  const auto end = std::to_chars(digits, digits + kMaxDigits, result.number).ptr;
  AppendBytes(value, {digits, static_cast<size_t>(end - digits)});
}

std::optional<absl::string_view> ConsumeBytes(absl::string_view* input) {
  const std::optional<uint32_t> size = base::ConsumeFixed32(input);
  if (!size || *size > input->size()) return std::nullopt;
  const absl::string_view bytes = input->substr(0, *size);
  input->remove_prefix(*size);
  return bytes;
}

absl::Status ConsumeResult(const Operation& operation, absl::string_view* input,
                           BatchResult& answer) {
  if (input->empty() || static_cast<uint8_t>(input->front()) > 1) return Damaged();
  OperationResult& result = answer.results.emplace_back();
  result.replayed = true;
  result.found = input->front() == 1;
  input->remove_prefix(1);
  const auto revision = base::ConsumeFixed64(input);
  const auto deadline = base::ConsumeFixed64(input);
  const auto size = base::ConsumeFixed32(input);
  const auto bytes = ConsumeBytes(input);
  if (!revision || !deadline || !size || !bytes) return Damaged();
  result.revision = *revision;
  result.deadline = static_cast<base::UnixMs>(*deadline);
  result.size = *size;
  if (operation.kind != OperationKind::kAdd) {
    result.value = answer.arena.Copy(*bytes);
    return absl::OkStatus();
  }
  const std::optional<int64_t> number = ParseInteger(*bytes);
  if (!number) return Damaged();
  result.number = *number;
  return absl::OkStatus();
}

}  // namespace

ReceiptRoute RouteOf(Placement placement, NamespaceId ns, absl::string_view key) {
  const absl::string_view hashed = placement == Placement::kTogether ? absl::string_view() : key;
  return static_cast<ReceiptRoute>(base::Checksum64(hashed, ns));
}

std::string ReceiptKey(const ReceiptName& name) {
  std::string key;
  key.reserve(kReceiptKeyBytes);
  key.append(kReceiptKeyPrefix.data(), kReceiptKeyPrefix.size());
  base::AppendFixed64(&key, name.client);
  base::AppendFixed64(&key, name.request);
  base::AppendFixed32(&key, name.operation);
  AppendRoute(&key, name.route);
  return key;
}

std::optional<ReceiptName> ParseReceiptKey(absl::string_view key) {
  if (!IsReceiptKey(key)) return std::nullopt;
  const char* const bytes = key.data() + kReceiptKeyPrefix.size();
  return ReceiptName{.client = base::DecodeFixed64(bytes),
                     .request = base::DecodeFixed64(bytes + 8),
                     .operation = base::DecodeFixed32(bytes + 16),
                     .route = DecodeRoute(bytes + 20)};
}

std::optional<ReceiptRoute> RouteInReceiptKey(absl::string_view key) {
  if (!IsReceiptKey(key)) return std::nullopt;
  return DecodeRoute(key.data() + kReceiptKeyBytes - kRouteBytes);
}

std::string ReceiptHeader(const ReceiptHead& head) {
  std::string bytes;
  bytes.reserve(kReceiptHeaderBytes);
  bytes.push_back(kVersion);
  base::AppendFixed64(&bytes, head.digest.high);
  base::AppendFixed64(&bytes, head.digest.low);
  base::AppendFixed64(&bytes, static_cast<uint64_t>(head.time));
  return bytes;
}

std::string EncodeReceipt(absl::string_view header, Revision revision,
                          absl::Span<const Operation> operations,
                          absl::Span<const OperationResult> results) {
  std::string value(header.data(), header.size());
  base::AppendFixed64(&value, revision);
  for (size_t i = 0; i < results.size(); ++i) AppendResult(operations[i], results[i], &value);
  return value;
}

size_t ReceiptBytes(absl::Span<const Operation> operations,
                    absl::Span<const OperationResult> results) {
  size_t bytes = kReceiptKeyBytes + kReceiptHeaderBytes + sizeof(Revision);
  for (size_t i = 0; i < results.size(); ++i) {
    const bool sum = operations[i].kind == OperationKind::kAdd;
    bytes += kResultBytes + (sum ? kMaxDigits : results[i].value.size());
  }
  return bytes;
}

absl::StatusOr<ReceiptHead> DecodeReceiptHead(absl::string_view value) {
  if (value.empty()) return Damaged();
  if (value[0] != kVersion) {
    return absl::FailedPreconditionError(
        absl::StrCat("a receipt has format version ", static_cast<uint8_t>(value[0]),
                     ", this program knows version ", int{kVersion}, " only"));
  }
  if (value.size() < kReceiptHeaderBytes) return Damaged();
  const char* const bytes = value.data() + 1;
  return ReceiptHead{
      .digest = {.high = base::DecodeFixed64(bytes), .low = base::DecodeFixed64(bytes + 8)},
      .time = static_cast<base::UnixMs>(base::DecodeFixed64(bytes + 16))};
}

absl::Status DecodeReceipt(absl::string_view value, absl::Span<const Operation> operations,
                           BatchResult& answer) {
  const absl::StatusOr<ReceiptHead> head = DecodeReceiptHead(value);
  if (!head.ok()) return head.status();
  value.remove_prefix(kReceiptHeaderBytes);
  const std::optional<uint64_t> revision = base::ConsumeFixed64(&value);
  if (!revision) return Damaged();
  for (const Operation& operation : operations) {
    absl::Status status = ConsumeResult(operation, &value, answer);
    if (!status.ok()) return status;
  }
  if (!value.empty()) return Damaged();
  answer.revision = *revision;
  return absl::OkStatus();
}

}  // namespace tarn::storage
