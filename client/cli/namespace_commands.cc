#include "client/cli/namespace_commands.h"

#include <memory>
#include <optional>
#include <string>

#include "client/cli/options.h"
#include "client/cli/output.h"
#include "client/cli/report.h"
#include "client/cli/text.h"

namespace tarn::cli {
namespace {

struct NamespaceArguments {
  std::string name;
  std::string default_ttl;  // "", a span, or "never".
  std::optional<uint64_t> quota_bytes;
  std::optional<uint64_t> quota_entries;
  bool together = false;
  bool force = false;
  Revision revision = 0;
};

std::vector<Field> FieldsOf(const NamespaceInfo& info) {
  const auto& settings = info.settings;
  const auto quota = [](std::string name, uint64_t limit) {
    Field field = NumberField(std::move(name), limit);
    if (limit == 0) field.plain = "-";
    return field;
  };
  Field ttl{"default_ttl", "-", ""};
  if (settings.default_ttl.has_value())
    ttl = TextField("default_ttl", FormatDuration(*settings.default_ttl));
  return {
      TextField("name", info.name),
      NumberField("entry_count", info.entry_count),
      NumberField("size_bytes", info.size_bytes),
      ttl,
      quota("quota_bytes", settings.quota_bytes),
      quota("quota_entries", settings.quota_entries),
      TextField("placement", settings.placement == Placement::kTogether ? "together" : "spread"),
      TextField("create_time", FormatTime(info.create_time)),
      RevisionField(info.revision)};
}

ExitCode PrintOne(const Context& context, const char* what, Effect effect,
                  const absl::StatusOr<NamespaceInfo>& info) {
  if (!info.ok()) return Report(context, what, info.status(), effect);
  PrintDetails(context, FieldsOf(*info));
  return ExitCode::kDone;
}

ExitCode RunList(Context& context, const NamespaceArguments&) {
  const auto admin = context.ConnectAdmin();
  if (!admin.ok()) return Report(context, "ns list", admin.status(), Effect::kReads);
  const auto all = admin->ListNamespaces();
  if (!all.ok()) return Report(context, "ns list", all.status(), Effect::kReads);
  RecordWriter writer(context, 1);
  for (const NamespaceInfo& info : *all) writer.Write(FieldsOf(info));
  writer.Finish();
  return ExitCode::kDone;
}

ExitCode RunShow(Context& context, const NamespaceArguments& arguments) {
  const auto admin = context.ConnectAdmin();
  if (!admin.ok()) return Report(context, "ns show", admin.status(), Effect::kReads);
  return PrintOne(context, "ns show", Effect::kReads, admin->GetNamespace(arguments.name));
}

ExitCode RunCreate(Context& context, const NamespaceArguments& arguments) {
  const auto admin = context.ConnectAdmin();
  if (!admin.ok()) return Report(context, "ns create", admin.status(), Effect::kWrites);
  NamespaceSettings settings;
  settings.default_ttl = ParseDuration(arguments.default_ttl);
  settings.quota_bytes = arguments.quota_bytes.value_or(0);
  settings.quota_entries = arguments.quota_entries.value_or(0);
  settings.placement = arguments.together ? Placement::kTogether : Placement::kSpread;
  return PrintOne(context, "ns create", Effect::kWrites,
                  admin->CreateNamespace({arguments.name, settings}));
}

ExitCode RunUpdate(Context& context, const NamespaceArguments& arguments) {
  NamespaceChange change;
  change.quota_bytes = arguments.quota_bytes;
  change.quota_entries = arguments.quota_entries;
  if (!arguments.default_ttl.empty()) change.default_ttl = TtlOption{arguments.default_ttl}.ttl();
  if (!change.quota_bytes && !change.quota_entries && !change.default_ttl) {
    context.env.err << "tarnctl: ns update: say what to change: --default-ttl, --quota-bytes or "
                       "--quota-entries\n";
    return ExitCode::kUsage;
  }
  const auto admin = context.ConnectAdmin();
  if (!admin.ok()) return Report(context, "ns update", admin.status(), Effect::kWrites);
  return PrintOne(context, "ns update", Effect::kWrites,
                  admin->UpdateNamespace({arguments.name, change, arguments.revision}));
}

ExitCode RunDelete(Context& context, const NamespaceArguments& arguments) {
  const auto admin = context.ConnectAdmin();
  if (!admin.ok()) return Report(context, "ns delete", admin.status(), Effect::kWrites);
  const auto deleted = admin->DeleteNamespace(
      {.name = arguments.name,
       .with_entries = arguments.force ? WithEntries::kDelete : WithEntries::kRefuse,
       .expected_revision = arguments.revision,
       .timeout = context.timeout.value_or(kNoTimeout)});
  if (!deleted.ok()) return Report(context, "ns delete", deleted.status(), Effect::kWrites);
  RecordWriter writer(context, 1);
  writer.Write({NumberField("deleted_count", deleted->deleted_count)});
  writer.Finish();
  return ExitCode::kDone;
}

using Run = ExitCode (*)(Context&, const NamespaceArguments&);

struct Added {
  CLI::App& command;
  NamespaceArguments& arguments;
};

Added Add(CLI::App& group, Command& chosen, const char* name, const char* about, Run run) {
  CLI::App* const command = group.add_subcommand(name, about);
  const auto arguments = std::make_shared<NamespaceArguments>();
  command->callback([&chosen, arguments, run] {
    chosen = [arguments, run](Context& context) { return run(context, *arguments); };
  });
  return {*command, *arguments};
}

void AddName(const Added& added) {
  added.command.add_option("NAME", added.arguments.name, "The namespace")->required();
}

void AddQuotas(const Added& added) {
  added.command
      .add_option("--quota-bytes", added.arguments.quota_bytes,
                  "The most bytes of keys and values, such as 10MB or 2GiB; 0 = no limit")
      ->transform(CLI::AsSizeValue(false))
      ->type_name("SIZE");
  added.command
      .add_option("--quota-entries", added.arguments.quota_entries,
                  "The most entries; 0 = no limit")
      ->type_name("N");
}

void AddRevision(const Added& added) {
  added.command
      .add_option("--if-revision", added.arguments.revision,
                  "Only if its settings have this revision")
      ->check(CLI::PositiveNumber)
      ->type_name("R");
}

}  // namespace

void AddNamespaceCommands(CLI::App& app, Command& chosen) {
  CLI::App* const group = app.add_subcommand("ns", "Namespaces: one application's keys each");
  group->require_subcommand(1);

  Add(*group, chosen, "list", "Print all of them", RunList);

  const Added show = Add(*group, chosen, "show", "Print the settings and size of one", RunShow);
  AddName(show);

  const Added create = Add(*group, chosen, "create", "Create one", RunCreate);
  AddName(create);
  AddQuotas(create);
  create.command
      .add_option("--default-ttl", create.arguments.default_ttl,
                  "How long entries live whose write does not say: 5s, 1h30m, 7d")
      ->check(CheckDuration)
      ->type_name("SPAN");
  create.command.add_flag("--together", create.arguments.together,
                          "Keep its keys in one partition, for atomic batches over any of them");

  const Added update =
      Add(*group, chosen, "update", "Change settings, for writes from now on", RunUpdate);
  AddName(update);
  AddQuotas(update);
  update.command
      .add_option("--default-ttl", update.arguments.default_ttl, "5s, 1h30m, 7d, or never")
      ->check([](const std::string& text) {
        return text == "never" ? std::string() : CheckDuration(text);
      })
      ->type_name("SPAN");
  AddRevision(update);

  const Added remove =
      Add(*group, chosen, "delete", "Delete one; print how many entries went with it", RunDelete);
  AddName(remove);
  remove.command.add_flag("--force", remove.arguments.force, "Its entries too");
  AddRevision(remove);
}

}  // namespace tarn::cli
