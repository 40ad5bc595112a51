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

ExitCode ExitCodeOf(const absl::Status& error) {
  const auto payload = error.GetPayload(kPayload);
  int number = 0;
  if (!payload || !absl::SimpleAtoi(std::string(*payload), &number)) return ExitCode::kFailed;
  return static_cast<ExitCode>(number);
}

}  // namespace tarn::server
