#include "client/cli/range_commands.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <string>

#include "client/cli/await.h"
#include "client/cli/options.h"
#include "client/cli/output.h"
#include "client/cli/progress.h"
#include "client/cli/report.h"
#include "client/cli/text.h"

namespace tarn::cli {
namespace {

struct RangeArguments {
  RangeOption range;
  uint64_t limit = 0;
  bool reverse = false;
  bool keys_only = false;
  bool all = false;
  bool yes = false;
};

// --- scan
// -------------------------------------------------------------------------------------------------------

std::vector<Field> EntryFields(const Context& context, const RangeArguments& arguments,
                               const Entry& entry) {
  std::vector<Field> fields = {BytesField(context, "key", entry.key)};
  if (!arguments.keys_only) fields.push_back(BytesField(context, "value", entry.value));
  fields.push_back(RevisionField(entry.revision));
  fields.push_back(ExpiryField(entry.expire_time));
  return fields;
}

ExitCode PrintEntries(Context& context, const RangeArguments& arguments, Scan scan) {
  RecordWriter writer(context, arguments.keys_only ? 1 : 2);
  Progress progress(context.env, "scan");
  ExitCode code = ExitCode::kDone;
  uint64_t count = 0;
  for (absl::StatusOr<Entry>& entry : scan) {
    if (!entry.ok()) {
      code = Report(context, "scan", entry.status(), Effect::kReads);
      break;
    }
    writer.Write(EntryFields(context, arguments, *entry));
    progress.Show(++count);
    if (context.env.interrupted()) {
      code = ExitCode::kInterrupted;
      break;
    }
  }
  writer.Finish();
  return code;
}

ExitCode RunScan(Context& context, const RangeArguments& arguments) {
  const auto range = arguments.range.range(context);
  if (!range.has_value()) return ExitCode::kUsage;
  const auto client = context.Connect();
  if (!client.ok()) return Report(context, "scan", client.status(), Effect::kReads);
  return PrintEntries(
      context, arguments,
      client->Scan(*range,
                   {.order = arguments.reverse ? ScanOrder::kDescending : ScanOrder::kAscending,
                    .content = arguments.keys_only ? ScanContent::kKeysOnly : ScanContent::kEntries,
                    .limit = arguments.limit,
                    .timeout = context.timeout}));
}

// --- count
// ------------------------------------------------------------------------------------------------------

// Seconds since it was made.
class Stopwatch {
 public:
  explicit Stopwatch(const Environment& env) : env_(env), start_(env.now()) {}
  uint64_t seconds() const {
    return static_cast<uint64_t>(
        std::chrono::duration_cast<std::chrono::seconds>(env_.now() - start_).count());
  }

