#include "storage/base/logging.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <regex>
#include <string>

#include "tests/catch.h"
#include "tests/support/temp_dir.h"

namespace tarn::base {
namespace {

// Turns stderr into a file while it lives.
class CapturedStderr {
 public:
  CapturedStderr() : saved_(dup(STDERR_FILENO)) {
    const int file = open(path().c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    dup2(file, STDERR_FILENO);
    close(file);
  }
  ~CapturedStderr() {
    Restore();
    ConfigureLogging({});
  }

  std::string Text() {
    Restore();
    std::ifstream file(path());
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  }

 private:
  std::string path() const { return directory_ / "stderr"; }
  void Restore() {
    if (saved_ < 0) return;
    std::fflush(stderr);
    dup2(saved_, STDERR_FILENO);
    close(saved_);
    saved_ = -1;
  }

  testing::TempDir directory_;
  int saved_;
};

bool Matches(const std::string& text, const std::string& pattern) {
  return std::regex_match(text, std::regex(pattern));
}

const std::string kTime = R"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)";

TEST_CASE("a line of text has time, level and message") {
  CapturedStderr captured;
  LogInfo("opened ", 3, " files in ", 1.5, " ms");
  CHECK(Matches(captured.Text(), kTime + " info opened 3 files in 1.5 ms\n"));
}

TEST_CASE("a line of JSON is one object, whatever the message holds") {
  CapturedStderr captured;
  ConfigureLogging({.format = LogFormat::kJson});
  LogWarning("say \"no\" to C:\\\nor\x01");
  CHECK(
      Matches(captured.Text(),
              R"(\{"time":")" + kTime +
                  R"(","level":"warning","message":"say \\"no\\" to C:\\\\\\u000aor\\u0001"\}\n)"));
}

TEST_CASE("a message of text stays on its line") {
  CapturedStderr captured;
  LogError("first\nsecond");
  CHECK(Matches(captured.Text(), kTime + R"( error first\\u000asecond\n)"));
}

TEST_CASE("what is below the level is not written") {
  CapturedStderr captured;
  ConfigureLogging({.level = LogLevel::kWarning});
  CHECK_FALSE(LogEnabled(LogLevel::kInfo));
  CHECK(LogEnabled(LogLevel::kError));
  LogDebug("a");
  LogInfo("b");
  WriteLog(LogLevel::kInfo, "c");
  CHECK(captured.Text().empty());
}

TEST_CASE("a log that is off writes nothing, and nothing is written at level off") {
  CapturedStderr captured;
  WriteLog(LogLevel::kOff, "a");
  ConfigureLogging({.level = LogLevel::kOff});
  LogError("b");
  CHECK_FALSE(LogEnabled(LogLevel::kOff));
  CHECK(captured.Text().empty());
}

TEST_CASE("debug lines are written when asked for") {
  CapturedStderr captured;
  ConfigureLogging({.level = LogLevel::kDebug});
  LogDebug("deep");
  CHECK(Matches(captured.Text(), kTime + " debug deep\n"));
}

}  // namespace
}  // namespace tarn::base
