// Time since the machine was started, which a restart of the daemon does not reset and nobody can
// set.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

namespace tarn::base {

// Thread-safe.
class BootClock {
 public:
  virtual ~BootClock() = default;

  // Which start of the machine this is: another text after each; empty when it cannot be told.
  virtual std::string BootId() const = 0;

  // Milliseconds since then, time asleep included.
  virtual int64_t SinceBootMs() const = 0;
};

// Linux's: /proc/sys/kernel/random/boot_id and CLOCK_BOOTTIME.
class SystemBootClock final : public BootClock {
 public:
  SystemBootClock();

  std::string BootId() const override { return boot_id_; }
  int64_t SinceBootMs() const override;

 private:
  const std::string boot_id_;
};

// For those who bring no other; for ever.
const BootClock& TheSystemBootClock();

// Stands still until it is told to move.
class ManualBootClock final : public BootClock {
 public:
  explicit ManualBootClock(std::string boot_id) : boot_id_(std::move(boot_id)) {}

  std::string BootId() const override { return boot_id_; }
  int64_t SinceBootMs() const override { return since_boot_ms_.load(std::memory_order_relaxed); }
  void Advance(int64_t milliseconds) {
    since_boot_ms_.fetch_add(milliseconds, std::memory_order_relaxed);
  }
  // As after the machine was started anew. Nobody else uses the clock meanwhile.
  void Reboot(std::string boot_id) {
    boot_id_ = std::move(boot_id);
    since_boot_ms_ = 0;
  }

 private:
  std::string boot_id_;
  std::atomic<int64_t> since_boot_ms_{0};
};

}  // namespace tarn::base
