#include "client/cli/checkpoint_commands.h"

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "client/cli/checkpoint_fields.h"
#include "client/cli/job_commands.h"
#include "client/cli/options.h"
#include "client/cli/output.h"
#include "client/cli/report.h"

namespace tarn::cli {
namespace {

struct CheckpointArguments {
  std::string id;
  std::string reason;
  RangeOption range;
  bool force = false;
  bool no_wait = false;
  bool quiet = false;
  bool validate_only = false;
  bool no_safety_checkpoint = false;
  bool namespace_only = false;
  bool all = false;
  bool yes = false;
};

Loudness LoudnessOf(const CheckpointArguments& arguments) {
  return arguments.quiet ? Loudness::kQuiet : Loudness::kNormal;
}

ExitCode PrintOne(const Context& context, const char* what, Effect effect,
                  const absl::StatusOr<Checkpoint>& checkpoint) {
  if (!checkpoint.ok()) return Report(context, what, checkpoint.status(), effect);
  PrintDetails(context, FieldsOf(*checkpoint));
  return ExitCode::kDone;
}

// The checkpoint that a job was about: in simple style its id alone.
ExitCode PrintResult(const Context& context, const CheckpointClient& checkpoints, const char* what,
                     const Job& job) {
  if (context.style == Style::kSimple) {
    context.env.out << job.result << "\n";
    return ExitCode::kDone;
  }
  return PrintOne(context, what, Effect::kReads, checkpoints.Get(job.result));
}

// Waits for what was begun, unless nobody wants to.
ExitCode Conclude(const Context& context, const CheckpointArguments& arguments, const char* what,
                  const CheckpointClient& checkpoints, const absl::StatusOr<Job>& job) {
  if (!job.ok()) return Report(context, what, job.status(), Effect::kWrites);
  if (arguments.no_wait) return PrintBegun(context, *job);
  return FollowJob(
      context, {.job = *job, .command = what, .loudness = LoudnessOf(arguments), .on_change = {}},
      [&](const Job& done) { return PrintResult(context, checkpoints, what, done); });
}

// --- what there is
// -----------------------------------------------------------------------------------------------

ExitCode RunList(Context& context, const CheckpointArguments&) {
  const auto checkpoints = context.ConnectCheckpoints();
  if (!checkpoints.ok())
    return Report(context, "checkpoint list", checkpoints.status(), Effect::kReads);
  const auto list = checkpoints->List();
  if (!list.ok()) return Report(context, "checkpoint list", list.status(), Effect::kReads);
  RecordWriter writer(context, SummaryOf({}).size());
  for (const Checkpoint& one : list->checkpoints) {
    writer.Write(context.style == Style::kJson ? FieldsOf(one) : SummaryOf(one));
  }
  writer.Finish();
  for (const std::string& id : list->quarantined_ids) {
    context.env.err << "tarnctl: checkpoint list: " << id << " was damaged and is set aside\n";
  }
  return ExitCode::kDone;
}

ExitCode RunShow(Context& context, const CheckpointArguments& arguments) {
  const auto checkpoints = context.ConnectCheckpoints();
  if (!checkpoints.ok())
    return Report(context, "checkpoint show", checkpoints.status(), Effect::kReads);
  return PrintOne(context, "checkpoint show", Effect::kReads, checkpoints->Get(arguments.id));
}

// --- what changes something
// ------------------------------------------------------------------------------------

ExitCode RunCreate(Context& context, const CheckpointArguments& arguments) {
  const auto checkpoints = context.ConnectCheckpoints();
  if (!checkpoints.ok())
    return Report(context, "checkpoint create", checkpoints.status(), Effect::kWrites);
  return Conclude(
      context, arguments, "checkpoint create", *checkpoints,
      checkpoints->Create({.when_unchanged = arguments.force ? WhenUnchanged::kCreateAnother
                                                             : WhenUnchanged::kConfirmNewest,
                           .pin_reason = arguments.reason,
                           .timeout = {}}));
}

ExitCode RunVerify(Context& context, const CheckpointArguments& arguments) {
  const auto checkpoints = context.ConnectCheckpoints();
  if (!checkpoints.ok())
    return Report(context, "checkpoint verify", checkpoints.status(), Effect::kWrites);
  return Conclude(context, arguments, "checkpoint verify", *checkpoints,
                  checkpoints->Verify(arguments.id));
}

ExitCode RunDelete(Context& context, const CheckpointArguments& arguments) {
  const auto checkpoints = context.ConnectCheckpoints();
  if (!checkpoints.ok())
    return Report(context, "checkpoint delete", checkpoints.status(), Effect::kWrites);
  const absl::Status deleted = checkpoints->Delete(arguments.id);
  return deleted.ok() ? ExitCode::kDone
                      : Report(context, "checkpoint delete", deleted, Effect::kWrites);
}

ExitCode RunPin(Context& context, const CheckpointArguments& arguments) {
  const auto checkpoints = context.ConnectCheckpoints();
  if (!checkpoints.ok())
    return Report(context, "checkpoint pin", checkpoints.status(), Effect::kWrites);
  const auto pinned = checkpoints->Pin(arguments.id, arguments.reason);
  if (!pinned.ok()) return Report(context, "checkpoint pin", pinned.status(), Effect::kWrites);
  RecordWriter writer(context, 1);
  writer.Write(SummaryOf(*pinned));
  writer.Finish();
  return ExitCode::kDone;
}

ExitCode RunUnpin(Context& context, const CheckpointArguments& arguments) {
  const auto checkpoints = context.ConnectCheckpoints();
  if (!checkpoints.ok())
    return Report(context, "checkpoint unpin", checkpoints.status(), Effect::kWrites);
  const auto unpinned = checkpoints->Unpin(arguments.id);
  if (!unpinned.ok())
    return Report(context, "checkpoint unpin", unpinned.status(), Effect::kWrites);
  RecordWriter writer(context, 1);
  writer.Write(SummaryOf(*unpinned));
  writer.Finish();
  return ExitCode::kDone;
}

// --- restore
// ----------------------------------------------------------------------------------------------------

// What a restore is to replace; nullopt, and an explanation on stderr, if the arguments do not say.
struct Extent {
  std::optional<RestoreRange> range;  // Nullopt: everything.
};

std::optional<Extent> ExtentOf(const Context& context, const CheckpointArguments& arguments) {
  const auto keys = arguments.range.range(context);
  if (!keys.has_value()) return std::nullopt;
  if (!keys->is_all() || arguments.namespace_only) {
    return Extent{RestoreRange{context.options.ns, *keys}};
  }
  // Who names a namespace does not expect that all the others are replaced too.
  if (!context.options.ns.empty() && !arguments.all) {
    context.env.err << "tarnctl: checkpoint restore: the namespace " << context.options.ns
                    << " is named, but nothing says that only it is meant: --namespace-only, "
                       "--prefix, or --start and --end; or --all for every namespace\n";
    return std::nullopt;
  }
  return Extent{};
}

bool Confirmed(const Context& context, const CheckpointArguments& arguments, const Extent& extent) {
  if (arguments.yes || arguments.validate_only || context.env.in_kind != Stream::kTerminal)
    return true;
  const std::string ns = context.options.ns.empty() ? "default" : context.options.ns;
  const std::string what =
      extent.range.has_value() ? "a part of the namespace " + ns : "EVERY entry of every namespace";
  context.env.err << "Replace " << what << " of " << context.options.endpoint
                  << " by what is in checkpoint " << arguments.id << "? [y/N] " << std::flush;
  std::string answer;
  std::getline(context.env.in, answer);
  if (answer == "y" || answer == "Y" || answer == "yes") return true;
  context.env.err << "tarnctl: checkpoint restore: nothing was done; --yes answers for you\n";
  return false;
}

ExitCode RunRestore(Context& context, const CheckpointArguments& arguments) {
  const std::optional<Extent> extent = ExtentOf(context, arguments);
  if (!extent.has_value()) return ExitCode::kUsage;
  if (!Confirmed(context, arguments, *extent)) return ExitCode::kFailed;
  const auto checkpoints = context.ConnectCheckpoints();
  if (!checkpoints.ok())
    return Report(context, "checkpoint restore", checkpoints.status(), Effect::kWrites);
  return Conclude(
      context, arguments, "checkpoint restore", *checkpoints,
      checkpoints->Restore(
          {.id = arguments.id,
           .mode = arguments.validate_only ? RestoreMode::kValidateOnly : RestoreMode::kRestore,
           .safety =
               arguments.no_safety_checkpoint ? SafetyCheckpoint::kSkip : SafetyCheckpoint::kMake,
           .range = extent->range,
           .timeout = {}}));
}

// --- their arguments
// --------------------------------------------------------------------------------------------

using Run = ExitCode (*)(Context&, const CheckpointArguments&);

struct Added {
  CLI::App& command;
  CheckpointArguments& arguments;
};

Added Add(CLI::App& group, Command& chosen, const char* name, const char* about, Run run) {
  CLI::App* const command = group.add_subcommand(name, about);
  const auto arguments = std::make_shared<CheckpointArguments>();
  command->callback([&chosen, arguments, run] {
    chosen = [arguments, run](Context& context) { return run(context, *arguments); };
  });
  return {*command, *arguments};
}

Added AddWithId(CLI::App& group, Command& chosen, const char* name, const char* about, Run run,
                const char* about_id) {
  const Added added = Add(group, chosen, name, about, run);
  added.command.add_option("ID", added.arguments.id, about_id)->required();
  return added;
}

constexpr char kIdOrLatest[] = "The checkpoint's id, or latest";
constexpr char kIdOnly[] = "The checkpoint's id";

void AddWaiting(const Added& added) {
  added.command.add_flag("--no-wait", added.arguments.no_wait,
                         "Print the number of the job and do not wait for it");
  added.command.add_flag("-q,--quiet", added.arguments.quiet, "No progress on stderr");
}

void AddCreate(CLI::App& group, Command& chosen) {
  const Added create = Add(group, chosen, "create", "Create a checkpoint; print its id", RunCreate);
  create.command.add_flag("--force", create.arguments.force,
                          "Even if nothing has changed since the newest");
  create.command.add_option("--pin", create.arguments.reason, "Pin it, and say why")
      ->type_name("REASON");
  AddWaiting(create);
}

void AddRestore(CLI::App& group, Command& chosen) {
  const Added restore = AddWithId(
      group, chosen, "restore",
      "Bring the state, or a part of it, back to what it was; print the id of what was restored",
      RunRestore, kIdOrLatest);
  CheckpointArguments& arguments = restore.arguments;
  CLI::App& command = restore.command;
  CLI::Option* const validate = command.add_flag("--validate-only", arguments.validate_only,
                                                 "Prove that it could be restored; change nothing");
  CLI::Option* const no_safety =
      command.add_flag("--no-safety-checkpoint", arguments.no_safety_checkpoint,
                       "Do not checkpoint the state that is given up");
  AddRange(command, arguments.range);
  CLI::Option* const all =
      command.add_flag("--all", arguments.all, "Every namespace, though one is named");
  command.add_flag("--namespace-only", arguments.namespace_only,
                   "Only the namespace of -n, all its keys");
  for (const char* part : {"--prefix", "--start", "--end", "--namespace-only"}) {
    command.get_option(part)->excludes(validate)->excludes(no_safety)->excludes(all);
  }
  command.add_flag("-y,--yes", arguments.yes, "Do not ask");
  AddWaiting(restore);
}

}  // namespace

void AddCheckpointCommands(CLI::App& app, Command& chosen) {
  CLI::App* const group = app.add_subcommand("checkpoint", "Complete copies of the state");
  group->require_subcommand(1);
  AddCreate(*group, chosen);
  Add(*group, chosen, "list", "List checkpoints from oldest to newest, and why each is kept",
      RunList);
  AddWithId(*group, chosen, "show", "Print what is known of a checkpoint", RunShow, kIdOrLatest);
  AddWaiting(AddWithId(*group, chosen, "verify",
                       "Have the server prove every byte of a checkpoint; exit 5 if it is damaged",
                       RunVerify, kIdOrLatest));
  AddRestore(*group, chosen);
  AddWithId(*group, chosen, "delete", "Delete a checkpoint", RunDelete, kIdOnly);
  const Added pin = AddWithId(*group, chosen, "pin", "Keep a checkpoint until it is unpinned",
                              RunPin, kIdOrLatest);
  pin.command.add_option("REASON", pin.arguments.reason, "Why, in one line")->required();
  AddWithId(*group, chosen, "unpin", "Leave a checkpoint to retention again", RunUnpin, kIdOnly);
  AddCheckpointTransferCommands(*group, chosen);
}

}  // namespace tarn::cli
