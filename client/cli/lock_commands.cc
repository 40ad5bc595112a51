#include "client/cli/lock_commands.h"

#include <signal.h>

#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "client/cli/child.h"
#include "client/cli/options.h"
#include "client/cli/output.h"
#include "client/cli/report.h"
#include "client/cli/text.h"

namespace tarn::cli {
namespace {

struct LockArguments {
  std::string name;
  std::vector<std::string> command;
  std::string ttl = "10s";
  std::string wait;  // Empty: as long as it takes.
  std::string kill_after = "10s";
  std::string holder;
  Revision token = 0;
  bool force = false;
};

// Of fields in a simple line: name, holder, token.
constexpr size_t kSimpleFields = 3;

Field TokenField(Revision token) {
  Field field = RevisionField(token);
  field.name = "token";
  return field;
}

std::vector<Field> FieldsOf(const LockState& lock) {
  if (!lock.held) {
    return {TextField("name", lock.name),
            {"holder", "-", ""},
            {"token", "-", ""},
            BoolField("held", false),
            {"remaining", "-", ""},
            {"acquire_time", "-", ""},
            NumberField("queue_length", lock.queue_length)};
  }
  return {TextField("name", lock.name),
          TextField("holder", lock.holder),
          TokenField(lock.token),
          BoolField("held", true),
          TextField("remaining", FormatDuration(lock.remaining)),
          TextField("acquire_time", FormatTime(lock.acquire_time)),
          NumberField("queue_length", lock.queue_length)};
}

ExitCode RunList(Context& context, const LockArguments&) {
  const auto locks = context.ConnectLocks();
  if (!locks.ok()) return Report(context, "lock list", locks.status(), Effect::kReads);
  const auto all = locks->List();
  if (!all.ok()) return Report(context, "lock list", all.status(), Effect::kReads);
  RecordWriter writer(context, kSimpleFields);
  for (const LockState& lock : *all) writer.Write(FieldsOf(lock));
  writer.Finish();
  return ExitCode::kDone;
}

ExitCode RunGet(Context& context, const LockArguments& arguments) {
  const auto locks = context.ConnectLocks();
  if (!locks.ok()) return Report(context, "lock get", locks.status(), Effect::kReads);
  const auto lock = locks->Get(arguments.name);
  if (!lock.ok()) return Report(context, "lock get", lock.status(), Effect::kReads);
  PrintDetails(context, FieldsOf(*lock));
  return ExitCode::kDone;
}

ExitCode RunRelease(Context& context, const LockArguments& arguments) {
  if (!arguments.force && arguments.token == 0) {
    context.env.err << "tarnctl: lock release: --token says whose lock it is; to take it from "
                       "whoever holds it, give --force\n";
    return ExitCode::kUsage;
  }
  const auto locks = context.ConnectLocks();
  if (!locks.ok()) return Report(context, "lock release", locks.status(), Effect::kWrites);
  if (!arguments.force) {
    const absl::Status released = locks->Release(arguments.name, arguments.token);
    return released.ok() ? ExitCode::kDone
                         : Report(context, "lock release", released, Effect::kWrites);
  }
  const auto was = locks->ForceRelease(arguments.name, arguments.token);
  if (!was.ok()) return Report(context, "lock release", was.status(), Effect::kWrites);
  RecordWriter writer(context, kSimpleFields);
  writer.Write({TextField("name", arguments.name), TextField("holder", was->holder),
                TokenField(was->token)});
  writer.Finish();
  return ExitCode::kDone;
}

// Ends a command whose lock is lost: asks it to, and after a while makes it.
class Stopper {
 public:
  explicit Stopper(std::chrono::milliseconds patience) : patience_(patience) {}
  ~Stopper() {
    {
      const std::lock_guard lock(mutex_);
      over_ = true;
      changed_.notify_all();
    }
    if (thread_.joinable()) thread_.join();
  }

  // The lock may be lost before the command has begun.
  void Begin(const Child& child) {
    const std::lock_guard lock(mutex_);
    child_ = child;
    if (lost_) Stop();
  }
  void Lose() {
    const std::lock_guard lock(mutex_);
    lost_ = true;
    if (child_.has_value()) Stop();
  }
  bool lost() const {
    const std::lock_guard lock(mutex_);
    return lost_;
  }

 private:
  void Stop() {
    child_->Signal(SIGTERM);
    thread_ = std::thread([this, child = *child_] {
      std::unique_lock lock(mutex_);
      if (!changed_.wait_for(lock, patience_, [this] { return over_; })) child.Signal(SIGKILL);
    });
  }

