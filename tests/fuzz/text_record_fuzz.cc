// Any bytes as a file of the data directory: refused, or exactly what the encoder makes of the
// values found.
#include <cstdint>
#include <cstdlib>

#include "storage/text_record.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view content(reinterpret_cast<const char*>(data), size);
  const auto values = tarn::storage::DecodeTextRecord("store", {"id", "engine"}, content);
  if (!values.ok()) return 0;
  if (tarn::storage::EncodeTextRecord("store", {{"id", (*values)[0]}, {"engine", (*values)[1]}}) !=
      content)
    std::abort();
  return 0;
}
