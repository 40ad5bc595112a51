#include "client/cli/progress.h"

#include <utility>

#include "client/cli/text.h"

namespace tarn::cli {
namespace {

constexpr std::chrono::milliseconds kSilence{1000};
constexpr std::chrono::milliseconds kPeriod{200};

}  // namespace

Progress::Progress(Environment& env, std::string what)
    : env_(env), what_(std::move(what)), next_(env.now() + kSilence) {}

Progress::~Progress() {
  if (width_ == 0) return;
  Print("");
  env_.err << "\r" << std::flush;
}

void Progress::Show(uint64_t done) {
  if (env_.err_kind != Stream::kTerminal) return;
  const auto now = env_.now();
  if (now < next_) return;
  next_ = now + kPeriod;
  Print(what_ + ": " + FormatCount(done));
}

void Progress::Print(const std::string& line) {
  const size_t rest = line.size() < width_ ? width_ - line.size() : 0;
  env_.err << "\r" << line << std::string(rest, ' ') << std::flush;
  width_ = line.size();
}

}  // namespace tarn::cli
