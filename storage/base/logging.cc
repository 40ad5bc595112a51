#include "storage/base/logging.h"

#include <memory>

#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>

namespace tarn::base {
namespace {

constexpr char kMessageFlag = '*';
constexpr char kTextPattern[] = "%Y-%m-%dT%H:%M:%S.%eZ %l %*";
constexpr char kJsonPattern[] = R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l","message":"%*"})";

void AppendEscaped(absl::string_view bytes, LogFormat format, spdlog::memory_buf_t& target) {
  constexpr char kHex[] = "0123456789abcdef";
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) {
      for (const char part : {'\\', 'u', '0', '0', kHex[byte >> 4], kHex[byte & 15]})
        target.push_back(part);
      continue;
    }
    if (format == LogFormat::kJson && (c == '"' || c == '\\')) target.push_back('\\');
    target.push_back(c);
  }
}

// The message with control characters made visible: a line of the log is one record whatever a
// message holds.
class EscapedMessage final : public spdlog::custom_flag_formatter {
 public:
  explicit EscapedMessage(LogFormat format) : format_(format) {}

  void format(const spdlog::details::log_msg& message, const std::tm&,
              spdlog::memory_buf_t& target) override {
    AppendEscaped(absl::string_view(message.payload.data(), message.payload.size()), format_,
                  target);
  }
  std::unique_ptr<spdlog::custom_flag_formatter> clone() const override {
    return std::make_unique<EscapedMessage>(format_);
  }

 private:
  const LogFormat format_;
};

std::unique_ptr<spdlog::formatter> MakeFormatter(LogFormat format) {
  auto formatter = std::make_unique<spdlog::pattern_formatter>(spdlog::pattern_time_type::utc);
  formatter->add_flag<EscapedMessage>(kMessageFlag, format);
  formatter->set_pattern(format == LogFormat::kJson ? kJsonPattern : kTextPattern);
  return formatter;
}

spdlog::level::level_enum Convert(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return spdlog::level::debug;
    case LogLevel::kInfo:
      return spdlog::level::info;
    case LogLevel::kWarning:
      return spdlog::level::warn;
    case LogLevel::kError:
      return spdlog::level::err;
    case LogLevel::kOff:
      break;
  }
  return spdlog::level::off;
}

// Lives for ever: threads may log while the process ends.
spdlog::logger& Logger() {
  static spdlog::logger* const logger = [] {
    auto made = new spdlog::logger("tarn", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    made->set_formatter(MakeFormatter(LogFormat::kText));
    return made;
  }();
  return *logger;
}

}  // namespace

// The sink has a lock for its formatter, and the logger's level is atomic. (logger::set_formatter
// would not lock.)
void ConfigureLogging(const LogOptions& options) {
  spdlog::logger& logger = Logger();
  logger.sinks().front()->set_formatter(MakeFormatter(options.format));
  logger.set_level(Convert(options.level));
}

bool LogEnabled(LogLevel level) {
  return level != LogLevel::kOff && Logger().should_log(Convert(level));
}

void WriteLog(LogLevel level, absl::string_view message) {
  if (level == LogLevel::kOff) return;
  Logger().log(Convert(level), spdlog::string_view_t(message.data(), message.size()));
}

}  // namespace tarn::base
