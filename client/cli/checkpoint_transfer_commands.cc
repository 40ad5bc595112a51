// Checkpoints compared, and as files: diff, export, import.
#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/cli/checkpoint_commands.h"
#include "client/cli/checkpoint_fields.h"
#include "client/cli/checkpoint_file.h"
#include "client/cli/output.h"
#include "client/cli/report.h"
#include "client/cli/text.h"

namespace tarn::cli {
namespace {

struct TransferArguments {
  std::string id;
  std::string other_id;
  std::string path;
  bool keys = false;
  bool allow_other_store = false;
  bool quiet = false;

  Loudness loudness() const { return quiet ? Loudness::kQuiet : Loudness::kNormal; }
};

// How much of a file is sent at a time.
constexpr size_t kPieceBytes = 512 << 10;

// The checkpoint that has come or gone: in simple style its id alone.
ExitCode PrintTransferred(const Context& context, const Checkpoint& checkpoint) {
  if (context.style == Style::kSimple) {
    context.env.out << checkpoint.id << "\n";
  } else {
    PrintDetails(context, FieldsOf(checkpoint));
  }
  return ExitCode::kDone;
}

// --- diff
// -------------------------------------------------------------------------------------------------------

const char* NameOf(CheckpointChangeKind kind) {
  constexpr const char* kNames[] = {"unknown", "added", "removed", "changed"};
  return kNames[static_cast<size_t>(kind)];
}

std::vector<Field> FieldsOf(const CheckpointDiffTotals& totals) {
  return {NumberField("added_count", totals.added_count),
          NumberField("removed_count", totals.removed_count),
          NumberField("changed_count", totals.changed_count),
          NumberField("same_count", totals.same_count)};
}

// Prints the keys as they come.
ExitCode PrintChanges(const Context& context, CheckpointDiff& diff) {
  constexpr size_t kSimpleFields = 3;
  RecordWriter writer(context, kSimpleFields);
  while (!context.env.interrupted()) {
    const auto change = diff.Next();
    if (!change.ok()) {
      writer.Finish();
      return Report(context, "checkpoint diff", change.status(), Effect::kReads);
    }
    if (!change->has_value()) {
      writer.Finish();
      return ExitCode::kDone;
    }
    writer.Write({TextField("change", NameOf((*change)->kind)),
                  TextField("namespace", (*change)->ns),
                  BytesField(context, "key", (*change)->key)});
  }
  writer.Finish();
  return ExitCode::kInterrupted;
}

// After the keys the counts are an aside for people, and one more object for programs.
void PrintTotals(const Context& context, const TransferArguments& arguments,
                 const CheckpointDiffTotals& totals) {
  if (!arguments.keys || context.style == Style::kJson) {
    PrintDetails(context, FieldsOf(totals));
    return;
  }
  context.env.err << FormatCount(totals.added_count) << " added, "
                  << FormatCount(totals.removed_count) << " removed, "
                  << FormatCount(totals.changed_count) << " changed, "
                  << FormatCount(totals.same_count) << " the same\n";
}

ExitCode RunDiff(Context& context, const TransferArguments& arguments) {
  const auto checkpoints = context.ConnectCheckpoints();
  if (!checkpoints.ok())
    return Report(context, "checkpoint diff", checkpoints.status(), Effect::kReads);
  CheckpointDiff diff =
      checkpoints->Diff({.from_id = arguments.id,
                         .to_id = arguments.other_id,
                         .ns = context.options.ns,
                         .content = arguments.keys ? DiffContent::kKeys : DiffContent::kCountsOnly,
                         .timeout = context.timeout});
  const ExitCode code = PrintChanges(context, diff);
  if (code == ExitCode::kDone && diff.totals().has_value()) {
    PrintTotals(context, arguments, *diff.totals());
  }
  return code;
}

// --- export
// -----------------------------------------------------------------------------------------------------

// Writes what arrives to the file, durably.
absl::StatusOr<Checkpoint> Receive(const Context& context, const TransferArguments& arguments,
                                   CheckpointExport& source, const std::string& path) {
  ByteProgress progress(context.env, "checkpoint export", arguments.loudness());
  auto file = base::PosixFileSystem().Create(path);
  if (!file.ok()) return file.status();
  Checkpoint checkpoint;
  uint64_t received = 0;
  while (true) {
    if (context.env.interrupted()) return Interruption();
    const auto chunk = source.Next();
    if (!chunk.ok()) return chunk.status();
    if (!chunk->has_value()) break;
    if ((*chunk)->checkpoint.has_value()) checkpoint = *(*chunk)->checkpoint;
    if (const auto status = (*file)->Append((*chunk)->data); !status.ok()) return status;
    received += (*chunk)->data.size();
    progress.Show("receiving", received, checkpoint.file_bytes);
  }
  if (const auto status = (*file)->Sync(); !status.ok()) return status;
  if (const auto status = (*file)->Close(); !status.ok()) return status;
  return checkpoint;
}

// Proves that what was received is what the server has proved.
absl::Status Prove(const Context& context, const TransferArguments& arguments,
                   const std::string& path) {
  const auto reader = OpenCheckpointFile(path);
  if (!reader.ok()) return reader.status();
  return ProveCheckpointFile(context, "checkpoint export", **reader, arguments.loudness());
}

absl::StatusOr<Checkpoint> Export(const Context& context, const TransferArguments& arguments,
                                  CheckpointExport& source, const std::string& temporary) {
  auto checkpoint = Receive(context, arguments, source, temporary);
  if (!checkpoint.ok()) return checkpoint.status();
  if (const auto proved = Prove(context, arguments, temporary); !proved.ok()) return proved;
  base::FileSystem& files = base::PosixFileSystem();
  if (const auto status = files.Rename(temporary, arguments.path); !status.ok()) return status;
  const auto status = files.SyncDirectory(std::string(base::DirectoryOf(arguments.path)));
  if (!status.ok()) return status;
  return checkpoint;
}

ExitCode RunExport(Context& context, const TransferArguments& arguments) {
  const auto checkpoints = context.ConnectCheckpoints();
  if (!checkpoints.ok())
    return Report(context, "checkpoint export", checkpoints.status(), Effect::kReads);
  const std::string temporary = arguments.path + ".tmp";
  const auto source = checkpoints->Export({.id = arguments.id, .timeout = context.timeout});
  const auto exported = Export(context, arguments, *source, temporary);
  if (exported.ok()) return PrintTransferred(context, *exported);
  // What is half-done is nobody's; it may not have come to be at all.
  base::PosixFileSystem().Remove(temporary).IgnoreError();
  if (IsInterruption(exported.status())) {
    context.env.err << "tarnctl: checkpoint export: interrupted; " << arguments.path
                    << " is as it was before\n";
    return ExitCode::kInterrupted;
  }
  return Report(context, "checkpoint export", exported.status(), Effect::kReads);
}

// --- import
// -----------------------------------------------------------------------------------------------------

// The file from its first byte to its last.
class FileSource {
 public:
  FileSource(const Context& context, const TransferArguments& arguments,
             std::unique_ptr<base::RandomAccessFile> file, uint64_t size)
      : context_(context),
        file_(std::move(file)),
        size_(size),
        progress_(context.env, "checkpoint import", arguments.loudness()) {}

