#include "client/cli/group_commands.h"

#include <memory>
#include <string>
#include <vector>

#include "client/cli/output.h"
#include "client/cli/report.h"
#include "client/cli/text.h"

namespace tarn::cli {
namespace {

struct GroupArguments {
  std::string name;
  std::string member;
};

// Of fields in a simple line: name, member, epoch.
constexpr size_t kSimpleFields = 3;

Field EpochField(Revision epoch) {
  Field field = RevisionField(epoch);
  field.name = "epoch";
  return field;
}

std::vector<Field> FieldsOf(const GroupState& group) {
  return {TextField("name", group.name), TextField("member", group.member), EpochField(group.epoch),
          TextField("join_time", FormatTime(group.join_time))};
}

ExitCode RunJoin(Context& context, const GroupArguments& arguments) {
  const auto locks = context.ConnectLocks();
  if (!locks.ok()) return Report(context, "group join", locks.status(), Effect::kReads);
  const auto epoch = locks->JoinGroup(arguments.name, arguments.member);
  if (!epoch.ok()) return Report(context, "group join", epoch.status(), Effect::kWrites);
  RecordWriter writer(context, 1);
  writer.Write({EpochField(*epoch)});
  writer.Finish();
  return ExitCode::kDone;
}

ExitCode RunList(Context& context, const GroupArguments&) {
  const auto locks = context.ConnectLocks();
  if (!locks.ok()) return Report(context, "group list", locks.status(), Effect::kReads);
  const auto all = locks->ListGroups();
  if (!all.ok()) return Report(context, "group list", all.status(), Effect::kReads);
  RecordWriter writer(context, kSimpleFields);
  for (const GroupState& group : *all) writer.Write(FieldsOf(group));
  writer.Finish();
  return ExitCode::kDone;
}

ExitCode NoSuchGroup(const Context& context, const char* command, const GroupArguments& arguments) {
  context.env.err << "tarnctl: " << command << ": nobody has joined a group " << arguments.name
                  << "\n";
  return ExitCode::kNotFound;
}

ExitCode RunGet(Context& context, const GroupArguments& arguments) {
  const auto locks = context.ConnectLocks();
  if (!locks.ok()) return Report(context, "group get", locks.status(), Effect::kReads);
  const auto group = locks->GetGroup(arguments.name);
  if (!group.ok()) return Report(context, "group get", group.status(), Effect::kReads);
  if (!group->has_value()) return NoSuchGroup(context, "group get", arguments);
  PrintDetails(context, FieldsOf(**group));
  return ExitCode::kDone;
}

ExitCode RunDelete(Context& context, const GroupArguments& arguments) {
  const auto locks = context.ConnectLocks();
  if (!locks.ok()) return Report(context, "group delete", locks.status(), Effect::kReads);
  const auto found = locks->DeleteGroup(arguments.name);
  if (!found.ok()) return Report(context, "group delete", found.status(), Effect::kWrites);
  return *found ? ExitCode::kDone : NoSuchGroup(context, "group delete", arguments);
}

using Run = ExitCode (*)(Context&, const GroupArguments&);

CLI::App& Add(CLI::App& group, Command& chosen, const std::shared_ptr<GroupArguments>& arguments,
              const char* name, const char* about, Run run) {
  CLI::App* const command = group.add_subcommand(name, about);
  command->callback([&chosen, arguments, run] {
    chosen = [arguments, run](Context& context) { return run(context, *arguments); };
  });
  return *command;
}

CLI::App& AddOnGroup(CLI::App& group, Command& chosen,
                     const std::shared_ptr<GroupArguments>& arguments, const char* name,
                     const char* about, Run run) {
  CLI::App& command = Add(group, chosen, arguments, name, about, run);
  command.add_option("GROUP", arguments->name, "The group's name")->required();
  return command;
}

}  // namespace

void AddGroupCommands(CLI::App& app, Command& chosen) {
  CLI::App* const group =
      app.add_subcommand("group", "Groups of workers, whose epochs fence their writes");
  group->require_subcommand(1);
  const auto arguments = std::make_shared<GroupArguments>();
  CLI::App& join =
      AddOnGroup(*group, chosen, arguments, "join",
                 "Raise the epoch, which fences all earlier ones, and print it", RunJoin);
  join.add_option("MEMBER", arguments->member, "Who joins, for people")->required();
  Add(*group, chosen, arguments, "list", "List groups that somebody has joined", RunList);
  AddOnGroup(*group, chosen, arguments, "get", "Print a group as it is now", RunGet);
  AddOnGroup(*group, chosen, arguments, "delete",
             "Forget a group, which fences all its epochs; for administrators", RunDelete);
}

}  // namespace tarn::cli
