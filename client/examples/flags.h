// Just enough of a command line for the examples: --name VALUE, in any order.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace window_demo {

class Flags {
 public:
  // INVALID_ARGUMENT for a flag that is not in `known`, or has no value.
  static absl::StatusOr<Flags> Parse(const std::vector<std::string>& arguments,
                                     const std::set<std::string>& known);

  std::string Text(const std::string& name, std::string otherwise) const;
  // INVALID_ARGUMENT when it is not an integer, or below `least`.
  absl::StatusOr<int64_t> Number(const std::string& name, int64_t otherwise, int64_t least) const;

 private:
  std::map<std::string, std::string> values_;
};

}  // namespace window_demo
