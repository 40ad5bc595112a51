#include "server/exit_codes.h"

#include <string>

#include "absl/strings/cord.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace tarn::server {
namespace {

constexpr char kPayload[] = "tarn.exit_code";

}  // namespace

absl::Status WithExitCode(const absl::Status& error, ExitCode code) {
  absl::Status status = error;
  status.SetPayload(kPayload, absl::Cord(absl::StrCat(static_cast<int>(code))));
  return status;
}

absl::Status ExitingFromStore(const absl::Status& error) {
  if (absl::IsDataLoss(error)) return WithExitCode(error, ExitCode::kDamaged);
  return WithExitCode(
      error, absl::IsFailedPrecondition(error) ? ExitCode::kOtherStore : ExitCode::kFailed);
}

bool HasExitCode(const absl::Status& error) { return error.GetPayload(kPayload).has_value(); }

ExitCode ExitCodeOf(const absl::Status& error) {
  const auto payload = error.GetPayload(kPayload);
  int number = 0;
  if (!payload || !absl::SimpleAtoi(std::string(*payload), &number)) return ExitCode::kFailed;
  return static_cast<ExitCode>(number);
}

}  // namespace tarn::server
