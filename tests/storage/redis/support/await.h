// Waiting for what another thread or process brings about.
#pragma once

#include <chrono>
#include <functional>
#include <stdexcept>
#include <string>
#include <thread>

namespace tarn::testing {

// Looks again and again until it holds; throws, with `what`, when that takes too long.
inline void AwaitThat(const std::string& what, const std::function<bool()>& holds) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (!holds()) {
    if (std::chrono::steady_clock::now() > end) throw std::runtime_error("never: " + what);
    std::this_thread::sleep_for(std::chrono::milliseconds(2));  // Between two looks.
  }
}

}  // namespace tarn::testing
