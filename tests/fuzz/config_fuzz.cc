// Any bytes as a configuration file, and as each kind of value: refused, or understood in one way
// only.
#include <cstdint>
#include <cstdlib>
#include <set>
#include <string>

#include "server/config/config_file.h"
#include "server/config/values.h"

namespace {

using tarn::server::FileSetting;
using tarn::server::ParseConfigFile;

void Require(bool truth) {
  if (!truth) std::abort();
}

// What was read is written in its plainest form and read again.
void CheckWrittenAgain(const FileSetting& setting) {
  if (setting.values.size() != 1 || setting.values[0].find_first_of("\"'") != std::string::npos)
    return;
  const auto again = ParseConfigFile(setting.key + " = \"" + setting.values[0] + "\"\n");
  Require(again.ok() && again->size() == 1);
  Require(again->front().key == setting.key && again->front().values == setting.values);
}

void CheckFile(absl::string_view content) {
  const auto settings = ParseConfigFile(content);
  if (!settings.ok()) return;
  std::set<std::string> keys;
  int line = 0;
  for (const FileSetting& setting : *settings) {
    Require(!setting.key.empty() && keys.insert(setting.key).second);
    Require(setting.line > line);
    line = setting.line;
    CheckWrittenAgain(setting);
  }
}

void CheckValues(absl::string_view text) {
  const auto number = tarn::server::ParseNumber(text);
  const auto size = tarn::server::ParseSize(text);
  if (size.ok()) {
    Require(!number.ok() || *size == *number);
    Require(*tarn::server::ParseSize(tarn::server::ShowSize(*size)) == *size);
  }
  const auto duration = tarn::server::ParseDuration(text);
  if (duration.ok()) Require(*duration >= absl::ZeroDuration());
  (void)tarn::server::ParseSwitch(text);
  (void)tarn::server::ParseListenAddress(text);
  for (const std::string& element : tarn::server::ParseList(text))
    Require(element.find(',') == std::string::npos);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view content(reinterpret_cast<const char*>(data), size);
  CheckFile(content);
  CheckValues(content);
  return 0;
}
