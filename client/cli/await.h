// Waiting for one long call, with a sign of life and an end on Ctrl-C.
#pragma once

#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <utility>

#include "absl/status/statusor.h"
#include "client/cli/context.h"
#include "tarn/results.h"

namespace tarn::cli {

inline constexpr std::chrono::milliseconds kTick{200};

// Starts the call and calls `tick` several times a second until it has ended. Nullopt if Ctrl-C
// came first.
template <typename Result>
std::optional<absl::StatusOr<Result>> Await(Environment& env,
                                            const std::function<void(Callback<Result>)>& start,
                                            const std::function<void()>& tick) {
  // The callback may come after this function has given up.
  auto promise = std::make_shared<std::promise<absl::StatusOr<Result>>>();
  auto future = promise->get_future();
  start([promise](absl::StatusOr<Result> result) { promise->set_value(std::move(result)); });
  while (future.wait_for(kTick) != std::future_status::ready) {
    if (env.interrupted()) return std::nullopt;
    tick();
  }
  return future.get();
}

}  // namespace tarn::cli