  const std::chrono::milliseconds patience_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<Child> child_;
  bool lost_ = false;
  bool over_ = false;
  std::thread thread_;
};

ExitCode RunUnder(Context& context, const LockArguments& arguments, LockGuard& guard,
                  Stopper& stopper) {
  const std::string& ns = context.options.ns;
  const auto child =
      Child::Start(arguments.command, {{"TARN_LOCK_NAME", arguments.name},
                                       {"TARN_LOCK_NAMESPACE", ns},
                                       {"TARN_LOCK_TOKEN", absl::StrCat(guard.token())}});
  if (!child.ok()) return Report(context, "lock", child.status(), Effect::kReads);
  if (context.env.forward_signals)
    context.env.forward_signals([child = *child](int number) { child.Signal(number); });
  stopper.Begin(*child);
  const ChildEnd end = child->Wait();
  if (!stopper.lost()) return static_cast<ExitCode>(end.code);
  context.env.err << "tarnctl: lock: the lock was lost while the command ran, and it was stopped "
                     "(its exit code: "
                  << end.code << ")\n";
  return Report(context, "lock", guard.lost(), Effect::kReads);
}

ExitCode RunCommand(Context& context, const LockArguments& arguments) {
  const auto locks = context.ConnectLocks();
  if (!locks.ok()) return Report(context, "lock", locks.status(), Effect::kReads);
  Stopper stopper(*ParseDuration(arguments.kill_after));
  auto guard =
      locks->Lock(arguments.name,
                  {.ttl = *ParseDuration(arguments.ttl),
                   .wait = arguments.wait.empty() ? kNoTimeout : *ParseDuration(arguments.wait),
                   .holder = arguments.holder},
                  [&stopper](const absl::Status&) { stopper.Lose(); });
  if (!guard.ok()) return Report(context, "lock", guard.status(), Effect::kWrites);
  const ExitCode code = RunUnder(context, arguments, *guard, stopper);
  const absl::Status released = guard->Release();
  if (!released.ok() && !stopper.lost()) Report(context, "lock", released, Effect::kWrites);
  return code;
}

using Run = ExitCode (*)(Context&, const LockArguments&);

CLI::App& Add(CLI::App& group, Command& chosen, const std::shared_ptr<LockArguments>& arguments,
              const char* name, const char* about, Run run) {
  CLI::App* const command = group.add_subcommand(name, about);
  command->callback([&chosen, arguments, run] {
    chosen = [arguments, run](Context& context) { return run(context, *arguments); };
  });
  return *command;
}

CLI::App& AddOnLock(CLI::App& group, Command& chosen,
                    const std::shared_ptr<LockArguments>& arguments, const char* name,
                    const char* about, Run run) {
  CLI::App& command = Add(group, chosen, arguments, name, about, run);
  command.add_option("NAME", arguments->name, "The lock's name")->required();
  return command;
}

void AddRunning(CLI::App& group, Command& chosen, const std::shared_ptr<LockArguments>& arguments) {
  group.add_option("NAME", arguments->name, "The lock to hold while the command runs");
  group.add_option("COMMAND", arguments->command, "The command, behind --");
  group.add_option("--ttl", arguments->ttl, "How long the lock outlives this program")
      ->check(CheckDuration)
      ->capture_default_str();
  group
      .add_option("--wait", arguments->wait,
                  "How long to wait for it; as long as it takes if not given")
      ->check(CheckDuration);
  group
      .add_option("--kill-after", arguments->kill_after,
                  "When the lock is lost the command gets SIGTERM, and SIGKILL so much later")
      ->check(CheckDuration)
      ->capture_default_str();
  group.add_option("--holder", arguments->holder,
                   "Who we are, for people; host and process if not given");
  group.callback([&group, &chosen, arguments] {
    if (!group.get_subcommands().empty()) return;
    if (arguments->name.empty() || arguments->command.empty())
      throw CLI::RequiredError("NAME -- COMMAND, or list, get or release");
    chosen = [arguments](Context& context) { return RunCommand(context, *arguments); };
  });
}

}  // namespace

void AddLockCommands(CLI::App& app, Command& chosen) {
  CLI::App* const group = app.add_subcommand(
      "lock", "Run a command while holding a lock (lock NAME -- COMMAND), or look after locks");
  const auto arguments = std::make_shared<LockArguments>();
  AddRunning(*group, chosen, arguments);
  Add(*group, chosen, arguments, "list", "List locks that are held or waited for", RunList);
  AddOnLock(*group, chosen, arguments, "get", "Print a lock as it is now", RunGet);
  CLI::App& release = AddOnLock(*group, chosen, arguments, "release",
                                "Give a lock back, or take it from its holder", RunRelease);
  release.add_option("--token", arguments->token, "The token that it is held under");
  release.add_flag("--force", arguments->force,
                   "From whoever holds it, or only from the holder of --token; for administrators");
}

}  // namespace tarn::cli
