// The daemon's log. The only file that knows spdlog is logging.cc.
//
// A line never holds a key, a value or a secret: say which namespace, how many, how large.
#pragma once

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace tarn::base {

enum class LogLevel { kDebug, kInfo, kWarning, kError, kOff };
enum class LogFormat { kText, kJson };

struct LogOptions {
  LogLevel level = LogLevel::kInfo;
  LogFormat format = LogFormat::kText;  // JSON is one object a line, for collectors.
};

// Sends the log to stderr in this form from now on. Thread-safe.
void ConfigureLogging(const LogOptions& options);

bool LogEnabled(LogLevel level);
void WriteLog(LogLevel level, absl::string_view message);

// LogInfo("opened ", path, " in ", ms, " ms"): the parts are joined as absl::StrCat joins them.
template <typename... Parts>
void LogDebug(const Parts&... parts) {
  if (LogEnabled(LogLevel::kDebug)) WriteLog(LogLevel::kDebug, absl::StrCat(parts...));
}
template <typename... Parts>
void LogInfo(const Parts&... parts) {
  if (LogEnabled(LogLevel::kInfo)) WriteLog(LogLevel::kInfo, absl::StrCat(parts...));
}
template <typename... Parts>
void LogWarning(const Parts&... parts) {
  if (LogEnabled(LogLevel::kWarning)) WriteLog(LogLevel::kWarning, absl::StrCat(parts...));
}
template <typename... Parts>
void LogError(const Parts&... parts) {
  if (LogEnabled(LogLevel::kError)) WriteLog(LogLevel::kError, absl::StrCat(parts...));
}

}  // namespace tarn::base
