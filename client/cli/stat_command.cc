// `tarnctl stat`: a line of rates every second.
#include <array>
#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_format.h"
#include "client/cli/options.h"
#include "client/cli/output.h"
#include "client/cli/report.h"
#include "client/cli/server_commands.h"
#include "client/cli/text.h"

namespace tarn::cli {
namespace {

constexpr int kLinesPerHeader = 20;
constexpr int kColumnWidth = 10;

struct StatArguments {
  std::string interval = "1s";
  uint64_t count = 0;  // 0 = until Ctrl-C.
};

// What is done to a kind of operation in total.
uint64_t CountOf(const Stats& stats, OperationKind kind) {
  for (const OperationStats& one : stats.operations) {
    if (one.kind == kind) return one.success_count;
  }
  return 0;
}

uint64_t FailuresOf(const Stats& stats) {
  uint64_t failures = 0;
  for (const OperationStats& one : stats.operations) failures += one.failure_count;
  return failures;
}

// A restarted server begins at zero again.
uint64_t Rate(uint64_t before, uint64_t now, double seconds) {
  if (now < before || seconds <= 0) return 0;
  return static_cast<uint64_t>(std::llround(static_cast<double>(now - before) / seconds));
}

std::vector<Field> Line(const Stats& before, const Stats& now, double seconds) {
  const auto rate = [&](OperationKind kind) {
    return Rate(CountOf(before, kind), CountOf(now, kind), seconds);
  };
  Field size = NumberField("size_bytes", now.size_bytes);
  size.plain = FormatBytes(now.size_bytes);
  Field memory = NumberField("memory", now.memory_used_bytes);
  memory.plain = FormatBytes(now.memory_used_bytes);
  return {NumberField("get", rate(OperationKind::kGet)),
          NumberField("put", rate(OperationKind::kPut)),
          NumberField("delete", rate(OperationKind::kDelete) + rate(OperationKind::kTake)),
          NumberField("modify", rate(OperationKind::kIncrement) + rate(OperationKind::kAppend) +
                                    rate(OperationKind::kTouch)),
          NumberField("failed", Rate(FailuresOf(before), FailuresOf(now), seconds)),
          NumberField("swept", Rate(before.swept_count, now.swept_count, seconds)),
          NumberField("entries", now.entry_count),
          size,
          memory,
          NumberField("conns", now.connection_count),
          NumberField("streams", now.pipeline_count)};
}

std::string ToColumns(const std::vector<std::string>& cells) {
  std::string line;
  for (const std::string& cell : cells) absl::StrAppendFormat(&line, "%*s ", kColumnWidth, cell);
  line.pop_back();
  return line;
}

void PrintLine(const Context& context, const std::vector<Field>& fields, uint64_t number) {
  std::ostream& out = context.env.out;
  if (context.style == Style::kJson) {
    out << ToJson(fields) << "\n" << std::flush;
    return;
  }
  std::vector<std::string> names;
  std::vector<std::string> cells;
  for (const Field& field : fields) {
    names.push_back(field.name == "size_bytes" ? "size" : field.name);
    cells.push_back(field.plain);
  }
  if (context.style == Style::kTable && number % kLinesPerHeader == 0)
    out << ToColumns(names) << "\n";
  if (context.style == Style::kSimple && number == 0) out << ToColumns(names) << "\n";
  out << ToColumns(cells) << "\n" << std::flush;
}

ExitCode RunStat(Context& context, const StatArguments& arguments) {
  const auto admin = context.ConnectAdmin();
  if (!admin.ok()) return Report(context, "stat", admin.status(), Effect::kReads);
  auto before = admin->GetStats();
  auto then = context.env.now();
  for (uint64_t number = 0; arguments.count == 0 || number < arguments.count; ++number) {
    if (!before.ok()) return Report(context, "stat", before.status(), Effect::kReads);
    context.env.wait(*ParseDuration(arguments.interval));
    if (context.env.interrupted()) return ExitCode::kInterrupted;
    auto stats = admin->GetStats();
    if (!stats.ok()) return Report(context, "stat", stats.status(), Effect::kReads);
    const auto now = context.env.now();
    PrintLine(context, Line(*before, *stats, std::chrono::duration<double>(now - then).count()),
              number);
    before = std::move(stats);
    then = now;
  }
  return ExitCode::kDone;
}

std::string CheckInterval(const std::string& text) {
  const auto span = ParseDuration(text);
  if (span.has_value() && span->count() > 0) return {};
  return "'" + text + "' is no span of time such as 500ms or 2s";
}

}  // namespace

void AddStatCommand(CLI::App& app, Command& chosen) {
  CLI::App* const command =
      app.add_subcommand("stat", "Print a line of rates per second every second, until Ctrl-C");
  const auto arguments = std::make_shared<StatArguments>();
  command->add_option("-i,--interval", arguments->interval, "How long between two lines")
      ->check(CheckInterval)
      ->capture_default_str()
      ->type_name("SPAN");
  command->add_option("-c,--count", arguments->count, "End after so many lines")
      ->check(CLI::PositiveNumber)
      ->type_name("N");
  command->callback([&chosen, arguments] {
    chosen = [arguments](Context& context) { return RunStat(context, *arguments); };
  });
}

}  // namespace tarn::cli
