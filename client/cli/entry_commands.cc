#include "client/cli/entry_commands.h"

#include <memory>
#include <optional>
#include <string>

#include "client/cli/options.h"
#include "client/cli/output.h"
#include "client/cli/report.h"

namespace tarn::cli {
namespace {

// What the arguments of a command on one key say. Each command uses some of it.
struct EntryArguments {
  std::string key;
  std::string value;
  int64_t delta = 1;
  TtlOption ttl;
  ConditionOption condition;
  bool value_from_stdin = false;
  bool raw = false;
  std::string checkpoint;  // Empty: the state as it is now.
};

struct KeyValue {
  std::string key;
  std::string value;
};

// The key, and for what stores a value the value too, as bytes.
std::optional<KeyValue> Decode(const Context& context, const EntryArguments& arguments) {
  const auto key = BytesOf(context, arguments.key);
  if (!key.has_value()) return std::nullopt;
  // What comes from stdin is the bytes themselves, whatever --hex says of arguments.
  if (arguments.value_from_stdin) return KeyValue{*key, ReadAll(context.env.in)};
  const auto value = BytesOf(context, arguments.value);
  if (!value.has_value()) return std::nullopt;
  return KeyValue{*key, *value};
}

void Print(const Context& context, std::vector<Field> fields) {
  RecordWriter writer(context, 1);
  writer.Write(std::move(fields));
  writer.Finish();
}

// A found value. In simple style it is the bytes themselves and a newline, which --raw leaves out.
void PrintValue(const Context& context, const EntryArguments& arguments, const std::string& key,
                const std::string& value, std::vector<Field> rest) {
  std::ostream& out = context.env.out;
  if (context.style == Style::kSimple || arguments.raw) {
    const bool hex = context.encoding == Encoding::kHex;
    out << (hex ? BytesField(context, "", value).plain : value) << (arguments.raw ? "" : "\n");
    return;
  }
  std::vector<Field> fields = {BytesField(context, "key", key),
                               BytesField(context, "value", value)};
  fields.insert(fields.end(), rest.begin(), rest.end());
  Print(context, std::move(fields));
}

// From a checkpoint, which stays what it is.
ExitCode GetFromThePast(const Context& context, const EntryArguments& arguments,
                        const std::string& key) {
  const auto checkpoints = context.ConnectCheckpoints();
  if (!checkpoints.ok()) return Report(context, "get", checkpoints.status(), Effect::kReads);
  const auto got = checkpoints->GetEntry(
      {.id = arguments.checkpoint, .ns = context.options.ns, .key = key, .timeout = {}});
  if (!got.ok()) return Report(context, "get", got.status(), Effect::kReads);
  if (!got->found) return ExitCode::kNotFound;
  PrintValue(context, arguments, key, got->value,
             {RevisionField(got->revision), ExpiryField(got->expire_time),
              TextField("checkpoint_id", got->checkpoint_id)});
  return ExitCode::kDone;
}

ExitCode RunGet(Context& context, const EntryArguments& arguments) {
  const auto input = Decode(context, arguments);
  if (!input.has_value()) return ExitCode::kUsage;
  if (!arguments.checkpoint.empty()) return GetFromThePast(context, arguments, input->key);
  const auto client = context.Connect();
  if (!client.ok()) return Report(context, "get", client.status(), Effect::kReads);
  const auto got = client->Get(input->key, {.precondition = arguments.condition.precondition()});
  if (!got.ok()) return Report(context, "get", got.status(), Effect::kReads);
  if (!got->found) return ExitCode::kNotFound;
  PrintValue(context, arguments, input->key, got->value,
             {RevisionField(got->revision), ExpiryField(got->expire_time)});
  return ExitCode::kDone;
}

ExitCode RunTake(Context& context, const EntryArguments& arguments) {
  const auto input = Decode(context, arguments);
  if (!input.has_value()) return ExitCode::kUsage;
  const auto client = context.Connect();
  if (!client.ok()) return Report(context, "take", client.status(), Effect::kWrites);
  const auto taken = client->Take(input->key, {.precondition = arguments.condition.precondition()});
  if (!taken.ok()) return Report(context, "take", taken.status(), Effect::kWrites);
  if (!taken->found) return ExitCode::kNotFound;
  PrintValue(context, arguments, input->key, taken->value, {RevisionField(taken->revision)});
  return ExitCode::kDone;
}

ExitCode RunPut(Context& context, const EntryArguments& arguments) {
  auto input = Decode(context, arguments);
  if (!input.has_value()) return ExitCode::kUsage;
  const auto client = context.Connect();
  if (!client.ok()) return Report(context, "put", client.status(), Effect::kWrites);
  const auto put =
      client->Put(input->key, std::move(input->value),
                  {.ttl = arguments.ttl.ttl(), .precondition = arguments.condition.precondition()});
  if (!put.ok()) return Report(context, "put", put.status(), Effect::kWrites);
  Print(context, {RevisionField(put->revision), BoolField("replaced", put->found),
                  ExpiryField(put->expire_time)});
  return ExitCode::kDone;
}

ExitCode RunDelete(Context& context, const EntryArguments& arguments) {
  const auto input = Decode(context, arguments);
  if (!input.has_value()) return ExitCode::kUsage;
  const auto client = context.Connect();
  if (!client.ok()) return Report(context, "del", client.status(), Effect::kWrites);
  const auto deleted =
      client->Delete(input->key, {.precondition = arguments.condition.precondition()});
  if (!deleted.ok()) return Report(context, "del", deleted.status(), Effect::kWrites);
  Print(context,
        {NumberField("deleted", deleted->found ? 1 : 0), RevisionField(deleted->revision)});
  return ExitCode::kDone;
}

ExitCode RunIncrement(Context& context, const EntryArguments& arguments) {
  const auto input = Decode(context, arguments);
  if (!input.has_value()) return ExitCode::kUsage;
  const auto client = context.Connect();
  if (!client.ok()) return Report(context, "incr", client.status(), Effect::kWrites);
  const auto sum = client->Increment(
      input->key, arguments.delta,
      {.ttl = arguments.ttl.ttl(), .precondition = arguments.condition.precondition()});
  if (!sum.ok()) return Report(context, "incr", sum.status(), Effect::kWrites);
  Print(context, {SignedField("number", sum->number), RevisionField(sum->revision),
                  ExpiryField(sum->expire_time)});
  return ExitCode::kDone;
}

ExitCode RunAppend(Context& context, const EntryArguments& arguments) {
  auto input = Decode(context, arguments);
  if (!input.has_value()) return ExitCode::kUsage;
  const auto client = context.Connect();
  if (!client.ok()) return Report(context, "append", client.status(), Effect::kWrites);
  const auto longer = client->Append(
      input->key, std::move(input->value),
      {.ttl = arguments.ttl.ttl(), .precondition = arguments.condition.precondition()});
  if (!longer.ok()) return Report(context, "append", longer.status(), Effect::kWrites);
  Print(context, {NumberField("size_bytes", longer->size_bytes), RevisionField(longer->revision),
                  ExpiryField(longer->expire_time)});
  return ExitCode::kDone;
}

ExitCode RunTouch(Context& context, const EntryArguments& arguments) {
  const auto input = Decode(context, arguments);
  if (!input.has_value()) return ExitCode::kUsage;
  const auto client = context.Connect();
  if (!client.ok()) return Report(context, "touch", client.status(), Effect::kWrites);
  const auto touched = client->Touch(input->key, arguments.ttl.ttl(),
                                     {.precondition = arguments.condition.precondition()});
  if (!touched.ok()) return Report(context, "touch", touched.status(), Effect::kWrites);
  if (!touched->found) return ExitCode::kNotFound;
  Print(context, {RevisionField(touched->revision), ExpiryField(touched->expire_time)});
  return ExitCode::kDone;
}

using Run = ExitCode (*)(Context&, const EntryArguments&);

// A command on a key, whose arguments live as long as it does.
struct Added {
  CLI::App& command;
  EntryArguments& arguments;
};

Added Add(CLI::App& app, Command& chosen, const char* name, const char* about, Run run) {
  CLI::App* const command = app.add_subcommand(name, about);
  const auto arguments = std::make_shared<EntryArguments>();
  command->add_option("KEY", arguments->key, "The key")->required();
  command->callback([&chosen, arguments, run] {
    chosen = [arguments, run](Context& context) { return run(context, *arguments); };
  });
  return {*command, *arguments};
}

// The value as an argument, or with -x from stdin.
void AddValue(const Added& added, const char* about) {
  CLI::Option* const stdin_flag =
      added.command.add_flag("-x,--stdin", added.arguments.value_from_stdin,
                             "Take VALUE from standard input, every byte of it");
  CLI::Option* const value = added.command.add_option("VALUE", added.arguments.value, about);
  value->excludes(stdin_flag);
  added.command.parse_complete_callback([value, stdin_flag] {
    if (value->count() == 0 && stdin_flag->count() == 0) throw CLI::RequiredError("VALUE");
  });
}

void AddRaw(const Added& added) {
  added.command.add_flag("--raw", added.arguments.raw,
                         "Print the value's bytes and nothing else, not even a newline");
}

}  // namespace

void AddEntryCommands(CLI::App& app, Command& chosen) {
  const Added get =
      Add(app, chosen, "get", "Print the value of a key; exit 4 if there is none", RunGet);
  AddRaw(get);
  get.command
      .add_option("--checkpoint", get.arguments.checkpoint,
                  "As it was in this checkpoint, or in the latest")
      ->type_name("ID");

  const Added put = Add(app, chosen, "put", "Store a value; print its revision", RunPut);
  AddValue(put, "The value");
  AddTtl(put.command, put.arguments.ttl);
  AddCondition(put.command, put.arguments.condition, Absence::kAllowed);

  const Added del =
      Add(app, chosen, "del", "Remove a key; print 1, or 0 if there was none", RunDelete);
  AddCondition(del.command, del.arguments.condition, Absence::kNotAllowed);

  const Added take = Add(app, chosen, "take",
                         "Remove a key and print its value; exit 4 if there is none", RunTake);
  AddRaw(take);
  AddCondition(take.command, take.arguments.condition, Absence::kNotAllowed);

  const Added incr =
      Add(app, chosen, "incr", "Add N to a decimal integer; print the sum", RunIncrement);
  incr.command.add_option("N", incr.arguments.delta, "What to add; may be negative")
      ->capture_default_str();
  AddTtl(incr.command, incr.arguments.ttl);
  AddCondition(incr.command, incr.arguments.condition, Absence::kAllowed);

  const Added append = Add(app, chosen, "append", "Append to a value; print its length", RunAppend);
  AddValue(append, "What to append");
  AddTtl(append.command, append.arguments.ttl);
  AddCondition(append.command, append.arguments.condition, Absence::kAllowed);

  const Added touch =
      Add(app, chosen, "touch", "Change how long a key lives; exit 4 if there is none", RunTouch);
  AddTtl(touch.command, touch.arguments.ttl)->required();
  AddCondition(touch.command, touch.arguments.condition, Absence::kNotAllowed);
}

}  // namespace tarn::cli
