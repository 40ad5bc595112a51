#include "client/examples/window_update.h"

namespace window_demo {
namespace {

// Rounds down, for times before 1970 too.
int64_t StartOf(int64_t time, int64_t span) {
  const int64_t past = time % span;
  return time - (past < 0 ? past + span : past);
}

}  // namespace

void WindowUpdate::Load(WindowKind kind, const std::string& event_key, const Window& window) {
  open_[{kind, event_key}].window = window;
}

void WindowUpdate::Add(const Event& event) {
  AddToTumbling(event);
  AddToSession(event);
  ++event_counts_[event.key];
}

void WindowUpdate::AddToTumbling(const Event& event) {
  Open& open = open_[{WindowKind::kTumbling, event.key}];
  const int64_t start = StartOf(event.time, rules_.window_seconds);
  if (open.window && open.window->start != start) Close(WindowKind::kTumbling, event.key, open);
  if (open.window) {
    open.window->Add(event);
  } else {
    open.window = Window::Begin(start, event);
  }
  open.changed = true;
}

void WindowUpdate::AddToSession(const Event& event) {
  Open& open = open_[{WindowKind::kSession, event.key}];
  if (open.window && event.time - open.window->last > rules_.session_gap_seconds) {
    Close(WindowKind::kSession, event.key, open);
  }
  if (event.value < rules_.session_threshold) return;
  if (open.window) {
    open.window->Add(event);
  } else {
    open.window = Window::Begin(event.time, event);
  }
  open.changed = true;
}

void WindowUpdate::Close(WindowKind kind, const std::string& event_key, Open& open) {
  closed_.push_back({kind, event_key, *open.window});
  open.window.reset();
  open.changed = true;
}

}  // namespace window_demo
