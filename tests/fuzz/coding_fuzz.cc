// Any bytes through the decoders of integers and strings: what they take is what the encoders make.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "storage/base/coding.h"

namespace {

using tarn::base::AppendLengthPrefixed;
using tarn::base::AppendVarint64;

void Check(bool right) {
  if (!right) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view input(reinterpret_cast<const char*>(data), size);
  absl::string_view rest = input;
  std::string again;
  while (const auto number = tarn::base::ConsumeVarint64(&rest)) AppendVarint64(&again, *number);
  Check(again == input.substr(0, input.size() - rest.size()));
  again.clear();
  rest = input;
  while (const auto bytes = tarn::base::ConsumeLengthPrefixed(&rest))
    AppendLengthPrefixed(&again, *bytes);
  Check(again == input.substr(0, input.size() - rest.size()));
  return 0;
}
