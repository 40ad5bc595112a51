#include "storage/rocksdb/info_log.h"

#include <array>
#include <cstdio>

#include "absl/strings/string_view.h"
#include "storage/base/logging.h"

namespace tarn::storage::rocks {

void InfoLog::Logv(rocksdb::InfoLogLevel level, const char* format, va_list arguments) {
  if (level < GetInfoLogLevel()) return;
  std::array<char, kMaxMessageBytes> text{};
  if (std::vsnprintf(text.data(), text.size(), format, arguments) < 0) return;
  const absl::string_view message = text.data();
  if (level == rocksdb::InfoLogLevel::WARN_LEVEL) {
    base::LogWarning("rocksdb: ", message);
  } else {
    base::LogError("rocksdb: ", message);
  }
}

}  // namespace tarn::storage::rocks
