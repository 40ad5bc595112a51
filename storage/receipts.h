// How the answer to a write is kept, so that a repetition of the write can be given it again.
//
// A receipt is an entry of the system namespace. Its key says whose request it is, which operation
// of it, and where the engine is to keep it; its value has the answer. Both are made here alone, so
// that a receipt means the same to every engine, and in a checkpoint.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "storage/base/checksum.h"
#include "storage/base/clock.h"
#include "storage/batch.h"
#include "storage/namespaces.h"

namespace tarn::storage {

// All keys of receipts begin so, and no other keys do.
inline constexpr absl::string_view kReceiptKeyPrefix = "rq/";

// Where a key lies, for engines that have more than one place: Checksum64 of the key (of nothing in
// a namespace that is placed together) with the namespace's number as seed, its low 16 bits.
using ReceiptRoute = uint16_t;
ReceiptRoute RouteOf(Placement placement, NamespaceId ns, absl::string_view key);

struct ReceiptName {
  Revision client = 0;
  uint64_t request = 0;
  uint32_t operation = 0;  // Its index in an independent batch; 0 for an atomic batch.
  ReceiptRoute route = 0;  // Of the operation's key, or of the batch's first.
};

// The prefix, then client, request, operation and route, big-endian: in the order of their numbers.
std::string ReceiptKey(const ReceiptName& name);
// Nothing when it is not the key of a receipt.
std::optional<ReceiptName> ParseReceiptKey(absl::string_view key);
// Likewise; all that an engine needs to know.
std::optional<ReceiptRoute> RouteInReceiptKey(absl::string_view key);

inline constexpr size_t kReceiptKeyBytes = 3 + 8 + 8 + 4 + 2;

// What is known before the write.
struct ReceiptHead {
  base::Hash128 digest;   // Of the whole request: see RequestDigest.
  base::UnixMs time = 0;  // When the request was admitted.
};

inline constexpr size_t kReceiptHeaderBytes = 25;
// What the value begins with: version 1 (one byte), digest (16 bytes), time (8 bytes).
std::string ReceiptHeader(const ReceiptHead& head);

// The value. Numbers are big-endian, so that a script without 64-bit integers can make one too:
//   header
//   revision   8 bytes, of an atomic batch's commit; 0 when it changed nothing, and for the
//              operation of an independent batch
//   for each result: found (1 byte, 0 or 1), revision (8 bytes), deadline (8 bytes, kNever as in
//     storage/base/clock.h), size (4 bytes), length (4 bytes) and so many bytes: the value of get
//     and take, the number after add as decimal text, otherwise nothing
// `results` have succeeded, and are those of `operations`.
std::string EncodeReceipt(absl::string_view header, Revision revision,
                          absl::Span<const Operation> operations,
                          absl::Span<const OperationResult> results);

// Of key and value, without making them; what a sum takes is an upper bound.
size_t ReceiptBytes(absl::Span<const Operation> operations,
                    absl::Span<const OperationResult> results);

// DATA_LOSS when it is not the value of a receipt; FAILED_PRECONDITION when it has a version that
// this program does not know.
absl::StatusOr<ReceiptHead> DecodeReceiptHead(absl::string_view value);

// Appends the answer to `answer`: one result for each of `operations`, which the receipt was made
// for, marked as replayed, and the revision. DATA_LOSS when it does not fit them.
absl::Status DecodeReceipt(absl::string_view value, absl::Span<const Operation> operations,
                           BatchResult& answer);

}  // namespace tarn::storage
