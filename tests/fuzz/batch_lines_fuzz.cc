// Any bytes as a line of `tarnctl batch`: refused, or words that can be written and read again.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "client/cli/batch_lines.h"

namespace {

std::string Quoted(const std::string& word) {
  std::string quoted = "\"";
  for (const char byte : word) {
    char escape[5];
    std::snprintf(escape, sizeof(escape), "\\x%02x", static_cast<unsigned char>(byte));
    quoted += escape;
  }
  return quoted + "\"";
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view line(reinterpret_cast<const char*>(data), size);
  const auto words = tarn::cli::SplitWords(line);
  if (!words.ok()) return 0;
  std::string written;
  for (const std::string& word : *words) written += Quoted(word) + " ";
  const auto again = tarn::cli::SplitWords(written);
  if (!again.ok() || *again != *words) std::abort();
  if (words->empty()) return 0;  // The command skips the line.
  for (const auto encoding : {tarn::cli::Encoding::kText, tarn::cli::Encoding::kHex})
    (void)tarn::cli::ParseOperation(*words, encoding);
  return 0;
}
