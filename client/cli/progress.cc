#include "client/cli/progress.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/cli/text.h"

namespace tarn::cli {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kSilence{1000};
constexpr milliseconds kPeriod{200};
// Of lines in a log.
constexpr milliseconds kLogPeriod{10'000};
constexpr uint64_t kBarWidth = 20;
constexpr uint64_t kPercent = 100;

// How much of `whole` is done, by the share of `total`.
uint64_t Share(const WorkState& state, uint64_t whole) {
  if (state.total == 0) return 0;
  const double share =
      static_cast<double>(std::min(state.done, state.total)) / static_cast<double>(state.total);
  return static_cast<uint64_t>(share * static_cast<double>(whole));
}

std::string Bar(const WorkState& state) {
  const uint64_t full = Share(state, kBarWidth);
  return absl::StrCat("[", std::string(full, '#'), std::string(kBarWidth - full, ' '), "] ");
}

}  // namespace

StatusLine::~StatusLine() {
  if (width_ == 0) return;
  Print("");
  env_.err << "\r" << std::flush;
}

void StatusLine::Print(const std::string& line) {
  const size_t rest = line.size() < width_ ? width_ - line.size() : 0;
  env_.err << "\r" << line << std::string(rest, ' ') << std::flush;
  width_ = line.size();
}

Progress::Progress(Environment& env, std::string what)
    : env_(env), what_(std::move(what)), next_(env.now() + kSilence), line_(env) {}

void Progress::Show(uint64_t done) {
  if (env_.err_kind != Stream::kTerminal) return;
  const auto now = env_.now();
  if (now < next_) return;
  next_ = now + kPeriod;
  line_.Print(what_ + ": " + FormatCount(done));
}

WorkProgress::WorkProgress(Environment& env, std::string what, std::string unit, Loudness loudness)
    : env_(env),
      what_(std::move(what)),
      unit_(std::move(unit)),
      loudness_(loudness),
      next_(env.now() + (env.err_kind == Stream::kTerminal ? kSilence : kLogPeriod)),
      line_(env) {}

void WorkProgress::Show(const WorkState& state) {
  const auto now = env_.now();
  if (loudness_ == Loudness::kQuiet || now < next_) return;
  if (env_.err_kind == Stream::kTerminal) {
    next_ = now + kPeriod;
    line_.Print(Line(state));
  } else {
    next_ = now + kLogPeriod;
    env_.err << "tarnctl: " << Line(state) << "\n" << std::flush;
  }
}

std::string WorkProgress::Line(const WorkState& state) const {
  std::string line = absl::StrCat(what_, ": ", state.phase, " ");
  if (state.total > 0) {
    if (env_.err_kind == Stream::kTerminal) line += Bar(state);
    absl::StrAppend(&line, Share(state, kPercent), "% ");
  }
  const bool bytes = unit_ == "bytes";
  const auto rate = static_cast<uint64_t>(std::max(state.per_second, 0.0));
  absl::StrAppend(&line, " ", bytes ? FormatBytes(state.done) : FormatCount(state.done),
                  bytes ? "" : " " + unit_);
  absl::StrAppend(&line, "  ", bytes ? FormatBytes(rate) : FormatCount(rate), "/s");
  if (state.time_left.has_value()) {
    const auto left = std::chrono::ceil<std::chrono::seconds>(*state.time_left);
    absl::StrAppend(&line, "  ", FormatDuration(left), " left");
  }
  return line;
}

ByteProgress::ByteProgress(Environment& env, std::string what, Loudness loudness)
    : env_(env), start_(env.now()), progress_(env, std::move(what), "bytes", loudness) {}

void ByteProgress::Show(const std::string& phase, uint64_t done, uint64_t total) {
  WorkState state{.phase = phase, .done = done, .total = total, .time_left = {}};
  const std::chrono::duration<double> passed = env_.now() - start_;
  if (passed.count() > 0) state.per_second = static_cast<double>(done) / passed.count();
  if (state.per_second > 0 && done < total) {
    const std::chrono::duration<double> left(static_cast<double>(total - done) / state.per_second);
    state.time_left = std::chrono::duration_cast<milliseconds>(left);
  }
  progress_.Show(state);
}

}  // namespace tarn::cli
