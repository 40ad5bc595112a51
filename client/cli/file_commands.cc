#include "client/cli/file_commands.h"

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "client/cli/checkpoint_file.h"
#include "client/cli/output.h"
#include "client/cli/report.h"
#include "client/cli/text.h"

namespace tarn::cli {
namespace {

using checkpoint::BlockInfo;
using checkpoint::CheckpointReader;
using checkpoint::Header;
using checkpoint::Section;

struct FileArguments {
  std::string path;
  bool blocks = false;
  bool quiet = false;
};

// What some blocks hold together.
struct Sum {
  uint64_t blocks = 0;
  uint64_t entries = 0;
  uint64_t raw_bytes = 0;
  uint64_t stored_bytes = 0;

  void Add(const BlockInfo& block) {
    ++blocks;
    entries += block.entries;
    raw_bytes += block.raw_bytes;
    stored_bytes += block.stored_bytes;
  }
};

Timestamp TimeOf(base::UnixMs time) { return Timestamp(std::chrono::milliseconds(time)); }

Field RatioField(uint64_t stored, uint64_t raw) {
  if (raw == 0) return {"ratio", "-", ""};
  const std::string ratio =
      absl::StrFormat("%.3f", static_cast<double>(stored) / static_cast<double>(raw));
  return {"ratio", ratio, ratio};
}

std::vector<Field> FieldsOf(const Sum& sum) {
  return {NumberField("entry_count", sum.entries), NumberField("block_count", sum.blocks),
          SizeField("raw_bytes", sum.raw_bytes), SizeField("stored_bytes", sum.stored_bytes),
          RatioField(sum.stored_bytes, sum.raw_bytes)};
}

const char* NameOf(Section section) { return section == Section::kSystem ? "system" : "entries"; }

// A row for each section, or each namespace: its name before the rest.
std::vector<std::vector<Field>> RowsOf(const char* what, const std::map<std::string, Sum>& sums) {
  std::vector<std::vector<Field>> rows;
  for (const auto& [name, sum] : sums) {
    std::vector<Field> row = FieldsOf(sum);
    row.insert(row.begin(), TextField(what, name));
    rows.push_back(std::move(row));
  }
  return rows;
}

std::vector<std::vector<Field>> SectionRows(const CheckpointReader& reader) {
  std::map<std::string, Sum> sums;
  for (const BlockInfo& block : reader.blocks()) sums[NameOf(block.section)].Add(block);
  return RowsOf("section", sums);
}

std::vector<std::vector<Field>> NamespaceRows(const CheckpointReader& reader) {
  std::map<std::string, Sum> sums;
  for (const BlockInfo& block : reader.blocks()) {
    if (block.section == Section::kEntries) sums[block.ns].Add(block);
  }
  return RowsOf("namespace", sums);
}

std::vector<std::vector<Field>> BlockRows(const Context& context, const CheckpointReader& reader) {
  std::vector<std::vector<Field>> rows;
  for (const BlockInfo& block : reader.blocks()) {
    rows.push_back(
        {NumberField("offset", block.offset), TextField("section", NameOf(block.section)),
         TextField("namespace", block.ns), BytesField(context, "first_key", block.first_key),
         NumberField("entry_count", block.entries),
         TextField("codec", std::string(checkpoint::CodecName(block.codec))),
         NumberField("raw_bytes", block.raw_bytes), NumberField("stored_bytes", block.stored_bytes),
         TextField("sha256", base::ToHex(block.hash))});
  }
  return rows;
}

// How many blocks are stored with each codec: incompressible ones are stored as they are.
std::string BlockCodecs(const CheckpointReader& reader) {
  std::map<std::string, uint64_t> counts;
  for (const BlockInfo& block : reader.blocks()) {
    ++counts[std::string(checkpoint::CodecName(block.codec))];
  }
  std::string text;
  for (const auto& [name, count] : counts) {
    absl::StrAppend(&text, text.empty() ? "" : ", ", count, " ", name);
  }
  return text;
}

std::vector<Field> HeaderFields(const CheckpointReader& reader) {
  const Header& header = reader.header();
  Sum all;
  for (const BlockInfo& block : reader.blocks()) all.Add(block);
  return {TextField("file", reader.path()),
          NumberField("format_version", checkpoint::kFormatVersion),
          TextField("id", IdOf(header)),
          TextField("store_id", header.store_id),
          NumberField("incarnation", header.number.incarnation),
          NumberField("sequence", header.number.sequence),
          RevisionField(header.revision),
          TextField("create_time", FormatTime(TimeOf(header.create_time))),
          TextField("as_of_time", FormatTime(TimeOf(header.as_of))),
          TextField("engine", header.engine),
          NumberField("entry_count", header.entries),
          SizeField("size_bytes", header.data_bytes),
          NumberField("system_entry_count", header.system_entries),
          SizeField("file_bytes", reader.file_bytes()),
          TextField("codec", CodecOf(header)),
          NumberField("block_count", header.blocks),
          TextField("block_codecs", BlockCodecs(reader)),
          SizeField("raw_bytes", all.raw_bytes),
          SizeField("stored_bytes", all.stored_bytes),
          RatioField(all.stored_bytes, all.raw_bytes),
          TextField("root", base::ToHex(header.root)),
          TextField("content_digest", ContentDigestOf(header))};
}

// --- inspect
// ----------------------------------------------------------------------------------------------------

void PrintTable(const Context& context, const std::vector<std::vector<Field>>& rows) {
  Context table = context;
  table.style = Style::kTable;
  table.env.out << "\n";
  RecordWriter writer(table, 0);
  for (const auto& row : rows) writer.Write(row);
  writer.Finish();
}

Field ArrayField(std::string name, const std::vector<std::vector<Field>>& rows) {
  std::string json;
  for (const auto& row : rows) absl::StrAppend(&json, json.empty() ? "" : ",", ToJson(row));
  return {std::move(name), "", absl::StrCat("[", json, "]")};
}

ExitCode RunInspect(Context& context, const FileArguments& arguments) {
  const auto reader = OpenCheckpointFile(arguments.path);
  if (!reader.ok()) return Report(context, "inspect", reader.status(), Effect::kReads);
  std::vector<Field> fields = HeaderFields(**reader);
  const auto sections = SectionRows(**reader);
  const auto namespaces = NamespaceRows(**reader);
  if (context.style == Style::kJson) {
    fields.push_back(ArrayField("sections", sections));
    fields.push_back(ArrayField("namespaces", namespaces));
    if (arguments.blocks) fields.push_back(ArrayField("blocks", BlockRows(context, **reader)));
    PrintDetails(context, fields);
    return ExitCode::kDone;
  }
  PrintDetails(context, fields);
  PrintTable(context, sections);
  PrintTable(context, namespaces);
  if (arguments.blocks) PrintTable(context, BlockRows(context, **reader));
  return ExitCode::kDone;
}

// --- verify
// -----------------------------------------------------------------------------------------------------

ExitCode RunVerify(Context& context, const FileArguments& arguments) {
  const auto reader = OpenCheckpointFile(arguments.path);
  if (!reader.ok()) return Report(context, "verify", reader.status(), Effect::kReads);
  const absl::Status proved = ProveCheckpointFile(
      context, "verify", **reader, arguments.quiet ? Loudness::kQuiet : Loudness::kNormal);
  if (IsInterruption(proved)) return ExitCode::kInterrupted;
  if (!proved.ok()) return Report(context, "verify", proved, Effect::kReads);
  const Header& header = (*reader)->header();
  if (context.style == Style::kSimple) {
    context.env.out << "intact\n";
    return ExitCode::kDone;
  }
  PrintDetails(context, {TextField("file", arguments.path), TextField("health", "intact"),
                         TextField("id", IdOf(header)), NumberField("entry_count", header.entries),
                         TextField("root", base::ToHex(header.root)),
                         TextField("content_digest", ContentDigestOf(header))});
  return ExitCode::kDone;
}

using Run = ExitCode (*)(Context&, const FileArguments&);

struct Added {
  CLI::App& command;
  FileArguments& arguments;
};

Added Add(CLI::App& app, Command& chosen, const char* name, const char* about, Run run) {
  CLI::App* const command = app.add_subcommand(name, about);
  const auto arguments = std::make_shared<FileArguments>();
  command->add_option("FILE", arguments->path, "A checkpoint file")->required();
  command->callback([&chosen, arguments, run] {
    chosen = [arguments, run](Context& context) { return run(context, *arguments); };
  });
  return {*command, *arguments};
}

}  // namespace

void AddFileCommands(CLI::App& app, Command& chosen) {
  const Added inspect = Add(
      app, chosen, "inspect",
      "Print what is in a checkpoint file, proving header and index; needs no server", RunInspect);
  inspect.command.add_flag("--blocks", inspect.arguments.blocks, "Each block too");
  const Added verify = Add(
      app, chosen, "verify",
      "Prove every byte of a checkpoint file; exit 5 if it is damaged; needs no server", RunVerify);
  verify.command.add_flag("-q,--quiet", verify.arguments.quiet, "No progress on stderr");
}

}  // namespace tarn::cli
