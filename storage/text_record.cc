#include "storage/text_record.h"

#include <algorithm>
#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "storage/base/checksum.h"
#include "storage/base/error.h"
#include "storage/base/status.h"

namespace tarn::storage {
namespace {

constexpr absl::string_view kVersion = "1";

std::string ChecksumLine(absl::string_view content) {
  return absl::StrCat("checksum ", absl::Hex(base::Checksum64(content), absl::kZeroPad16), "\n");
}

// The first line without its line feed; nothing when there is no whole line.
std::optional<absl::string_view> ConsumeLine(absl::string_view* input) {
  const size_t end = input->find('\n');
  if (end == absl::string_view::npos) return std::nullopt;
  const absl::string_view line = input->substr(0, end);
  input->remove_prefix(end + 1);
  return line;
}

absl::Status Damaged(absl::string_view what) {
  return base::MakeError(absl::StatusCode::kDataLoss, base::Reason::kDataLoss, what);
}

absl::Status CheckHeader(absl::string_view kind, absl::string_view line) {
  if (!absl::ConsumePrefix(&line, absl::StrCat("tarn-", kind, " "))) {
    return Damaged(absl::StrCat("it does not begin with tarn-", kind));
  }
  if (line == kVersion) return absl::OkStatus();
  if (line.empty() || !std::all_of(line.begin(), line.end(), absl::ascii_isdigit)) {
    return Damaged("its version is not a number");
  }
  return absl::FailedPreconditionError(absl::StrCat(
      "it has format version ", line, ", this program knows version ", kVersion, " only"));
}

}  // namespace

std::string EncodeTextRecord(absl::string_view kind, absl::Span<const TextField> fields) {
  std::string content = absl::StrCat("tarn-", kind, " ", kVersion, "\n");
  for (const TextField& field : fields)
    absl::StrAppend(&content, field.name, " ", field.value, "\n");
  return content + ChecksumLine(content);
}

absl::StatusOr<std::vector<std::string>> DecodeTextRecord(absl::string_view kind,
                                                          absl::Span<const absl::string_view> names,
                                                          absl::string_view content) {
  absl::string_view rest = content;
  const std::optional<absl::string_view> header = ConsumeLine(&rest);
  if (!header) return Damaged("it is empty or cut off");
  TARN_RETURN_IF_ERROR(CheckHeader(kind, *header));
  std::vector<std::string> values;
  for (const absl::string_view name : names) {
    std::optional<absl::string_view> line = ConsumeLine(&rest);
    if (!line || !absl::ConsumePrefix(&*line, absl::StrCat(name, " "))) {
      return Damaged(absl::StrCat("it lacks the line '", name, "'"));
    }
    values.emplace_back(*line);
  }
  const absl::string_view checked = content.substr(0, content.size() - rest.size());
  if (rest != ChecksumLine(checked)) return Damaged("its checksum does not fit its content");
  return values;
}

}  // namespace tarn::storage
