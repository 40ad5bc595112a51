#include "client/examples/window.h"

#include <algorithm>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"

namespace window_demo {
namespace {

constexpr size_t kMinuteLength = sizeof("2010-07-14T15:00") - 1;

const char* Name(WindowKind kind) { return kind == WindowKind::kTumbling ? "window" : "session"; }

absl::Status NotOurs(const std::string& text) {
  return absl::DataLossError(absl::StrCat("not written by the window worker: ", text));
}

// KIND/KEY
absl::StatusOr<WindowName> ParseName(const std::string& text) {
  for (const WindowKind kind : {WindowKind::kTumbling, WindowKind::kSession}) {
    absl::string_view rest = text;
    if (absl::ConsumePrefix(&rest, absl::StrCat(Name(kind), "/"))) {
      return WindowName{kind, std::string(rest)};
    }
  }
  return NotOurs(text);
}

}  // namespace

Window Window::Begin(int64_t start, const Event& first) {
  return {start, first.time, 1, first.value, first.value, first.value};
}

void Window::Add(const Event& event) {
  last = event.time;
  ++count;
  sum += event.value;
  min = std::min(min, event.value);
  max = std::max(max, event.value);
}

std::string FormatMinute(int64_t time) {
  return absl::FormatTime("%E4Y-%m-%dT%H:%M", absl::FromUnixSeconds(time), absl::UTCTimeZone());
}

std::string OpenKey(WindowKind kind, const std::string& event_key) {
  return absl::StrCat(kOpenPrefix, Name(kind), "/", event_key);
}

std::string ClosedKey(WindowKind kind, const std::string& event_key, int64_t start) {
  return absl::StrCat(kClosedPrefix, Name(kind), "/", event_key, "/", FormatMinute(start));
}

std::string EventsKey(const std::string& event_key) {
  return absl::StrCat(kEventsPrefix, event_key);
}

absl::StatusOr<WindowName> ParseOpenKey(const std::string& key) {
  return ParseName(std::string(absl::StripPrefix(key, kOpenPrefix)));
}

absl::StatusOr<WindowName> ParseClosedKey(const std::string& key) {
  const std::string name(absl::StripPrefix(key, kClosedPrefix));
  if (name.size() < kMinuteLength + 1) return NotOurs(key);
  return ParseName(name.substr(0, name.size() - kMinuteLength - 1));
}

std::string Encode(const Window& window) {
  return absl::StrCat(window.start, " ", window.last, " ", window.count, " ", window.sum, " ",
                      window.min, " ", window.max);
}

absl::StatusOr<Window> DecodeWindow(const std::string& text) {
  const std::vector<std::string> words = absl::StrSplit(text, ' ');
  Window window;
  int64_t* const fields[] = {&window.start, &window.last, &window.count,
                             &window.sum,   &window.min,  &window.max};
  if (words.size() != std::size(fields)) return NotOurs(text);
  for (size_t i = 0; i < words.size(); ++i) {
    if (!absl::SimpleAtoi(words[i], fields[i])) return NotOurs(text);
  }
  return window;
}

std::string Encode(const Progress& progress) {
  return absl::StrCat(progress.offset, " ", progress.events, " ", progress.time, " ",
                      progress.state == Progress::State::kFinished ? "finished" : "running", " ",
                      progress.owner);
}

absl::StatusOr<Progress> DecodeProgress(const std::string& text) {
  const std::vector<std::string> words = absl::StrSplit(text, ' ');
  Progress progress;
  if (words.size() != 5 || !absl::SimpleAtoi(words[0], &progress.offset) ||
      !absl::SimpleAtoi(words[1], &progress.events) ||
      !absl::SimpleAtoi(words[2], &progress.time) ||
      (words[3] != "running" && words[3] != "finished")) {
    return NotOurs(text);
  }
  if (words[3] == "finished") progress.state = Progress::State::kFinished;
  progress.owner = words[4];
  return progress;
}

}  // namespace window_demo
