// A command that runs beside this program.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace tarn::cli {

// How it ended, as a shell would say it: its exit code, or 128 and the signal's number.
struct ChildEnd {
  int code = 0;
};

// Thread-safe; to be waited for once.
class Child {
 public:
  // Found in PATH; with the standard streams of this program, its environment and `additions`, and
  // no signal blocked. NOT_FOUND and others as the system says.
  static absl::StatusOr<Child> Start(const std::vector<std::string>& command,
                                     const std::map<std::string, std::string>& additions);

  // Passes a signal on. Without effect when it has ended.
  void Signal(int number) const;

  ChildEnd Wait() const;

 private:
  explicit Child(pid_t pid) : pid_(pid) {}

  pid_t pid_;
};

}  // namespace tarn::cli
