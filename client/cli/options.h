// Options that several commands have.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "client/cli/context.h"
#include "tarn/types.h"
#include <CLI/App.hpp>

namespace tarn::cli {

// --ttl. Checked when the command line is parsed.
struct TtlOption {
  std::string text;
  Ttl ttl() const;  // Says nothing when the option is missing.
};
CLI::Option* AddTtl(CLI::App& command, TtlOption& option);

// --if-absent, --if-present, --if-revision R: at most one.
struct ConditionOption {
  bool absent = false;
  bool present = false;
  Revision revision = 0;
  Precondition precondition() const;
};
enum class Absence { kAllowed, kNotAllowed };  // Whether --if-absent makes sense.
void AddCondition(CLI::App& command, ConditionOption& option, Absence absence);

// --prefix, --start, --end.
struct RangeOption {
  std::string prefix;
  std::string start;
  std::string end;
  // Nullopt if they are no hexadecimal though --hex was given; that has been reported.
  std::optional<KeyRange> range(const Context& context) const;
};
void AddRange(CLI::App& command, RangeOption& option);

// For CLI11: fails unless the text is a duration as of ParseDuration.
std::string CheckDuration(const std::string& text);

}  // namespace tarn::cli
