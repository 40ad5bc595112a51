#include "client/cli/options.h"

#include "client/cli/text.h"

namespace tarn::cli {
namespace {

constexpr char kNever[] = "never";

std::string CheckTtl(const std::string& text) {
  return text == kNever ? std::string() : CheckDuration(text);
}

}  // namespace

std::string CheckDuration(const std::string& text) {
  if (ParseDuration(text).has_value()) return {};
  return "'" + text + "' is no span of time such as 500ms, 5s, 1h30m or 7d";
}

Ttl TtlOption::ttl() const {
  if (text.empty()) return {};
  if (text == kNever) return Ttl::Never();
  return Ttl::Of(*ParseDuration(text));
}

CLI::Option* AddTtl(CLI::App& command, TtlOption& option) {
  return command
      .add_option("--ttl", option.text, "How long the entry lives: 500ms, 5s, 1h30m, 7d, or never")
      ->check(CheckTtl)
      ->type_name("SPAN");
}

Precondition ConditionOption::precondition() const {
  if (absent) return Precondition::Absent();
  if (present) return Precondition::Present();
  if (revision != 0) return Precondition::AtRevision(revision);
  return {};
}

void AddCondition(CLI::App& command, ConditionOption& option, Absence absence) {
  CLI::Option* const present =
      command.add_flag("--if-present", option.present, "Only if the key has an entry");
  CLI::Option* const revision =
      command.add_option("--if-revision", option.revision, "Only if the entry has this revision")
          ->check(CLI::PositiveNumber)
          ->type_name("R")
          ->excludes(present);
  if (absence == Absence::kNotAllowed) return;
  command.add_flag("--if-absent", option.absent, "Only if the key has no entry")
      ->excludes(present)
      ->excludes(revision);
}

std::optional<KeyRange> RangeOption::range(const Context& context) const {
  KeyRange range;
  const std::pair<const std::string*, std::string*> fields[] = {
      {&prefix, &range.prefix}, {&start, &range.start}, {&end, &range.end}};
  for (const auto& [from, to] : fields) {
    const auto bytes = BytesOf(context, *from);
    if (!bytes.has_value()) return std::nullopt;
    *to = *bytes;
  }
  return range;
}

void AddRange(CLI::App& command, RangeOption& option) {
  CLI::Option* const prefix =
      command.add_option("--prefix", option.prefix, "Keys that begin with this")->type_name("P");
  command.add_option("--start", option.start, "Keys from this one on")
      ->type_name("KEY")
      ->excludes(prefix);
  command.add_option("--end", option.end, "Keys before this one")
      ->type_name("KEY")
      ->excludes(prefix);
}

}  // namespace tarn::cli
