// What the window worker keeps in tarnd, and under which keys. Everything is text, so that `tarnctl
// scan` shows it:
//
//   progress                        how far the log was read, and who reads it
//   open/window/KEY                 the tumbling window of KEY that events still go to
//   open/session/KEY                its session, if one goes on
//   closed/window/KEY/START         a window that has ended; expires
//   closed/session/KEY/START        a session that has ended; expires
//   events/KEY                      how many events KEY has had: an integer that is incremented
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "client/examples/event_log.h"

namespace window_demo {

enum class WindowKind {
  kTumbling,  // A fixed span of time, such as a day.
  kSession,   // From the first of some qualifying events to the last, no gap being too long.
};

// A window or session: what its events amount to. It has one at least.
struct Window {
  int64_t start = 0;  // Tumbling: of the span. Session: of the first event.
  int64_t last = 0;   // The time of its last event.
  int64_t count = 0;
  int64_t sum = 0;
  int64_t min = 0;
  int64_t max = 0;

  static Window Begin(int64_t start, const Event& first);
  void Add(const Event& event);

  friend bool operator==(const Window&, const Window&) = default;
};

// How far the worker has come.
struct Progress {
  enum class State { kRunning, kFinished };

  uint64_t offset = 0;  // In the log: everything before it is counted, nothing behind it is.
  uint64_t events = 0;  // Counted so far.
  int64_t time = 0;     // Of the last one.
  State state = State::kRunning;
  std::string owner;  // The worker that goes on; empty = none yet.

  friend bool operator==(const Progress&, const Progress&) = default;
};

inline constexpr char kProgressKey[] = "progress";
inline constexpr char kOpenPrefix[] = "open/";
inline constexpr char kClosedPrefix[] = "closed/";
inline constexpr char kEventsPrefix[] = "events/";

std::string OpenKey(WindowKind kind, const std::string& event_key);
std::string ClosedKey(WindowKind kind, const std::string& event_key, int64_t start);
std::string EventsKey(const std::string& event_key);

// Which window an entry below kOpenPrefix or kClosedPrefix holds.
struct WindowName {
  WindowKind kind = WindowKind::kTumbling;
  std::string event_key;
};
absl::StatusOr<WindowName> ParseOpenKey(const std::string& key);
absl::StatusOr<WindowName> ParseClosedKey(const std::string& key);

// DATA_LOSS for text that the encoder did not write.
std::string Encode(const Window& window);
absl::StatusOr<Window> DecodeWindow(const std::string& text);
std::string Encode(const Progress& progress);
absl::StatusOr<Progress> DecodeProgress(const std::string& text);

// Such as 2010-07-14T15:00, always 16 characters from year 0 to 9999.
std::string FormatMinute(int64_t time);

}  // namespace window_demo
