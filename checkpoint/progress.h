// How far long work has come, for whoever watches it.
#pragma once

#include <atomic>
#include <cstdint>

namespace tarn::checkpoint {

// Written by the worker's threads, read and cancelled by any other.
struct Progress {
  std::atomic<uint64_t> entries{0};
  std::atomic<uint64_t> total_entries{0};  // As expected when the work began; 0 when unknown.
  std::atomic<uint64_t> bytes{0};          // Of keys and values.
  std::atomic<const char*> phase{""};      // What it is doing, for people; a literal.
  std::atomic<bool> cancel{false};  // The work ends soon with CANCELLED, leaving nothing behind.
};

}  // namespace tarn::checkpoint
