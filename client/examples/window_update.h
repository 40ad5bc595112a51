// What some events do to the windows of their keys. Knows nothing of tarnd.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "client/examples/event_log.h"
#include "client/examples/window.h"

namespace window_demo {

struct WindowRules {
  int64_t window_seconds = 24 * 60 * 60;  // A tumbling window begins at each multiple of it.
  int64_t session_gap_seconds = 60 * 60;  // A longer pause ends a session.
  int64_t session_threshold = 0;          // Only events of at least this value are in sessions.
};

// Starts with the open windows as they are stored, is given the events in time order, and then
// knows what is to be stored. A key's window closes when its next event lies beyond it.
class WindowUpdate {
 public:
  using Id = std::pair<WindowKind, std::string>;  // With the events' key.
  struct Open {
    std::optional<Window> window;  // None: none is open.
    bool changed = false;
  };
  struct Closed {
    WindowKind kind = WindowKind::kTumbling;
    std::string event_key;
    Window window;
  };

  explicit WindowUpdate(const WindowRules& rules) : rules_(rules) {}

  void Load(WindowKind kind, const std::string& event_key, const Window& window);
  void Add(const Event& event);

  const std::map<Id, Open>& open() const { return open_; }
  const std::vector<Closed>& closed() const { return closed_; }
  const std::map<std::string, int64_t>& event_counts() const { return event_counts_; }

 private:
  void AddToTumbling(const Event& event);
  void AddToSession(const Event& event);
  void Close(WindowKind kind, const std::string& event_key, Open& open);

  const WindowRules rules_;
  std::map<Id, Open> open_;
  std::vector<Closed> closed_;
  std::map<std::string, int64_t> event_counts_;
};

}  // namespace window_demo