 private:
  const Environment& env_;
  const std::chrono::steady_clock::time_point start_;
};

ExitCode RunCount(Context& context, const RangeArguments& arguments) {
  const auto range = arguments.range.range(context);
  if (!range.has_value()) return ExitCode::kUsage;
  const auto client = context.Connect();
  if (!client.ok()) return Report(context, "count", client.status(), Effect::kReads);
  Progress progress(context.env, "count, seconds so far");
  const Stopwatch watch(context.env);
  const RangeOptions options{.timeout = context.timeout.value_or(kNoTimeout)};
  const auto counted = Await<CountResult>(
      context.env,
      [&](Callback<CountResult> done) { client->AsyncCount(*range, options, std::move(done)); },
      [&] { progress.Show(watch.seconds()); });
  if (!counted.has_value()) return ExitCode::kInterrupted;
  if (!counted->ok()) return Report(context, "count", counted->status(), Effect::kReads);
  RecordWriter writer(context, 1);
  writer.Write({NumberField("count", (*counted)->count), RevisionField((*counted)->revision)});
  writer.Finish();
  return ExitCode::kDone;
}

// --- clear
// ------------------------------------------------------------------------------------------------------

std::string Describe(const Context& context, const KeyRange& range) {
  const auto text = [&context](const std::string& bytes) {
    return BytesField(context, "", bytes).plain;
  };
  const std::string ns = context.options.ns.empty() ? "default" : context.options.ns;
  if (range.is_all()) return "EVERY entry of the namespace " + ns;
  const std::string of = "the entries of the namespace " + ns;
  if (!range.prefix.empty()) return of + " that begin with " + text(range.prefix);
  return of + " from " + (range.start.empty() ? "the first" : text(range.start)) + " to before " +
         (range.end.empty() ? "the end" : text(range.end));
}

bool Confirmed(Context& context, const RangeArguments& arguments, const KeyRange& range) {
  if (arguments.yes || context.env.in_kind != Stream::kTerminal) return true;
  context.env.err << "Remove " << Describe(context, range) << "? [y/N] " << std::flush;
  std::string answer;
  std::getline(context.env.in, answer);
  if (answer == "y" || answer == "Y" || answer == "yes") return true;
  context.env.err << "tarnctl: clear: nothing was removed; --yes answers for you\n";
  return false;
}

// How many entries the namespace still has, on the way; it is an estimate, because others write
// too.
std::function<void()> ShowRest(Context& context, Progress& progress) {
  if (context.env.err_kind != Stream::kTerminal) return [] {};
  const auto admin = context.ConnectAdmin();
  if (!admin.ok()) return [] {};
  const std::string ns = context.options.ns.empty() ? "default" : context.options.ns;
  return [admin = *admin, ns, &progress] {
    const auto info = admin.GetNamespace(ns, std::chrono::milliseconds(100));
    if (info.ok()) progress.Show(info->entry_count);
  };
}

ExitCode Clear(Context& context, const KeyRange& range) {
  const auto client = context.Connect();
  if (!client.ok()) return Report(context, "clear", client.status(), Effect::kWrites);
  Progress progress(context.env, "clear, entries left in the namespace");
  const RangeOptions options{.timeout = context.timeout.value_or(kNoTimeout)};
  const auto cleared = Await<DeleteRangeResult>(
      context.env,
      [&](Callback<DeleteRangeResult> done) {
        // The range of all is refused by that name: see DeleteRange.
        auto connection = client->connection();
        connection->AsyncDeleteRange(
            {client->ns(), range.is_all() ? std::nullopt : std::optional(range), options.timeout},
            std::move(done));
      },
      ShowRest(context, progress));
  if (!cleared.has_value()) {
    context.env.err << "tarnctl: clear: interrupted; a part may be gone, repeat it to finish\n";
    return ExitCode::kInterrupted;
  }
  if (!cleared->ok()) return Report(context, "clear", cleared->status(), Effect::kWrites);
  RecordWriter writer(context, 1);
  writer.Write({NumberField("deleted_count", (*cleared)->deleted_count),
                RevisionField((*cleared)->revision)});
  writer.Finish();
  return ExitCode::kDone;
}

ExitCode RunClear(Context& context, const RangeArguments& arguments) {
  const auto range = arguments.range.range(context);
  if (!range.has_value()) return ExitCode::kUsage;
  if (range->is_all() && !arguments.all) {
    context.env.err << "tarnctl: clear: say which keys: --prefix, --start and --end, or --all\n";
    return ExitCode::kUsage;
  }
  if (!range->is_all() && arguments.all) {
    context.env.err << "tarnctl: clear: --all and a range contradict each other\n";
    return ExitCode::kUsage;
  }
  if (!Confirmed(context, arguments, *range)) return ExitCode::kFailed;
  return Clear(context, *range);
}

// --- their arguments
// --------------------------------------------------------------------------------------------

using Run = ExitCode (*)(Context&, const RangeArguments&);

struct Added {
  CLI::App& command;
  RangeArguments& arguments;
};

Added Add(CLI::App& app, Command& chosen, const char* name, const char* about, Run run) {
  CLI::App* const command = app.add_subcommand(name, about);
  const auto arguments = std::make_shared<RangeArguments>();
  AddRange(*command, arguments->range);
  command->callback([&chosen, arguments, run] {
    chosen = [arguments, run](Context& context) { return run(context, *arguments); };
  });
  return {*command, *arguments};
}

}  // namespace

void AddRangeCommands(CLI::App& app, Command& chosen) {
  const Added scan =
      Add(app, chosen, "scan", "Print entries in key order, at one revision", RunScan);
  scan.command.add_option("--limit", scan.arguments.limit, "The most entries")
      ->check(CLI::PositiveNumber)
      ->type_name("N");
  scan.command.add_flag("--reverse", scan.arguments.reverse, "From the last key to the first");
  scan.command.add_flag("--keys-only", scan.arguments.keys_only, "Leave the values out");

  Add(app, chosen, "count", "Count entries, exactly; takes time in proportion", RunCount);

  const Added clear = Add(app, chosen, "clear", "Remove entries; print how many", RunClear);
  clear.command.add_flag("--all", clear.arguments.all, "Every entry of the namespace");
  clear.command.add_flag("-y,--yes", clear.arguments.yes, "Do not ask");
}

}  // namespace tarn::cli
