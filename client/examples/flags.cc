#include "client/examples/flags.h"

#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace window_demo {

absl::StatusOr<Flags> Flags::Parse(const std::vector<std::string>& arguments,
                                   const std::set<std::string>& known) {
  Flags flags;
  for (size_t i = 0; i < arguments.size(); i += 2) {
    const std::string name(absl::StripPrefix(arguments[i], "--"));
    if (name == arguments[i] || !known.contains(name)) {
      return absl::InvalidArgumentError(absl::StrCat("unknown argument ", arguments[i]));
    }
    if (i + 1 == arguments.size()) {
      return absl::InvalidArgumentError(absl::StrCat(arguments[i], " needs a value"));
    }
    flags.values_[name] = arguments[i + 1];
  }
  return flags;
}

std::string Flags::Text(const std::string& name, std::string otherwise) const {
  const auto found = values_.find(name);
  return found == values_.end() ? std::move(otherwise) : found->second;
}

absl::StatusOr<int64_t> Flags::Number(const std::string& name, int64_t otherwise,
                                      int64_t least) const {
  const auto found = values_.find(name);
  if (found == values_.end()) return otherwise;
  int64_t number = 0;
  if (!absl::SimpleAtoi(found->second, &number) || number < least) {
    return absl::InvalidArgumentError(
        absl::StrCat("--", name, " needs an integer of at least ", least, ", not ", found->second));
  }
  return number;
}

}  // namespace window_demo
