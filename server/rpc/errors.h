// The one place where Tarn's errors become what a client sees: google.rpc.Status with its details.
#pragma once

#include <cstddef>
#include <optional>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "google/rpc/status.pb.h"
#include "storage/base/error.h"
#include "storage/batch.h"
#include "storage/limits.h"
#include "tarn/v1/errors.pb.h"

namespace tarn::server {

// What a request was about, so that its error can say more. Everything may be missing.
struct ErrorSite {
  absl::string_view ns;
  const storage::Limits* limits = nullptr;
  std::optional<size_t> index;  // Of the operation in its batch; none for a unary call.
  const storage::Operation* operation = nullptr;  // The operation that failed.
  std::optional<size_t> batch_size;
};

// `status` is an error. Its reason decides the code; an error without a reason keeps its code,
// unless that is one which only Tarn's own rules may give, or one that says nothing: those are
// INTERNAL.
google::rpc::Status ToWire(const absl::Status& status, const ErrorSite& site = {});

// The reason that ToWire gives; kNone when it gives none.
base::Reason ReasonToTell(const absl::Status& status);

// The reason that an error of ToWire was given.
base::Reason ReasonOf(const google::rpc::Status& error);

// Whether an error of this reason advises to try again (RetryInfo).
bool AdvisesRetry(base::Reason reason);

// An error that names the field of the request which it is about, by its path from the request's
// root (or from its operation, when ErrorSite::index is given).
absl::Status AtField(const absl::Status& status, absl::string_view path);

// The one code that a reason comes with; kUnknown for kNone.
absl::StatusCode CodeOf(base::Reason reason);

tarn::v1::ErrorReason ToWireReason(base::Reason reason);

// An error of INVALID_ARGUMENT at a field.
absl::Status InvalidField(base::Reason reason, absl::string_view path, absl::string_view message);

}  // namespace tarn::server