  absl::StatusOr<std::string> Next() {
    if (context_.env.interrupted()) return Interruption();
    progress_.Show("sending", offset_, size_);
    const uint64_t piece = std::min<uint64_t>(kPieceBytes, size_ - offset_);
    if (piece == 0) return std::string();
    auto bytes = file_->Read(offset_, piece);
    offset_ += piece;
    return bytes;
  }

 private:
  const Context& context_;
  const std::unique_ptr<base::RandomAccessFile> file_;
  const uint64_t size_;
  uint64_t offset_ = 0;
  ByteProgress progress_;
};

// What is not a checkpoint at all need not be sent. The rest is the server's to judge, to which a
// newer format may not be one.
absl::Status LooksIntact(const std::string& path) {
  const absl::Status status = OpenCheckpointFile(path).status();
  return ReasonOf(status) == Reason::kNewerFormat ? absl::OkStatus() : status;
}

absl::StatusOr<Checkpoint> Import(const Context& context, const TransferArguments& arguments,
                                  const CheckpointClient& checkpoints) {
  if (const auto status = LooksIntact(arguments.path); !status.ok()) return status;
  auto file = base::PosixFileSystem().Open(arguments.path);
  if (!file.ok()) return file.status();
  const auto size = (*file)->Size();
  if (!size.ok()) return size.status();
  FileSource source(context, arguments, *std::move(file), *size);
  return checkpoints.Import(
      {.from = arguments.allow_other_store ? ImportFrom::kAnyStore : ImportFrom::kOwnStore,
       .read = [&source] { return source.Next(); },
       .timeout = context.timeout});
}

ExitCode RunImport(Context& context, const TransferArguments& arguments) {
  const auto checkpoints = context.ConnectCheckpoints();
  if (!checkpoints.ok())
    return Report(context, "checkpoint import", checkpoints.status(), Effect::kReads);
  const auto imported = Import(context, arguments, *checkpoints);
  if (imported.ok()) return PrintTransferred(context, *imported);
  if (IsInterruption(imported.status())) {
    context.env.err << "tarnctl: checkpoint import: interrupted; nothing was taken in\n";
    return ExitCode::kInterrupted;
  }
  // Whether it was taken in can be seen, and importing again is safe.
  return Report(context, "checkpoint import", imported.status(), Effect::kReads);
}

// --- their arguments
// --------------------------------------------------------------------------------------------

using Run = ExitCode (*)(Context&, const TransferArguments&);

struct Added {
  CLI::App& command;
  TransferArguments& arguments;
};

Added Add(CLI::App& group, Command& chosen, const char* name, const char* about, Run run) {
  CLI::App* const command = group.add_subcommand(name, about);
  const auto arguments = std::make_shared<TransferArguments>();
  command->callback([&chosen, arguments, run] {
    chosen = [arguments, run](Context& context) { return run(context, *arguments); };
  });
  return {*command, *arguments};
}

void AddQuiet(const Added& added) {
  added.command.add_flag("-q,--quiet", added.arguments.quiet, "No progress on stderr");
}

}  // namespace

void AddCheckpointTransferCommands(CLI::App& group, Command& chosen) {
  const Added diff = Add(
      group, chosen, "diff",
      "Count what was added, removed and changed from A to B; of one namespace with -n", RunDiff);
  diff.command.add_option("A", diff.arguments.id, "A checkpoint's id, or latest")->required();
  diff.command.add_option("B", diff.arguments.other_id, "A checkpoint's id, or latest")->required();
  diff.command.add_flag("--keys", diff.arguments.keys, "Print the keys that differ");

  const Added exporting = Add(group, chosen, "export", "Copy a checkpoint into a file", RunExport);
  exporting.command.add_option("ID", exporting.arguments.id, "The checkpoint's id, or latest")
      ->required();
  exporting.command.add_option("FILE", exporting.arguments.path, "Replaced if it exists")
      ->required();
  AddQuiet(exporting);

  const Added importing =
      Add(group, chosen, "import", "Take a checkpoint's file into the server's catalog", RunImport);
  importing.command.add_option("FILE", importing.arguments.path, "A checkpoint file")->required();
  importing.command.add_flag("--allow-other-store", importing.arguments.allow_other_store,
                             "Also a checkpoint of another store");
  AddQuiet(importing);
}

}  // namespace tarn::cli
