#include "client/cli/job_commands.h"

#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "client/cli/output.h"
#include "client/cli/report.h"
#include "client/cli/text.h"

namespace tarn::cli {
namespace {

// Also how long Ctrl-C may take to be heard: well below the second after which it ends the process.
constexpr std::chrono::milliseconds kWatchInterval{200};

struct JobArguments {
  uint64_t id = 0;
  bool quiet = false;
};

const char* NameOf(JobKind kind) {
  constexpr const char* kNames[] = {"unknown", "checkpoint", "verify", "restore",
                                    "import",  "export",     "diff"};
  return kNames[static_cast<size_t>(kind)];
}

const char* NameOf(JobState state) {
  constexpr const char* kNames[] = {"unknown",   "queued", "running",
                                    "succeeded", "failed", "cancelled"};
  return kNames[static_cast<size_t>(state)];
}

Field TimeField(std::string name, const std::optional<Timestamp>& time) {
  if (!time.has_value()) return {std::move(name), "-", ""};
  return TextField(std::move(name), FormatTime(*time));
}

Field RateField(std::string name, double rate) {
  return NumberField(std::move(name), static_cast<uint64_t>(rate < 0 ? 0 : rate));
}

std::vector<Field> FieldsOf(const Job& job) {
  Field left{"time_left", "-", ""};
  if (job.time_left.has_value()) left = TextField("time_left", FormatDuration(*job.time_left));
  Field error{"error", "-", ""};
  if (!job.error.ok()) {
    const std::string reason = DetailsOf(job.error).reason_name;
    error = TextField("error",
                      absl::StrCat(absl::StatusCodeToString(job.error.code()),
                                   reason.empty() ? "" : ", ", reason, ": ", job.error.message()));
  }
  return {NumberField("id", job.id),
          TextField("kind", NameOf(job.kind)),
          TextField("subject", job.subject),
          TextField("state", NameOf(job.state)),
          TextField("phase", job.phase),
          NumberField("entry_count", job.entry_count),
          NumberField("total_entry_count", job.total_entry_count),
          NumberField("size_bytes", job.size_bytes),
          RateField("entries_per_second", job.entries_per_second),
          RateField("bytes_per_second", job.bytes_per_second),
          std::move(left),
          TextField("result", job.result),
          std::move(error),
          TimeField("create_time", job.create_time),
          TimeField("start_time", job.start_time),
          TimeField("end_time", job.end_time)};
}

// Of fields in a simple line: id, kind, subject, state.
constexpr size_t kSimpleFields = 4;

// What fits into a row; for programs everything.
std::vector<Field> RowOf(const Context& context, const Job& job) {
  std::vector<Field> fields = FieldsOf(job);
  if (context.style == Style::kJson) return fields;
  std::erase_if(fields, [](const Field& field) {
    return field.name.ends_with("_per_second") || field.name.ends_with("_time") ||
           field.name == "size_bytes";
  });
  return fields;
}

WorkState WorkOf(const Job& job) {
  return {.phase = job.state == JobState::kQueued ? "waiting for its turn" : job.phase,
          .done = job.entry_count,
          .total = job.total_entry_count,
          .per_second = job.entries_per_second,
          .time_left = job.time_left};
}

void SayItGoesOn(const Context& context, const Followed& followed, const char* why) {
  const uint64_t id = followed.job.id;
  context.env.err << "tarnctl: " << followed.command << ": " << why << "; job " << id
                  << " goes on. Watch it with: tarnctl job watch " << id
                  << ". End it with: tarnctl job cancel " << id << ".\n";
}

// Of a job that did not succeed. It is known that nothing was done, unless it says so itself.
ExitCode ReportEnd(const Context& context, const Followed& followed, const Job& job) {
  absl::Status error = job.error;
  if (error.ok()) {
    error = job.state == JobState::kCancelled
                ? absl::CancelledError("the job was cancelled")
                : absl::UnknownError("the job says not why it failed");
  }
  const bool unknown = ReasonOf(error) == Reason::kOutcomeUnknown;
  return Report(context, absl::StrCat(followed.command, ": job ", job.id), error,
                unknown ? Effect::kWrites : Effect::kReads);
}

// The job at its end; nullopt when this program ends before, how is in `code`.
struct Watched {
  std::optional<Job> job;
  ExitCode code = ExitCode::kDone;
};

Watched Watch(const Context& context, const JobClient& jobs, const Followed& followed) {
  WorkProgress progress(context.env, followed.command, "entries", followed.loudness);
  JobWatch watch =
      jobs.Watch({.id = followed.job.id, .interval = kWatchInterval, .timeout = context.timeout});
  Watched last;
  while (true) {
    if (context.env.interrupted()) return {std::nullopt, ExitCode::kInterrupted};
    const auto now = watch.Next();
    if (!now.ok()) {
      return {std::nullopt, Report(context, followed.command, now.status(), Effect::kReads)};
    }
    if (!now->has_value()) return last;
    last.job = **now;
    if (followed.on_change) followed.on_change(**now);
    if (!(*now)->ended()) progress.Show(WorkOf(**now));
  }
}

// --- the commands
// ------------------------------------------------------------------------------------------------

ExitCode RunList(Context& context, const JobArguments&) {
  const auto jobs = context.ConnectJobs();
  if (!jobs.ok()) return Report(context, "job list", jobs.status(), Effect::kReads);
  const auto all = jobs->List();
  if (!all.ok()) return Report(context, "job list", all.status(), Effect::kReads);
  RecordWriter writer(context, kSimpleFields);
  for (const Job& job : *all) writer.Write(RowOf(context, job));
  writer.Finish();
  return ExitCode::kDone;
}

ExitCode RunShow(Context& context, const JobArguments& arguments) {
  const auto jobs = context.ConnectJobs();
  if (!jobs.ok()) return Report(context, "job show", jobs.status(), Effect::kReads);
  const auto job = jobs->Get(arguments.id);
  if (!job.ok()) return Report(context, "job show", job.status(), Effect::kReads);
  PrintDetails(context, FieldsOf(*job));
  return ExitCode::kDone;
}

ExitCode RunWatch(Context& context, const JobArguments& arguments) {
  Followed followed{.job = {.id = arguments.id},
                    .command = "job watch",
                    .loudness = arguments.quiet ? Loudness::kQuiet : Loudness::kNormal,
                    .on_change = {}};
  if (context.style == Style::kJson) {
    followed.on_change = [&context](const Job& job) {
      context.env.out << ToJson(FieldsOf(job)) << "\n" << std::flush;
    };
  }
  return FollowJob(context, followed, [&context](const Job& job) {
    if (context.style == Style::kTable) PrintDetails(context, FieldsOf(job));
    if (context.style == Style::kSimple) context.env.out << job.result << "\n";
    return ExitCode::kDone;
  });
}

ExitCode RunCancel(Context& context, const JobArguments& arguments) {
  const auto jobs = context.ConnectJobs();
  if (!jobs.ok()) return Report(context, "job cancel", jobs.status(), Effect::kWrites);
  const auto job = jobs->Cancel(arguments.id);
  if (!job.ok()) return Report(context, "job cancel", job.status(), Effect::kWrites);
  RecordWriter writer(context, kSimpleFields);
  writer.Write(RowOf(context, *job));
  writer.Finish();
  return ExitCode::kDone;
}

using Run = ExitCode (*)(Context&, const JobArguments&);

struct Added {
  CLI::App& command;
  JobArguments& arguments;
};

Added Add(CLI::App& group, Command& chosen, const char* name, const char* about, Run run) {
  CLI::App* const command = group.add_subcommand(name, about);
  const auto arguments = std::make_shared<JobArguments>();
  command->callback([&chosen, arguments, run] {
    chosen = [arguments, run](Context& context) { return run(context, *arguments); };
  });
  return {*command, *arguments};
}

Added AddOnJob(CLI::App& group, Command& chosen, const char* name, const char* about, Run run) {
  const Added added = Add(group, chosen, name, about, run);
  added.command.add_option("ID", added.arguments.id, "The job's number")
      ->required()
      ->check(CLI::PositiveNumber);
  return added;
}

}  // namespace

ExitCode FollowJob(const Context& context, const Followed& followed,
                   const std::function<ExitCode(const Job&)>& done) {
  const auto jobs = context.ConnectJobs();
  if (!jobs.ok()) return Report(context, followed.command, jobs.status(), Effect::kReads);
  const Watched watched = Watch(context, *jobs, followed);
  if (!watched.job.has_value()) {
    const bool interrupted = watched.code == ExitCode::kInterrupted;
    // What is not there any more does not go on.
    if (watched.code != ExitCode::kNotFound) {
      SayItGoesOn(context, followed, interrupted ? "interrupted" : "not watched any more");
    }
    return watched.code;
  }
  if (watched.job->state == JobState::kSucceeded) return done(*watched.job);
  return ReportEnd(context, followed, *watched.job);
}

ExitCode PrintBegun(const Context& context, const Job& job) {
  RecordWriter writer(context, 1);
  writer.Write(RowOf(context, job));
  writer.Finish();
  return ExitCode::kDone;
}

void AddJobCommands(CLI::App& app, Command& chosen) {
  CLI::App* const group = app.add_subcommand("job", "Long-running work of the server");
  group->require_subcommand(1);
  Add(*group, chosen, "list", "List jobs: those that are open, and the last that have ended",
      RunList);
  AddOnJob(*group, chosen, "show", "Print a job as it is now", RunShow);
  const Added watch =
      AddOnJob(*group, chosen, "watch",
               "Wait for a job, and print its result; Ctrl-C does not end it", RunWatch);
  watch.command.add_flag("-q,--quiet", watch.arguments.quiet, "No progress on stderr");
  AddOnJob(*group, chosen, "cancel", "Ask a job to end, leaving nothing half-done", RunCancel);
}

}  // namespace tarn::cli
