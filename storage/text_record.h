// The small text files of a data directory: readable by people, and any damage is noticed.
//
//   tarn-KIND 1
//   name value
//   ...
//   checksum 0123456789abcdef
//
// The first line has the format's version, the last one XXH3-64 over everything before it.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace tarn::storage {

// Neither part may hold a line feed, nor the name a space.
struct TextField {
  absl::string_view name;
  absl::string_view value;
};

std::string EncodeTextRecord(absl::string_view kind, absl::Span<const TextField> fields);

// The values of exactly these fields in this order. DATA_LOSS when `content` is anything but what
// EncodeTextRecord made; FAILED_PRECONDITION when it has a version that this program does not know.
absl::StatusOr<std::vector<std::string>> DecodeTextRecord(absl::string_view kind,
                                                          absl::Span<const absl::string_view> names,
                                                          absl::string_view content);

}  // namespace tarn::storage
